from __future__ import annotations

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from adjudge.errors import ScoringError, UnknownNameError
from adjudge.rubric import Dependency, Level, Scale
from adjudge.scoring import check_scoring, reduce_repeats, score
from adjudge.scoring.combine import MOST_CASES
from adjudge.verdict import Usage

TONE = Scale(kind="labels", levels=[Level(id="formal"), Level(id="casual")])


def test_a_missing_verdict_leaves_no_value_but_bounds_coverage_and_the_reason(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a", 3), criterion_of("b", 2), criterion_of("c", -5))
    found = score(rubric, [verdict_of("a", "met"), verdict_of("b", reason="parse")])
    assert found.value is None
    assert found.bounds == pytest.approx((0.3, 1.0))
    assert found.coverage == pytest.approx(1 / 3)
    assert found.criteria == {"a": 1.0, "b": None, "c": None}
    assert found.note == "unscored: b (parse), c (no verdict)"


def test_a_complete_score_has_equal_bounds_and_names_rubric_and_scoring(rubric_of, criterion_of, verdict_of):
    found = score(rubric_of(criterion_of("a")), [verdict_of("a", "met")])
    assert (found.submission, found.rubric, found.scoring) == ("s", "test 1", "weighted")
    assert (found.value, found.bounds, found.coverage, found.note) == (1.0, (1.0, 1.0), 1.0, "")


def test_the_note_lists_a_few_unscored_criteria_and_counts_the_rest(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(*(criterion_of(f"c{i}") for i in range(8)))
    found = score(rubric, [verdict_of(f"c{i}", reason="infra") for i in range(8)])
    assert "c4 (infra) and 3 more" in found.note
    assert "c5" not in found.note


def test_dimensions_are_shares_and_unknown_where_a_verdict_is_missing(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(
        criterion_of("a", 3, dimension="x"), criterion_of("b", -1, dimension="x"), criterion_of("c", dimension="y")
    )
    found = score(rubric, [verdict_of("a", "met"), verdict_of("b", "met"), verdict_of("c", reason="refusal")])
    assert found.dimensions == {"x": 0.75, "y": None}


@pytest.mark.parametrize(("otherwise", "expected"), [("worst", (1 / 3, 0.0)), ("exclude", (1 / 2, None))])
def test_an_unmet_dependency_counts_as_worst_or_leaves_the_score(
    rubric_of, criterion_of, verdict_of, otherwise, expected
):
    gate = Dependency(criterion="a", otherwise=otherwise)
    rubric = rubric_of(criterion_of("a"), criterion_of("b", depends_on=[gate]), criterion_of("c"))
    found = score(rubric, [verdict_of("a", "unmet"), verdict_of("b"), verdict_of("c", "met")])
    assert (found.value, found.criteria["b"]) == expected
    assert found.coverage == 1.0


def test_a_verdict_on_a_criterion_that_is_ruled_out_does_not_count(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(
        criterion_of("a"), criterion_of("b", depends_on=[Dependency(criterion="a", otherwise="exclude")])
    )
    found = score(rubric, [verdict_of("a", "unmet"), verdict_of("b", "met")])
    assert (found.value, found.criteria["b"], found.coverage) == (0.0, None, 1.0)


def test_a_negative_criterion_ruled_out_as_worst_counts_as_present(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a"), criterion_of("b", -1, depends_on=[Dependency(criterion="a")]))
    found = score(rubric, [verdict_of("a", "unmet"), verdict_of("b")])
    assert (found.value, found.criteria["b"]) == (0.0, 1.0)


def test_a_chain_of_dependencies_fails_as_a_whole(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(
        criterion_of("c", depends_on=[Dependency(criterion="b", otherwise="exclude")]),
        criterion_of("b", depends_on=[Dependency(criterion="a", otherwise="exclude")]),
        criterion_of("a"),
    )
    found = score(rubric, [verdict_of("a", "unmet"), verdict_of("b", "met"), verdict_of("c", "met")])
    assert (found.value, found.criteria) == (0.0, {"c": None, "b": None, "a": 0.0})


def test_named_levels_satisfy_a_dependency(rubric_of, criterion_of, verdict_of):
    gate = Dependency(criterion="a", levels=["3", "4"], otherwise="exclude")
    rubric = rubric_of(criterion_of("a", scale="1-5"), criterion_of("b", depends_on=[gate]))
    by_level = {
        level: score(rubric, [verdict_of("a", level), verdict_of("b", "met")]).criteria["b"] for level in "12345"
    }
    assert by_level == {"1": None, "2": None, "3": 1.0, "4": 1.0, "5": None}


def test_an_unscored_dependency_opens_the_bounds_of_its_dependent_both_ways(rubric_of, criterion_of, verdict_of):
    # Known: c met. If a is met, b counts as judged (unmet): (1+0+1)/3. If not, b leaves: (0+1)/2.
    rubric = rubric_of(
        criterion_of("a"),
        criterion_of("b", depends_on=[Dependency(criterion="a", otherwise="exclude")]),
        criterion_of("c"),
    )
    found = score(rubric, [verdict_of("a", reason="infra"), verdict_of("b", "unmet"), verdict_of("c", "met")])
    assert found.value is None
    assert found.bounds == pytest.approx((1 / 2, 2 / 3))
    assert found.dimensions == {}


def test_a_skipped_criterion_under_an_unscored_dependency_is_not_due_but_uncertain(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a"), criterion_of("b", depends_on=[Dependency(criterion="a")]), criterion_of("c"))
    found = score(rubric, [verdict_of("a", reason="infra"), verdict_of("b"), verdict_of("c", "met")])
    assert (found.coverage, found.bounds) == (0.5, (1 / 3, 1.0))


def test_doubt_about_a_dependency_is_handed_down_a_chain(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(
        criterion_of("a"),
        criterion_of("b", depends_on=[Dependency(criterion="a")]),
        criterion_of("c", depends_on=[Dependency(criterion="b")], dimension="late"),
    )
    found = score(rubric, [verdict_of("a", reason="infra"), verdict_of("b", "met"), verdict_of("c")])
    assert (found.coverage, found.dimensions, found.bounds) == (0.5, {"late": None}, (0.0, 1.0))


def test_of_several_failed_dependencies_one_that_asks_for_the_worst_decides(rubric_of, criterion_of, verdict_of):
    gates = [Dependency(criterion="a", otherwise="exclude"), Dependency(criterion="b")]
    rubric = rubric_of(criterion_of("a"), criterion_of("b"), criterion_of("c", depends_on=gates))
    found = score(rubric, [verdict_of("a", "unmet"), verdict_of("b", "unmet"), verdict_of("c")])
    assert found.criteria["c"] == 0


def test_criteria_that_are_ruled_out_leave_the_bounds_alone_however_many_depend_on_them(
    rubric_of, criterion_of, verdict_of
):
    count = 2 * MOST_CASES.bit_length()
    chain = [criterion_of("c0")]
    chain += [criterion_of(f"c{i}", depends_on=[Dependency(criterion=f"c{i - 1}")]) for i in range(1, count)]
    found = score(rubric_of(*chain), [verdict_of("c0", "unmet"), *(verdict_of(f"c{i}") for i in range(1, count))])
    assert (found.value, found.bounds, found.coverage) == (0.0, (0.0, 0.0), 1.0)


def test_with_expected_scores_an_open_dependency_leaves_its_own_score_open_too(rubric_of, criterion_of, verdict_of):
    gate = Dependency(criterion="a", otherwise="exclude")
    criteria = [criterion_of("a"), criterion_of("b", depends_on=[gate])]
    verdicts = [verdict_of("a", reason="infra"), verdict_of("b", "unmet")]
    assert score(rubric_of(*criteria), verdicts).bounds == (0.0, 0.5)
    assert score(rubric_of(*criteria, use="expected"), verdicts).bounds == (0.0, 1.0)


def test_a_skipped_criterion_whose_dependency_holds_is_missing(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a"), criterion_of("b", depends_on=[Dependency(criterion="a")]))
    found = score(rubric, [verdict_of("a", "met"), verdict_of("b")])
    assert (found.value, found.coverage, found.note) == (None, 0.5, "unscored: b (skipped)")


def test_too_many_open_dependencies_give_no_bounds_and_say_so(rubric_of, criterion_of, verdict_of):
    gates = [criterion_of(f"g{i}") for i in range(MOST_CASES.bit_length())]
    tops = [criterion_of(f"t{i}", depends_on=[Dependency(criterion=g.id)]) for i, g in enumerate(gates)]
    found = score(rubric_of(*gates, *tops), [], submission="s")
    assert (found.value, found.bounds) == (None, None)
    assert f"no bounds: {len(gates)} unscored criteria" in found.note


def test_a_verdict_that_cannot_change_the_score_is_not_needed(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a", importance="must"), criterion_of("b"), scoring="gated")
    found = score(rubric, [verdict_of("a", "unmet"), verdict_of("b", reason="parse")])
    assert (found.value, found.bounds, found.coverage) == (0.0, (0.0, 0.0), 0.5)
    assert "which cannot change the score" in found.note


def test_expected_scores_are_used_where_asked_for_and_known(rubric_of, criterion_of, verdict_of):
    verdicts = [verdict_of("a", "4", expected=3.4), verdict_of("b", "5")]
    criteria = [criterion_of("a", scale="1-5"), criterion_of("b", scale="1-5")]
    assert score(rubric_of(*criteria, use="expected"), verdicts).value == pytest.approx((0.6 + 1) / 2)
    assert score(rubric_of(*criteria), verdicts).value == pytest.approx((0.75 + 1) / 2)


def test_labels_without_scores_take_no_part_but_are_covered(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("tone", scale=TONE), criterion_of("a"))
    found = score(rubric, [verdict_of("tone", "formal"), verdict_of("a", "met")])
    assert (found.value, found.coverage, found.criteria["tone"]) == (1.0, 1.0, None)


@pytest.mark.parametrize("scoring", ["weighted", "points", "mean", "tree", "gated", "log_sigmoid", "none", "pareto"])
def test_labels_alone_give_no_value_under_any_scoring(rubric_of, criterion_of, verdict_of, scoring):
    rubric = rubric_of(criterion_of("tone", scale=TONE), scoring=scoring)
    found = score(rubric, [verdict_of("tone", "formal")])
    assert (found.value, found.bounds, found.coverage) == (None, None, 1.0)
    assert found.note


def test_a_comparison_has_no_value(rubric_of, criterion_of, verdict_of):
    found = score(rubric_of(criterion_of("a")), [verdict_of("a", "first")])
    assert (found.value, found.bounds, found.coverage) == (None, None, 1.0)


def test_a_verdict_that_does_not_fit_the_rubric_is_refused(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a"))
    with pytest.raises(ScoringError, match="'z', which is no criterion of 'test'"):
        score(rubric, [verdict_of("z", "met")])
    with pytest.raises(ScoringError, match="has the level 'great', not in its scale"):
        score(rubric, [verdict_of("a", "great")])


def test_verdicts_on_several_submissions_are_refused_unless_an_id_is_given(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a"), criterion_of("b"))
    verdicts = [verdict_of("a", "met"), verdict_of("b", "met", submission="t")]
    with pytest.raises(ScoringError, match="not on one submission"):
        score(rubric, verdicts)
    assert score(rubric, verdicts, submission="both").submission == "both"


def test_an_unknown_scoring_suggests_the_nearest(rubric_of, criterion_of, verdict_of):
    with pytest.raises(UnknownNameError, match="did you mean 'weighted'"):
        score(rubric_of(criterion_of("a"), scoring="wieghted"), [verdict_of("a", "met")])


def test_a_scoring_can_be_handed_in(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("a"), scoring="from-a-plugin")
    found = score(rubric, [verdict_of("a", "met")], lambda _, scores: 40 + 2 * scores["a"])
    assert (found.value, found.scoring) == (42, "from-a-plugin")


def test_a_value_that_is_not_finite_is_refused(rubric_of, criterion_of, verdict_of):
    with pytest.raises(ScoringError, match="gave nan"):
        score(rubric_of(criterion_of("a")), [verdict_of("a", "met")], lambda *_: float("nan"))


def test_a_scoring_that_does_not_fit_is_found_before_judging(rubric_of, criterion_of):
    check_scoring(rubric_of(criterion_of("a")))
    with pytest.raises(ScoringError, match="differ in range"):
        check_scoring(rubric_of(criterion_of("a"), criterion_of("b", scale="1-5"), scoring="mean"))


@pytest.mark.parametrize(
    ("fields", "levels", "winner"),
    [
        ({"scale": "1-5"}, ["2", "5", "5"], "5"),
        ({"scale": "1-5"}, ["1", "3", "4"], "3"),
        ({"scale": "1-5"}, ["1", "1", "4", "4"], "1"),
        ({"scale": "1-5", "weight": -1}, ["1", "1", "4", "4"], "4"),
        ({}, ["met", "unmet"], "unmet"),
        ({"weight": -1}, ["met", "unmet"], "met"),
        ({"scale": TONE}, ["casual", "formal", "casual"], "casual"),
    ],
)
def test_repeats_reduce_to_the_most_frequent_level_or_the_middle_one(criterion_of, verdict_of, fields, levels, winner):
    criterion = criterion_of("a", **fields)
    found = reduce_repeats(criterion, [verdict_of("a", level, repeat=i) for i, level in enumerate(levels)])
    assert found.level == winner
    assert found.score == criterion.scale.level(winner).score


def test_a_split_over_labels_is_unscored(criterion_of, verdict_of):
    found = reduce_repeats(criterion_of("a", scale=TONE), [verdict_of("a", "formal"), verdict_of("a", "casual")])
    assert (found.status, found.reason) == ("unscored", "no_quorum")


def test_unscored_repeats_do_not_vote_and_all_unscored_stay_so(criterion_of, verdict_of):
    failed = [verdict_of("a", reason="parse", usage=Usage(prompt_tokens=5)), verdict_of("a", reason="infra")]
    voter = verdict_of("a", "met", usage=Usage(prompt_tokens=7))
    assert reduce_repeats(criterion_of("a"), [*failed, voter]).level == "met"
    assert reduce_repeats(criterion_of("a"), [*failed, voter]).usage.prompt_tokens == 12
    assert reduce_repeats(criterion_of("a"), failed).reason == "parse"


def test_repeats_average_expected_scores_and_distributions_if_all_have_them(criterion_of, verdict_of):
    first = verdict_of("a", "met", expected=0.9, distribution={"met": 0.9, "unmet": 0.1})
    second = verdict_of("a", "met", expected=0.7, distribution={"met": 0.7, "unmet": 0.3})
    found = reduce_repeats(criterion_of("a"), [first, second])
    assert found.expected == pytest.approx(0.8)
    assert found.distribution == pytest.approx({"met": 0.8, "unmet": 0.2})
    assert reduce_repeats(criterion_of("a"), [first, verdict_of("a", "met")]).expected is None


@st.composite
def half_judged(draw):
    """Criteria with dependencies on earlier ones, and a level or None for each."""
    count = draw(st.integers(1, 5))
    shape = []
    for place in range(count):
        weight = draw(st.sampled_from([3.0, 1.0, -2.0]))
        scale = draw(st.sampled_from(["binary", "1-3"]))
        importance = draw(st.sampled_from(["must", "should", "may"]))
        on = draw(st.integers(-3, place - 1)) if place else -1
        otherwise = draw(st.sampled_from(["worst", "exclude"]))
        level = draw(st.sampled_from(["unmet", "met", None] if scale == "binary" else ["1", "2", "3", None]))
        shape.append((weight, scale, importance, on, otherwise, level))
    return shape


@settings(max_examples=150, deadline=None)
@given(shape=half_judged(), scoring=st.sampled_from(["weighted", "points", "mean", "tree", "gated", "log_sigmoid"]))
def test_bounds_hold_every_way_in_which_the_unscored_can_turn_out(rubric_of, criterion_of, verdict_of, shape, scoring):
    criteria = [
        criterion_of(
            f"c{i}",
            weight,
            scale=scale,
            importance=importance,
            depends_on=[Dependency(criterion=f"c{on}", otherwise=otherwise)] if on >= 0 else [],
        )
        for i, (weight, scale, importance, on, otherwise, _) in enumerate(shape)
    ]
    params = {"normalise": True} if scoring == "mean" else {}
    rubric = rubric_of(*criteria, scoring=scoring, params=params)
    known = {f"c{i}": row[-1] for i, row in enumerate(shape)}
    half = score(rubric, [verdict_of(n, level, reason=None if level else "parse") for n, level in known.items()])
    choices = [[known[c.id]] if known[c.id] else [level.id for level in c.scale.levels] for c in criteria]
    full = [
        score(rubric, [verdict_of(c.id, level) for c, level in zip(criteria, levels, strict=True)]).value
        for levels in product(*choices)
    ]
    seen = [value for value in full if value is not None]
    if half.value is not None:
        assert seen
        assert all(value == pytest.approx(half.value) for value in full)
    assume(seen)
    assert half.bounds is not None
    assert half.bounds[0] == pytest.approx(min(seen))
    assert half.bounds[1] == pytest.approx(max(seen))


def test_a_scoring_may_refuse_a_whole_rubric_and_still_score_a_part_of_it(rubric_of, criterion_of):
    class OnlyPairs:
        def check(self, rubric):
            if len(rubric.criteria) != 2:
                raise ScoringError("it takes two")

        def __call__(self, rubric, scores):
            return sum(scores.values())

    check_scoring(rubric_of(criterion_of("a"), criterion_of("b")), OnlyPairs())
    alone = rubric_of(criterion_of("a"))
    with pytest.raises(ScoringError, match="it takes two"):
        check_scoring(alone, OnlyPairs())
    assert score(alone, [], OnlyPairs(), submission="s").bounds == (0.0, 1.0)
