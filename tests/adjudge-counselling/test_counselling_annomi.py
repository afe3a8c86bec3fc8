"""AnnoMI columns are read, bad rows are named, and every utterance keeps its experts' label."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.errors import InputError
from adjudge.submission import Submission
from adjudge.verdict import Quote, Result, Score, Verdict
from adjudge_counselling.annomi import COLUMNS, load_conversations, single, whole
from adjudge_counselling.datasets import annomi_dataset, pointing_options
from adjudge_counselling.metrics import pointing_figures

FILE = "annomi/AnnoMI-simple.csv.gz"


def a_row(**changes: str) -> dict[str, str]:
    row = {
        "transcript_id": "7",
        "mi_quality": "high",
        "topic": "walking more",
        "utterance_id": "0",
        "interlocutor": "therapist",
        "utterance_text": "What makes\nyou think of it?",
        "main_therapist_behaviour": "question",
        "client_talk_type": "n/a",
    }
    return row | changes


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


CLIENT = {"interlocutor": "client", "main_therapist_behaviour": "n/a", "client_talk_type": "change"}


def test_rows_become_conversations_in_order(tmp_path: Path) -> None:
    rows = [a_row(), a_row(utterance_id="1", utterance_text="My niece.", **CLIENT), a_row(transcript_id="8")]
    first, second = load_conversations(write_rows(tmp_path / "a.csv", rows))
    assert (first.id, first.quality, first.topic, second.id) == ("7", "high", "walking more", "8")
    assert first.text == "[0] therapist: What makes you think of it?\n[1] client: My niece."
    assert [said.label for said in first.utterances] == ["question", "change"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"mi_quality": "fair"}, "mi_quality is 'fair'"),
        ({"interlocutor": "nurse"}, "one of therapist, client"),
        ({"main_therapist_behaviour": "n/a"}, "one of question, reflection, therapist_input, other"),
        ({"utterance_id": "x"}, "must be a whole number"),
        ({"utterance_id": "0"}, "AnnoMI-full has a row per annotator"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, changes: dict[str, str], problem: str) -> None:
    plain = a_row(utterance_text="What?")
    path = write_rows(tmp_path / "a.csv", [plain, plain | {"utterance_id": "1"} | changes])
    with pytest.raises(InputError) as caught:
        load_conversations(path)
    assert problem in str(caught.value)
    assert "a.csv:" in str(caught.value)


def test_a_conversation_of_two_qualities_is_refused(tmp_path: Path) -> None:
    rows = [a_row(), a_row(utterance_id="1", mi_quality="low")]
    with pytest.raises(InputError, match=r"mi_quality is 'low', but 'high' at .*:2"):
        load_conversations(write_rows(tmp_path / "a.csv", rows))


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    row = a_row()
    del row[column]
    with pytest.raises(InputError, match=f"has no {column}"):
        load_conversations(write_rows(tmp_path / "a.csv", [row]))


def test_a_single_utterance_shows_what_was_said_before_it_and_no_more() -> None:
    items = single(load_conversations(), "client", context=1)
    first = items[0]
    assert first.input.splitlines() == [
        "A conversation about this change: drinking less",
        "[0] therapist: What brought you to think about your evenings?",
    ]
    assert first.output.startswith("[1] client: My girl asked")
    assert first.labels[0].level == "change"
    assert first.rubric is not None
    assert [criterion.id for criterion in first.rubric.criteria] == ["client_talk"]
    assert single(load_conversations(), "client", context=0)[1].input.count("\n") == 1


def test_units_of_the_task() -> None:
    assert {item.labels[0].level for item in annomi_dataset()} == {"high", "low"}
    assert {item.labels[0].criterion for item in annomi_dataset(unit="therapist")} == {"therapist_behaviour"}
    with pytest.raises(InputError, match="context=-1"):
        annomi_dataset(unit="client", context=-1)


def test_a_conversation_can_be_shown_in_part_and_says_how_much() -> None:
    (first, *_), (whole_one, *_) = annomi_dataset(opening=2), annomi_dataset()
    assert str(first.output).count("\n") == 1
    assert str(whole_one.output).startswith(str(first.output))
    assert (first.metadata["shown"], whole_one.metadata["shown"]) == (pytest.approx(2 / 9), 1)
    assert annomi_dataset(opening=500) == annomi_dataset()
    with pytest.raises(InputError, match="opening=-1"):
        annomi_dataset(opening=-1)


def judged(item: Submission, level: str, *quotes: str) -> Result:
    text = str(item.output)
    found = tuple(
        Quote(text=q, start=text.find(q) if q in text else None, end=text.find(q) + len(q) if q in text else None)
        for q in quotes
    )
    verdict = Verdict(submission=item.id, criterion="quality", status="scored", level=level, quotes=found)
    score = Score(
        submission=item.id, rubric="r 1", scoring="mean", value=1, bounds=(1, 1), coverage=1, criteria={"quality": 1}
    )
    return Result(submission=item.id, verdicts=(verdict,), score=score)


def test_verdicts_point_at_utterances_and_are_counted_by_what_those_do() -> None:
    good, bad = whole(load_conversations())[:2]
    results = [judged(good, "high", "You saw yourself", "never said"), judged(bad, "low", "You must cut down")]
    figures = pointing_figures([good, bad], results)
    assert figures["pointing_verdicts"] == 2
    assert (figures["quotes_found"].value, figures["quotes_found"].n) == (pytest.approx(2 / 3), 3)
    assert figures["pointed_at"] == [
        {"level": "high", "utterance": "reflection", "count": 1},
        {"level": "low", "utterance": "therapist_input", "count": 1},
    ]
    assert pointing_figures([good], [judged(good, "high")]) == {}


def test_pointing_asks_for_quotes() -> None:
    assert pointing_options(point=True) == {"read_out": "reasoned", "read_out_options": {"quotes": True}}
    assert pointing_options() == {}


@pytest.mark.data
def test_the_public_file_is_read_whole(data: Callable[[str], Path]) -> None:
    conversations = load_conversations(data(FILE))
    items = whole(conversations)
    assert len({item.id for item in items}) == len(conversations)
    assert set(Counter(item.labels[0].level for item in items)) == {"high", "low"}
    utterances = sum(len(one.utterances) for one in conversations)
    assert len(single(conversations, "counsellor", 4)) + len(single(conversations, "client", 4)) <= utterances
    assert all(said.label for one in conversations for said in one.utterances)
