"""The scoring `gated`: the standard of a role, must before should before may.

The order of the three is read as lexicographic, after Beyond Preferences (arXiv:2408.16984): what must be cannot be
bought back by what should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adjudge.errors import ScoringError
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.credit import check_number, credit, weighted_mean


@dataclass(frozen=True, slots=True)
class Gated:
    """Weighted mean of the `should` criteria, from 0 to 1, capped if any `must` fails; `may` is only reported.

    A `must` passes at its best level, or at the level named by `options: {pass: LEVEL}` and better ones. Without any
    `should` criterion, passing every `must` gives 1.
    """

    cap: float = 0.0
    """The most that a submission can have that fails a `must`, from 0 to 1."""

    def __post_init__(self) -> None:
        check_number("cap", self.cap, 0, 1)

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no `must` and no `should` takes part."""
        part = [c for c in rubric.criteria if c.id in scores]
        gates = [_passes(c, scores[c.id]) for c in part if c.importance == "must"]
        shares = [(abs(c.weight), credit(c, scores[c.id])) for c in part if c.importance == "should"]
        if not gates and not shares:
            return None
        value = weighted_mean(shares)
        open_value = 1.0 if value is None else value
        return open_value if all(gates) else min(self.cap, open_value)

    def note(self, rubric: Rubric, scores: Mapping[str, float]) -> str:
        """Which criteria capped the score."""
        must = [c for c in rubric.criteria if c.id in scores and c.importance == "must"]
        failed = [c.id for c in must if not _passes(c, scores[c.id])]
        return f"capped at {self.cap:g} by {', '.join(failed)}" if failed else ""


def _passes(criterion: Criterion, score: float) -> bool:
    name = criterion.options.get("pass")
    if name is None:
        return credit(criterion, score) >= 1
    if not isinstance(name, str) or name not in criterion.scale:
        raise ScoringError(f"criterion {criterion.id!r}: option `pass` is {name!r}, which is no level of its scale")
    bar = criterion.scale.level(name).score
    assert bar is not None  # the criterion takes part, so its levels have scores
    return credit(criterion, score) >= credit(criterion, bar)
