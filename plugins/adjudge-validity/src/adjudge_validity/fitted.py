"""Calibrations in a file: whose probabilities they are for, and the judge that applies them and refuses any other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from adjudge.errors import InputError, UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.calibrated import CalibratedJudge
from adjudge.judges.members import joint_fingerprint
from adjudge.report import RunRecord, identity_hash, read_out_of
from adjudge.rubric import Criterion, Rubric
from adjudge.verdict import Verdict
from adjudge_validity import maps
from adjudge_validity.stored import Stored, from_parameters

FORMAT = 1
LEARNED = "learned"
"""Method of a read-out that looks at all criteria, beside the maps of `maps.FITS`."""


@dataclass(frozen=True, kw_only=True)
class FittedOn:
    """Whose probabilities a calibration is for."""

    judge: str
    """Name of the judge."""
    read_out: str
    """Name of the read-out."""
    backend: str
    """Hash of the backend's identity."""
    rubric: str
    """Content hash of the rubric."""


@dataclass(frozen=True, kw_only=True)
class FileCalibration:
    """Maps by criterion; satisfies `adjudge.interfaces.Calibration`. A criterion without one passes as it is."""

    fitted_on: FittedOn
    """Whose probabilities it is for."""
    of: Mapping[str, Mapping[str, Any]]
    """Criterion to `method` and `parameters`."""
    rater: str = ""
    """Whose levels a learned read-out predicts; those of anyone if empty."""

    @cached_property
    def name(self) -> str:
        """Methods, the hash of everything in it, and the rater."""
        digest = hashlib.sha256(json.dumps(_plain(self), sort_keys=True).encode()).hexdigest()[:12]
        methods = dict.fromkeys(str(one["method"]) for one in self.of.values())
        return f"{'+'.join(methods)}:{digest}" + (f" as {self.rater}" if self.rater else "")

    @cached_property
    def read_outs(self) -> dict[str, Stored]:
        """The learned read-outs, by criterion."""
        return {name: from_parameters(one["parameters"]) for name, one in self.of.items() if one["method"] == LEARNED}

    def as_rater(self, rater: str) -> FileCalibration:
        """The same, predicting one rater's levels.

        Raises:
            UnsupportedError: No read-out has parameters of that rater.
        """
        known = sorted({name for one in self.read_outs.values() for name in one.read_out.raters})
        if rater not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise UnsupportedError(f"judge 'fitted': the calibration does not know the rater {rater!r}; {has}")
        return replace(self, rater=rater)

    def seeing(self, verdicts: Mapping[str, Sequence[Verdict]]) -> Together:
        """The calibration for one submission."""
        return Together(calibration=self, verdicts=verdicts)

    def __call__(self, criterion: Criterion, distribution: Mapping[str, float]) -> Mapping[str, float]:
        """The mapped distribution."""
        if criterion.id not in self.of:
            return distribution
        levels = [level.id for level in criterion.scale.levels]
        one = self.of[criterion.id]
        given = np.array([[distribution[level] for level in levels]])
        shares = maps.apply(str(one["method"]), one["parameters"], given)[0]
        return dict(zip(levels, (shares / shares.sum()).tolist(), strict=True))


@dataclass(frozen=True, kw_only=True)
class Together:
    """A calibration that sees what the judge said on all criteria of one submission."""

    calibration: FileCalibration
    """The maps."""
    verdicts: Mapping[str, Sequence[Verdict]]
    """By criterion; of several repeats the first one with probabilities is read."""

    @property
    def name(self) -> str:
        """That of the maps, with what a learned read-out has seen."""
        if not self.calibration.read_outs:
            return self.calibration.name
        seen = joint_fingerprint(one for given in self.verdicts.values() for one in given)
        return f"{self.calibration.name}\x00{seen}"

    def __call__(self, criterion: Criterion, distribution: Mapping[str, float]) -> Mapping[str, float]:
        """The mapped distribution."""
        read_out = self.calibration.read_outs.get(criterion.id)
        if read_out is None:
            return self.calibration(criterion, distribution)
        first = {
            name: next((v.distribution for v in given if v.distribution), {}) for name, given in self.verdicts.items()
        }
        return read_out.distribution({**first, criterion.id: distribution}, self.calibration.rater)


def _plain(calibration: FileCalibration) -> dict[str, Any]:
    return {"format": FORMAT, "fitted_on": asdict(calibration.fitted_on), "criteria": dict(calibration.of)}


def save(path: Path, calibration: FileCalibration) -> None:
    """Write the calibration as JSON; a file that is there is not touched.

    Raises:
        OSError: The file cannot be written, or is there.
    """
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(_plain(calibration), indent=2, sort_keys=True) + "\n")


def load(path: Path) -> FileCalibration:
    """Read what `save` wrote.

    Raises:
        InputError: It is missing, or no calibration of this format.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
        if value["format"] != FORMAT:
            raise InputError(f"{path}: format {value['format']}, this version reads {FORMAT}; calibrate again")
        of = {
            str(name): {"method": m["method"], "parameters": m["parameters"]} for name, m in value["criteria"].items()
        }
        calibration = FileCalibration(fitted_on=FittedOn(**value["fitted_on"]), of=of)
        strangers = {one["method"] for one in of.values()} - maps.FITS.keys() - {LEARNED}
        _ = calibration.read_outs  # read now, so that a broken file is refused before anything is asked
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; make one with adjudge calibrate") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no calibration ({error}); make one with adjudge calibrate") from None
    if strangers:
        raise InputError(f"{path}: unknown map {min(strangers)!r}; calibrate again")
    return calibration


def fitted_on(record: RunRecord) -> FittedOn:
    """Whose probabilities a run holds.

    Raises:
        InputError: Each submission has a rubric of its own.
    """
    if record.rubric is None:
        raise InputError("a calibration is for one rubric; in this run each submission has its own")
    given = record.provenance
    identity = given["backend identity"]
    assert isinstance(identity, dict)
    return FittedOn(
        judge=str(given["judge"]),
        read_out=str(given["read-out"]),
        backend=identity_hash(identity),
        rubric=record.rubric.hash,
    )


class FittedJudge(CalibratedJudge):
    """A calibrated judge that refuses to map what its calibration was not fitted on."""

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission as the judge inside does, then map.

        Raises:
            UnsupportedError: Judge, read-out, backend or rubric are not those of the calibration.
        """
        calibration = self.calibration
        assert isinstance(calibration, FileCalibration)
        refuse_another(calibration.fitted_on, self.members[0], rubric, ask, "this calibration was fitted on")
        return await super().judge(item, rubric, ask)


def refuse_another(fitted_on: FittedOn, member: Member, rubric: Rubric, ask: Ask, what: str) -> None:
    """Refuse a judge, read-out, backend or rubric other than what was fitted on.

    Args:
        fitted_on: Whose probabilities are meant.
        member: The judge at hand.
        rubric: The rubric at hand.
        ask: The way to the backend, where the member brings none.
        what: Beginning of the message.

    Raises:
        UnsupportedError: It is another one.
    """
    found = FittedOn(
        judge=member.judge.name,
        read_out=read_out_of(member.judge),
        backend=identity_hash((member.backend or _backend(ask)).identity),
        rubric=rubric.hash,
    )
    pairs = {part: (wanted, getattr(found, part)) for part, wanted in asdict(fitted_on).items()}
    other = {part: pair for part, pair in pairs.items() if pair[0] != pair[1]}
    if other:
        said = ", ".join(f"{part} {is_[:12]!r}, not {wanted[:12]!r}" for part, (wanted, is_) in other.items())
        raise UnsupportedError(f"{what} another {next(iter(other))} ({said}); make another for this one")


def _backend(ask: Any) -> Any:
    """Who is asked in the end, behind whatever changes questions on their way."""
    while not hasattr(ask, "backend"):
        ask = ask.ask
    return ask.backend
