from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from adjudge.metrics import (
    Estimate,
    cluster_bootstrap,
    clustered_error,
    clustered_mean,
    clustered_rate,
    paired_difference,
    spearman,
    wilson,
)
from adjudge.metrics._student import t_quantile

numbers = st.floats(-100, 100)


def test_an_estimate_prints_value_interval_and_size():
    found = Estimate(value=0.62, low=0.55, high=0.694, n=200)
    assert str(found) == "0.62 [0.55, 0.69] n=200"
    assert f"{found:.3f}" == "0.620 [0.550, 0.694] n=200"
    assert str(Estimate(value=0.5, n=3)) == "0.50 n=3"
    assert str(Estimate(value=None, n=0, note="no observations")) == "undefined (no observations) n=0"


@pytest.mark.parametrize("df", [1, 2, 3, 9, 19.5, 99, 1000, 100_000])
@pytest.mark.parametrize("p", [0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999])
def test_t_quantiles_agree_with_scipy(df, p):
    assert t_quantile(p, df) == pytest.approx(float(stats.t.ppf(p, df)), rel=1e-8, abs=1e-6)


@pytest.mark.parametrize(("p", "df"), [(0, 5), (1, 5), (0.5, 0)])
def test_a_t_quantile_out_of_range_is_refused(p, df):
    with pytest.raises(ValueError, match="needs 0 < p < 1"):
        t_quantile(p, df)


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (7, 7), (3, 10), (120, 200), (1, 1)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_agrees_with_scipy(successes, n, level):
    oracle = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    found = wilson(successes, n, level)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    assert found.value == successes / n


def test_wilson_without_trials_is_undefined_and_impossible_counts_are_refused():
    assert (wilson(0, 0).value, wilson(0, 0).note) == (None, "no observations")
    with pytest.raises(ValueError, match="5 successes in 3 trials"):
        wilson(5, 3)


@given(values=st.lists(numbers, min_size=2, max_size=30))
def test_a_mean_of_single_observations_is_the_textbook_interval(values):
    found = clustered_mean(values)
    mean, error = sum(values) / len(values), float(stats.sem(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    assert (found.low, found.value, found.high) == pytest.approx((mean - half, mean, mean + half), abs=1e-6)


def test_a_clustered_mean_by_hand():
    # Residuals about 3 sum to -4, 0 and 4: error = sqrt(3/2 * 32) / 6, t with 2 degrees of freedom.
    found = clustered_mean([0, 2, 3, 3, 4, 6], ["a", "a", "b", "b", "c", "c"])
    half = 4.302653 * (1.5 * 32) ** 0.5 / 6
    assert (found.low, found.value, found.high) == pytest.approx((3 - half, 3, 3 + half), abs=1e-5)
    assert (found.n, found.clusters) == (6, 3)
    assert found.note == "only 3 clusters: the interval is not to be trusted"


def test_repeating_every_observation_within_its_cluster_adds_no_certainty():
    values = [random.Random(i).random() for i in range(12)]
    once = clustered_mean(values, range(12))
    thrice = clustered_mean([v for v in values for _ in range(3)], [c for c in range(12) for _ in range(3)])
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
    assert (once.n, thrice.n, once.note) == (12, 36, "")


def test_one_cluster_has_no_interval_and_says_so():
    found = clustered_mean([1.0, 2.0], ["a", "a"])
    assert (found.value, found.low, found.high) == (1.5, None, None)
    assert "fewer than 2 clusters" in found.note
    assert clustered_mean([]).value is None


def test_a_length_mismatch_is_refused():
    with pytest.raises(ValueError, match="zip"):
        clustered_mean([1.0, 2.0], ["a"])


def test_clustered_intervals_cover_where_independent_ones_do_not():
    """20 clusters of 10 with an intra-class correlation of .3: 95 % should mean about 95 %."""
    draw, clusters = random.Random(7), [c for c in range(20) for _ in range(10)]
    runs, clustered, independent = 600, 0, 0
    for _ in range(runs):
        shift = [draw.gauss(0, 0.3**0.5) for _ in range(20)]
        values = [shift[c] + draw.gauss(0, 0.7**0.5) for c in clusters]
        for_clusters, for_single = clustered_mean(values, clusters), clustered_mean(values)
        clustered += for_clusters.low <= 0 <= for_clusters.high
        independent += for_single.low <= 0 <= for_single.high
    assert 0.92 <= clustered / runs <= 0.98
    assert independent / runs < 0.8


def test_a_rate_over_clusters_stays_inside_0_and_1_and_is_never_without_width():
    sure = clustered_rate([True] * 20, [i // 2 for i in range(20)])
    assert (sure.value, sure.high) == (1.0, 1.0)
    assert sure.low == pytest.approx(wilson(10, 10).low)
    assert sure.method == "wilson 95% over clusters"
    wide = clustered_rate([True] * 9 + [False], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    assert 0 <= wide.low <= wide.value <= wide.high <= 1


def test_a_rate_of_independent_trials_is_wilsons():
    assert clustered_rate([True, False, True]).low == wilson(2, 3).low
    assert clustered_rate([True, False, True], ["a", "b", "c"]).low == wilson(2, 3).low


def test_a_paired_difference_is_the_mean_of_differences_and_drops_incomplete_pairs():
    first, second = [0.9, 0.5, None, 0.7], [0.4, 0.5, 0.1, None]
    found = paired_difference(first, second)
    assert found.value == pytest.approx(0.25)
    assert found.n == 2
    assert "2 pairs incomplete" in found.note
    assert found.method.startswith("paired, clustered t")


def test_pairing_is_tighter_than_two_separate_means():
    draw = random.Random(3)
    base = [draw.gauss(0, 1) for _ in range(100)]
    better = [b + 0.2 + draw.gauss(0, 0.1) for b in base]
    found = paired_difference(better, base)
    assert found.low > 0
    assert clustered_mean(better).low < clustered_mean(base).high


def test_a_bootstrap_of_a_mean_agrees_with_scipy_within_its_noise():
    draw = random.Random(11)
    values = [draw.expovariate(1) for _ in range(80)]
    for method, name in (("percentile", "percentile"), ("bca", "BCa")):
        found = cluster_bootstrap(lambda part: sum(part) / len(part), values, resamples=4000, method=method)
        oracle = stats.bootstrap((values,), lambda v, axis: v.mean(axis), n_resamples=4000, method=name, rng=1)
        interval = oracle.confidence_interval
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.02)


def test_a_bootstrap_resamples_clusters_and_keeps_its_seed():
    draw = random.Random(5)
    groups = [c for c in range(15) for _ in range(8)]
    centre = [draw.gauss(0, 1) for _ in range(15)]
    data = [(centre[c] + draw.gauss(0, 0.3), centre[c] + draw.gauss(0, 0.3)) for c in groups]

    def rho(part):
        return spearman([a for a, _ in part], [b for _, b in part])

    clustered = cluster_bootstrap(rho, data, groups, resamples=300)
    single = cluster_bootstrap(rho, data, resamples=300)
    assert clustered.high - clustered.low > single.high - single.low
    assert clustered == cluster_bootstrap(rho, data, groups, resamples=300)
    assert clustered != cluster_bootstrap(rho, data, groups, resamples=300, seed=1)
    assert (clustered.n, clustered.clusters) == (120, 15)


def test_a_bootstrap_counts_the_resamples_on_which_the_statistic_is_undefined():
    data = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    found = cluster_bootstrap(lambda p: spearman([a for a, _ in p], [b for _, b in p]), data, resamples=200)
    assert found.value == 1.0
    assert "of 200 resamples" in found.note
    assert "only 3 clusters" in found.note


def test_a_bootstrap_of_an_undefined_figure_has_no_interval():
    found = cluster_bootstrap(lambda _: None, [1, 2, 3])
    assert (found.value, found.low, found.note) == (None, None, "undefined on these data")
    assert cluster_bootstrap(len, [1, 2], ["a", "a"]).note == "no interval: fewer than 2 clusters"


def test_the_clustered_error_is_the_half_width_of_the_interval_over_the_quantile():
    values, clusters = [1.0, 0.0, 0.5, 0.25, 1.0], ["a", "a", "b", "c", "c"]
    found = clustered_mean(values, clusters)
    error = clustered_error(values, clusters)
    assert found.low is not None
    assert error == pytest.approx((found.value - found.low) / t_quantile(0.975, 2))
    assert clustered_error([1.0, 0.0], ["a", "a"]) is None
    assert clustered_error([]) is None
