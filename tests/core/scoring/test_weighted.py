from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.rubric import Level, Scale
from adjudge.scoring import fulfilment, hard_score, score

weights = st.floats(0.25, 8).flatmap(lambda size: st.sampled_from([size, -size]))
cases = st.lists(st.tuples(weights, st.sampled_from(["met", "unmet"])), min_size=1, max_size=12)


@pytest.fixture(scope="session")
def value_of(rubric_of, criterion_of, verdict_of):
    def value(case):
        rubric = rubric_of(*(criterion_of(f"c{i}", w) for i, (w, _) in enumerate(case)))
        return score(rubric, [verdict_of(f"c{i}", level) for i, (_, level) in enumerate(case)]).value

    return value


def other(level):
    return "unmet" if level == "met" else "met"


def test_signed_weights_give_the_published_score(value_of):
    case = [(3, "met"), (2, "unmet"), (-3, "unmet"), (-1, "met")]
    assert 100 * value_of(case) == pytest.approx(66.6667, abs=1e-4)


@given(case=cases, data=st.data())
def test_order_of_criteria_does_not_matter(value_of, case, data):
    assert value_of(data.draw(st.permutations(case))) == pytest.approx(value_of(case))


@given(case=cases)
def test_score_stays_between_0_and_1(value_of, case):
    assert 0 <= value_of(case) <= 1 + 1e-12


@given(case=cases)
def test_flipping_every_verdict_gives_the_complement(value_of, case):
    assert value_of([(w, other(level)) for w, level in case]) == pytest.approx(1 - value_of(case))


@given(case=cases, factor=st.floats(0.01, 100))
def test_scaling_all_weights_changes_nothing(value_of, case, factor):
    assert value_of([(w * factor, level) for w, level in case]) == pytest.approx(value_of(case))


@given(case=cases, place=st.integers(0, 11))
def test_flipping_sign_and_verdict_of_one_criterion_changes_nothing(value_of, case, place):
    i = place % len(case)
    w, level = case[i]
    assert value_of([*case[:i], (-w, other(level)), *case[i + 1 :]]) == pytest.approx(value_of(case))


@pytest.mark.parametrize(("weight", "expected"), [(2, 0.75), (-2, 0.25)])
def test_an_ordinal_level_earns_in_proportion_and_the_other_way_for_a_negative_weight(
    rubric_of, criterion_of, verdict_of, weight, expected
):
    rubric = rubric_of(criterion_of("a", weight, scale="1-5"))
    assert score(rubric, [verdict_of("a", "4")]).value == pytest.approx(expected)


def test_uneven_levels_earn_by_their_score_and_not_by_their_place(rubric_of, criterion_of, verdict_of):
    scale = Scale(
        kind="ordinal", levels=[Level(id="low", score=0), Level(id="mid", score=1), Level(id="top", score=10)]
    )
    rubric = rubric_of(criterion_of("a", scale=scale))
    assert score(rubric, [verdict_of("a", "mid")]).value == pytest.approx(0.1)


def test_hard_score_divides_by_mean_length():
    scores, lengths = [79.59, 62.96, 48.65, 75.76], [2931, 1950, 1811, 1981]
    assert hard_score(scores, lengths) == pytest.approx(30.78, abs=0.005)
    assert hard_score([66.74], [2168]) == pytest.approx(30.78, abs=0.005)


def test_hard_score_without_text_is_undefined_and_a_length_mismatch_refused():
    assert hard_score([], []) is None
    assert hard_score([1.0], [0]) is None
    with pytest.raises(ValueError, match="1 scores, but 2 lengths"):
        hard_score([1.0], [1, 2])


def test_fulfilment_counts_criteria_without_weights(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(
        criterion_of("a", 3, dimension="clear"),
        criterion_of("b", 1, dimension="clear"),
        criterion_of("c", -1, dimension="harmless"),
        criterion_of("d", 1, dimension="helpful"),
        criterion_of("e", 1),
    )
    found = score(rubric, [verdict_of("a", "met"), verdict_of("b", "unmet"), verdict_of("c", "unmet")])
    assert fulfilment(rubric, found.criteria) == {"clear": 0.5, "harmless": 1.0, "helpful": None}


def test_score_is_finite_for_extreme_weights(value_of):
    assert math.isfinite(value_of([(1e300, "met"), (1e-300, "unmet")]))
