"""Reading intervals off resamples that somebody else drew."""

from __future__ import annotations

import random

import pytest

from adjudge.metrics import Estimate, bootstrap_interval, cluster_bootstrap


def mean(values):
    return sum(values) / len(values)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_it_reads_what_the_cluster_bootstrap_reads(method):
    data = [float(i * i % 17) for i in range(30)]
    whole = cluster_bootstrap(mean, data, resamples=200, seed=3, method=method)
    draw = random.Random(3)
    drawn = [mean(draw.choices(data, k=30)) for _ in range(200)]
    left_out = [mean([*data[:i], *data[i + 1 :]]) for i in range(30)]
    found = bootstrap_interval(Estimate(value=mean(data), n=30), drawn, left_out, seed=3, method=method)
    assert (found.low, found.high) == pytest.approx((whole.low, whole.high))
    assert found.method == whole.method


def test_undefined_resamples_are_left_out_and_counted():
    found = bootstrap_interval(Estimate(value=1.0, note="few"), [None, 0.0, 2.0], seed=0)
    assert found.note == "few; undefined on 1 of 3 resamples"
    with pytest.raises(ValueError, match="no interval"):
        bootstrap_interval(Estimate(value=None), [], seed=0)


def test_an_interval_can_be_kept_inside_the_range_of_its_figure():
    wide = Estimate(value=0.1, low=-0.2, high=0.4, n=3)
    assert (wide.within(0).low, wide.within(0).high) == (0, 0.4)
    assert wide.within(0, 0.3).high == 0.3
    assert Estimate(value=None, note="nothing").within(0, 1).low is None
