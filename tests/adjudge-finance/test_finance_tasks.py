"""The tasks: synthetic by default, the real data by a path, and the same from the command line."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import pytest

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.testing import TaskContract
from adjudge_finance.phrasebank import SENTIMENTS
from adjudge_finance.rubrics import pack
from adjudge_finance.tasks import (
    ADVICE,
    FOMC,
    PHRASEBANK,
    WRITING,
    WRITING_ANSWERS,
    advice_dataset,
    fomc_dataset,
    phrasebank_dataset,
    writing_answers_dataset,
)


class TestPhraseBank(TaskContract):
    MISSING: ClassVar = {"source": "no/such/folder"}

    def task(self):
        return PHRASEBANK


class TestFomc(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.csv"}

    def task(self):
        return FOMC


class TestAdvice(TaskContract):
    def task(self):
        return ADVICE


class TestWriting(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.jsonl"}

    def task(self):
        return WRITING


class TestWritingAnswers(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.jsonl", "answers": "neither"}

    def task(self):
        return WRITING_ANSWERS


def test_every_shipped_case_is_marked_synthetic_and_there_are_enough() -> None:
    folder = files("adjudge_finance") / "data"
    rows = [
        json.loads(line)
        for file in folder.iterdir()
        if file.name.endswith(".jsonl")
        for line in file.read_text("utf-8").split("\n")
        if line
    ]
    assert all(row["synthetic"] is True for row in rows)
    golden = [test for name in ("advice", "policy-stance", "writing") for test in pack(name).tests]
    assert len(rows) >= 60
    assert len(golden) >= 20


def test_shipped_sentences_have_every_label_and_no_sentence_twice() -> None:
    for items in (phrasebank_dataset(), fomc_dataset()):
        assert len({item.output for item in items}) == len(items)
        assert len({item.labels[0].level for item in items}) == 3


def test_advice_is_judged_on_what_its_question_calls_for() -> None:
    for item in advice_dataset():
        assert [criterion.id for criterion in item.rubric.criteria] == [
            criterion.id for criterion in pack("advice").criteria if criterion.id in {x.criterion for x in item.labels}
        ]


def test_answers_of_ones_own_are_judged_on_all_criteria_with_or_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    rows = [{"id": "a", "input": "q", "output": "x", "labels": {"suitability": "breach"}}, {"id": "b", "output": "y"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    labelled, bare = advice_dataset(source=str(path))
    assert (labelled.labels[0].level, labelled.rubric) == ("breach", None)
    assert bare.labels == ()
    pair = tmp_path / "pairs.jsonl"
    pair.write_text(json.dumps({"id": "c", "input": "q", "output_1": "x", "output_2": "y"}), "utf-8")
    with pytest.raises(InputError, match="'c' is a comparison"):
        advice_dataset(source=str(pair))


def folder_of(tmp_path: Path) -> Path:
    rows = {"AllAgree": ["Sales rose@positive"], "75Agree": [], "66Agree": ["It rained@neutral"], "50Agree": []}
    so_far: list[str] = []
    for name, lines in rows.items():
        so_far += lines
        (tmp_path / f"Sentences_{name}.txt").write_text("\n".join(so_far), "iso-8859-1")
    return tmp_path


def test_one_band_can_be_chosen_and_an_empty_one_is_said(tmp_path: Path) -> None:
    source = str(folder_of(tmp_path))
    assert [item.metadata["band"] for item in phrasebank_dataset(source=source)] == ["100", "66-74"]
    assert [item.output for item in phrasebank_dataset(source=source, band="66-74")] == ["It rained"]
    with pytest.raises(InputError, match="band=75-99: no such sentence"):
        phrasebank_dataset(source=source, band="75-99")
    with pytest.raises(InputError, match="name a source"):
        phrasebank_dataset(band="100")


def test_answers_that_fit_no_query_are_refused(tmp_path: Path) -> None:
    folder = files("adjudge_finance") / "data"
    source = tmp_path / "queries.jsonl"
    source.write_text((folder / "writing_synthetic.jsonl").read_text("utf-8"), "utf-8")
    answers = tmp_path / "answers.jsonl"
    for row, problem in (
        ({"index": "w9", "response": "x"}, "'w9' answers the query 'w9', which the source does not hold"),
        ({"index": "w1", "response": "x", "scores": [1]}, "'w1' has 1 scores; its query has 3 criteria"),
    ):
        answers.write_text(json.dumps(row), "utf-8")
        with pytest.raises(InputError, match=problem):
            writing_answers_dataset(source=str(source), answers=str(answers))
    with pytest.raises(InputError, match="give both"):
        writing_answers_dataset(source=str(source))
    answers.write_text(json.dumps({"index": "w1", "response": "x"}), "utf-8")
    (item,) = writing_answers_dataset(source=str(source), answers=str(answers))
    assert (item.id, item.output, item.labels, len(item.rubric.criteria)) == ("w1", "x", (), 3)


def test_a_run_from_the_command_line_with_the_judge_that_needs_no_model(tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    assert main(["run", "phrasebank", "--judge", "phrase-structure", "--out", str(out)]) == 0
    assert "accuracy: 0.9" in capsys.readouterr().out
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text("utf-8").splitlines()]
    assert {verdict["level"] for verdict in verdicts} == set(SENTIMENTS)
    assert (out / "report.html").stat().st_size > 2000


def test_a_file_is_judged_by_a_finance_pack_from_the_command_line(tmp_path: Path, capsys) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text(json.dumps({"id": "1", "output": "Order intake fell."}), "utf-8")
    options = ["--rubric", "finance/investor-sentiment", "--judge", "phrase-structure", "--out", str(tmp_path / "run")]
    assert main(["judge", str(path), *options]) == 0
    assert "negative 1" in capsys.readouterr().out


@pytest.mark.parametrize("task", ["phrasebank", "fomc", "finance-writing-answers"])
def test_a_sample_of_more_than_there_is_names_the_parameter(task: str, tmp_path: Path, capsys) -> None:
    line = ["run", task, "-T", "n=1000", "--backend", "none", "--judge", "rules", "--out", str(tmp_path / "run")]
    assert main(line) == 2
    assert re.search(r"n=1000: there are \d+; ask for 1 to \d+, or 0 for all", capsys.readouterr().err)


def test_missing_data_end_with_one_line_and_status_two(tmp_path: Path, capsys) -> None:
    assert main(["run", "fomc", "-T", f"source={tmp_path / 'gone.csv'}", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert "CC BY-NC 4.0" in said
