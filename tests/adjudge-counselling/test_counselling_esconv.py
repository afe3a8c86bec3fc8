"""ESConv conversations are read in all their spellings, and bad ones are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge_counselling.datasets import esconv_dataset
from adjudge_counselling.esconv import STRATEGIES, load_support
from adjudge_counselling.rubrics import pack


def a_row(**changes: Any) -> dict[str, Any]:
    row = {
        "emotion_type": "fear",
        "problem_type": "job crisis",
        "situation": "I may lose\nmy work.",
        "survey_score": {"seeker": {"empathy": "5", "relevance": "4", "final_emotion_intensity": "2"}, "supporter": {}},
        "dialog": [
            {"speaker": "seeker", "annotation": {}, "content": "They told us.\n"},
            {"speaker": "supporter", "annotation": {"strategy": "Question"}, "content": "What did they say?"},
        ],
    }
    return row | changes


def write_json(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text(
        json.dumps(rows) if path.suffix == ".json" else "".join(json.dumps(r) + "\n" for r in rows), "utf-8"
    )
    return path


@pytest.mark.parametrize("name", ["e.json", "e.jsonl"])
def test_an_array_and_lines_are_read_alike(tmp_path: Path, name: str) -> None:
    (one,) = load_support(write_json(tmp_path / name, a_row()))
    assert (one.problem, one.emotion, one.situation) == ("job crisis", "fear", "I may lose my work.")
    assert [(said.side, said.text, said.label) for said in one.utterances] == [
        ("client", "They told us.", ""),
        ("counsellor", "What did they say?", "question"),
    ]
    assert one.ratings == {"empathy": 5, "relevance": 4}


def test_the_hubs_and_the_failed_ones_spellings_are_known(tmp_path: Path) -> None:
    hub = a_row(dialog=[{"text": "Hi.", "speaker": "usr"}, {"text": "Hello.", "speaker": "sys", "strategy": "Others"}])
    failed = a_row(
        dialog=[
            {"speaker": "speaker", "annotation": {"feedback": "1"}, "content": "Hi."},
            {"speaker": "listener", "annotation": {"strategy": "Questions"}, "content": "How are you?"},
        ],
        survey_score={},
    )
    first, second = load_support(write_json(tmp_path / "e.json", hub, failed))
    assert [said.label for said in first.utterances] == ["", "other"]
    assert [said.label for said in second.utterances] == ["", "question"]
    assert second.ratings == {}


def test_every_strategy_is_a_level_of_the_rubric_and_every_level_has_one() -> None:
    scale = pack("support-strategy").criterion("strategy").scale
    assert set(STRATEGIES.values()) == {level.id for level in scale.levels}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"dialog": []}, "no list of utterances"),
        ({"dialog": [{"speaker": "robot", "content": "Hi."}]}, "utterance 1: speaker is 'robot'"),
        ({"dialog": [{"speaker": "seeker"}]}, "has no content"),
        ({"dialog": [{"speaker": "sys", "strategy": "Hugs", "text": "Hi."}]}, "strategy is 'Hugs'"),
        ({"survey_score": {"seeker": {"empathy": "9"}}}, "empathy is '9'"),
    ],
)
def test_a_bad_conversation_is_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        load_support(write_json(tmp_path / "e.jsonl", a_row(), a_row(**changes)))
    assert problem in str(caught.value)
    assert "e.jsonl:2" in str(caught.value)


def test_units_of_the_task() -> None:
    utterances, sessions = esconv_dataset(context=2), esconv_dataset(unit="session")
    assert utterances[0].input == "[1] seeker: They told us on Monday. I have not slept since."
    assert utterances[0].labels[0].level == "question"
    assert {label.criterion for label in sessions[0].labels} == {"empathy", "relevance"}


def test_a_file_without_ratings_has_no_sessions_to_judge(tmp_path: Path) -> None:
    path = write_json(tmp_path / "e.json", a_row(survey_score={}))
    with pytest.raises(InputError, match="nothing labelled for unit=session"):
        esconv_dataset(source=str(path), unit="session")
