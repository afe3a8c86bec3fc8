"""What every scoring must keep, as tests to inherit."""
# ruff: noqa: D102 - the names of the tests say what they hold

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any, ClassVar

import pytest

from adjudge.errors import ScoringError
from adjudge.interfaces import ScoringSpec
from adjudge.rubric import Criterion, Group, Rubric, ScoringChoice
from adjudge.scoring import score
from adjudge.verdict import Score, Verdict

ROUNDING = 1e-9
Levels = Mapping[str, str | None]
"""Level of each criterion by id; None is unscored."""


class ScoringContract:
    """Inherit it, name the class `Test…` and give the spec. Claims are tried on all judgements by a small rubric."""

    PARAMS: ClassVar[Mapping[str, Any]] = {}
    """Parameters that the scoring is built with."""
    GROUPS: ClassVar[tuple[Group, ...]] = ()
    """Groups that the criteria hang from."""

    def spec(self) -> ScoringSpec:
        """The scoring to test."""
        raise NotImplementedError("give the scoring: override spec")

    def criteria(self) -> tuple[Criterion, ...]:
        """Criteria to score; override them for a scoring that needs others. Few levels keep the tests quick."""
        return (
            Criterion(id="safe", text="It is safe.", importance="must", weight=3),
            Criterion(id="clear", text="It is clear.", scale="1-3"),
            Criterion(id="rude", text="It is rude.", weight=-2),
        )

    def rubric(self, *, backwards: bool = False) -> Rubric:
        """The criteria under this scoring, in their order or the other way round."""
        criteria = self.criteria()[::-1] if backwards else self.criteria()
        choice = ScoringChoice(name=self.spec().name, params=dict(self.PARAMS))
        return Rubric(id="contract", version="1", draft=True, criteria=criteria, groups=self.GROUPS, scoring=choice)

    def scored(self, levels: Levels, *, backwards: bool = False) -> Score:
        """The score of one submission that was judged so."""
        rubric = self.rubric(backwards=backwards)
        verdicts = [_verdict(rubric.criterion(name), level) for name, level in levels.items()]
        return score(rubric, verdicts, self.spec().build(**self.PARAMS), submission="s")

    def test_it_says_in_one_line_what_it_is(self) -> None:
        assert self.spec().name.strip()
        assert len(self.spec().summary.splitlines()) == 1

    def test_the_bounds_of_a_full_judgement_are_its_score(self) -> None:
        for levels in every_way(self.criteria()):
            found = self.scored(levels)
            assert found.coverage == 1
            assert found.bounds == (None if found.value is None else (found.value, found.value)), levels

    def test_the_bounds_hold_every_way_in_which_the_unscored_can_turn_out(self) -> None:
        for partial, completions in _with_gaps(self.criteria()):
            found = self.scored(partial)
            values = [value for levels in completions if (value := self.scored(levels).value) is not None]
            assert bool(values) == (found.bounds is not None), partial
            if found.bounds is not None:
                low, high = found.bounds
                assert low - ROUNDING <= min(values), partial
                assert max(values) <= high + ROUNDING, partial

    def test_a_score_is_undefined_if_no_way_in_which_the_unscored_can_turn_out_gives_it_a_value(self) -> None:
        for partial, completions in _with_gaps(self.criteria()):
            outcomes = {self.scored(levels).value for levels in completions}
            assert self.scored(partial).undefined == (outcomes == {None}), partial

    def test_an_unscored_verdict_that_matters_leaves_no_value(self) -> None:
        for partial, completions in _with_gaps(self.criteria()):
            found = self.scored(partial)
            outcomes = {self.scored(levels).value for levels in completions}
            if max(outcomes, key=_as_number) != min(outcomes, key=_as_number):
                assert found.value is None, partial
                assert found.coverage < 1, partial
                assert found.note, "a score without value must say why"

    def test_the_order_of_criteria_does_not_matter(self) -> None:
        for levels in every_way(self.criteria()):
            given = self.scored(levels).value
            turned = self.scored(dict(reversed(levels.items())), backwards=True).value
            assert turned == (None if given is None else pytest.approx(given)), levels

    def test_it_leaves_what_it_is_given_alone(self) -> None:
        rubric, scoring = self.rubric(), self.spec().build(**self.PARAMS)
        scores = {c.id: c.best for c in rubric.criteria if c.best is not None}
        before = dict(scores)
        assert scoring(rubric, scores) == scoring(rubric, scores)
        assert scores == before

    def test_an_unknown_parameter_is_refused(self) -> None:
        with pytest.raises(ScoringError):
            self.spec().build(**{**self.PARAMS, "no_such_parameter": 1})

    def test_a_scoring_over_submissions_gives_one_submission_no_number(self) -> None:
        if self.spec().over != "submissions":
            pytest.skip("scores one submission")
        assert {self.scored(levels).value for levels in every_way(self.criteria())} == {None}

    def test_its_sum_over_submissions_copes_with_none_and_with_unscored_ones(self) -> None:
        aggregate = self.spec().aggregate
        if aggregate is None:
            pytest.skip("summed up by core")
        unscored = self.scored({criterion.id: None for criterion in self.criteria()})
        assert isinstance(aggregate([]), Mapping)
        assert isinstance(aggregate([unscored]), Mapping)


def every_way(criteria: tuple[Criterion, ...]) -> Iterator[dict[str, str]]:
    """Every way to judge all criteria."""
    for levels in product(*(criterion.scale.levels for criterion in criteria)):
        yield {criterion.id: level.id for criterion, level in zip(criteria, levels, strict=True)}


def _with_gaps(criteria: tuple[Criterion, ...]) -> Iterator[tuple[Levels, list[dict[str, str]]]]:
    """Judgements with one or more criteria unscored, each with all its completions."""
    names = [criterion.id for criterion in criteria]
    whole = list(every_way(criteria))
    for size in range(1, len(names) + 1):
        for gaps in combinations(names, size):
            for known in {tuple((n, w[n]) for n in names if n not in gaps) for w in whole}:
                partial: Levels = {**dict.fromkeys(names), **dict(known)}
                yield partial, [levels for levels in whole if levels.items() >= dict(known).items()]


def _as_number(value: float | None) -> float:
    return float("-inf") if value is None else value


def _verdict(criterion: Criterion, level: str | None) -> Verdict:
    common = {"submission": "s", "criterion": criterion.id}
    if level is None:
        return Verdict.model_validate(common | {"status": "unscored", "reason": "infra"})
    return Verdict.model_validate(
        common | {"status": "scored", "level": level, "score": criterion.scale.level(level).score}
    )
