"""Files of others are read as they are published, and a bad row is named by file and line."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adjudge.errors import InputError
from adjudge_finance.fomc import STANCES, load_statements, read_stance
from adjudge_finance.phrasebank import load_sentences, read_file
from adjudge_finance.writing import load_answers, load_queries

ALL = ["Sales at M@rket rose .@positive", "Åland has a bank .@neutral"]
WIDER = {
    "AllAgree": ALL,
    "75Agree": [*ALL, "Costs fell .@positive"],
    "66Agree": [*ALL, "Costs fell .@positive", "It rained .@neutral"],
    "50Agree": ["It rained .@neutral", "Odd one .@negative", *ALL, "Costs fell .@positive", "Odd one .@neutral", *ALL],
}


def phrasebank(folder: Path, files: dict[str, list[str]] = WIDER, *, packed: bool = False) -> Path:
    for name, lines in files.items():
        data = "\r\n".join(lines).encode("iso-8859-1")
        path = folder / f"Sentences_{name}.txt"
        if packed:
            (folder / f"{path.name}.gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_each_sentence_is_in_the_band_of_the_strictest_file_that_holds_it(tmp_path: Path, packed: bool) -> None:
    found = load_sentences(phrasebank(tmp_path, packed=packed))
    assert [(one.number, one.text, one.sentiment, one.band) for one in found] == [
        (1, "It rained .", "neutral", "66-74"),
        (2, "Odd one .", "negative", "50-65"),
        (3, "Sales at M@rket rose .", "positive", "100"),
        (4, "Åland has a bank .", "neutral", "100"),
        (5, "Costs fell .", "positive", "75-99"),
        (6, "Odd one .", "neutral", "50-65"),
    ]


def test_lines_that_stand_twice_are_counted_as_the_file_has_them(tmp_path: Path) -> None:
    folder = phrasebank(tmp_path)
    assert len(list(read_file(folder, "50Agree"))) == 8
    assert [line for line, _ in read_file(folder, "AllAgree")] == [1, 2]


@pytest.mark.parametrize(
    ("name", "lines", "problem"),
    [
        ("AllAgree", [*ALL, "no label"], r"Sentences_AllAgree\.txt:3: no sentence@label"),
        ("AllAgree", ["@positive"], r"Sentences_AllAgree\.txt:1: no sentence@label"),
        ("75Agree", ["Sales rose .@good"], r"Sentences_75Agree\.txt:1: .*positive, neutral, negative"),
        ("AllAgree", ["Only here .@neutral"], "'Only here .' is neutral in AllAgree and not in 75Agree"),
        ("AllAgree", ["Costs fell .@negative"], "'Costs fell .' is negative in AllAgree and not in 75Agree"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path: Path, name: str, lines: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load_sentences(phrasebank(tmp_path, WIDER | {name: lines}))


def test_a_folder_of_empty_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no sentence"):
        load_sentences(phrasebank(tmp_path, {name: [] for name in WIDER}))


def test_a_folder_without_one_of_the_files_says_what_to_get(tmp_path: Path) -> None:
    phrasebank(tmp_path)
    (tmp_path / "Sentences_66Agree.txt").unlink()
    with pytest.raises(InputError, match=r"Sentences_66Agree\.txt: no such .*CC BY-NC-SA 3\.0.*-T source=PATH"):
        load_sentences(tmp_path)
    (tmp_path / "Sentences_66Agree.txt.gz").write_bytes(b"torn")
    with pytest.raises(InputError, match="cannot be read"):
        load_sentences(tmp_path)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("columns", [("sentence", "label"), ("original_sent", "true_label")])
def test_stances_are_read_from_codes_in_every_format_and_both_namings(
    tmp_path: Path, suffix: str, columns: tuple[str, str]
) -> None:
    sentence, label = columns
    rows = [{sentence: f"Sentence {code}.", label: code, "text_output": "HAWKISH\nBecause."} for code in (0, 1, 2)]
    found = load_statements(write(tmp_path / f"fomc{suffix}", rows))
    assert [one.stance for one in found] == list(STANCES)
    assert [one.number for one in found] == [1, 2, 3]
    assert {one.reply for one in found} == {"HAWKISH\nBecause."}


@pytest.mark.parametrize("label", ["Hawkish", "1", 1, 1.0])
def test_a_stance_may_be_a_word_or_a_number_in_any_form(tmp_path: Path, label: Any) -> None:
    (one,) = load_statements(write(tmp_path / "x.jsonl", [{"sentence": "a", "label": label}]))
    assert one.stance == "hawkish"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"sentence": "a", "label": 3}, r"x\.jsonl:2: the label is 3"),
        ({"sentence": "a", "label": True}, r"x\.jsonl:2: the label is True"),
        ({"sentence": "a", "label": 1.5}, r"x\.jsonl:2: the label is 1\.5"),
        ({"sentence": " ", "label": 1}, r"x\.jsonl:2: the sentence is empty"),
        ({"sentence": "a"}, r"x\.jsonl:2: has no column label or true_label; found: sentence"),
    ],
)
def test_a_bad_statement_is_named_by_file_and_line(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load_statements(write(tmp_path / "x.jsonl", [{"sentence": "ok", "label": 0}, row]))


def test_an_empty_file_of_statements_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("sentence,label\n")
    with pytest.raises(InputError, match="holds no sentence"):
        load_statements(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("reply", "stance"),
    [
        ("HAWKISH\nThe sentence is dovish at first sight.", "hawkish"),
        ("\nDovish - since it is not hawkish", "dovish"),
        ("Label: NEUTRAL", None),
        ("NEUTRAL: it leans neither way", "neutral"),
        ("hawkish or dovish", None),
        ("I cannot tell.", None),
        ("hawkishly put", None),
        ("", None),
    ],
)
def test_a_stored_reply_is_read_from_its_head_or_not_at_all(reply: str, stance: str | None) -> None:
    assert read_stance(reply) == stance


def a_query(**changes: Any) -> dict[str, Any]:
    bands = {band: f"like {band}" for band in ("1-2", "3-4", "5-6", "7-8", "9-10")}
    criterion = {"name": "Figures", "criteria_description": "They add up.", **bands}
    row = {"index": 7, "domain1": "Finance & Business", "domain2": "Contract", "query": "Write it."}
    return row | {"checklist": [criterion, criterion | {"name": "Tone"}]} | changes


def test_a_query_brings_its_own_rubric_of_ten_levels_in_five_bands(tmp_path: Path) -> None:
    (query,) = load_queries(write(tmp_path / "q.jsonl", [a_query(), a_query(domain1="Law")]))
    assert (query.index, query.kind, query.text) == ("7", "Contract", "Write it.")
    assert [criterion.text for criterion in query.rubric.criteria] == ["Figures. They add up.", "Tone. They add up."]
    scale = query.rubric.criteria[0].scale
    assert [level.score for level in scale.levels] == list(range(1, 11))
    assert scale.level("7").anchor == "like 7-8"
    assert scale.level("8").anchor == "As 7, at its upper end."
    assert query.rubric.scoring.name == "mean"


def test_a_query_without_criteria_is_judged_by_the_pack(tmp_path: Path) -> None:
    (query,) = load_queries(write(tmp_path / "q.jsonl", [a_query(checklist=[])]))
    assert query.rubric.id == "finance/writing"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"query": ""}, r"q\.jsonl:1: query must be a text"),
        ({"checklist": "none"}, r"q\.jsonl:1: checklist must be a list"),
        ({"checklist": ["a"]}, r"q\.jsonl:1, criterion 1: must have name"),
        ({"checklist": [{"name": "a", "criteria_description": "b"}]}, r"criterion 1: 1-2 must be a text"),
        ({"domain1": "Law"}, "holds no query of the domain 'Finance & Business'"),
    ],
)
def test_a_bad_query_is_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load_queries(write(tmp_path / "q.jsonl", [a_query(**changes)]))


def test_answers_are_read_with_their_scores(tmp_path: Path) -> None:
    rows = [{"index": 7, "response": "Text.", "scores": [3, 9]}, {"index": 8, "id": "b", "response": "Text."}]
    first, second = load_answers(write(tmp_path / "a.jsonl", rows))
    assert (first.id, first.index, first.scores) == ("7", "7", (3.0, 9.0))
    assert (second.id, second.scores) == ("b", ())
    with pytest.raises(InputError, match="scores must be a list of numbers"):
        load_answers(write(tmp_path / "a.jsonl", [{"index": 7, "response": "Text.", "scores": ["3"]}]))
    with pytest.raises(InputError, match="has no index"):
        load_answers(write(tmp_path / "a.jsonl", [{"response": "Text."}]))
    with pytest.raises(InputError, match=r"gone\.jsonl: no such file; WritingBench.*Apache-2\.0"):
        load_answers(tmp_path / "gone.jsonl")
