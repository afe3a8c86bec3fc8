"""From verdicts to the score of one submission: dependencies, missing verdicts, bounds, coverage."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from adjudge.errors import ScoringError
from adjudge.interfaces import Scoring
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.credit import credit, weighted_mean
from adjudge.scoring.repeats import reduce_repeats
from adjudge.scoring.specs import scoring_of
from adjudge.scoring.standing import Standing, standings
from adjudge.verdict import Score, Verdict

MOST_CASES = 4096
"""Ways in which unscored criteria that others depend on can turn out; beyond that no bounds are given."""
_SHOWN = 5
_PREFERENCES = {"first", "second", "tie", "incomparable"}


def score(
    rubric: Rubric, verdicts: Sequence[Verdict], scoring: Scoring | None = None, submission: str | None = None
) -> Score:
    """Combine the verdicts on one submission.

    There is a value only if no unscored verdict could change it. The bounds are the lowest and highest score over all
    unscored criteria at their worst and at their best, and over every way in which an unscored criterion that others
    depend on can turn out. That is exact for scorings that move one way with each criterion, as all built-in ones do.

    Args:
        rubric: The rubric that was judged by.
        verdicts: Verdicts on its criteria, several per criterion if it was judged repeatedly.
        scoring: The scoring; the rubric's own if None, which must then be built in.
        submission: Id of the submission; that of the first verdict if None.

    Raises:
        ScoringError: A verdict does not fit the rubric, or the scoring does not.
        UnknownNameError: No built-in scoring has the rubric's name for it.
    """
    case = _Case(rubric, _reduced(rubric, verdicts), expected=rubric.scoring.use == "expected")
    combine = scoring_of(rubric.scoring) if scoring is None else scoring
    values = [_checked(combine(rubric, scores), rubric) for scores in case.completions]
    known = [value for value in values if value is not None]
    settled = len(set(values)) == 1
    value = values[0] if settled else None
    return Score(
        submission=submission if submission is not None else _submission(verdicts),
        rubric=f"{rubric.id} {rubric.version}",
        scoring=rubric.scoring.name,
        value=value,
        bounds=(min(known), max(known)) if known else None,
        coverage=case.coverage,
        criteria=case.shown,
        dimensions=case.dimensions,
        note="; ".join(_notes(case, combine, value, settled=settled)),
        undefined=settled and value is None,
    )


def check_scoring(rubric: Rubric, scoring: Scoring | None = None) -> None:
    """Try a scoring on the best verdicts that a rubric allows, before anything is judged.

    A scoring may have a method `check(rubric)` of its own, for what a whole rubric must keep and a part of it need not.

    Raises:
        ScoringError: The scoring does not fit the rubric.
        UnknownNameError: No built-in scoring has the rubric's name for it.
    """
    combine = scoring_of(rubric.scoring) if scoring is None else scoring
    check = getattr(combine, "check", None)
    if check is not None:
        check(rubric)
    combine(rubric, {c.id: c.best for c in rubric.criteria if c.best is not None})


def _reduced(rubric: Rubric, verdicts: Sequence[Verdict]) -> dict[str, Verdict]:
    """One verdict per criterion that has any."""
    by_criterion: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_criterion[verdict.criterion].append(verdict)
    known = {c.id: c for c in rubric.criteria}
    strangers = [name for name in by_criterion if name not in known]
    if strangers:
        raise ScoringError(f"a verdict is on {strangers[0]!r}, which is no criterion of {rubric.id!r}")
    return {name: reduce_repeats(known[name], part) for name, part in by_criterion.items()}


def _submission(verdicts: Sequence[Verdict]) -> str:
    if len({verdict.submission for verdict in verdicts}) != 1:
        raise ScoringError("the verdicts are not on one submission; pass its id or split them")
    return verdicts[0].submission


def _checked(value: float | None, rubric: Rubric) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ScoringError(f"scoring {rubric.scoring.name!r} gave {value} for {rubric.id!r}; are all weights finite?")
    return value


@dataclass(frozen=True)
class _Case:
    """One submission's verdicts beside the rubric."""

    rubric: Rubric
    verdicts: Mapping[str, Verdict]
    expected: bool

    @cached_property
    def levels(self) -> dict[str, str | None]:
        """Level of each criterion, None if unknown."""
        return {c.id: v.level if (v := self.verdicts.get(c.id)) else None for c in self.rubric.criteria}

    @cached_property
    def standing(self) -> dict[str, Standing]:
        return standings(self.rubric, self.levels)

    @cached_property
    def due(self) -> list[Criterion]:
        """Criteria that are asked for; skipped ones are not."""
        return [c for c in self.rubric.criteria if self._is_due(c.id)]

    def _is_due(self, name: str) -> bool:
        standing, verdict = self.standing[name], self.verdicts.get(name)
        skipped = verdict is not None and verdict.status == "skipped"
        return standing == "due" or (standing == "unsure" and not skipped)

    @cached_property
    def missing(self) -> list[str]:
        """Due criteria without a level."""
        return [c.id for c in self.due if self.levels[c.id] is None]

    @property
    def coverage(self) -> float:
        return 1 - len(self.missing) / len(self.due) if self.due else 1.0

    @cached_property
    def pivots(self) -> list[Criterion]:
        """Criteria of unknown level that others depend on."""
        wanted = {d.criterion for c in self.rubric.criteria for d in c.depends_on}
        unknown = {name for name, level in self.levels.items() if level is None}
        return [
            c for c in self.rubric.criteria if c.id in wanted & unknown and self.standing[c.id] in ("due", "unsure")
        ]

    @property
    def too_many(self) -> bool:
        return math.prod(len(c.scale.levels) for c in self.pivots) > MOST_CASES

    @cached_property
    def completions(self) -> list[dict[str, float]]:
        """Scores of the criteria that take part, in every way that matters; one way if nothing is unknown."""
        if self.too_many:
            return []
        found: list[dict[str, float]] = []
        extremes = (False, True) if None in self.levels.values() else (False,)
        for chosen in product(*(c.scale.levels for c in self.pivots)):
            turned_out = {c.id: level.id for c, level in zip(self.pivots, chosen, strict=True)}
            standing = standings(self.rubric, {**self.levels, **turned_out})
            for scores in (self._scores(standing, turned_out, best=best) for best in extremes):
                found += [scores] if scores not in found[-1:] else []
        return found

    def _scores(
        self, standing: Mapping[str, Standing], turned_out: Mapping[str, str], *, best: bool
    ) -> dict[str, float]:
        numbers = ((c.id, self._score(c, standing[c.id], turned_out, best=best)) for c in self.rubric.criteria)
        return {name: number for name, number in numbers if number is not None}

    def _score(
        self, criterion: Criterion, standing: Standing, turned_out: Mapping[str, str], *, best: bool
    ) -> float | None:
        """Score of one criterion, None if it does not take part."""
        if criterion.scale.range is None or standing == "exclude":
            return None
        if standing == "worst":
            return criterion.worst
        known = self.numbers[criterion.id]
        if known is not None or self.levels[criterion.id] is not None:
            return known
        if criterion.id in turned_out and not self.expected:
            return criterion.scale.level(turned_out[criterion.id]).score
        return criterion.best if best else criterion.worst

    @cached_property
    def numbers(self) -> dict[str, float | None]:
        """What each verdict is worth in the scale's units, dependencies aside."""
        return {c.id: self._number(c) for c in self.rubric.criteria}

    def _number(self, criterion: Criterion) -> float | None:
        verdict = self.verdicts.get(criterion.id)
        if verdict is None or verdict.level is None:
            return None
        if self.expected and verdict.expected is not None:
            return verdict.expected
        if verdict.level in criterion.scale:
            return criterion.scale.level(verdict.level).score
        if verdict.level in _PREFERENCES:
            return verdict.score
        raise ScoringError(f"the verdict on {criterion.id!r} has the level {verdict.level!r}, not in its scale")

    @cached_property
    def shown(self) -> dict[str, float | None]:
        """Per criterion: its score, the worst one if a dependency says so, None if unscored or left out."""
        return {c.id: self._shown(c) for c in self.rubric.criteria}

    def _shown(self, criterion: Criterion) -> float | None:
        standing = self.standing[criterion.id]
        if standing in ("worst", "exclude"):
            return criterion.worst if standing == "worst" else None
        return self.numbers[criterion.id]

    @property
    def dimensions(self) -> dict[str, float | None]:
        """Share of the best reachable per dimension; None where a due criterion is unscored."""
        parts: defaultdict[str, list[tuple[float, float | None]]] = defaultdict(list)
        for c in self.rubric.criteria:
            if c.dimension and c.scale.range is not None and self.standing[c.id] != "exclude":
                number = None if self.standing[c.id] == "unsure" else self.shown[c.id]
                parts[c.dimension].append((abs(c.weight), None if number is None else credit(c, number)))
        return {name: _share(part) for name, part in parts.items()}


def _share(parts: Sequence[tuple[float, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in parts if value is not None]
    return weighted_mean(known) if len(known) == len(parts) else None


def _notes(case: _Case, scoring: Scoring, value: float | None, *, settled: bool) -> Iterator[str]:
    if case.missing:
        reasons = [f"{name} ({_why(case.verdicts.get(name))})" for name in case.missing[:_SHOWN]]
        more = len(case.missing) - len(reasons)
        yield f"unscored: {', '.join(reasons)}{f' and {more} more' if more else ''}"
        if value is not None:
            yield "which cannot change the score"
    if case.too_many:
        yield f"no bounds: {len(case.pivots)} unscored criteria have others that depend on them"
    elif settled:
        said = scoring.note(case.rubric, case.completions[0]) if hasattr(scoring, "note") else ""
        if said or value is None:
            yield said or "undefined: no criterion with a score takes part"


def _why(verdict: Verdict | None) -> str:
    if verdict is None:
        return "no verdict"
    return verdict.reason or verdict.detail or verdict.status
