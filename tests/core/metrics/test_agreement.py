from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from adjudge.metrics import (
    accuracy,
    cohen_kappa,
    confusion,
    kendall_tau_b,
    macro_f1,
    min_group_macro_f1,
    prevalence,
    quadratic_weighted_kappa,
    spearman,
)

LABELS = ("a", "b", "c", "d")
pairs_of_labels = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)
pairs_of_numbers = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40)


def columns(pairs):
    return [a for a, _ in pairs], [b for _, b in pairs]


def same(found, expected):
    """Equal to 1e-4, where the oracle's nan is our None."""
    return (found.value is None) if math.isnan(expected) else found.value == pytest.approx(expected, abs=1e-4)


def quietly(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(function(*args, **options))


@given(pairs=pairs_of_labels)
def test_label_statistics_agree_with_scikit_learn(pairs):
    gold, given_ = columns(pairs)
    assert same(accuracy(gold, given_), oracle.accuracy_score(gold, given_))
    expected = quietly(oracle.f1_score, gold, given_, labels=LABELS, average="macro", zero_division=0)
    assert same(macro_f1(gold, given_, LABELS), expected)
    one_label = len({*gold, *given_}) == 1
    assert same(cohen_kappa(gold, given_), math.nan if one_label else quietly(oracle.cohen_kappa_score, gold, given_))
    weighted = quietly(oracle.cohen_kappa_score, gold, given_, labels=LABELS, weights="quadratic")
    assert same(quadratic_weighted_kappa(gold, given_, LABELS), math.nan if one_label else weighted)


@given(pairs=pairs_of_numbers)
def test_rank_statistics_agree_with_scipy(pairs):
    first, second = columns(pairs)
    assert same(spearman(first, second), quietly(lambda a, b: stats.spearmanr(a, b).statistic, first, second))
    assert same(kendall_tau_b(first, second), quietly(lambda a, b: stats.kendalltau(a, b).statistic, first, second))


def test_macro_f1_counts_labels_of_the_scale_that_the_data_do_not_show():
    found = macro_f1(["a", "b"], ["a", "b"], LABELS)
    assert found.value == 0.5
    assert found.note == "never occurs and counts as 0: c, d"


def test_kappa_of_one_constant_label_is_undefined_with_a_reason():
    found = cohen_kappa(["a", "a"], ["a", "a"])
    assert found.value is None
    assert "one and the same label" in found.note
    assert quadratic_weighted_kappa(["a"], ["a"], LABELS).value is None


def test_kappa_collapses_under_prevalence_while_accuracy_is_high():
    gold, given_ = ["a"] * 98 + ["a", "b"], ["a"] * 98 + ["b", "a"]
    assert accuracy(gold, given_).value == 0.98
    assert cohen_kappa(gold, given_).value == pytest.approx(-0.01, abs=0.001)
    assert prevalence(gold, LABELS) == {"a": 0.99, "b": 0.01, "c": 0.0, "d": 0.0}


def test_weighted_kappa_uses_the_places_of_the_scale_and_not_those_in_the_data():
    gold, given_ = ["a", "a", "d", "d"], ["a", "d", "d", "c"]
    assert quadratic_weighted_kappa(gold, given_, LABELS).value != quadratic_weighted_kappa(gold, given_, "acd").value


@pytest.mark.parametrize("statistic", [accuracy, cohen_kappa, lambda a, b: macro_f1(a, b, LABELS)])
def test_without_observations_nothing_is_defined(statistic):
    assert (statistic([], []).value, statistic([], []).note) == (None, "no observations")
    assert prevalence([], LABELS) == {}


@pytest.mark.parametrize("statistic", [spearman, kendall_tau_b])
def test_rank_correlation_is_undefined_for_a_constant_or_a_single_observation(statistic):
    assert statistic([1, 1, 1], [1, 2, 3]).note == "one side is constant"
    assert statistic([1], [1]).note == "fewer than 2 observations"
    assert statistic([1], [1]).value is None
    with pytest.raises(ValueError, match="1 numbers on one side, 2 on the other"):
        statistic([1], [1, 2])


def test_a_label_outside_the_set_or_a_length_mismatch_is_refused():
    with pytest.raises(ValueError, match="'z' is not in the label set a, b, c, d"):
        macro_f1(["a"], ["z"], LABELS)
    with pytest.raises(ValueError, match="2 gold labels, but 1 given"):
        quadratic_weighted_kappa(["a", "b"], ["a"], LABELS)


def test_a_confusion_table_keeps_missing_verdicts_in_a_column_of_their_own():
    assert confusion(["a", "a", "b"], ["a", None, "a"], ("a", "b")) == [
        {"gold": "a", "a": 1, "b": 0, "unscored": 1},
        {"gold": "b", "a": 1, "b": 0, "unscored": 0},
    ]


def test_accuracy_over_clusters_is_wider_than_over_independent_items():
    gold = ["a"] * 40
    given_ = (["a"] * 4 + ["b"] * 4) * 5
    clusters = [i // 4 for i in range(40)]
    alone, clustered = accuracy(gold, given_), accuracy(gold, given_, clusters)
    assert clustered.high - clustered.low > alone.high - alone.low
    assert clustered.clusters == 10


def test_the_worst_group_decides():
    gold = ["yes", "no", "yes", "no", "yes", "no"]
    verdicts = ["yes", "no", "yes", "yes", "no", None]
    found = min_group_macro_f1(verdicts, gold, ["x", "x", "y", "y", "x", "y"])
    assert found.value == pytest.approx(1 / 3)
    assert found.note == "worst of 2 groups: y; 1 unscored left out"
    assert found.n == 2


def test_a_group_without_a_scored_verdict_leaves_the_worst_group_unknown():
    found = min_group_macro_f1(["yes", None], ["yes", "no"], ["x", "y"])
    assert (found.value, found.note) == (None, "no scored verdict in y")
    assert min_group_macro_f1([], [], []).value is None
