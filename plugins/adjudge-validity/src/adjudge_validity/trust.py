"""The confidence from which on a judge is trusted, criterion by criterion, and the cascade that keeps to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from adjudge.errors import InputError, UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.cascade import CascadeJudge, confidence
from adjudge.rubric import Rubric
from adjudge.verdict import Verdict
from adjudge_validity.confidence import Kept, trusted_threshold
from adjudge_validity.fitted import FittedOn, refuse_another
from adjudge_validity.ratings import Rating

FORMAT = 1
NEVER = 1.0
"""Threshold of a criterion on which the judge is not to be trusted alone: everything is asked on."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Thresholds of one judge."""

    fitted_on: FittedOn
    """Whose confidence they are about."""
    accuracy: float
    """Agreement with people that is guaranteed above them."""
    risk: float
    """Chance that the guarantee fails, for each criterion."""
    thresholds: Mapping[str, float]
    """By criterion; 1 where none could be guaranteed."""


def trusted(rows: Sequence[Rating], *, accuracy: float, risk: float) -> Kept:
    """The least confidence from which on the judge agrees with the raters' consensus on one criterion often enough.

    Raises:
        InputError: No threshold can be guaranteed with these labels.
    """
    sure = [(confidence(row.verdict), row) for row in rows if row.verdict is not None and row.consensus is not None]
    known = [(share, row.level == row.consensus) for share, row in sure if share is not None]
    return trusted_threshold([x for x, _ in known], [hit for _, hit in known], accuracy=accuracy, risk=risk)


def save(path: Path, trust: Trust) -> None:
    """Write thresholds as JSON; a file that is there is not touched.

    Raises:
        OSError: The file cannot be written, or is there.
    """
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps({"format": FORMAT, **asdict(trust)}, indent=2, sort_keys=True) + "\n")


def load(path: Path) -> Trust:
    """Read what `save` wrote.

    Raises:
        InputError: It is missing, or holds no thresholds of this format.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
        if value.pop("format") != FORMAT:
            raise InputError(f"{path}: another format than {FORMAT}; run adjudge trust again")
        thresholds = {str(name): float(share) for name, share in value.pop("thresholds").items()}
        return Trust(fitted_on=FittedOn(**value.pop("fitted_on")), thresholds=thresholds, **value)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; make one with adjudge trust") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: holds no thresholds ({error}); make one with adjudge trust") from None


@dataclass(frozen=True)
class TrustedCascade(CascadeJudge):
    """A cascade whose first judge must be the one that the thresholds were found for."""

    fitted_on: FittedOn | None = field(default=None)
    """Whose confidence the thresholds are about."""

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission.

        Raises:
            UnsupportedError: Judge, read-out, backend or rubric are not those of the thresholds.
        """
        assert self.fitted_on is not None
        refuse_another(self.fitted_on, self.members[0], rubric, ask, "these thresholds were found for")
        return await super().judge(item, rubric, ask)


def cascade(members: tuple[Member, ...], trust: Trust) -> TrustedCascade:
    """The cascade over two members; criteria without a threshold are always asked on."""
    if len(members) != 2:  # noqa: PLR2004 - thresholds are about the step from the first to the second
        raise UnsupportedError("the judge 'trusted' needs members=[cheap, dear]")
    return TrustedCascade(members, threshold=NEVER, of=trust.thresholds, fitted_on=trust.fitted_on)
