"""NurValues columns are read from every format, and a bad row is named by file and line."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adjudge.errors import InputError
from adjudge_nursing.loader import REQUIRED, load_cases


def a_row(**changes: Any) -> dict[str, Any]:
    row = {
        "index": 7,
        "text_CN": "护士，\n做了一件事。",
        "text_EN": 'A nurse, "Ada", did\nsomething.',
        "complicated_text_CN": "A：……",
        "complicated_text_EN": "A: …",
        "Nursing_Value": "Human_Dignity",
        "Alignment": 1,
    }
    return row | changes


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_cases(tmp_path: Path, suffix: str) -> None:
    path = write_rows(tmp_path / f"nurvalues{suffix}", [a_row(), a_row(Alignment=0), a_row(Nursing_Value="Justice")])
    cases = load_cases(path)
    assert [(case.pair, case.value, case.aligned) for case in cases] == [
        ("human_dignity-7", "human_dignity", True),
        ("human_dignity-7", "human_dignity", False),
        ("justice-7", "justice", True),
    ]
    assert cases[0].texts["easy", "en"] == 'A nurse, "Ada", did\nsomething.'
    assert cases[0].texts["easy", "zh"] == "护士，\n做了一件事。"


def test_numbers_that_a_data_frame_turned_into_floats_are_the_same_numbers(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "x.parquet", [a_row(index=7.0, Alignment=0.0, complicated_text_EN=None)])
    (case,) = load_cases(path)
    assert (case.index, case.aligned, case.texts["hard", "en"]) == ("7", False, "")


@pytest.mark.parametrize("value", ["human dignity", "Human-Dignity", "HUMAN_DIGNITY"])
def test_the_value_is_known_in_any_spelling(tmp_path: Path, value: str) -> None:
    (case,) = load_cases(write_rows(tmp_path / "x.jsonl", [a_row(Nursing_Value=value)]))
    assert case.value == "human_dignity"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Alignment": 2}, "Alignment is 2"),
        ({"Alignment": True}, "Alignment is True"),
        ({"Alignment": None}, "Alignment is None"),
        ({"Nursing_Value": "Kindness"}, "one of altruism, human_dignity"),
        ({"index": ""}, "index is empty"),
        ({"text_EN": 5}, "text_EN is no text"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    path = write_rows(tmp_path / "x.jsonl", [a_row(), a_row(**({"index": 8} | changes))])
    with pytest.raises(InputError, match=r"x\.jsonl:2: ") as caught:
        load_cases(path)
    assert problem in str(caught.value)


def test_a_row_after_one_with_line_breaks_is_named_by_its_first_line(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "x.csv", [a_row(), a_row(index=8, Alignment=9)])
    with pytest.raises(InputError, match=r"x\.csv:5: Alignment"):
        load_cases(path)


@pytest.mark.parametrize("column", REQUIRED)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    row = a_row()
    del row[column]
    with pytest.raises(InputError, match=f"has no {column};"):
        load_cases(write_rows(tmp_path / "x.csv", [row]))


def test_a_case_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.jsonl:2: repeats index '7' of human_dignity with Alignment 1"):
        load_cases(write_rows(tmp_path / "x.jsonl", [a_row(), a_row()]))


def test_no_rows_no_utf8_and_no_json_are_input_errors(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"\n")
    with pytest.raises(InputError, match="holds no case"):
        load_cases(empty)
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"index": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"latin\.jsonl:1: .*UTF-8"):
        load_cases(latin)
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"index": ')
    with pytest.raises(InputError, match=r"broken\.jsonl:1: "):
        load_cases(broken)


def test_a_missing_file_says_what_to_download_and_under_which_terms(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file.*Ben012345/NurValues.*licence is not stated.*source=PATH"):
        load_cases(tmp_path / "nothing.csv")


def test_a_hub_id_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge_nursing.loader.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install datasets.*licence is not stated"):
        load_cases("Ben012345/NurValues")


def test_a_hub_that_cannot_be_reached_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_library(tmp_path, monkeypatch, "def load_dataset(name):\n    raise ConnectionError('no route\\nto host')\n")
    with pytest.raises(InputError, match="cannot be had from the hub: no route") as caught:
        load_cases("Ben012345/NurValues")
    assert "\n" not in str(caught.value)


def test_rows_from_the_hub_are_read_over_all_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = {"train": [a_row()], "test": [a_row(Alignment=0)]}
    with_library(tmp_path, monkeypatch, f"def load_dataset(name):\n    return {splits!r}\n")
    assert [(case.place, case.aligned) for case in load_cases("someone/cases")] == [
        ("someone/cases[train]:1", True),
        ("someone/cases[test]:1", False),
    ]


def with_library(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Put a stand-in for the hub's library on the path; the real one would go to the network."""
    (folder / "datasets.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "datasets", raising=False)
