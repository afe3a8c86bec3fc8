"""MoralChoice: orders drawn by a seed and both asked, so that following the order is worth half."""

from __future__ import annotations

import csv
import os
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjudge
from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.submission import Comparison
from adjudge.testing import ScriptedBackend
from adjudge.testing.scripted import Script
from adjudge.verdict import Failure, Question, Result
from adjudge_moral.choices import choices_of, drawn_orders, label_of, uncertainty
from adjudge_moral.moralchoice.metrics import belief_figures, favoured_figures
from adjudge_moral.moralchoice.scenarios import RULES, load_scenarios
from adjudge_moral.moralchoice.tasks import high_dataset, low_dataset

LOW, HIGH = low_dataset(), high_dataset()


async def judged(items: list[Comparison], script: Script, **options: str) -> list[Result]:
    async with adjudge.make_judge(
        "moral/choice", backend=ScriptedBackend(script), judge="compare", ties=False, **options
    ) as judge:
        return await judge.many(items)


def favoured(question: Question) -> bool:
    """Whether the favoured action is the one shown first."""
    first = question.prompt.output.split("Action B:")[0]
    return any(scenario.actions["action1"] in first for scenario in load_scenarios("low"))


@pytest.mark.parametrize("read_out", ["label", "reasoned"])
@pytest.mark.parametrize("word", ["A", "B"])
async def test_a_judge_that_follows_the_order_scores_half(word: str, read_out: str) -> None:
    found = favoured_figures(LOW, await judged(LOW, {"*": {word: 0.9}}, read_out=read_out))
    assert found["accuracy"].value == 0.5
    assert found["accuracy"].low < 0.5 < found["accuracy"].high
    assert found["likelihood"].value == 0.5
    assert found["order_consistency"].value == 0
    assert found["first_shown"].value == float(word == "A")
    assert found["coverage"] == 1
    assert found["accuracy_decided"].value is None


@pytest.mark.parametrize("read_out", ["label", "reasoned"])
async def test_a_judge_with_common_sense_is_right_in_both_orders(read_out: str) -> None:
    results = await judged(LOW, lambda q: {"A" if favoured(q) else "B": 0.9}, read_out=read_out)
    found = favoured_figures(LOW, results) | belief_figures(LOW, results)
    assert found["accuracy"].value == found["accuracy_decided"].value == found["order_consistency"].value == 1
    assert found["first_shown"].value == 0.5
    assert found["likelihood"].value > 0.8
    assert {row["broken"] for row in found["rules"]} == {0}


async def test_a_judge_against_common_sense_breaks_every_rule() -> None:
    results = await judged(LOW, lambda q: {"B" if favoured(q) else "A": 0.9})
    found = favoured_figures(LOW, results) | belief_figures(LOW, results)
    assert found["accuracy"].value == 0
    rows = {row["rule"]: row for row in found["rules"]}
    assert set(rows) == set(RULES)
    assert {row["broken"] for row in rows.values()} == {1}
    assert rows["duty"]["scenarios"] == sum("duty" in s.broken["action2"] for s in load_scenarios("low"))


async def test_a_leaning_that_outweighs_the_order_decides_and_is_told_apart_from_consistency() -> None:
    def leaning(question: Question) -> dict[str, float]:
        return {"A": 0.95} if favoured(question) else {"A": 0.6, "B": 0.4}

    found = favoured_figures(LOW, await judged(LOW, leaning))
    assert found["accuracy"].value == 0.5
    assert found["accuracy_decided"].value == 1
    assert found["order_consistency"].value == 0
    assert found["likelihood"].value > 0.5


async def test_what_is_unscored_is_no_choice() -> None:
    lost = {str(LOW[0].submissions[0].input), str(LOW[1].submissions[0].input)}

    def answer(question: Question) -> dict[str, float] | Failure:
        gone = any(text in question.prompt.input for text in lost)
        return Failure(reason="refusal") if gone else {"A" if favoured(question) else "B": 0.9}

    found = favoured_figures(LOW, await judged(LOW, answer))
    assert found["coverage"] == pytest.approx(10 / 12)
    assert found["accuracy"].value == 1
    assert found["accuracy"].n == 20


async def test_uncertainty_is_one_bit_for_a_coin_and_little_for_a_sure_judge() -> None:
    coin = choices_of(HIGH, await judged(HIGH, {"*": {"A": 0.9}}))
    assert uncertainty(coin).value == pytest.approx(1)
    sure = choices_of(LOW, await judged(LOW, lambda q: {"A" if favoured(q) else "B": 0.999}))
    assert uncertainty(sure).value < 0.1


async def test_a_rule_on_which_annotators_disagree_is_left_out() -> None:
    found = belief_figures(HIGH, await judged(HIGH, {"*": {"A": 0.9}}))
    rows = {row["rule"]: row for row in found["rules"]}
    disputed = next(s for s in load_scenarios("high") if "pain" not in s.broken["action2"] + s.kept["action2"])
    assert disputed.id == "SH_005"
    assert rows["pain"]["scenarios"] == 3
    assert rows["deceive"]["broken"] == 0.5


def test_labels_follow_the_order_that_the_seed_draws() -> None:
    for item in LOW:
        (label,) = item.labels
        chosen = item.submissions[0 if label.level == "first" else 1]
        assert chosen.id == f"{item.id}/action1"
    assert {item.labels[0].level for item in LOW} == {"first", "second"}
    assert low_dataset(seed=3) == low_dataset(seed=3)
    assert [i.labels for i in low_dataset(seed=3)] != [i.labels for i in LOW]


@given(st.integers(), st.integers(0, 20))
def test_half_of_the_orders_are_turned_round_and_the_label_finds_the_name(seed: int, count: int) -> None:
    orders = drawn_orders(("one", "two"), count, seed)
    assert all(sorted(order) == ["one", "two"] for order in orders)
    assert sum(order[0] == "two" for order in orders) == count // 2
    assert all(order[("first", "second").index(label_of(order, "two"))] == "two" for order in orders)


def test_ambiguous_scenarios_carry_no_label() -> None:
    assert not any(item.labels for item in HIGH)
    items: list[Item] = list(HIGH)
    assert belief_figures(items[:0], [])["rules"] == []


def a_row(**changes: str) -> dict[str, str]:
    rules = {f"{prefix}_{rule}": "No" for prefix in ("a1", "a2") for rule in RULES}
    row = {"scenario_id": "L_1", "ambiguity": "low", "context": "A door.", "action1": "I knock.", "action2": "I kick."}
    return {**row, **rules, **changes}


def written(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([a_row(ambiguity="high")], "ambiguity is 'high', not 'low'; use the task moralchoice-high"),
        ([a_row(a2_pain="maybe")], "a2_pain is 'maybe'; it must be Yes, No or No Agreement"),
        ([a_row(action2="")], "action2 is empty"),
        ([a_row(), a_row()], "the id 'L_1' was first seen at"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(InputError, match=r"low\.csv:\d: ") as caught:
        low_dataset(source=str(written(tmp_path / "low.csv", *rows)))
    assert problem in str(caught.value)


def test_shipped_scenarios_are_marked() -> None:
    for ambiguity in ("low", "high"):
        file = files("adjudge_moral") / "data" / f"moralchoice_{ambiguity}_synthetic.csv"
        rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
        assert all((row["synthetic"], row["generation_type"]) == ("yes", "Synthetic") for row in rows)


@pytest.mark.data
@pytest.mark.parametrize(("ambiguity", "whole"), [("low", 687), ("high", 680)])
def test_the_published_scenarios_are_read(ambiguity: str, whole: int) -> None:
    folder = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[3] / "shared/data")) / "moralchoice"
    if not folder.is_dir():
        pytest.skip("no MoralChoice: set ADJUDGE_DATA")
    read = load_scenarios(ambiguity, folder / f"moralchoice_{ambiguity}_ambiguity.csv.gz")
    assert 0 < len(read) <= whole
    if ambiguity == "low":
        assert all(len(one.broken["action1"]) <= len(one.broken["action2"]) for one in read)
