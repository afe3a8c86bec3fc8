"""Rows of data sets with columns of their own, from the user's file or the one that a distribution ships."""

from __future__ import annotations

import gzip
from importlib.resources import files

import pytest

from adjudge.dataset import PlacedRow, given_or_shipped, read_rows
from adjudge.errors import InputError


def test_rows_come_with_their_place_and_a_name_in_every_format(tmp_path):
    (tmp_path / "a.csv").write_text("word,n\nyes,1\n\nno,2\n", "utf-8")
    first, second = read_rows(tmp_path / "a.csv")
    assert first == PlacedRow(f"{tmp_path}/a.csv:2", 2, "row-2", {"word": "yes", "n": "1"})
    assert (second.line, second.fields["word"]) == (4, "no")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"word": "yes", "n": 1}\n'))
    assert [row.fields for row in read_rows(str(tmp_path / "a.jsonl.gz"))] == [{"word": "yes", "n": 1}]


def test_a_bad_row_is_refused_with_its_place(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 1}\n[2]\n', "utf-8")
    rows = read_rows(path)
    assert next(rows).fields == {"n": 1}
    with pytest.raises(InputError, match=r"a\.jsonl:2: the row is \[2\], not a JSON object"):
        next(rows)


def test_the_users_file_goes_before_the_shipped_one(tmp_path):
    shipped = files("adjudge.packs") / "starter.yaml"
    with given_or_shipped("", shipped, "") as path:
        assert path.name == "starter.yaml"
    own = tmp_path / "own.csv"
    own.write_text("a\n1\n", "utf-8")
    with given_or_shipped(str(own), shipped, "") as path:
        assert path == own


def test_a_file_that_is_not_there_is_told_with_where_to_get_it():
    where = "get it from the archive"
    missing = given_or_shipped("gone.csv", files("adjudge.packs") / "starter.yaml", where)
    with pytest.raises(InputError, match=r"^gone\.csv: no such file; get it from the archive$"), missing:
        pass
