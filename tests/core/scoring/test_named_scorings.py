from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import ScoringError
from adjudge.rubric import Group
from adjudge.scoring import SPECS, clipped_mean, log_sigmoid, node_scores, score, soft_and
from adjudge.verdict import Score

BUILD = {spec.name: spec.build for spec in SPECS}
distances = st.floats(-30, 30)


@pytest.fixture(scope="session")
def value_of(rubric_of, criterion_of, verdict_of):
    """Score of (criterion fields, level) pairs under a named scoring."""

    def value(scoring, *pairs, groups=(), **params):
        criteria = [criterion_of(f"c{i}", **fields) for i, (fields, _) in enumerate(pairs)]
        rubric = rubric_of(*criteria, scoring=scoring, groups=groups, params=params)
        return score(rubric, [verdict_of(f"c{i}", level) for i, (_, level) in enumerate(pairs)])

    return value


def outcome(submission, value, bounds=None):
    return Score(
        submission=submission, rubric="r 1", scoring="points", value=value, bounds=bounds, coverage=1, criteria={}
    )


def test_points_divide_by_positive_points_and_are_not_clipped(value_of):
    assert value_of("points", ({"weight": 5}, "met"), ({"weight": 5}, "unmet"), ({"weight": -8}, "met")).value == -0.3
    assert value_of("points", ({"weight": 7}, "met"), ({"weight": -8}, "unmet")).value == 1.0


def test_points_without_a_positive_point_are_undefined(value_of):
    found = value_of("points", ({"weight": -4}, "unmet"))
    assert (found.value, found.note) == (None, "no positive point is to be had")


def test_the_mean_over_submissions_is_clipped_and_counts_what_is_missing():
    scores = [outcome("a", 0.5), outcome("b", -0.9), outcome("c", None, (-0.2, 1.0)), outcome("d", None)]
    found = clipped_mean(scores)
    assert (found["value"], found["n"], found["unscored"], found["undefined"]) == (0.0, 2, 1, 1)
    assert found["bounds"] == pytest.approx((0.0, 0.2))


def test_the_deviation_of_the_clipped_mean_is_seeded_and_near_its_expectation():
    scores = [outcome(str(i), i % 2 * 0.5 + 0.25) for i in range(100)]
    found = clipped_mean(scores)
    assert found["deviation"] == clipped_mean(scores)["deviation"]
    assert found["deviation"] != clipped_mean(scores, seed=1)["deviation"]
    assert found["deviation"] == pytest.approx(0.25 / math.sqrt(100), rel=0.1)


def test_clipping_comes_after_the_mean_of_each_resample():
    found = clipped_mean([outcome("a", -3.0), outcome("b", -2.0)])
    assert (found["value"], found["deviation"]) == (0.0, 0.0)


def test_the_mean_of_nothing_is_none():
    assert clipped_mean([])["value"] is None
    assert clipped_mean([])["deviation"] is None


def test_mean_keeps_the_units_of_the_scale_and_ignores_the_size_of_weights(value_of):
    assert value_of("mean", ({"scale": "1-5", "weight": 9}, "5"), ({"scale": "1-5"}, "2")).value == pytest.approx(3.5)


def test_mean_turns_a_negative_criterion_round(value_of):
    assert value_of("mean", ({"scale": "1-5", "weight": -1}, "2")).value == pytest.approx(4)


def test_mean_refuses_mixed_ranges_unless_told_to_normalise(value_of):
    pairs = [({"scale": "1-5"}, "4"), ({}, "met")]
    with pytest.raises(ScoringError, match=r"differ in range \(0 to 1, 1 to 5\); set normalise: true"):
        value_of("mean", *pairs)
    assert value_of("mean", *pairs, normalise=True).value == pytest.approx((0.75 + 1) / 2)


def test_a_tree_weighs_children_within_each_node(value_of, rubric_of, criterion_of):
    groups = [Group(id="code", weight=3), Group(id="runs", weight=1, group="code"), Group(id="empty")]
    pairs = [
        ({"group": "runs", "weight": 1}, "met"),
        ({"group": "runs", "weight": 3}, "unmet"),
        ({"group": "code", "weight": 1}, "met"),
        ({"weight": 1}, "unmet"),
    ]
    assert value_of("tree", *pairs, groups=groups).value == pytest.approx(3 / 4 * (0.25 + 1) / 2)
    rubric = rubric_of(*(criterion_of(f"c{i}", **f) for i, (f, _) in enumerate(pairs)), groups=groups)
    assert node_scores(rubric, {"c0": 1, "c1": 0}) == {"runs": 0.25, "code": 0.25, None: 0.25}


def test_a_tree_without_groups_is_the_weighted_mean(value_of):
    pairs = [({"weight": 2}, "met"), ({"weight": -1}, "met")]
    assert value_of("tree", *pairs).value == value_of("weighted", *pairs).value


def test_a_deep_tree_does_not_recurse(value_of):
    groups = [Group(id="g0"), *(Group(id=f"g{i}", group=f"g{i - 1}") for i in range(1, 1500))]
    assert value_of("tree", ({"group": "g1499"}, "met"), groups=groups).value == 1


@given(rest=st.lists(st.sampled_from(["met", "unmet"]), min_size=1, max_size=6), cap=st.floats(0, 1))
def test_failing_a_must_caps_the_score_whatever_the_rest(value_of, rest, cap):
    pairs = [({}, level) for level in rest]
    found = value_of("gated", ({"importance": "must"}, "unmet"), *pairs, cap=cap)
    assert found.value == pytest.approx(min(cap, rest.count("met") / len(rest)))
    assert found.note == f"capped at {cap:g} by c0"


def test_gated_reports_may_without_counting_it(value_of):
    pairs = [({"importance": "must"}, "met"), ({}, "met"), ({"importance": "may"}, "unmet")]
    found = value_of("gated", *pairs)
    assert (found.value, found.criteria["c2"]) == (1.0, 0.0)


def test_gated_without_should_gives_1_for_passing_every_must(value_of):
    assert value_of("gated", ({"importance": "must"}, "met")).value == 1
    assert value_of("gated", ({"importance": "may"}, "met")).value is None


def test_a_negative_must_fails_when_it_is_met(value_of):
    assert value_of("gated", ({"importance": "must", "weight": -1}, "met"), ({}, "met")).value == 0


@pytest.mark.parametrize(("level", "value"), [("2", 0.0), ("3", 1.0), ("5", 1.0)])
def test_an_ordinal_must_passes_from_the_named_level_on(value_of, level, value):
    must = {"importance": "must", "scale": "1-5", "options": {"pass": "3"}}
    assert value_of("gated", (must, level), ({}, "met")).value == value


def test_a_pass_level_that_does_not_exist_is_refused(value_of):
    with pytest.raises(ScoringError, match="option `pass` is 'ok'"):
        value_of("gated", ({"importance": "must", "options": {"pass": "ok"}}, "met"))


@pytest.mark.parametrize(("x", "expected"), [(0, -0.693147), (2, -0.126928), (-2, -2.126928)])
def test_log_sigmoid_of_a_distance(x, expected):
    assert log_sigmoid(x) == pytest.approx(expected, abs=1e-6)


def test_a_balanced_pair_beats_an_uneven_one_of_the_same_sum():
    assert soft_and([(1, 1), (1, 1)]) == pytest.approx(-0.626523, abs=1e-6)
    assert soft_and([(1, 3), (1, -1)]) == pytest.approx(-1.361849, abs=1e-6)


def test_log_sigmoid_does_not_overflow():
    assert log_sigmoid(-1e4) == -1e4
    assert log_sigmoid(1e4) == 0
    assert log_sigmoid(-1e308) == -1e308


@given(x=distances, step=st.floats(0.01, 5))
def test_log_sigmoid_is_negative_and_grows(x, step):
    assert log_sigmoid(x) < log_sigmoid(x + step) < 0


@given(xs=st.lists(distances, min_size=1, max_size=6), more=distances)
def test_the_sum_is_at_most_its_worst_term_and_falls_with_each_property(xs, more):
    total = soft_and([(1, x) for x in xs])
    assert total <= min(log_sigmoid(x) for x in xs) + 1e-12
    assert soft_and([*((1, x) for x in xs), (1, more)]) <= total


def test_log_sigmoid_puts_the_ends_of_a_scale_at_tau(value_of):
    assert value_of("log_sigmoid", ({}, "met")).value == pytest.approx(log_sigmoid(2))
    assert value_of("log_sigmoid", ({}, "unmet"), tau=5).value == pytest.approx(log_sigmoid(-5))
    assert value_of("log_sigmoid", ({"options": {"tau": 1}}, "met"), tau=5).value == pytest.approx(log_sigmoid(1))
    assert value_of("log_sigmoid", ({"scale": "1-5"}, "3")).value == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("reference", ["4", 4])
def test_the_reference_is_a_level_or_a_number(value_of, reference):
    fields = {"scale": "1-5", "options": {"reference": reference}}
    assert value_of("log_sigmoid", (fields, "4")).value == pytest.approx(math.log(0.5))
    assert value_of("log_sigmoid", (fields, "1")).value == pytest.approx(log_sigmoid(-3))


def test_a_reference_that_is_no_level_is_refused(value_of):
    with pytest.raises(ScoringError, match="option `reference` is 'fine'"):
        value_of("log_sigmoid", ({"options": {"reference": "fine"}}, "met"))


def test_the_and_form_is_the_exponential_and_weights_can_be_left_out(value_of):
    pairs = [({"weight": 3}, "met"), ({"weight": -1}, "met")]
    total = 3 * log_sigmoid(2) + log_sigmoid(-2)
    assert value_of("log_sigmoid", *pairs).value == pytest.approx(total)
    assert value_of("log_sigmoid", *pairs, form="and").value == pytest.approx(math.exp(total))
    assert value_of("log_sigmoid", *pairs, weights=False).value == pytest.approx(log_sigmoid(2) + log_sigmoid(-2))


def test_none_gives_no_number_and_full_coverage(value_of):
    found = value_of("none", ({}, "met"))
    assert (found.value, found.bounds, found.coverage, found.criteria) == (None, None, 1.0, {"c0": 1.0})


@pytest.mark.parametrize("name", sorted(BUILD))
def test_every_scoring_refuses_a_parameter_that_it_does_not_know(name):
    with pytest.raises(ScoringError, match=f"scoring '{name}' has no parameter 'colour'; (known: |it takes none)"):
        BUILD[name](colour="red")


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("gated", {"cap": 2}, "'cap' must be a number from 0 to 1, not 2"),
        ("gated", {"cap": True}, "'cap' must be a number"),
        ("mean", {"normalise": "yes"}, "'normalise' must be true or false, not 'yes'"),
        ("log_sigmoid", {"form": "exp"}, "'form' must be log or and"),
        ("log_sigmoid", {"tau": 0}, "'tau' must be a number"),
        ("log_sigmoid", {"tau": math.nan}, "'tau' must be a number"),
    ],
)
def test_a_parameter_out_of_range_is_refused(name, params, message):
    with pytest.raises(ScoringError, match=message):
        BUILD[name](**params)
