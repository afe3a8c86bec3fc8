"""PsyEval's files are read, its leaderboard adds up, and its slip is caught."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge_counselling.datasets import TURN_CRITERIA, psyeval_dataset, session_dataset, turn_dataset, turn_rubric
from adjudge_counselling.psyeval import (
    FIELDS,
    Normalisation,
    load_cases,
    load_leaderboard,
    load_sessions,
    normalisation,
)
from adjudge_counselling.rubrics import pack
from adjudge_counselling.total import Total

PLUS, INTERVENT = "psyeval/Qwen3-32B.psyeval3-plus.jsonl.gz", "psyeval/gpt-4.1.psyeval3-intervent.jsonl.gz"
BOARD = "psyeval/PsyEval3-plus_leaderboard.tsv.gz"


def a_row(scores: dict[str, float] | None = None, **changes: Any) -> dict[str, Any]:
    row = {
        "prompt": [{"role": "system", "content": "You are N."}, {"role": "user", "content": "The report."}],
        "class_tag": "work",
        "context": "I am tired.",
        "chosen": [{"role": "assistant", "content": "来访者：我累了。\n南希：多久了？"}],
        **{f"{name}_score": score for name, score in (scores or {}).items()},
    }
    return row | changes


def write_lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def labelled(divisor: float, count: int = 11, score: float = 8.0) -> dict[str, Any]:
    scores = {f"Technique{n}": score for n in range(count)}
    return a_row(scores, Reward_label=count * score / divisor * 100)


def test_a_row_becomes_a_session_with_scores_by_criterion(tmp_path: Path) -> None:
    (one,) = load_sessions(write_lines(tmp_path / "p.jsonl", a_row({"Concern": 9.15, "Warmth": 8})))
    assert (one.category, one.complaint, one.report) == ("work", "I am tired.", "The report.")
    assert [(said.side, said.text) for said in one.utterances] == [("client", "我累了。"), ("counsellor", "多久了？")]
    assert one.by_criterion == {"concern": 9.15, "warmth": 8.0}


def test_labels_that_reach_100_pass_and_those_that_do_not_are_refused(tmp_path: Path) -> None:
    assert len(load_sessions(write_lines(tmp_path / "good.jsonl", labelled(110), labelled(110)))) == 2
    slipped = write_lines(tmp_path / "slip.jsonl", labelled(160))
    with pytest.raises(InputError, match=r"slip\.jsonl: .*divided by 160, so the maximum reachable is 68\.75, not 100"):
        load_sessions(slipped)
    assert len(load_cases(slipped)) == 1


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([labelled(110), labelled(160)], "divides by 160, earlier ones by 110"),
        ([labelled(110) | {"Reward_label": 33.4}], "is no share of the scores' sum"),
        ([a_row({"Concern": 11})], "must be from 0 to 10"),
        ([a_row({"Concern": None})], "Concern_score is None"),
        ([a_row(chosen="text")], "chosen is no list of messages"),
        ([{"prompt": []}], "has no class_tag, context, chosen"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        load_sessions(write_lines(tmp_path / "p.jsonl", *rows))
    assert problem in str(caught.value)


def test_the_task_takes_the_released_scores_as_labels_of_a_model(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", a_row({"Concern": 9.15}))
    (item,) = psyeval_dataset(source=str(path), language="zh")
    assert (item.labels[0].criterion, item.labels[0].score) == ("concern", 9.15)
    assert "a model" in item.labels[0].rater
    assert item.output == "[1] 来访者: 我累了。\n[2] 咨询师: 多久了？"


def test_cases_for_a_candidate_have_no_output_and_the_report_or_the_complaint() -> None:
    reports, complaints = session_dataset(), session_dataset(case="complaint")
    assert all(not item.output for item in reports)
    assert len(reports) == 6
    assert reports[0].input != complaints[0].input
    assert len(psyeval_dataset()) == 4


def test_a_file_without_sessions_says_what_to_run_instead(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", a_row(chosen=[]))
    with pytest.raises(InputError, match="psyeval-session"):
        psyeval_dataset(source=str(path))


def test_a_session_is_broken_off_after_a_turn_of_the_client() -> None:
    items = turn_dataset(language="en", after=2)
    assert len(items) == 4
    for item in items:
        assert [message.role for message in item.input] == ["system", "user", "assistant", "user"]
    assert {c.id for c in turn_rubric(language="en").criteria} == set(TURN_CRITERIA)
    assert turn_rubric().scoring.name == "weighted"


@pytest.mark.parametrize("after", [0, -1, 99])
def test_no_session_is_long_enough(after: int) -> None:
    with pytest.raises(InputError, match=f"after={after}: no session of the synthetic ones"):
        turn_dataset(after=after)


def test_a_leaderboard_without_a_dimension_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "board.tsv"
    path.write_text("Model Name\tTotal Score\tConcern\nm\t4\t4\n", "utf-8")
    with pytest.raises(InputError, match="has no expressiveness"):
        load_leaderboard(path)


@pytest.mark.data
def test_the_leaderboard_adds_up_for_all_22_models(data: Callable[[str], Path]) -> None:
    board = load_leaderboard(data(BOARD))
    assert len(board) == 22
    for one in board:
        total = Total()(pack("psyeval"), one.means)
        assert total is not None
        assert round(abs(total - one.total), 6) <= 0.03, one.model
    totals = {one.model: one.total for one in board}
    assert totals["PsyLLMV3-Large-250519"] == 90.93
    assert totals["CPsyCounX"] == 66.00


@pytest.mark.data
def test_released_labels_reach_100_in_one_file_and_68_75_in_the_other(data: Callable[[str], Path]) -> None:
    assert normalisation(load_sessions(data(PLUS))) == Normalisation(criteria=15, divisor=150)
    assert normalisation(load_cases(data(INTERVENT))) == Normalisation(criteria=11, divisor=160)
    with pytest.raises(InputError, match=r"68\.75, not 100"):
        load_sessions(data(INTERVENT))


@pytest.mark.data
def test_released_sessions_have_both_speakers_and_known_dimensions(data: Callable[[str], Path]) -> None:
    sessions = load_sessions(data(PLUS))
    assert {name for one in sessions for name in one.scores} <= set(FIELDS)
    assert all({said.side for said in one.utterances} == {"client", "counsellor"} for one in sessions)
