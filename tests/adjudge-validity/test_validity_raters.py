"""Who may judge: the alternative annotator test, Dawid–Skene, votes that are worth less than they count, Rasch."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge_validity.alt_test import alt_test
from adjudge_validity.panel import dawid_skene, effective_votes
from adjudge_validity.rasch import Rated, fit_rasch


def voters(n, accuracies, seed=0):
    """A binary truth and raters who are right so often, independently."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    votes = {
        name: {str(i): str(t if rng.random() < right else 1 - t) for i, t in enumerate(truth)}
        for name, right in accuracies.items()
    }
    return {str(i): str(t) for i, t in enumerate(truth)}, votes


def test_a_judge_as_good_as_people_may_stand_in_and_a_coin_may_not():
    _, votes = voters(100, {"judge": 0.95, "coin": 0.5, "a": 0.9, "b": 0.9, "c": 0.9}, seed=1)
    people = {name: votes[name] for name in "abc"}
    good, bad = alt_test(votes["judge"], people), alt_test(votes["coin"], people)
    assert (good.passed, good.winning_rate) == (True, 1.0)
    assert (bad.passed, bad.winning_rate) == (False, 0.0)
    assert good.advantage > bad.advantage


def test_the_p_value_of_one_person_by_hand():
    _, votes = voters(60, {"judge": 0.8, "a": 0.9, "b": 0.9, "c": 0.9}, seed=2)
    people = {name: votes[name] for name in "abc"}
    found = alt_test(votes["judge"], people, epsilon=0.2).raters[0]
    its = np.array([np.mean([votes[o][str(i)] == votes["judge"][str(i)] for o in "bc"]) for i in range(60)])
    mine = np.array([np.mean([votes[o][str(i)] == votes["a"][str(i)] for o in "bc"]) for i in range(60)])
    loss = (mine >= its).astype(float) - (its >= mine)
    assert found.judge_advantage == pytest.approx((its >= mine).mean())
    assert found.p == pytest.approx(stats.ttest_1samp(loss, 0.2, alternative="less").pvalue)


def test_numbers_are_compared_by_distance_and_few_submissions_are_told():
    people = {name: {str(i): float(i % 5) for i in range(20)} for name in "abc"}
    found = alt_test({str(i): float(i % 5) for i in range(20)}, people)
    assert found.passed
    assert found.warnings == ("fewer than 30 submissions of a, b, c",)
    far = alt_test({str(i): 9.0 for i in range(20)}, people)
    assert not far.passed
    with pytest.raises(InputError, match="0 raters whose labels overlap"):
        alt_test({"1": 1.0}, {name: people[name] for name in "ab"})


def test_dawid_skene_finds_truth_and_errors_better_than_the_majority():
    accuracies = {"expert": 0.97, "a": 0.6, "b": 0.6, "c": 0.6, "coin": 0.5}
    truth, votes = voters(1500, accuracies, seed=3)
    found = dawid_skene(votes, ["0", "1"])
    for name, right in accuracies.items():
        assert found.confusion[name].diagonal().mean() == pytest.approx(right, abs=0.06), name
    assert found.weights["expert"] > found.weights["a"] > found.weights["coin"]
    decided = {name: max(row, key=lambda level: row[level]) for name, row in found.posterior.items()}
    majority = {i: str(int(sum(int(v[i]) for v in votes.values()) > 2)) for i in truth}

    def share(guess):
        return np.mean([guess[i] == truth[i] for i in truth])

    assert share(decided) > share(majority) + 0.1


def test_missing_votes_are_missing():
    truth, votes = voters(300, {"a": 0.9, "b": 0.9, "c": 0.9}, seed=4)
    votes["a"] = {name: level for name, level in votes["a"].items() if int(name) % 2}
    found = dawid_skene(votes, ["0", "1"])
    assert found.posterior.keys() == truth.keys()
    assert found.confusion["a"].diagonal().mean() == pytest.approx(0.9, abs=0.06)


def test_a_panel_of_copies_is_worth_one_vote_and_one_of_strangers_all_of_them():
    rng = np.random.default_rng(5)
    apart = {str(m): {str(i): float(x) for i, x in enumerate(rng.random(4000) < 0.3)} for m in range(5)}
    copies = {str(m): apart["0"] for m in range(5)}
    assert effective_votes(copies).value == pytest.approx(1)
    assert effective_votes(apart).value == pytest.approx(5, abs=0.4)
    assert effective_votes({"a": {"1": 0.0, "2": 0.0}, "b": {"1": 0.0, "2": 1.0}}).value is None


def rated(n, severities, difficulties, thresholds, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        ability = rng.normal() * 1.3
        for rater, severity in severities.items():
            for criterion, difficulty in difficulties.items():
                steps = np.concatenate([[0], np.cumsum(ability - severity - difficulty - np.array(thresholds))])
                chances = np.exp(steps - steps.max())
                found.append(Rated(str(i), rater, criterion, int(rng.choice(len(steps), p=chances / chances.sum()))))
    return found


SEVERITIES, DIFFICULTIES = {"a": -0.6, "b": 0.0, "c": 0.1, "d": 0.5}, {"x": -0.3, "y": 0.4}
THRESHOLDS = (-1.2, -0.4, 0.4, 1.2)


def test_rasch_recovers_severity_difficulty_and_thresholds_without_shrinking():
    found = fit_rasch(rated(150, SEVERITIES, DIFFICULTIES, THRESHOLDS), 5)
    assert found.converged
    for name, severity in SEVERITIES.items():
        assert found.raters[name].value == pytest.approx(severity, abs=0.15)
        assert found.raters[name].infit == pytest.approx(1, abs=0.15)
        assert found.raters[name].outfit == pytest.approx(1, abs=0.2)
    assert sum(one.value for one in found.raters.values()) == pytest.approx(0, abs=1e-9)
    assert found.criteria["y"].value - found.criteria["x"].value == pytest.approx(0.7, abs=0.15)
    assert found.thresholds == pytest.approx(THRESHOLDS, abs=0.15)
    assert found.spread == pytest.approx(1.3, abs=0.2)


def test_a_rater_who_guesses_does_not_fit():
    rng = np.random.default_rng(7)
    rows = rated(150, SEVERITIES, {"x": 0.0}, THRESHOLDS, seed=7)
    noisy = [one if one.rater != "d" else Rated(one.submission, "d", "x", int(rng.integers(5))) for one in rows]
    found = fit_rasch(noisy, 5).raters
    assert found["d"].infit > 1.35
    assert all(found[name].infit < 1.3 for name in "abc")


def test_rasch_errors_are_as_large_as_severities_scatter():
    found = [fit_rasch(rated(30, SEVERITIES, {"x": 0.0}, (-0.5, 0.5), seed=s), 3).raters["d"] for s in range(16)]
    scatter = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.error for one in found]) == pytest.approx(scatter, rel=0.5)
    assert np.mean([one.value for one in found]) == pytest.approx(0.5, abs=0.2)


@settings(max_examples=5)
@given(st.permutations(range(40)))
def test_the_order_of_ratings_changes_nothing(order):
    rows = rated(10, {"a": 0.0, "b": 0.4}, DIFFICULTIES, (0.0,))
    one, other = fit_rasch(rows, 2), fit_rasch([rows[i] for i in order], 2)
    assert other.raters["a"].value == pytest.approx(one.raters["a"].value, abs=1e-3)


def test_a_model_of_one_rater_is_refused():
    with pytest.raises(InputError, match="at least 2 submissions and 2 raters"):
        fit_rasch([Rated("1", "a", "x", 0), Rated("2", "a", "x", 1)], 2)


def test_raters_are_told_by_the_command_line(judged, tmp_path, capsys):
    texts = {f"s{i}": "please come" if i % 2 else "come" for i in range(40)}
    run = judged(texts)
    lines = [
        f"s{i},polite,{'met' if bool(i % 2) != ((i + who) % 10 == 0) else 'unmet'},{rater}"
        for i in range(40)
        for who, rater in enumerate("abc")
    ]
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(["submission,criterion,level,rater", *lines]) + "\n")
    capsys.readouterr()
    assert main(["raters", str(run), "--labels", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["criteria"][0]["alt_tests"][str(run)]["passed"] is True
    assert set(found["severity"]["polite"]["raters"]) == {str(run), "rater a", "rater b", "rater c"}
    assert main(["raters", str(run), "--labels", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "stands in" in shown
    assert "Dawid–Skene" in shown
    assert "severity and difficulty" in shown
