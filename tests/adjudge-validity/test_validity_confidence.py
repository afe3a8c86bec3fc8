"""How far probabilities can be believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from adjudge.errors import InputError
from adjudge_validity.confidence import (
    abstention,
    brier,
    calibration_error,
    entropy,
    log_loss,
    reliability,
    trusted_threshold,
)

SURE = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def judge(n, seed=0):
    """Confidences from one half up that are exactly right."""
    rng = np.random.default_rng(seed)
    sure = 0.5 + rng.random(n) / 2
    return sure.tolist(), (rng.random(n) < sure).tolist()


def test_losses_equal_scikit_learn():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1], 50)
    truth = rng.integers(0, 2, 50)
    given_ = [{"0": a, "1": b} for a, b in shares.tolist()]
    labels = [str(t) for t in truth]
    assert log_loss(given_, labels).value == pytest.approx(metrics.log_loss(truth, shares))
    assert brier(given_, labels).value == pytest.approx(2 * metrics.brier_score_loss(truth, shares[:, 1]))
    assert brier([], []).note == "no observations"


def test_entropy_is_none_for_one_level_and_all_for_a_tie():
    assert entropy({"a": 1.0, "b": 0.0, "c": 0.0}) == 0
    assert entropy({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}) == pytest.approx(1)


def test_a_curve_by_hand():
    curve = reliability([0.05, 0.1, 0.95, 1.0], [False, True, True, True], bins=10)
    assert [(one.low, one.high, one.n, one.right.value) for one in curve] == [(0.0, 0.1, 2, 0.5), (0.9, 1.0, 2, 1.0)]
    assert calibration_error(curve).value == pytest.approx((0.425 + 0.025) / 2)
    with pytest.raises(ValueError, match="from 0 to 1"):
        reliability([1.2], [True])


def test_a_calibrated_judge_has_a_small_error_and_a_curve_that_falls_with_coverage():
    sure, right = judge(20_000)
    assert (calibration_error(reliability(sure, right)).value or 0) < 0.015
    curve = abstention(sure, right)
    at = {round(one.coverage, 1): one.accuracy for one in curve}
    assert at[0.2] > at[0.5] > at[0.8] > at[1.0]


@given(SURE)
def test_an_abstention_curve_ends_with_everything_and_never_goes_back(rows):
    curve = abstention([sure for sure, _ in rows], [hit for _, hit in rows])
    assert curve[-1].coverage == 1
    assert curve[-1].accuracy == pytest.approx(np.mean([hit for _, hit in rows]))
    assert [one.threshold for one in curve] == sorted({sure for sure, _ in rows}, reverse=True)


def test_the_guarantee_of_a_threshold_fails_as_seldom_as_promised():
    failed, found = 0, 0
    for seed in range(150):
        sure, right = judge(300, seed)
        try:
            kept = trusted_threshold(sure, right, accuracy=0.85, risk=0.1)
        except InputError:
            continue
        found += 1
        failed += (kept.threshold + 1) / 2 < 0.85  # the true accuracy above a threshold is the middle of what is left
    assert found > 100
    assert failed / 150 <= 0.1 + 0.05


def test_a_judge_that_knows_nothing_gets_no_threshold():
    with pytest.raises(InputError, match=r"no confidence guarantees an agreement of 0\.9"):
        trusted_threshold([0.9] * 100, [True, False] * 50, accuracy=0.9)
