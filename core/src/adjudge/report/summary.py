"""Figures of a run: counts, coverage, means with what is missing from them, tokens and cost.

No mean stands alone: each comes with how many scores it rests on and how many are missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TypeAlias

from adjudge.report.record import RunRecord
from adjudge.report.rubrics import rubric_names
from adjudge.rubric import Criterion
from adjudge.scale import Scale
from adjudge.submission import Comparison
from adjudge.verdict import Result, Usage, Verdict

PREFERENCES = ("first", "second", "tie", "incomparable")
"""Levels of a comparison, in the order of tables."""
OVERALL = "overall"
"""Criterion of the preference that follows from the others; it is shown and never counted a second time."""
MOST_OWN = 60
"""Where submissions bring more criteria of their own than these, their dimensions are counted."""
MOST_NAMED = 6
"""Most rubrics of one criterion that are named."""


@dataclass(frozen=True, kw_only=True)
class CriterionRow:
    """What came of one criterion, or of one dimension where every submission has its own rubric."""

    name: str
    """Id of the criterion, or the dimension."""
    criterion: Criterion | None
    """The criterion itself; None for a dimension and for a criterion that no rubric holds."""
    rubrics: tuple[str, ...]
    """Names of the rubrics that it is of, if a submission's own is among them; none if it is the run's alone."""
    levels: Mapping[str, int]
    """Number of verdicts at each level, in the order of the scale; levels never given are listed with 0."""
    scored: int
    """Number of verdicts with a level."""
    unscored: int
    """Number of verdicts that failed."""
    skipped: int
    """Number of verdicts not asked for, since a criterion that they depend on was not met."""
    reasons: Mapping[str, int]
    """Number of failures of each reason."""
    mean: float | None
    """Mean score over the verdicts with one, in the scale's units; None if there is none or the scales differ."""

    @property
    def reached(self) -> float | None:
        """How far the mean score lies from the worst (0) to the best (1) level; None if it cannot be said.

        Of a criterion of negative weight the best level is the lowest.
        """
        best, worst = (self.criterion.best, self.criterion.worst) if self.criterion else (None, None)
        if self.mean is None or best is None or worst is None or best == worst:
            return None
        return (self.mean - worst) / (best - worst)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of a run."""

    items: int
    """Number of submissions and comparisons."""
    scored: int
    """Number of verdicts with a level."""
    unscored: int
    """Number of verdicts that failed."""
    skipped: int
    """Number of verdicts not asked for."""
    reasons: Mapping[str, int]
    """Number of failures of each reason."""
    coverage: float | None
    """Scored share of the verdicts that were due (skipped ones are not); None if none was due."""
    mean: float | None
    """Mean score over the `n_scored` submissions that have one; None if none has."""
    n_scored: int
    """Submissions with a score."""
    n_unscored: int
    """Submissions without a score since a verdict is missing."""
    n_undefined: int
    """Submissions for which the scoring gives no number whatever the verdicts are, comparisons among them."""
    bounds: tuple[float, float] | None
    """Mean score with all unscored verdicts at their worst, and at their best, over the submissions with a score and
    those without one for want of a verdict; None if there are none or one of them cannot be bounded."""
    preferences: Mapping[str, int] | None
    """Number of comparisons with each overall preference; None if nothing was compared."""
    order_inconsistent: int
    """Number of comparisons on which some verdict changed with the order of the candidates."""
    criteria: tuple[CriterionRow, ...]
    """One row per criterion of the run's rubric and of others that submissions bring, of very many per dimension."""
    usage: Usage
    """Tokens and cost of all verdicts."""
    cached_share: float | None
    """Share of the prompt tokens that a prefix cache served; None if no tokens were counted."""


def summary(record: RunRecord) -> Summary:
    """Sum up a run.

    Args:
        record: The run.

    Returns:
        Its figures. Means leave out what is unscored and never count it as 0; `n_unscored`, `coverage` and `bounds`
        say how much is missing and how far it could move the mean.
    """
    verdicts = [verdict for result in record.results for verdict in asked(result)]
    status = Counter(verdict.status for verdict in verdicts)
    due = status["scored"] + status["unscored"]
    values = [result.score.value for result in record.results if result.score.value is not None]
    missing = [result for result in record.results if result.score.value is None and _lacks_a_verdict(result)]
    usage = _total([verdict.usage for verdict in verdicts])
    return Summary(
        items=len(record.items),
        scored=status["scored"],
        unscored=status["unscored"],
        skipped=status["skipped"],
        reasons=_reasons(verdicts),
        coverage=status["scored"] / due if due else None,
        mean=fmean(values) if values else None,
        n_scored=len(values),
        n_unscored=len(missing),
        n_undefined=len(record.results) - len(values) - len(missing),
        bounds=_bounds_of_the_mean(record.results),
        preferences=_preferences(record),
        order_inconsistent=sum(
            any("order-inconsistent" in verdict.flags for verdict in result.verdicts) for result in record.results
        ),
        criteria=_rows(record),
        usage=usage,
        cached_share=usage.cached_tokens / usage.prompt_tokens if usage.prompt_tokens else None,
    )


def asked(result: Result) -> tuple[Verdict, ...]:
    """The verdicts that were asked for: without the overall preference of a comparison, which follows from them."""
    derived = len(result.verdicts) > 1 and result.verdicts[-1].criterion == OVERALL
    return result.verdicts[:-1] if derived else result.verdicts


def _lacks_a_verdict(result: Result) -> bool:
    if result.score.undefined:
        return False
    return any(verdict.status == "unscored" for verdict in result.verdicts) or result.score.coverage < 1


def _reasons(verdicts: Iterable[Verdict]) -> dict[str, int]:
    return dict(sorted(Counter(verdict.reason for verdict in verdicts if verdict.reason is not None).items()))


def _total(usages: Sequence[Usage]) -> Usage:
    """Sum without a new frozen value per verdict, which would cost more than the rest of the summary."""
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        cost=sum(usage.cost for usage in usages),
    )


def _bounds_of_the_mean(results: Sequence[Result]) -> tuple[float, float] | None:
    bounds = [_bounds(result) for result in results if result.score.value is not None or _lacks_a_verdict(result)]
    known = [pair for pair in bounds if pair is not None]
    if not known or len(known) < len(bounds):
        return None
    return fmean(low for low, _ in known), fmean(high for _, high in known)


def _bounds(result: Result) -> tuple[float, float] | None:
    score = result.score
    if score.bounds is None and score.value is not None and not _lacks_a_verdict(result):
        return score.value, score.value
    return score.bounds


def _preferences(record: RunRecord) -> dict[str, int] | None:
    if not any(isinstance(item, Comparison) for item in record.items):
        return None
    counts = Counter(
        verdict.level
        for item, result in zip(record.items, record.results, strict=True)
        if isinstance(item, Comparison)
        for verdict in result.verdicts[-1:]
        if verdict.level is not None
    )
    return {level: counts[level] for level in (*PREFERENCES, *sorted(counts.keys() - set(PREFERENCES)))}


Key: TypeAlias = tuple[str, str, Scale | None]
"""What the verdicts of one row have in common: the criterion's id, text and scale, or a name alone."""


@dataclass
class _Group:
    """Verdicts that are counted in one row."""

    criterion: Criterion | None = None
    rubrics: dict[str, None] = field(default_factory=dict)
    """Content hashes of the rubrics that they are by."""
    members: list[tuple[Criterion | None, Verdict]] = field(default_factory=list)


def _rows(record: RunRecord) -> tuple[CriterionRow, ...]:
    """Group the verdicts by criterion; those of very many criteria that submissions bring by dimension.

    Two rubrics may give one id to two criteria: those with another text or scale are rows of their own.
    """
    groups = {_key(one): _Group(one) for one in (record.rubric.criteria if record.rubric else ())}
    shared = set(groups)
    each = bool(shared) and len(_own(record) - shared) <= MOST_OWN
    for item, result in zip(record.items, record.results, strict=True):
        rubric, criteria = record.rubric_of(item), record.criteria_of(item)
        keys = {one.id: _key(one) for one in criteria.values()} if shared else {}
        for verdict in result.verdicts:
            criterion = criteria.get(verdict.criterion)
            if criterion is None or rubric is None:
                group = groups.setdefault((verdict.criterion, "", None), _Group())
            elif shared and (each or keys[criterion.id] in shared):
                group = groups.setdefault(keys[criterion.id], _Group(criterion))
                group.rubrics[rubric.hash] = None
            else:
                group = groups.setdefault((criterion.dimension or "(no dimension)", "", None), _Group())
            group.members.append((criterion, verdict))
    names = rubric_names(record) if shared else {}
    return tuple(_row(record, key[0], group, names) for key, group in groups.items())


def _key(criterion: Criterion) -> Key:
    return criterion.id, criterion.text, criterion.scale


def _own(record: RunRecord) -> set[Key]:
    """Criteria that submissions bring."""
    return {_key(one) for item in record.items if item.rubric for one in item.rubric.criteria}


def _rubrics(record: RunRecord, group: _Group, names: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the rubrics of a row, where there are others than the run's."""
    if record.rubric is None or not group.rubrics.keys() - {record.rubric.hash}:
        return ()
    found = tuple(names[one] for one in group.rubrics)
    return found if len(found) <= MOST_NAMED else (f"{len(found):,} rubrics",)


def _row(record: RunRecord, name: str, group: _Group, names: Mapping[str, str]) -> CriterionRow:
    verdicts = [verdict for _, verdict in group.members]
    status = Counter(verdict.status for verdict in verdicts)
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    ranges = {member.scale.range for member, _ in group.members if member is not None}
    compared = any(isinstance(item, Comparison) for item in record.items)
    return CriterionRow(
        name=name,
        criterion=group.criterion,
        rubrics=_rubrics(record, group, names),
        levels=_level_counts(verdicts, group.criterion, compared=compared),
        scored=status["scored"],
        unscored=status["unscored"],
        skipped=status["skipped"],
        reasons=_reasons(verdicts),
        mean=fmean(scores) if scores and len(ranges) <= 1 else None,
    )


def _level_counts(verdicts: Sequence[Verdict], criterion: Criterion | None, *, compared: bool) -> dict[str, int]:
    counts = Counter(verdict.level for verdict in verdicts if verdict.level is not None)
    scale = [level.id for level in criterion.scale.levels] if criterion is not None else []
    order = PREFERENCES if compared else scale
    return {level: counts[level] for level in (*order, *sorted(counts.keys() - set(order)))}
