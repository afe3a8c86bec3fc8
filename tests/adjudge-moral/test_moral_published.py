"""Data sets are read from every format, and what is missing or broken is told with the way to mend it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from adjudge.errors import InputError
from adjudge_moral.published import DataSet, Placed, refuse_repeats

SET = DataSet(
    name="Somebody's set (arXiv:0000.00000)",
    where="https://example.org/set, file rows.csv",
    licence="CC BY 4.0",
    columns=("id", "text"),
    shipped="clash_synthetic.jsonl",
)


def test_the_same_rows_come_from_csv_jsonl_and_gzip(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,text\n1,one\n2,two\n")
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "text": "one"}\n{"id": 2.0, "text": "two"}\n')
    (tmp_path / "rows.json.gz").write_bytes(gzip.compress(json.dumps([{"id": 1, "text": "one"}]).encode()))
    for name, count in (("rows.csv", 2), ("rows.jsonl", 2), ("rows.json.gz", 1)):
        rows = list(SET.rows(tmp_path / name))
        assert [(row.needed("id"), row.needed("text")) for row in rows] == [("1", "one"), ("2", "two")][:count], name


def test_a_missing_file_says_what_to_get_from_where_under_which_licence_and_where_to_put_it() -> None:
    with pytest.raises(InputError) as caught:
        list(SET.rows("nowhere.csv"))
    said = str(caught.value)
    for part in ("nowhere.csv: no such file", "Somebody's set", "https://example.org/set", "CC BY 4.0", "-T source="):
        assert part in said


def test_a_row_without_a_column_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1, "text": "one"}\n{"id": 2}\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2: has no text; a row of Somebody's set"):
        list(SET.rows(path))


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "holds no row"), (b'{"id": 1', "rows.jsonl:1: no JSON"), (b'{"id": "\xff"}', "is not UTF-8")],
)
def test_what_cannot_be_read_is_an_input_error(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem.replace(".", r"\.")):
        list(SET.rows(path))


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, 1.5])
def test_what_is_no_text_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(InputError, match=r"file:3: text is .*, which is no text"):
        Placed("file:3", 3, {"text": value}).text("text")


def test_an_empty_cell_where_text_is_needed_is_refused() -> None:
    with pytest.raises(InputError, match="file:3: text is empty"):
        Placed("file:3", 3, {"text": "  "}).needed("text")


def test_an_id_that_stands_twice_is_told_with_both_places() -> None:
    with pytest.raises(InputError, match="f:9: the id 'a' was first seen at f:2"):
        refuse_repeats([("f:2", "a"), ("f:5", "b"), ("f:9", "a")])
