"""Distances between distributions and texts keep the identities of their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_aita.labels import LABELS
from adjudge_aita.soft import (
    FLOOR,
    cross_entropy,
    entropy,
    js_distance,
    js_divergence,
    sequence_f1,
    shares,
    unigram_f1,
)

LN2 = math.log(2)
votes = st.lists(st.integers(0, 400), min_size=5, max_size=5).filter(any)
distributions = votes.map(lambda counts: shares(dict(zip(LABELS, counts, strict=True))))


@given(distributions)
def test_equal_distributions_are_no_distance_apart(p: dict[str, float]) -> None:
    assert js_divergence(p, p) == pytest.approx(0, abs=1e-12)


def test_disjoint_distributions_are_ln_2_apart() -> None:
    assert js_divergence({"NTA": 1.0}, {"YTA": 1.0}) == pytest.approx(LN2)
    assert js_divergence({"NTA": 0.5, "NAH": 0.5}, {"YTA": 0.3, "ESH": 0.7}) == pytest.approx(LN2)
    assert js_distance({"NTA": 1.0}, {"YTA": 1.0}) == pytest.approx(math.sqrt(LN2))


def test_a_divergence_by_hand() -> None:
    """Half against all of one label: ln 2 - (3/4 ln 3) / 2 - ... worked out as H(3/4, 1/4) - ln(2) / 2."""
    middle = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert js_divergence({"NTA": 0.5, "YTA": 0.5}, {"NTA": 1.0}) == pytest.approx(middle - LN2 / 2)


@given(distributions, distributions, distributions)
def test_the_root_of_the_divergence_is_a_metric(p: dict[str, float], q: dict[str, float], r: dict[str, float]) -> None:
    assert js_divergence(p, q) == js_divergence(q, p)
    assert 0 <= js_divergence(p, q) <= LN2
    assert js_distance(p, r) <= js_distance(p, q) + js_distance(q, r) + 1e-6


@given(distributions)
def test_entropy_is_0_where_all_agree_and_most_where_all_labels_are_even(p: dict[str, float]) -> None:
    assert 0 <= entropy(p) <= math.log(5) + 1e-12
    assert entropy({"NTA": 1.0, "YTA": 0.0}) == 0
    assert entropy(dict.fromkeys(LABELS, 0.2)) == pytest.approx(math.log(5))


@given(distributions, distributions)
def test_cross_entropy_is_least_for_the_crowds_own_distribution_and_never_endless(
    p: dict[str, float], q: dict[str, float]
) -> None:
    assert cross_entropy(p, p, LABELS, floor=0) == pytest.approx(entropy(p))
    assert entropy(p) - 1e-9 <= cross_entropy(p, q, LABELS) <= -math.log(FLOOR / 5) + 1e-9


def test_votes_of_nobody_are_no_distribution_and_odd_counts_are_refused() -> None:
    assert shares({}) == shares({"NTA": 0}) == {}
    assert shares({"NTA": 3, "YTA": 1}) == {"NTA": 0.75, "YTA": 0.25}
    for odd in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="0 or more"):
            shares({"NTA": odd})


def test_overlap_of_texts_by_hand() -> None:
    text, reference = "You should say sorry", "Sorry, you should go"
    assert unigram_f1(text, reference) == 0.75
    assert sequence_f1(text, reference) == 0.5
    assert sequence_f1("", "") == unigram_f1("", "") == 0


@given(st.text("ab c", max_size=30), st.text("ab c", max_size=30))
def test_a_common_sequence_is_no_longer_than_the_common_words(first: str, second: str) -> None:
    assert sequence_f1(first, second) <= unigram_f1(first, second)
    assert sequence_f1(first, second) == sequence_f1(second, first)
