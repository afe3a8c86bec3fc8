"""Figures against reference libraries, and what must hold of any table."""

from __future__ import annotations

import warnings

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from adjudge_validity import tables

COUNTS = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 6), min_size=k, max_size=k), min_size=k, max_size=k)
)


def columns(table):
    """The two sequences of levels that make a table."""
    places = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(int(count))]
    return np.array([i for i, _ in places]), np.array([j for _, j in places])


@pytest.fixture(params=range(6))
def table(request):
    rng = np.random.default_rng(request.param)
    k = 2 + request.param % 4
    return rng.integers(1, 9, (k, k)).astype(float) + 8 * np.eye(k)


def test_figures_of_labels_equal_scikit_learn(table):
    human, judge = columns(table)
    labels = range(len(table))
    assert tables.exact(table) == pytest.approx(metrics.accuracy_score(human, judge))
    assert tables.kappa(table) == pytest.approx(metrics.cohen_kappa_score(human, judge))
    squared = metrics.cohen_kappa_score(human, judge, labels=labels, weights="quadratic")
    assert tables.kappa(table, squared=True) == pytest.approx(squared)
    assert tables.macro_f1(table) == pytest.approx(metrics.f1_score(human, judge, labels=labels, average="macro"))
    assert tables.sensitivity(table[:2, :2]) == pytest.approx(table[1, 1] / table[1, :2].sum())


def test_rank_correlations_equal_scipy(table):
    human, judge = columns(table)
    assert tables.spearman(table) == pytest.approx(stats.spearmanr(human, judge).statistic)
    assert tables.kendall(table) == pytest.approx(stats.kendalltau(human, judge).statistic)


@pytest.mark.parametrize("ordinal", [False, True])
def test_alpha_of_two_raters_equals_krippendorff(table, ordinal):
    expected = krippendorff.alpha(
        reliability_data=np.array(columns(table)),
        value_domain=list(range(len(table))),
        level_of_measurement="ordinal" if ordinal else "nominal",
    )
    assert tables.alpha(table + table.T, ordinal=ordinal) == pytest.approx(expected)


def test_icc_equals_pingouin():
    # ICC(A,1) by pingouin 0.7.0, intraclass_corr
    human, judge = [1, 2, 3, 4, 5, 3, 2, 4, 1, 5, 3, 2], [2, 2, 3, 5, 5, 2, 2, 4, 2, 4, 4, 3]
    assert tables.icc(tables.sums(human, judge).sum(0)) == pytest.approx(0.825397, abs=1e-6)


def test_gwet_stays_where_kappa_collapses():
    table = np.array([[0.0, 1.0], [1.0, 98.0]])
    assert tables.kappa(table) == pytest.approx(-0.0101, abs=1e-4)
    assert tables.gwet(table) == pytest.approx(0.9796, abs=1e-4)


def test_gwet_with_quadratic_weights_by_hand():
    table = np.array([[2.0, 1, 0], [0, 3, 1], [0, 0, 3]])
    share = np.array([2.5, 4, 3.5]) / 10  # 10 pairs
    chance = (3 + 4 * 0.75) / 6 * (share * (1 - share)).sum()
    assert tables.gwet(table, squared=True) == pytest.approx((0.8 + 2 * 0.75 / 10 - chance) / (1 - chance))


def test_bias_and_its_size_by_hand():
    added = tables.sums([1, 2, 3], [2, 3, 4]).sum(0)
    assert tables.bias(added) == pytest.approx(1)
    assert tables.smd(added) == pytest.approx(1)


def test_a_stack_of_tables_gives_what_each_gives(table):
    stack = np.stack([table, table.T, 2 * table])
    for figure in (tables.kappa, tables.alpha, tables.gwet, tables.spearman, tables.kendall, tables.macro_f1):
        assert figure(stack) == pytest.approx(np.array([figure(one) for one in stack]))


@given(COUNTS)
def test_figures_are_symmetric_bounded_or_undefined(rows):
    table = np.array(rows, float)
    symmetric = (tables.exact, tables.kappa, tables.gwet, tables.macro_f1, tables.spearman, tables.kendall)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in symmetric:
            value = figure(table)
            assert value == pytest.approx(figure(table.T), nan_ok=True)
            assert np.isnan(value) or value <= 1 + 1e-9


@given(COUNTS)
def test_perfect_agreement_is_one_or_undefined(rows):
    table = np.diag(np.array(rows, float)[0])
    for figure in (tables.exact, tables.kappa, tables.gwet, tables.spearman, tables.kendall):
        value = figure(table)
        assert np.isnan(value) or value == pytest.approx(1)
