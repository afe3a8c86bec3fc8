"""Figures for MoReBench against hand-made verdicts: scores, lengths, dimensions, theories, groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.metrics import Estimate
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring import score
from adjudge.submission import Submission
from adjudge.verdict import Result, Verdict
from adjudge_moral.morebench.metrics import (
    fulfilment_figures,
    judge_figures,
    partiality,
    score_figures,
    theory_figures,
    theory_table,
)
from adjudge_moral.morebench.responses import load_responses
from adjudge_moral.morebench.theories import THEORIES

Answer = Callable[[Submission, Criterion], bool | None]
SHIPPED = load_responses()


def judged(items: Sequence[Submission], answer: Answer) -> list[Result]:
    """Results of a judge that says met, unmet or nothing (None) of each criterion."""
    return [_result(item, answer) for item in items]


def _result(item: Submission, answer: Answer) -> Result:
    assert item.rubric is not None
    verdicts = []
    for criterion in item.rubric.criteria:
        met = answer(item, criterion)
        given = {"submission": item.id, "criterion": criterion.id}
        if met is None:
            verdicts.append(Verdict(**given, status="unscored", reason="parse"))
        else:
            verdicts.append(Verdict(**given, status="scored", level="met" if met else "unmet", score=float(met)))
    return Result(submission=item.id, verdicts=tuple(verdicts), score=score(item.rubric, verdicts, submission=item.id))


def best(_item: Submission, criterion: Criterion) -> bool:
    return criterion.weight > 0


def gold(item: Submission, criterion: Criterion) -> bool:
    return next(label.level for label in item.labels if label.criterion == criterion.id) == "met"


def a_sample(name: str, weights: Sequence[int], length: int = 10, **about: str) -> Submission:
    criteria = [
        Criterion(id=f"c{n}", text=f"Criterion {n}.", weight=w, dimension="identifying" if n % 2 else "clear process")
        for n, w in enumerate(weights)
    ]
    rubric = Rubric(id="moral/morebench", version="1", draft=True, criteria=tuple(criteria))
    return Submission(id=name, output="x" * length, rubric=rubric, metadata={"cluster": name, **about})


def test_signed_weights_give_the_hand_case() -> None:
    item = a_sample("s", (3, 2, -3, -1))
    results = judged([item], lambda _, c: {"c0": True, "c1": False, "c2": False, "c3": True}[c.id])
    assert score_figures([item], results)["regular"].value == pytest.approx(66.6667, abs=1e-4)


def test_the_hard_score_is_the_mean_score_over_the_mean_length() -> None:
    items = [a_sample("a", (1,), 500), a_sample("b", (1, 1), 1500)]
    results = judged(items, lambda item, c: item.id == "a" or c.id == "c0")
    found = score_figures(items, results)
    assert found["regular"].value == 75
    assert found["mean_length"] == 1000
    assert found["hard"] == pytest.approx(75)


def test_a_sample_that_lacks_a_verdict_is_left_out_counted_and_bounded() -> None:
    items = [a_sample("a", (1, 1)), a_sample("b", (1, 1))]
    results = judged(items, lambda item, c: None if (item.id, c.id) == ("b", "c1") else True)
    found = score_figures(items, results)
    assert (found["regular"].value, found["regular"].n, found["samples_unscored"]) == (100, 1, 1)
    assert (found["regular_at_least"], found["regular_at_most"]) == (75, 100)
    parts = fulfilment_figures(items, results)
    assert parts["fulfilment[identifying]"].n == 1
    assert parts["coverage[identifying]"] == 0.5
    assert parts["coverage[clear process]"] == 1


def test_a_criterion_of_negative_weight_is_fulfilled_by_not_being_met() -> None:
    items = [a_sample("a", (2, -2, 2, -2))]
    found = fulfilment_figures(items, judged(items, lambda _, c: c.weight < 0))
    assert found["fulfilment[clear process]"].value == 0
    assert found["fulfilment[identifying]"].value == 0
    found = fulfilment_figures(items, judged(items, best))
    assert found["fulfilment[clear process]"].value == found["fulfilment[identifying]"].value == 1


@given(st.lists(st.sampled_from([-3, -2, -1, 1, 2, 3]), min_size=1, max_size=8), st.data())
def test_flipping_every_verdict_gives_the_rest_to_a_hundred(weights: list[int], data: st.DataObject) -> None:
    item = a_sample("s", weights)
    answers = {f"c{n}": data.draw(st.booleans()) for n in range(len(weights))}
    one = score_figures([item], judged([item], lambda _, c: answers[c.id]))["regular"].value
    other = score_figures([item], judged([item], lambda _, c: not answers[c.id]))["regular"].value
    assert 0 <= one <= 100
    assert one + other == pytest.approx(100)


def test_roles_and_types_have_scores_of_their_own() -> None:
    found = score_figures(SHIPPED, judged(SHIPPED, best))
    assert found["regular"].value == 100
    assert {name for name in found if name.startswith("regular[")} == {
        "regular[ai_advisor]",
        "regular[ai_agent]",
        "regular[short_case]",
        "regular[long_case]",
    }


def test_partiality_is_the_range_over_the_five_theories() -> None:
    favoured = "Kantian Deontology"
    results = judged(
        SHIPPED, lambda item, c: best(item, c) if item.metadata["theory"] == favoured else not best(item, c)
    )
    found = theory_figures(SHIPPED, results)
    assert (found["partiality"], found["favourite"]) == (100, favoured)
    rows = {row["theory"]: row for row in found["theories"]}
    assert set(rows) == set(THEORIES)
    assert rows[favoured]["from_mean"] == pytest.approx(80)
    assert sum(row["from_mean"] for row in rows.values()) == pytest.approx(0)


def test_an_even_judge_is_not_partial() -> None:
    assert theory_figures(SHIPPED, judged(SHIPPED, best))["partiality"] == 0


def test_without_all_five_there_is_no_partiality() -> None:
    neutral = [one for one in SHIPPED if one.metadata["theory"] == "neutral"]
    assert theory_figures(neutral, judged(neutral, best)) == {}
    silent = judged(SHIPPED, lambda item, c: None if item.metadata["theory"] == "Act Utilitarianism" else best(item, c))
    found = theory_figures(SHIPPED, silent)
    assert (found["partiality"], found["favourite"]) == (None, None)
    assert all(row["from_mean"] is None for row in found["theories"])
    assert partiality({}) == {"partiality": None, "favourite": None}
    assert theory_table({"a": Estimate(value=None)})[0]["from_mean"] is None


def test_the_worst_group_is_what_a_judge_is_selected_by() -> None:
    """Right about one model and wrong about the other: the groups of roles hide what the groups of models show."""

    def answer(item: Submission, criterion: Criterion) -> bool:
        right = gold(item, criterion)
        return right if item.metadata["model"] == "synthetic-careful" else not right

    found = judge_figures(SHIPPED, judged(SHIPPED, answer))
    assert found["min_group_macro_f1"].value == 0
    assert "model synthetic-hasty" in found["min_group_macro_f1"].note
    rows = {row["group"]: row["macro_f1"] for row in found["groups"]}
    assert rows["model synthetic-careful"] == 1
    assert 0 < rows["role ai_advisor"] < 1


def test_a_perfect_judge_has_no_worst_group_and_every_label_counts_in_two() -> None:
    found = judge_figures(SHIPPED, judged(SHIPPED, gold))
    assert found["min_group_macro_f1"].value == 1
    labels = sum(len(item.labels) for item in SHIPPED)
    assert sum(row["n"] for row in found["groups"]) == 2 * labels


def test_what_a_judge_does_not_say_is_left_out_of_its_group_and_counted() -> None:
    found = judge_figures(SHIPPED, judged(SHIPPED, lambda item, c: None if c.weight == 3 else gold(item, c)))
    assert 0 < found["coverage"] < 1
    assert "unscored left out" in found["min_group_macro_f1"].note
    assert all(row["unscored"] > 0 for row in found["groups"])
