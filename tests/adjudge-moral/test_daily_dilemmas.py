"""DailyDilemmas: the loader, principle scores, the value profile, and steering by a system prompt."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjudge
from adjudge.errors import InputError, UnknownNameError
from adjudge.submission import Comparison
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Question, Result
from adjudge_moral.daily_dilemmas.dilemmas import ACTIONS, THEORIES, Action, load_dilemmas, theory_counts
from adjudge_moral.daily_dilemmas.principles import (
    expected_count,
    is_at_stake,
    load_principle,
    principle_score,
)
from adjudge_moral.daily_dilemmas.profile import preference, profile_figures, steering_figures
from adjudge_moral.daily_dilemmas.tasks import dilemma_dataset, steered_rubric
from adjudge_moral.rubrics import pack

LISTS = {"wvs": "[nan, 'Survival']", "mft": "['Care', nan]", "virtue": "[nan, nan]", "emotion": "['joy', nan]"}


def a_row(**changes: str) -> dict[str, str]:
    return {
        "idx": "7",
        "dilemma_situation": "Go, or stay?",
        "action_type": "to_do",
        "action": "Go",
        "values_names": "['care', 'thrift']",
        **LISTS,
        "maslow": "['safety', 'safety']",
        "topic_group": "family",
        **changes,
    }


def written(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_two_rows_of_the_published_layout_are_one_dilemma(tmp_path: Path) -> None:
    (one,) = load_dilemmas(written(tmp_path / "d.csv", a_row(action_type="not_to_do", action="Stay"), a_row()))
    assert (one.id, one.situation, one.topic) == ("7", "Go, or stay?", "family")
    assert [one.actions[kind].text for kind in ACTIONS] == ["Go", "Stay"]
    assert one.actions["to_do"].values == ("care", "thrift")
    assert one.actions["to_do"].dimensions == {
        "WVS": ("Survival",),
        "MFT": ("Care",),
        "Virtue": (),
        "Emotion": ("joy",),
        "Maslow": ("safety", "safety"),
    }


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([a_row()], "the dilemma '7' has no action not_to_do"),
        ([a_row(), a_row()], "the action to_do of '7' was first seen at"),
        ([a_row(action_type="maybe")], "action_type is 'maybe'; it must be to_do or not_to_do"),
        ([a_row(), a_row(action_type="not_to_do", dilemma_situation="Another?")], "belong to different situations"),
        ([a_row(mft="['Care']"), a_row(action_type="not_to_do")], "mft has 1 entries for 2 values"),
        ([a_row(wvs="print(1)"), a_row(action_type="not_to_do")], "wvs: no Python literal"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, rows: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(InputError, match=r"d\.csv:\d: ") as caught:
        load_dilemmas(written(tmp_path / "d.csv", *rows))
    assert problem in str(caught.value)


def test_the_published_principle_has_its_score() -> None:
    support = expected_count([(7, 0.8), (1, 0.5), (27, 1), (1, 0.2), (4, 0.2)])
    oppose = expected_count([(2, 1), (3, 0.4), (2, 0.5), (1, 0.4), (14, 0.5), (2, 0.5), (2, 0.2), (16, 0.2)])
    assert support == pytest.approx(34.1)
    assert oppose == pytest.approx(16.2)
    assert support - oppose == pytest.approx(17.9)


def an_action(*values: str) -> Action:
    return Action(text="x", values=values, dimensions={})


def test_a_principle_scores_the_values_that_chosen_actions_uphold() -> None:
    values = {"support": {"candour": 1.0, "courage": 0.5}, "oppose": {"peace": 0.4}}
    chosen = [an_action("candour", "courage"), an_action("peace"), an_action("candour")]
    found = principle_score(chosen, values)
    assert found == pytest.approx({"support": 2.5, "oppose": 0.4, "difference": 2.1})


def test_a_principle_is_at_stake_where_its_two_sides_meet() -> None:
    values = {"support": {"candour": 1.0}, "oppose": {"peace": 1.0}}
    assert is_at_stake([an_action("peace"), an_action("candour")], values)
    assert not is_at_stake([an_action("candour", "peace"), an_action("thrift")], values)


def test_a_preference_runs_from_minus_to_plus_a_hundred() -> None:
    assert (preference(3, 0), preference(0, 3), preference(2, 2), preference(0, 0)) == (100, -100, 0, None)


@given(st.integers(0, 50), st.integers(0, 50))
def test_choosing_the_other_action_turns_the_sign_round(selected: int, neglected: int) -> None:
    there, back = preference(selected, neglected), preference(neglected, selected)
    assert there is None or there == pytest.approx(-(back or 0.0))
    assert there is None or -100 <= there <= 100


Taste = Callable[[str, Question], bool]


async def judged(items: list[Comparison], takes: Taste) -> list[Result]:
    """A judge that takes an action if `takes` says so of its text, whatever the order."""

    def answer(question: Question) -> dict[str, float]:
        first = question.prompt.output.split("Action B:")[0]
        return {"A" if takes(first, question) else "B": 0.9}

    backend = ScriptedBackend(answer)
    async with adjudge.make_judge("moral/choice", backend=backend, judge="compare", ties=False) as judge:
        return await judge.many(items)


def doing(text: str) -> bool:
    return any(one.actions["to_do"].text in text for one in load_dilemmas())


async def test_a_judge_that_always_acts_has_the_profile_of_what_is_to_be_done() -> None:
    items = dilemma_dataset()
    found = profile_figures(items, await judged(items, lambda text, _: doing(text)))
    assert found["decided"].value == found["order_consistency"].value == 1
    assert found["first_shown"].value == 0.5
    wanted: dict[str, list[int]] = {}
    for dilemma in load_dilemmas():
        for place, kind in enumerate(ACTIONS):
            for dimension in dilemma.actions[kind].dimensions["MFT"]:
                wanted.setdefault(dimension, [0, 0])[place] += 1
    rows = {row["dimension"]: [row["selected"], row["neglected"]] for row in found["profile[MFT]"]}
    assert rows == wanted
    assert all(found[f"profile[{theory}]"] for theory in THEORIES)


async def test_the_opposite_judge_has_the_opposite_profile() -> None:
    items = dilemma_dataset()
    acts = profile_figures(items, await judged(items, lambda text, _: doing(text)))
    rests = profile_figures(items, await judged(items, lambda text, _: not doing(text)))
    for theory in THEORIES:
        one, other = (
            {row["dimension"]: row["preference"] for row in found[f"profile[{theory}]"]} for found in (acts, rests)
        )
        assert one == pytest.approx({name: -value for name, value in other.items()})


async def test_a_judge_that_follows_the_order_has_no_profile() -> None:
    items = dilemma_dataset()
    async with adjudge.make_judge(
        "moral/choice", backend=ScriptedBackend({"*": {"A": 0.9}}), judge="compare", ties=False
    ) as judge:
        found = profile_figures(items, await judge.many(items))
    assert found["coverage"] == 1
    assert found["decided"].value == found["order_consistency"].value == 0
    assert found["first_shown"].value == 1
    assert found["profile[WVS]"] == []


def test_steering_stands_in_the_system_turn_and_changes_nothing_else() -> None:
    items = dilemma_dataset(principle="candour", steer="support")
    plain, steered = items[: len(items) // 2], items[len(items) // 2 :]
    prompt = load_principle("candour").steering["support"]
    for before, after in zip(plain, steered, strict=True):
        assert before.rubric is None
        assert after.rubric is not None
        assert after.rubric.instructions.startswith(prompt)
        assert after.rubric.criteria == pack("choice").criteria
        assert [one.output for one in before.submissions] == [one.output for one in after.submissions]
    assert steered_rubric("Be bold.").instructions.endswith(pack("choice").instructions)


async def test_a_judge_that_obeys_the_prompt_changes_its_profile_and_the_principle_s_score() -> None:
    items = dilemma_dataset(principle="candour", steer="support")
    supporting = {"Say that the test is still running", "Tell him what you think of it", "Say something to him"}

    def obedient(text: str, question: Question) -> bool:
        steered = "truth above harmony" in question.prompt.system
        return any(action in text for action in supporting) == steered

    results = await judged(items, obedient)
    found = profile_figures(items, results) | steering_figures(items, results)
    before, after = found["principle"]
    assert (before["when"], after["when"]) == ("before", "after")
    assert before["difference"] < 0 < after["difference"]
    assert found["choices_changed"].value == 1
    changes = {row["dimension"]: row["change"] for row in found["change"] if row["theory"] == "Virtue"}
    assert changes["Truthfulness"] > 0
    assert found["profile[Virtue, steered]"] != found["profile[Virtue]"]


async def test_a_judge_that_ignores_the_prompt_changes_nothing() -> None:
    items = dilemma_dataset(principle="candour", steer="oppose")
    found = steering_figures(items, await judged(items, lambda text, _: doing(text)))
    assert found["choices_changed"].value == 0
    assert {row["change"] for row in found["change"]} == {0}
    before, after = found["principle"]
    assert {**before, "when": ""} == {**after, "when": ""}


async def test_without_steering_a_principle_has_one_score_and_without_a_principle_none() -> None:
    items = dilemma_dataset(principle="rules")
    found = steering_figures(items, await judged(items, lambda text, _: doing(text)))
    assert [row["when"] for row in found["principle"]] == ["before"]
    assert "change" not in found
    plain = dilemma_dataset()
    assert steering_figures(plain, await judged(plain, lambda text, _: doing(text))) == {}


def test_steering_needs_a_principle_that_exists() -> None:
    with pytest.raises(InputError, match="name a principle to steer by"):
        dilemma_dataset(steer="support")
    with pytest.raises(UnknownNameError, match="candour"):
        dilemma_dataset(principle="candor")


def test_principles_of_the_published_layout_are_known_by_their_number(tmp_path: Path) -> None:
    row = {
        "principle": "Tell the truth.",
        "sup_value_prob_dict_clean": "{'honesty': 1.0}",
        "opp_value_prob_dict_clean": "{'peace': 0.5}",
        "system_propmt_for_sup_value": "Be honest.",
        "system_propmt_for_opp_value": "Be kind.",
    }
    found = load_principle("1", written(tmp_path / "p.csv", row))
    assert found.values == {"support": {"honesty": 1.0}, "oppose": {"peace": 0.5}}
    assert found.steering["oppose"] == "Be kind."
    broken = written(tmp_path / "q.csv", row | {"opp_value_prob_dict_clean": "{'peace': 1.5}"})
    with pytest.raises(InputError, match=r"q\.csv:2: .*share of 'peace' is 1\.5"):
        load_principle("1", broken)


def test_which_action_comes_first_is_drawn_by_the_seed() -> None:
    def firsts(seed: int) -> list[str]:
        return [item.submissions[0].id for item in dilemma_dataset(seed=seed)]

    assert firsts(0) == firsts(0)
    assert firsts(0) != firsts(1)
    assert len({name.rpartition("/")[2] for name in firsts(0)}) == 2


def test_shipped_rows_are_marked() -> None:
    for name in ("daily_dilemmas_synthetic.jsonl", "principles_synthetic.jsonl"):
        text = (files("adjudge_moral") / "data" / name).read_text("utf-8")
        rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
        assert all(row["synthetic"] is True for row in rows)


@pytest.mark.data
def test_the_published_tables_are_read() -> None:
    folder = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[3] / "shared/data")) / "daily_dilemmas"
    if not folder.is_dir():
        pytest.skip("no DailyDilemmas: set ADJUDGE_DATA")
    read = load_dilemmas(folder / "dilemmas_with_detail_by_action_test.csv.gz")
    assert [len(one.actions) for one in read] == [2, 2, 2, 2]
    counts = theory_counts(folder / "values.csv.gz")
    assert {theory: found.total() for theory, found in counts.items()} == dict.fromkeys(THEORIES, 301)
    assert counts["WVS"]["Self-expression"] == 80
    assert counts["Virtue"]["none"] == 252
