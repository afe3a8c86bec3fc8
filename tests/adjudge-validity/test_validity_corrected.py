"""Estimates that know of the judge's errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge.metrics import clustered_mean
from adjudge_validity.corrected import corrected_mean, detectable, labels_needed, rogan_gladen
from adjudge_validity.drawing import inclusion

SENSITIVITY, SPECIFICITY, RATE, LABELS, JUDGED = 0.95, 0.70, 0.60, 100, 2000


def study(rng, size=JUDGED, labels=LABELS):
    """A biased judge of a known rate: its verdicts, and people's on the first ones."""
    truth = rng.random(size) < RATE
    judge = np.where(truth, rng.random(size) < SENSITIVITY, rng.random(size) > SPECIFICITY)
    return judge, truth, [bool(x) if i < labels else None for i, x in enumerate(truth)]


def test_a_mean_equals_ppi_python():
    # ppi-python 0.2.3: ppi_mean_pointestimate 0.499, ppi_mean_ci (alpha .05) 0.44096214 to 0.55703786
    people = [((7 * i) % 11) / 10 for i in range(40)]
    judge = [min(1, max(0, y * 0.6 + 0.15 + ((3 * i) % 7 - 3) / 20)) for i, y in enumerate(people)]
    rest = [((5 * i) % 13) / 12 * 0.7 + 0.1 for i in range(200)]
    found = corrected_mean(judge + rest, people + [None] * 200)
    assert found.value == pytest.approx(0.499, abs=1e-4)
    assert found.error == pytest.approx((0.55703786 - 0.44096214) / 2 / 1.95996398, abs=1e-4)


def test_intervals_of_a_biased_judge_cover_and_are_narrower_than_labels_alone():
    rng = np.random.default_rng(4)
    rounds, covered, widths, raw = 300, {"ppi": 0, "rogan": 0}, {"ppi": 0.0, "labels": 0.0}, 0
    for _ in range(rounds):
        judge, truth, people = study(rng)
        ppi, rogan = corrected_mean(judge, people).estimate(), rogan_gladen(judge.tolist(), people)
        labels, alone = clustered_mean(truth[:LABELS].astype(float).tolist()), judge.mean()
        covered["ppi"] += (ppi.low or 0) <= RATE <= (ppi.high or 0)
        covered["rogan"] += (rogan.low or 0) <= RATE <= (rogan.high or 0)
        raw += abs(alone - RATE) <= 1.96 * np.sqrt(alone * (1 - alone) / JUDGED)
        widths["ppi"] += (ppi.high or 0) - (ppi.low or 0)
        widths["labels"] += (labels.high or 0) - (labels.low or 0)
    assert raw == 0
    assert 0.92 <= covered["ppi"] / rounds <= 0.98
    assert 0.92 <= covered["rogan"] / rounds <= 0.98
    assert widths["ppi"] <= 0.8 * widths["labels"]


def test_labels_drawn_by_doubt_give_valid_intervals():
    rng = np.random.default_rng(6)
    covered, rounds = 0, 300
    for _ in range(rounds):
        doubt = rng.random(600)
        truth = rng.random(600) < 0.5
        judge = np.where(rng.random(600) < doubt / 2, ~truth, truth)
        chances = np.array(inclusion(doubt.tolist(), 120))
        people = [float(x) if chosen else None for x, chosen in zip(truth, rng.random(600) < chances, strict=True)]
        found = corrected_mean(judge.astype(float), people, probabilities=chances.tolist()).estimate()
        covered += (found.low or 0) <= 0.5 <= (found.high or 0)
    assert 0.92 <= covered / rounds <= 0.98


def test_clusters_widen_the_interval_of_items_that_belong_together():
    rng = np.random.default_rng(8)
    shared = np.repeat(rng.normal(size=40), 10)
    people = shared + rng.normal(size=400) * 0.1
    human = [float(x) if i < 200 else None for i, x in enumerate(people)]
    judge = people + rng.normal(size=400)
    apart, together = corrected_mean(judge, human), corrected_mean(judge, human, list(np.repeat(np.arange(40), 10)))
    assert together.value == apart.value
    assert together.error > 2 * apart.error
    assert together.units == 20


def test_a_difference_of_paired_runs_knows_what_they_share():
    rng = np.random.default_rng(9)
    hard = rng.normal(size=300)
    one, other = hard + rng.normal(size=300) * 0.1 + 0.2, hard + rng.normal(size=300) * 0.1

    def labelled(values):
        return [float(x) if i < 60 else None for i, x in enumerate(values)]

    first, second = corrected_mean(one, labelled(one)), corrected_mean(other, labelled(other))
    found = first.less(second)
    assert found.value == pytest.approx(0.2, abs=0.05)
    assert found.error < 0.5 * first.error
    assert first.less(first).error == 0


def test_all_labelled_is_the_plain_mean():
    people = [0.0, 1.0, 1.0, 0.0, 1.0] * 8
    found, plain = corrected_mean([0.5] * 40, people).estimate(), clustered_mean(people)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_rogan_gladen_by_hand():
    judged = [True] * 70 + [False] * 30
    human = [True] * 18 + [False] * 2 + [None] * 50 + [True] * 2 + [False] * 8 + [None] * 20
    # sensitivity .9, specificity .8, rate .7: (0.7 + 0.8 - 1) / 0.7
    assert rogan_gladen(judged, human).value == pytest.approx(0.5 / 0.7)


@pytest.mark.parametrize(
    ("human", "message"),
    [
        ([True, False, True, False], "sum to 1 or less"),
        ([True, None, None, None], "all labels are of one kind"),
    ],
)
def test_rogan_gladen_is_refused_where_no_correction_is_possible(human, message):
    with pytest.raises(InputError, match=message):
        rogan_gladen([False, True, True, True], human)


def test_too_few_labels_and_missing_chances_are_refused():
    with pytest.raises(InputError, match="1 labelled submissions"):
        corrected_mean([1.0, 2.0], [1.0, None])
    with pytest.raises(InputError, match="2 labelled submissions have no probability"):
        corrected_mean([1.0, 2.0, 3.0], [1.0, 1.0, None], probabilities=[None, None, None])


def test_what_is_detectable_is_found_as_often_as_promised():
    rng = np.random.default_rng(10)
    found, rounds = 0, 400
    effect = detectable(1 / np.sqrt(60), 60)
    for _ in range(rounds):
        estimate = clustered_mean(rng.normal(effect, 1, 60).tolist())
        found += (estimate.low or 0) > 0
    assert found / rounds == pytest.approx(0.8, abs=0.06)


def test_more_labels_are_needed_for_a_narrower_interval():
    rng = np.random.default_rng(12)
    judge, _, people = study(rng)
    found = corrected_mean(judge, people)
    assert labels_needed(1.96 * found.error, found) == pytest.approx(LABELS, abs=1)
    assert labels_needed(0.98 * found.error, found) == pytest.approx(4 * LABELS, abs=2)
    with pytest.raises(ValueError, match="above 0"):
        labels_needed(0, found)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=40), st.data())
def test_chances_of_being_drawn_sum_to_the_size_and_rise_with_doubt(doubts, data):
    size = data.draw(st.integers(1, len(doubts)))
    chances = inclusion(doubts, size)
    assert sum(chances) == pytest.approx(size)
    assert all(0 < chance <= 1 for chance in chances)
    ordered = [chance for _, chance in sorted(zip(doubts, chances, strict=True))]
    assert ordered == pytest.approx(sorted(ordered))


@given(st.floats(-5, 5), st.floats(0.1, 3))
def test_a_mean_moves_with_its_units(shift, scale):
    rng = np.random.default_rng(1)
    judge = rng.normal(size=50)
    people = [float(x) + 0.3 if i < 20 else None for i, x in enumerate(judge)]
    moved = [None if x is None else x * scale + shift for x in people]
    one, other = corrected_mean(judge, people), corrected_mean(judge * scale + shift, moved)
    assert other.value == pytest.approx(one.value * scale + shift)
    assert other.error == pytest.approx(one.error * scale)
