"""The `calibrated` judge: the distribution of each criterion goes through a map before a level is read from it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Calibration, Item, Member
from adjudge.judges.members import asked_of
from adjudge.readout import expected_score
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison
from adjudge.verdict import Verdict

SLACK = 1e-6
FLAG = "calibrated"


@dataclass(frozen=True)
class Temperature:
    """Divides log-odds by a temperature: above 1 a judge becomes less sure of itself, its level stays.

    Source: Guo et al. 2017 (arXiv:1706.04599), section 4.2, here on the probabilities of levels.
    """

    default: float = 1.0
    """For criteria that are not named."""
    of: Mapping[str, float] = field(default_factory=dict)
    """By criterion id."""

    def __post_init__(self) -> None:
        for name, value in {"temperature": self.default, **self.of}.items():
            if not (math.isfinite(value) and value > 0):
                raise UnsupportedError(f"judge 'calibrated': temperature {value} of {name!r}: it must be above 0")

    @property
    def name(self) -> str:
        """The temperatures, in the order of ids."""
        return ",".join([f"T={self.default:g}", *(f"{key}={self.of[key]:g}" for key in sorted(self.of))])

    def __call__(self, criterion: Criterion, distribution: Mapping[str, float]) -> Mapping[str, float]:
        """The distribution at the criterion's temperature."""
        power = 1 / self.of.get(criterion.id, self.default)
        top = max(distribution.values())
        weights = {level: (share / top) ** power for level, share in distribution.items()}
        whole = math.fsum(weights.values())
        return {level: weight / whole for level, weight in weights.items()}


@dataclass(frozen=True)
class CalibratedJudge:
    """Reads each level from a mapped distribution; what the judge inside said is kept beside it.

    A verdict without a distribution passes as it is, and an unscored one stays unscored.
    """

    members: tuple[Member, ...]
    """The judge, alone."""
    calibration: Calibration = field(default_factory=Temperature)
    """The map."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'calibrated' wraps one judge: members=[{…}]")

    @property
    def name(self) -> str:
        """`calibrated` with the map and the judge inside."""
        return f"calibrated({self.calibration.name},{self.members[0].name})"

    def check(self, rubric: Rubric) -> None:
        """Refuse a map that names criteria which the rubric does not have.

        Raises:
            UnsupportedError: With their names.
        """
        known = {criterion.id for criterion in rubric.criteria}
        strangers = sorted(set(getattr(self.calibration, "of", {})) - known)
        if strangers:
            raise UnsupportedError(f"judge 'calibrated': {', '.join(strangers)}: no such criterion in {rubric.id!r}")

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission as the judge inside does, then map.

        Raises:
            UnsupportedError: The item is a comparison; its probabilities are not those of a scale.
        """
        if isinstance(item, Comparison):
            raise UnsupportedError(f"the judge 'calibrated' takes submissions, {item.id!r} is a comparison")
        given = await asked_of(self.members[0], item, rubric, ask)
        seeing = getattr(self.calibration, "seeing", None)
        calibration: Calibration = self.calibration if seeing is None else seeing(given)
        return [_mapped(calibration, criterion, one) for criterion in rubric.criteria for one in given[criterion.id]]


def _mapped(calibration: Calibration, criterion: Criterion, verdict: Verdict) -> Verdict:
    if verdict.distribution is None or verdict.status != "scored":
        return verdict
    distribution = _checked(calibration(criterion, verdict.distribution), criterion, calibration.name)
    level = max(distribution, key=lambda name: (distribution[name], name == verdict.level))
    changes = {
        "distribution": distribution,
        "level": level,
        "score": criterion.scale.level(level).score,
        "expected": expected_score(distribution, criterion.scale),
        "flags": (*verdict.flags, FLAG),
        "fingerprint": _fingerprint(verdict.fingerprint, calibration.name),
        "members": (verdict,),
    }
    return verdict.model_copy(update=changes)


def _checked(distribution: Mapping[str, float], criterion: Criterion, name: str) -> dict[str, float]:
    """The map's result, if it is a distribution over the criterion's levels."""
    levels = {level.id for level in criterion.scale.levels}
    sane = all(math.isfinite(share) and share >= 0 for share in distribution.values())
    if set(distribution) != levels or not sane or abs(math.fsum(distribution.values()) - 1) > SLACK:
        raise UnsupportedError(f"calibration {name!r}: gives no distribution over the levels of {criterion.id!r}")
    return dict(distribution)


def _fingerprint(inner: str, name: str) -> str:
    return hashlib.sha256(f"{inner}\x00{name}".encode()).hexdigest() if inner else ""
