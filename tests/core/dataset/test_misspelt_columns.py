"""A column that looks like a misspelt field is named; one that is plainly another thing is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adjudge.dataset import read_items
from adjudge.errors import InputError

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[4] / "shared" / "data"))
READ = (".jsonl.gz", ".json.gz", ".csv.gz", ".tsv.gz", ".jsonl", ".json", ".csv", ".tsv", ".parquet")


@pytest.fixture
def warned(tmp_path, caplog):
    """What is said of these rows."""

    def reading(*rows, name="rows.jsonl", **options):
        path = tmp_path / name
        path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), "utf-8")
        caplog.clear()
        items = read_items(path, **options).items
        assert len(items) == len(rows) or name.endswith(".csv")
        return [record.getMessage().replace(f"{tmp_path}/", "") for record in caplog.records]

    return reading


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("inptu", "input"),
        ("Input", "input"),
        ("inputs", "input"),
        ("promt", "input"),
        ("refrence", "reference"),
        ("refference", "reference"),
        ("Gold", "reference"),
        ("contxt", "context"),
        ("lables", "labels"),
        ("lable:kind", "label:kind"),
        ("Label:kind", "label:kind"),
    ],
)
def test_a_slip_is_told_with_its_place_and_the_field(column, field, warned):
    found = warned({"output": "o"}, {"output": "o", column: "x"}, {"output": "o", column: "y"})
    told = f"warning: rows.jsonl:2: the column {column!r} is taken for metadata; if it is the {field}, name it so,"
    assert found == [f"{told} or say --column {field}={column}"]


@pytest.mark.parametrize(
    "row",
    [
        {"input": "i", "inputs": "the row has its input"},
        {"references": ["eleven", "of", "them"]},
        {"rubrics": [{"id": "a"}]},
        {"prompt_id": 4, "text_id": 5, "question_id": 6, "output_length": 7, "input_tokens": 8},
        {"content": "c", "test": "t", "old": "o", "ids": [1], "keys": [2], "preferences": ["p"], "indexes": 3},
        {"annotator1": 1, "response1": "a", "response2": "b", "domain1": "d", "ward:night": "n"},
    ],
)
def test_what_is_plainly_another_thing_is_kept_without_a_word(row, warned):
    assert warned({"output": "o", **row}) == []


def test_a_field_that_the_user_mapped_or_switched_off_is_not_missed(warned):
    assert warned({"output": "o", "inptu": "i"}, columns={"input": "inptu"}) == []
    assert warned({"output": "o", "inptu": "i"}, columns={"input": ""}) == []


def test_a_comparison_misses_no_output_and_is_told_of_its_label(warned):
    (told,) = warned({"output_1": "a", "output_2": "b", "outpt": "c", "lable": 1})
    assert "the column 'lable' is taken for metadata; if it is the label" in told


def test_a_missing_output_is_looked_for_among_the_columns(warned):
    with pytest.raises(InputError, match=r"found: 'id', 'outpt'; name it with --column output=outpt$"):
        warned({"id": "a", "outpt": "o"})
    with pytest.raises(InputError, match=r"found: 'response1', 'response2'; name it with --column output=NAME$"):
        warned({"response1": "a", "response2": "b"})


def test_where_a_candidate_may_answer_a_row_with_a_misspelt_output_is_not_left_to_it(warned):
    with pytest.raises(InputError, match=r"rows.jsonl: no column for the output; .* --column output=outpt$"):
        warned({"id": "a", "outpt": "o"}, needs_output=False)
    with pytest.raises(InputError, match=r"rows.jsonl:2: no column for the output"):
        warned({"id": "a", "output": "o"}, {"id": "b", "outpt": "o"}, needs_output=False)
    assert warned({"id": "a", "output": None, "outpt": "o"}, {"id": "b", "ward": "w"}, needs_output=False) == []
    assert warned({"id": "a", "outpt": "o"}, columns={"output": ""}, needs_output=False) == []


def test_the_command_says_it_on_stderr_and_keeps_going(tmp_path):
    (tmp_path / "rows.csv").write_text("output,Reference\no,r\np,s\n", "utf-8")
    (tmp_path / "rubric.yaml").write_text(
        'id: a\nversion: "1"\ndraft: true\ncriteria:\n'
        "  - {id: short, text: Short., options: {check: {kind: exact, value: o}}}\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "adjudge", "judge", "rows.csv", "--rubric", "rubric.yaml", "--judge", "rules"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("warning: rows.csv:2: the column 'Reference' is taken for metadata") == 1


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="no public data on this machine")
def test_no_column_of_the_public_data_is_taken_for_a_slip(caplog):
    read, refused = 0, []
    for path in sorted(path for path in DATA.rglob("*") if path.name.endswith(READ)):
        try:
            found = read_items(path, needs_output=False, skip_bad_rows=True, limit=50)
        except InputError as error:
            refused.append(str(error))
        else:
            read += 1
            refused += found.bad_rows
    assert read >= 40
    assert [why for why in refused if "--column output=" in why] == []
    assert [record.getMessage() for record in caplog.records] == []
