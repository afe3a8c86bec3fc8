"""Labels that do not vary: their interval is what others, not seen, could change, and never without width."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.metrics import wilson
from adjudge_validity.corrected import corrected_mean, labels_needed

BINARY = (0.0, 1.0)


def labelled(values, rest):
    return [*values, *([None] * rest)]


@pytest.mark.parametrize("labels", [2, 5, 30])
@pytest.mark.parametrize("said", [0.0, 1.0])
def test_a_rate_of_labels_that_are_all_alike_has_wilsons_interval(labels, said):
    judge = [float(i % 5 == 0) for i in range(100)]
    found = corrected_mean(judge, labelled([said] * labels, 100 - labels), bounds=BINARY).estimate()
    expected = wilson(int(said) * labels, labels)
    assert (found.value, found.low, found.high) == pytest.approx((said, expected.low, expected.high))
    assert "all alike" in found.note
    assert ("only" in found.note) == (labels < 10)


def test_labels_alike_within_few_clusters_are_as_sure_as_the_clusters_are_many():
    clusters = [i // 10 for i in range(60)]
    found = corrected_mean([0.0, 1.0] * 30, [1.0] * 60, clusters, bounds=BINARY).estimate()
    assert found.low == pytest.approx(wilson(6, 6).low)
    assert "only 6 clusters" in found.note


def test_clusters_that_are_all_alike_inside_differ_from_those_not_seen():
    judge, clusters = [0.0] * 40, [i // 2 for i in range(40)]
    found = corrected_mean(judge, [0.0, 1.0] * 20, clusters, bounds=BINARY).estimate()
    half = wilson(0, 20).high / 2
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_intervals_of_30_labels_cover_a_rate_of_95_in_100():
    rng = np.random.default_rng(2)
    covered, alike, rounds = 0, 0, 600
    for _ in range(rounds):
        truth = rng.random(300) < 0.95
        judge = np.where(rng.random(300) < 0.8, truth, ~truth).astype(float)
        people = labelled(truth[:30].astype(float), 270)
        found = corrected_mean(judge, people, bounds=BINARY).estimate()
        covered += found.low <= 0.95 <= found.high
        alike += "all alike" in found.note
    assert covered / rounds >= 0.92
    assert alike / rounds > 0.1


def test_intervals_cover_where_a_judge_is_wrong_so_seldom_that_labels_may_not_show_it():
    rng = np.random.default_rng(3)
    covered, rounds = 0, 400
    for _ in range(rounds):
        truth = rng.random(2000) < 0.6
        judge = np.where(truth & (rng.random(2000) < 0.07), False, truth).astype(float)
        found = corrected_mean(judge, labelled(truth[:30].astype(float), 1970), bounds=BINARY).estimate()
        covered += found.low <= 0.6 <= found.high
    assert covered / rounds >= 0.92


def test_labels_by_chance_that_find_no_error_are_as_sure_as_the_least_chance_allows():
    judge = [1.0] * 99 + [0.0]
    chances = [0.2] * 50 + [0.4] * 50
    people = [1.0 if i % 4 == 0 else None for i in range(100)]
    found = corrected_mean(judge, people, probabilities=chances, power=1.0, bounds=BINARY).estimate()
    assert found.high - found.value >= wilson(0, 20).high
    assert found.value - found.low >= wilson(0, 20).high


@given(st.integers(1, 5), st.integers(2, 60), st.sampled_from([0.9, 0.95, 0.99]))
def test_levels_that_are_all_alike_reach_to_both_ends_of_the_scale_in_proportion(said, labels, level):
    judge = [float(1 + i % 5) for i in range(80)]
    found = corrected_mean(judge, labelled([float(said)] * labels, 80 - labels), bounds=(1, 5)).estimate(level)
    share = wilson(0, labels, level).high
    assert found.low == pytest.approx(said - share * (said - 1))
    assert found.high == pytest.approx(said + share * (5 - said))


def test_without_a_scale_labels_that_do_not_vary_have_no_interval():
    found = corrected_mean([1.0, 2.0, 3.0, 4.0] * 10, labelled([3.0] * 20, 20))
    assert found.estimate().low is None
    assert "no scale" in found.estimate().note
    with pytest.raises(InputError, match="unknown how many"):
        labels_needed(0.1, found)


def test_a_difference_leaves_open_what_both_sides_do():
    judge = [float(i % 3 == 0) for i in range(90)]
    sure = corrected_mean(judge, labelled([1.0] * 30, 60), bounds=BINARY)
    found = sure.less(sure).estimate()
    share = wilson(0, 30).high
    assert (found.low, found.value, found.high) == pytest.approx((-share, 0, share))


def test_a_difference_that_no_label_shows_is_not_sure():
    varied = corrected_mean([0.0, 1.0] * 20, [float(i % 3 == 0) for i in range(40)], bounds=BINARY)
    found = varied.less(varied).estimate()
    assert found.high == pytest.approx(wilson(0, 40).high)
    unbound = corrected_mean([0.0, 1.0] * 20, [float(i % 3 == 0) for i in range(40)])
    assert unbound.less(unbound).estimate().low is None


def test_a_gate_is_not_passed_by_a_few_labels_that_are_all_alike(judged, tmp_path, capsys):
    run = judged({f"s{i}": "please come" if i % 5 == 0 else "come" for i in range(60)})
    file = tmp_path / "labels.csv"
    file.write_text("submission,criterion,level\n" + "".join(f"s{i},polite,met\n" for i in range(30)))
    capsys.readouterr()
    common = [str(run), "--labels", str(file), "--drawn", "random"]
    assert main(["gate", *common, "--criterion", "polite", "--at-least", "0.999"]) == 1
    assert "1.000 [0.886, 1.000] n=30" in capsys.readouterr().out
    assert main(["gate", *common, "--criterion", "polite", "--at-least", "0.88"]) == 0
    capsys.readouterr()
    assert main(["estimate", *common, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["estimates"]
    assert found["labels"]["low"] == found["corrected"]["low"] == pytest.approx(wilson(30, 30).low)
    assert found["detectable"] is None


def test_a_gate_on_numbers_without_a_scale_that_are_all_alike_is_missed_in_words(judged, tmp_path, capsys):
    run = judged({f"s{i}": "please come" if i % 2 else "come" for i in range(24)})
    file = tmp_path / "labels.csv"
    file.write_text("submission,criterion,score\n" + "".join(f"s{i},overall,0.9\n" for i in range(12)))
    capsys.readouterr()
    assert main(["gate", str(run), "--labels", str(file), "--drawn", "random", "--at-least", "0.1"]) == 1
    assert "no interval: the labels" in capsys.readouterr().out
