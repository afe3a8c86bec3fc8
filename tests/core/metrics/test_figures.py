from __future__ import annotations

import pytest

from adjudge.errors import InputError
from adjudge.metrics import level_agreement, preference_agreement, score_correlation
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Label, Submission
from adjudge.verdict import Result, Score, Verdict


def item(name, *labels, **fields):
    return Submission(id=name, output="text", labels=labels, **fields)


def outcome(name, *verdicts, value=None):
    overall = Score(submission=name, rubric="r 1", scoring="mean", value=value, bounds=None, coverage=1, criteria={})
    return Result(submission=name, verdicts=verdicts, score=overall)


def verdict(criterion, level=None, **fields):
    if level is None:
        return Verdict(submission="s", criterion=criterion, status="unscored", reason="parse", **fields)
    return Verdict(submission="s", criterion=criterion, status="scored", level=level, **fields)


def level(criterion, level_id, rater=""):
    return Label(criterion=criterion, level=level_id, rater=rater)


def test_levels_are_compared_per_criterion_with_coverage_beside():
    golds, givens = ["yes", "no", "yes", "no"], ["yes", "yes", "yes", None]
    items = [item(str(i), level("clear", gold)) for i, gold in enumerate(golds)]
    results = [outcome(str(i), verdict("clear", given)) for i, given in enumerate(givens)]
    found = level_agreement(items, results, levels=("no", "yes"), resamples=50)
    assert found["accuracy[clear]"].value == pytest.approx(2 / 3)
    assert found["accuracy"].n == 3
    assert found["coverage[clear]"] == found["coverage"] == 0.75
    assert found["macro_f1[clear]"].value == pytest.approx(0.4)
    assert found["kappa[clear]"].value == 0
    assert found["prevalence[clear]"] == [{"no": 0.5, "yes": 0.5}]
    assert found["confusion[clear]"][0] == {"gold": "no", "no": 0, "yes": 1, "unscored": 1}


def test_raters_vote_and_an_even_split_takes_no_part():
    items = [
        item("1", level("a", "yes", "r1"), level("a", "yes", "r2"), level("a", "no", "r3")),
        item("2", level("a", "yes", "r1"), level("a", "no", "r2")),
        item("3"),
    ]
    results = [outcome(name, verdict("a", "yes")) for name in "123"]
    found = level_agreement(items, results, resamples=20)
    assert (found["accuracy"].value, found["accuracy"].n, found["gold_ties"]) == (1.0, 1, 1)


def test_intervals_follow_the_cluster_named_in_the_metadata():
    items = [item(str(i), level("a", "yes"), metadata={"cluster": f"doc{i // 4}"}) for i in range(48)]
    results = [outcome(str(i), verdict("a", "yes" if i // 4 % 2 else "no")) for i in range(48)]
    found = level_agreement(items, results, resamples=20)["accuracy[a]"]
    assert found.clusters == 12
    by_item = level_agreement([i.model_copy(update={"metadata": {}}) for i in items], results, resamples=20)
    assert found.high - found.low > by_item["accuracy[a]"].high - by_item["accuracy[a]"].low


def test_the_label_set_comes_from_the_items_own_rubric_if_none_is_given():
    rubric = Rubric(id="r", version="1", draft=True, criteria=[Criterion(id="a", text="a", scale="1-3")])
    found = level_agreement([item("1", level("a", "2"), rubric=rubric)], [outcome("1", verdict("a", "2"))], resamples=5)
    assert found["confusion[a]"][0].keys() == {"gold", "1", "2", "3", "unscored"}


def test_a_level_outside_the_label_set_is_refused_by_name():
    with pytest.raises(InputError, match="level 'maybe' of 'a' is not in its label set: no, yes"):
        level_agreement(
            [item("1", level("a", "maybe"))], [outcome("1", verdict("a", "yes"))], levels={"a": ["no", "yes"]}
        )


def test_nothing_to_compare_is_said_and_not_computed():
    found = level_agreement([], [])
    assert (found["accuracy"].value, found["coverage"]) == (None, None)


def test_scores_are_correlated_with_the_mean_of_the_raters():
    items = [
        item(str(i), Label(criterion="a", score=i, rater="r1"), Label(criterion="a", score=i + 1, rater="r2"))
        for i in range(12)
    ]
    results = [outcome(str(i), verdict("a", "3", score=3, expected=float(i**2))) for i in range(11)]
    results.append(outcome("11", verdict("a")))
    found = score_correlation(items, results, resamples=50)
    assert found["spearman[a]"].value == pytest.approx(1)
    assert found["coverage[a]"] == pytest.approx(11 / 12)
    assert found["spearman[a]"].low <= 1 <= found["spearman[a]"].high + 1e-9
    by_level = score_correlation(items, results, use="level", resamples=50)
    assert (by_level["spearman[a]"].value, by_level["spearman[a]"].note) == (None, "one side is constant")


def test_an_overall_label_is_compared_with_the_score_of_the_rubric():
    items = [item(str(i), Label(criterion="overall", score=i)) for i in range(5)]
    results = [outcome(str(i), verdict("a", "yes"), value=-float(i)) for i in range(5)]
    assert score_correlation(items, results, resamples=20)["spearman[overall]"].value == pytest.approx(-1)


def comparison(name, gold):
    both = (Submission(id="x", output="x"), Submission(id="y", output="y"))
    return Comparison(id=name, submissions=both, labels=(level("overall", gold),))


def in_orders(criterion, winner, *orders):
    return verdict(criterion, winner, orders=[{"first": p, "second": 1 - p} for p in orders])


def test_preferences_are_compared_and_the_effect_of_the_order_is_shown():
    items = [comparison(str(i), gold) for i, gold in enumerate(["first", "second", "first", "second"])]
    results = [
        outcome("0", in_orders("better", "first", 0.9, 0.8)),
        outcome("1", in_orders("better", "tie", 0.9, 0.1)),
        outcome("2", in_orders("better", "second", 0.2, 0.4)),
        outcome("3", verdict("better")),
    ]
    found = preference_agreement(items, results)
    assert found["accuracy"].value == pytest.approx(1 / 3)
    assert found["accuracy_decided"].value == 0.5
    assert found["coverage"] == 0.75
    assert found["order_consistency"].value == pytest.approx(2 / 3)
    assert found["tie_rate"].value == pytest.approx(1 / 3)
    assert found["first_shown"].value == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert found["confusion"][1] == {
        "gold": "second", "first": 0, "second": 0, "tie": 1, "incomparable": 0, "unscored": 1
    }  # fmt: skip


def test_without_both_orders_their_effect_is_undefined():
    found = preference_agreement([comparison("1", "first")], [outcome("1", verdict("better", "first"))])
    assert found["order_consistency"].value is None
    assert found["first_shown"].value is None
    assert found["accuracy"].value == 1
