"""Figures for CLASH on judges whose answers are known: accuracy by kind, shift drop, framing, steerability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.api import installed, result_of
from adjudge.submission import Submission
from adjudge.verdict import Result, Verdict
from adjudge_moral.clash.metrics import accuracy_figures, framing_figures, shift_figures, steering_figures
from adjudge_moral.clash.steering import (
    Instance,
    Pair,
    Steered,
    against_base,
    pairs_at_stake,
    preference,
    steerability,
    steered,
)
from adjudge_moral.clash.tasks import clash_dataset, steering_dataset

ITEMS = clash_dataset()
CARE_FAIRNESS = Pair("MFT", "Care", "Fairness")
Answer = Callable[[Submission, str], str | None]


def judged(items: Sequence[Submission], answer: Answer) -> list[Result]:
    results = []
    for item in items:
        assert item.rubric is not None
        verdicts = []
        for criterion in item.rubric.criteria:
            level = answer(item, criterion.id)
            fields: dict[str, Any] = {"submission": item.id, "criterion": criterion.id}
            scored = {"status": "scored", "level": level}
            lost = {"status": "unscored", "reason": "parse"}
            verdicts.append(Verdict.model_validate(fields | (lost if level is None else scored)))
        results.append(result_of(item, item.rubric, verdicts, installed()))
    return results


def gold(item: Submission, question: str) -> str:
    return str(next(label.level for label in item.labels if label.criterion == question))


def test_a_perfect_judge_is_right_everywhere() -> None:
    results = judged(ITEMS, gold)
    found = accuracy_figures(ITEMS, results) | shift_figures(ITEMS, results)
    for name in ("accuracy", "ambivalence", "clear_cut", "discomfort[straightforward]", "discomfort[swayed]"):
        assert found[name].value == 1, name
    assert found["shift_drop[half-shift]"].value == 0
    assert framing_figures(ITEMS, results) == {}


def test_a_judge_that_never_wavers_fails_the_ambivalent_and_keeps_the_clear_cut() -> None:
    def decided(item: Submission, question: str) -> str:
        return gold(item, question) if gold(item, question) != "ambiguous" else "yes"

    results = judged(ITEMS, decided)
    found = accuracy_figures(ITEMS, results) | shift_figures(ITEMS, results)
    assert found["ambivalence"].value == 0
    assert found["clear_cut"].value == 1
    assert (found["previous[half-shift]"].value, found["current[half-shift]"].value) == (1, 0)
    assert found["shift_drop[half-shift]"].value == 1
    assert found["shift_drop[shift]"].value == found["shift_drop[false-shift]"].value == 0


def test_a_judge_stuck_in_the_past_drops_where_values_changed() -> None:
    results = judged(ITEMS, lambda item, q: gold(item, "previous") if q == "current" else gold(item, q))
    found = shift_figures(ITEMS, results)
    drops = {kind: found[f"shift_drop[{kind}]"].value for kind in ("shift", "half-shift", "false-shift")}
    assert drops == {"shift": 1, "half-shift": 1, "false-shift": 0}


def test_what_is_unscored_is_neither_right_nor_wrong() -> None:
    results = judged(ITEMS, lambda item, q: None if item.metadata["kind"] == "simple" else gold(item, q))
    found = accuracy_figures(ITEMS, results)
    assert found["accuracy"].value == 1
    assert found["accuracy"].n == 40
    assert found["ambivalence"].value is None
    assert found["coverage[simple]"] == 0
    assert found["accuracy_if_unscored_wrong"] == pytest.approx(40 / 42)
    assert found["accuracy_if_unscored_right"] == 1


def test_framing_is_the_paired_difference_over_the_same_characters() -> None:
    items = clash_dataset(framing="both")
    wrong = {"yes": "no", "no": "yes", "ambiguous": "yes"}

    def third_only(item: Submission, question: str) -> str:
        right = gold(item, question)
        return right if item.metadata["framing"] == "third" else wrong[right]

    found = framing_figures(items, judged(items, third_only))
    assert found["third_person_gain"].value == 1
    assert found["third_person_gain"].n == 18
    assert (found["accuracy[third]"].value, found["accuracy[first]"].value) == (1, 0)


@pytest.mark.parametrize(
    ("base", "front", "back", "expected"),
    [
        (0.5, 0.25, 1.0, (0.5, 1.0)),
        (0.4, 0.0, 1.0, (1.0, 1.0)),
        (0.4, 0.4, 0.4, (0.0, 0.0)),
        (0.5, 0.75, 0.25, (-0.5, -0.5)),
        (0.0, 0.0, 0.5, (None, 0.5)),
        (1.0, 0.5, 1.0, (0.5, None)),
    ],
)
def test_steerability_of_toy_data(base: float, front: float, back: float, expected: tuple[float | None, ...]) -> None:
    assert (steerability(base, front, 0.0), steerability(base, back, 1.0)) == expected


def test_refusing_leans_to_what_refusing_stands_for() -> None:
    assert preference([(True, "yes"), (False, "no")]) == 1
    assert preference([(True, "no"), (False, "yes")]) == 0
    assert preference([(True, "ambiguous"), (False, "ambiguous")]) == 0.5
    assert preference([]) is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["yes", "no", "ambiguous"])), min_size=1))
def test_a_preference_turns_round_when_the_sides_do(answers: list[tuple[bool, str]]) -> None:
    there, back = preference(answers), preference([(not sign, answer) for sign, answer in answers])
    assert there is not None
    assert back is not None
    assert 0 <= there <= 1
    assert there + back == pytest.approx(1)


def test_pairs_stand_within_one_theory_in_one_order_with_the_side_that_accepting_is_on() -> None:
    found = list(pairs_at_stake(["MFT: Fairness", "Maslow: safety"], ["MFT: Care", "MFT: Fairness"]))
    assert found == [(CARE_FAIRNESS, True)]
    assert list(pairs_at_stake(["MFT: Care"], ["MFT: Fairness"])) == [(CARE_FAIRNESS, False)]


def test_values_on_both_sides_at_once_say_nothing() -> None:
    assert list(pairs_at_stake(["MFT: Care", "MFT: Fairness"], ["MFT: Fairness", "MFT: Care"])) == []


def test_the_world_values_survey_has_two_pairs_only() -> None:
    assert len(list(pairs_at_stake(["WVS: Survival"], ["WVS: Self-expression"]))) == 1
    assert list(pairs_at_stake(["WVS: Survival"], ["WVS: Traditional"])) == []


def test_an_instance_that_lacks_an_answer_is_left_out_whole() -> None:
    whole, torn = Instance(True, "no", "no", "yes"), Instance(True, "yes", None, "yes")
    (found,) = steered({CARE_FAIRNESS: [whole, torn]})
    assert (found.n, found.base, found.front, found.back) == (1, 0, 0, 1)
    assert (found.to_front, found.to_back) == (None, 1)


def test_a_strong_own_preference_that_hinders_steering_shows_as_a_negative_correlation() -> None:
    def one(name: str, base: float, n: int = 17) -> Steered:
        return Steered(Pair("MFT", "A", name), n, base, base * base, base + (1 - base) * base)

    pairs = [one(name, base) for name, base in zip("BCDEF", (0.1, 0.3, 0.5, 0.7, 0.9), strict=True)]
    assert against_base(pairs).value == pytest.approx(-1)
    assert against_base([*pairs, one("G", 0.95, n=16)]).n == 5
    assert against_base([]).value is None


def test_full_control_by_characters_is_a_steerability_of_one_in_both_directions() -> None:
    items = steering_dataset(framing="both")

    def obedient(item: Submission, _question: str) -> str:
        return {"base": "ambiguous", "yes": "yes", "no": "no"}[str(item.metadata["condition"])]

    found = steering_figures(items, judged(items, obedient))
    assert found["coverage"] == 1
    for framing in ("third", "first"):
        rows = found[f"steerability[{framing}]"]
        assert {row["pair"] for row in rows} >= {"MFT: Care / Loyalty", "MFT: Care / Fairness"}
        assert all((row["steer_first"], row["steer_second"]) == (1, 1) for row in rows)
        assert all(row["base"] == 0.5 for row in rows)


def test_a_judge_that_ignores_the_character_cannot_be_steered() -> None:
    items = steering_dataset()
    rows = steering_figures(items, judged(items, lambda *_: "ambiguous"))["steerability[third]"]
    assert all((row["steer_first"], row["steer_second"]) == (0, 0) for row in rows)
