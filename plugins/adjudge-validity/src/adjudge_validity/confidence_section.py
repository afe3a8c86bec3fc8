"""How often a judge is right by how sure it is, and the section of the HTML report on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adjudge.interfaces import Plot, Section, Table
from adjudge.report import RunRecord
from adjudge_validity.sections import labelled_runs, named

CONFIDENCE = "How far the judge's confidence can be trusted"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A verdict with probabilities, beside what most people said."""

    shares: dict[str, float]
    """Probability of each level."""
    level: str
    """The level given."""
    people: str
    """The raters' most frequent level."""

    @property
    def sure(self) -> float:
        """Probability of the level given."""
        return min(1.0, max(0.0, self.shares.get(self.level, 0.0)))

    @property
    def is_right(self) -> bool:
        """Whether people say the same."""
        return self.level == self.people


def trusted(record: RunRecord) -> list[Trusted]:
    """Verdicts with probabilities on what people have labelled without a draw.

    Raises:
        InputError: As `ratings.join`.
    """
    from adjudge_validity.ratings import join

    return [
        Trusted(dict(row.verdict.distribution), row.level, row.consensus)
        for row in join(record).rows
        if row.verdict is not None and row.verdict.distribution and row.level is not None and row.consensus is not None
    ]


_TRUST = (
    "Where a judge gives probabilities, they can be compared with how often people agree with it. A judge that is 90 %"
    " sure should be right nine times of ten."
)
_TRUST_HELP = (
    "First picture: on the dashed line the judge is as sure as it may be; under it, it is too sure of itself. The lines"
    " through the marks are 95 % intervals. Second picture: how often it would be right if all but its surest verdicts"
    " were left to people. If that rises to the left, a person could look at the unsure ones only."
)

_ALIKE = "{run}The judge was {share:.0%} sure of each of the {n:,} verdicts: it points at none to leave to people."


def confidence_sections(records: Sequence[RunRecord]) -> Sequence[Section]:
    """Reliability and abstention curves of runs with probabilities and labels."""
    parts: list[Plot | Table | str] = []
    labelled = labelled_runs(records)
    for name, record in labelled:
        parts += _trust(name, record)
    if not parts and labelled:
        lead = "The judge gave no probabilities, so its confidence cannot be measured. The read-out label gives them."
        return (Section(title=CONFIDENCE, lead=lead),)
    return (Section(title=CONFIDENCE, lead=_TRUST, help=_TRUST_HELP, parts=tuple(parts)),) if parts else ()


def _trust(run: str, record: RunRecord) -> Iterator[Plot | Table | str]:
    known = trusted(record)
    if not known:
        return
    from adjudge_validity.confidence import abstention, brier, calibration_error, reliability
    from adjudge_validity.plots import INSTALL, abstention_plot, can_draw, reliability_plot

    sure, right = [one.sure for one in known], [one.is_right for one in known]
    bins = reliability(sure, right)
    if can_draw():
        yield reliability_plot(named("How sure, how often right", run), bins)
        if len(set(sure)) > 1:
            yield abstention_plot(named("If only the surest verdicts are kept", run), abstention(sure, right))
    else:
        yield INSTALL
    if len(set(sure)) == 1:
        yield _ALIKE.format(run=f"{run}: " if run else "", share=sure[0], n=len(sure))
    score = brier([one.shares for one in known], [one.people for one in known])
    figures = (
        ("mean distance between sure and right (ECE)", calibration_error(bins)),
        ("squared error of the probabilities (Brier; 0 is best)", score),
    )
    yield Table(title=named("Confidence", run), columns=("figure", "value"), rows=figures)
