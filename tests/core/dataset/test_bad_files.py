"""Files and rows that cannot be read: each is one `InputError` that names the place and the fix."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudge.dataset import read_items, source
from adjudge.errors import InputError

GOOD = b'{"id": "a", "output": "x"}\n'


@pytest.fixture
def put(tmp_path):
    def putting(data: bytes, name="rows.jsonl"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return putting


def refusal(path, **options):
    with pytest.raises(InputError) as caught:
        read_items(path, **options)
    return str(caught.value)


def test_what_a_dataset_tells_about_its_file(put):
    path = put(gzip.compress(GOOD, mtime=0), "rows.jsonl.gz")
    dataset = read_items(path)
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (dataset.path, dataset.format, dataset.bad_rows) == (str(path), "jsonl", ())


def test_limit_reads_so_many_items_and_hashes_the_whole_file(put):
    path = put(b"".join(b'{"output": "%d"}\n' % n for n in range(100_000)) + b"broken")
    dataset = read_items(path, limit=3)
    assert [item.output for item in dataset.items] == ["0", "1", "2"]
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "read at least one item" in refusal(path, limit=0)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.ndjson", "rows.json", "ROWS.JSONL", "rows.json.gz"])
def test_json_lines_under_every_suffix(name, put):
    data = GOOD + b'{"output": "y"}'
    path = put(gzip.compress(data, mtime=0) if name.endswith("gz") else data, name)
    assert [item.id for item in read_items(path).items] == ["a", "row-2"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_mark_and_both_line_ends_are_read(mark, end, put):
    rows = mark + end.join([b'{"id": "a", "output": "x"}', b"", b'{"id": "b", "output": "y"}'])
    assert [item.id for item in read_items(put(rows)).items] == ["a", "b"]
    table = mark + end.join([b"id,output", b"a,x", b"", b"b,y", b""])
    assert [item.id for item in read_items(put(table, "rows.csv")).items] == ["a", "b"]
    array = mark + b"[" + end + b'{"id": "a", "output": "x"}' + end + b"]" + end
    assert [item.id for item in read_items(put(array, "rows.json")).items] == ["a"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_feeds_end_a_line(separator, put):
    text = f"a{separator}b"
    table = f"id,output\n1,{text}\n2,y\n".encode()
    assert [item.output for item in read_items(put(table, "rows.csv")).items] == [text, "y"]
    if separator >= " ":  # JSON writes control characters as escapes
        row = f'{{"output": "{text}"}}\n{{"output": "y"}}'.encode()
        assert [item.output for item in read_items(put(row)).items] == [text, "y"]


def test_csv_with_quotes_and_line_feeds(put):
    data = b'id,output\n1,"says ""no"",\nand leaves"\n2,plain\n'
    first, second = read_items(put(data, "rows.csv")).items
    assert first.output == 'says "no",\nand leaves'
    assert second.output == "plain"


def test_tsv(put):
    item = read_items(put(b"id\toutput\n1\ta, b; c\n", "rows.tsv")).items[0]
    assert item.output == "a, b; c"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b'{"output": "\xff"}', "byte 39 of the file (0xff) is not UTF-8; convert the file, for example: iconv"),
        (b'{"output": "a\0b"}', "a NUL at byte 40 of the file"),
        (rb'{"output": "a\u0000b"}', "a NUL in 'a\\x00b'; take it out"),
        (rb'{"output": "a", "b": {"c\u0000": 1}}', "a NUL in 'c\\x00'"),
        (rb'{"output": "\ud800"}', "half a surrogate pair"),
        (b'{"output": "a", "n": NaN}', "NaN is no JSON number"),
        (b'{"output": "a", "n": -Infinity}', "-Infinity is no JSON number"),
        (b'{"output": "a", "n": 1e999}', "the number '1e999' is too large"),
        (b'{"output": "a", "output": "b"}', "the key 'output' stands twice in one object"),
        (b'{"output": "a", "m": {"k": 1, "k": 1}}', "the key 'k' stands twice"),
        (b'{"output": "a", "n": ' + b"9" * 5000 + b"}", "an integer of more than 1000 digits"),
        (b'{"output": "a", "n": ' + b"[" * 101 + b"]" * 101 + b"}", "nested deeper than 100 levels"),
        (b'{"output": "a", "n": ' + b"[" * 100_000, "nested deeper than 100 levels"),
        (b'{"output": "a"', "no JSON: expecting ',' delimiter at column 15 (the row is cut off"),
        (b'{"output": "a"} {}', "more follows after the JSON value: '{}'"),
        (b"{'output': 'a'}", "no JSON: expecting property name enclosed in double quotes at column 2"),
        (b"[1]", "not a JSON object; a file that is one JSON array is named .json"),
        (b"7", "the row is 7, not a JSON object"),
        (b'{"id": "a", "output": "y"}', "the id 'a' stands in line 1 and again in line 2"),
        (b'{"id": 1.5, "output": "y"}', "the id is 1.5; write text, in quotes"),
        (b'{"input": "y"}', "no column for the output; found: 'input'"),
    ],
)
def test_a_bad_row_is_told_by_line_and_left_out_on_request(row, message, put):
    path = put(GOOD + row + b'\n{"id": "c", "output": "z"}\n')
    told = refusal(path)
    assert told.startswith(f"{path}:2: ")
    assert message in told
    assert told.splitlines()[-1] == f"{path}: 1 bad row; --skip-bad-rows leaves them out"
    dataset = read_items(path, skip_bad_rows=True)
    assert [item.id for item in dataset.items] == ["a", "c"]
    (bad,) = dataset.bad_rows
    assert bad == told.splitlines()[0]


def test_a_hundred_levels_are_not_too_deep(put):
    nested = b"[" * 98 + b"]" * 98
    assert read_items(put(b'{"output": "a", "n": ' + nested + b', "m": [[], [], {}]}')).items


def test_an_escaped_backslash_is_no_nul(put):
    assert read_items(put(rb'{"output": "\\u0000 \ud83d\ude00"}')).items[0].output == "\\u0000 😀"


def test_the_first_ten_bad_rows_are_shown_with_their_number(put):
    path = put(GOOD + b"broken\n" * 1234)
    told = refusal(path).splitlines()
    assert [line.split(" ")[0] for line in told[:10]] == [f"{path}:{n}:" for n in range(2, 12)]
    assert told[10:] == [f"{path}: 1,234 bad rows, the first 10 shown; --skip-bad-rows leaves them out"]
    assert len(read_items(path, skip_bad_rows=True).bad_rows) == 1234


def test_a_file_of_bad_rows_alone_is_refused_even_when_they_may_be_skipped(put):
    assert refusal(put(b"broken\nbroken\n"), skip_bad_rows=True).endswith("2 bad rows, and not one that can be read")


def test_a_row_of_50_megabytes_is_read(put):
    size = 50 * 2**20
    path = put(b'{"output": "' + b"x" * size + b'"}\n')
    assert len(read_items(path).items[0].output) == size
    table = put(b"output\n" + b"x" * size + b"\n", "rows.csv")
    assert len(read_items(table).items[0].output) == size


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_row_over_the_limit_is_passed_over_and_told(name, put, monkeypatch):
    monkeypatch.setattr(source, "MAX_ROW", 100)
    exact = b'{"output": "' + b"x" * (100 - 15) + b'"}\n'
    data = exact + b"y" * 3_000_000 + b"\n" + b'{"id": "b", "output": "\xff"}\n' + GOOD
    path = put(gzip.compress(data, mtime=0) if name.endswith("gz") else data, name)
    dataset = read_items(path, skip_bad_rows=True)
    assert [item.id for item in dataset.items] == ["row-1", "a"]
    assert dataset.bad_rows[0] == f"{path}:2: the row is larger than 100 bytes; cut it or leave it out"
    assert f"byte {data.index(0xFF)} of the file" in dataset.bad_rows[1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (b"1,x,y\n", ":2: 3 fields where the header has 2"),
        (b"1\n", ":2: 1 field where the header has 2"),
        (b'1,"x\ny",z\n', ":2: 3 fields where the header has 2, running to line 3"),
        (b'1,"x"y\n', ":2: ',' expected after '\"'; put text that holds a quote in quotes"),
        (b'1,"x\n2,y\n', ":2: a quote that is opened here is never closed (read to line 3)"),
        (b"1,x\ry\n", ":2: a carriage return alone does not end a line"),
        (b"1,\0\n", ":2: a NUL at byte 12 of the file"),
        (b'1,"x\n\xff"\n', ":2: byte 15 of the file (0xff) is not UTF-8"),
        (b"1,x\n1,y\n", ":3: the id '1' stands in line 2 and again in line 3"),
    ],
)
def test_bad_rows_of_a_table(rows, message, put):
    path = put(b"id,output\n" + rows, "rows.csv")
    assert f"{path}{message}" in refusal(path)


def test_a_table_is_read_on_after_a_bad_row(put):
    path = put(b'id,output\n1,"x"y\n2,\xff\n3,\0\n4,a,b\n5,fine\n', "rows.csv")
    dataset = read_items(path, skip_bad_rows=True)
    assert [item.id for item in dataset.items] == ["5"]
    assert [bad.split(":")[1] for bad in dataset.bad_rows] == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (
            b"id;output\n1;x\n",
            "rows.csv",
            ":1: the columns are separated by semicolons, not commas; save it with commas",
        ),
        (b"id\toutput\n1\tx\n", "rows.csv", ":1: the columns are separated by tabs, not commas; name it .tsv"),
        (b"id,output\n1,x\n", "rows.tsv", ":1: the columns are separated by commas, not tabs; name it .csv"),
        (b"output,output\n1,x\n", "rows.csv", ":1: two columns are named 'output'"),
        (b"\xff,output\n1,x\n", "rows.csv", ":1: the header cannot be read: byte 0 of the file"),
        (b"a,b\n1,x\n", "rows.csv", ": no column for the output; found: 'a', 'b'; name it with --column output=NAME"),
        (b"output\n", "rows.csv", ": the file holds no rows"),
        (b"", "rows.csv", ": the file holds no rows"),
        (b"", "rows.jsonl", ": the file holds no rows"),
        (b"\xef\xbb\xbf \r\n\n", "rows.jsonl", ": the file holds no rows"),
        (b"[]", "rows.json", ": the file holds no rows"),
        (b" [ ] \n", "rows.json", ": the file holds no rows"),
        ('{"output": "x"}'.encode("utf-16"), "rows.jsonl", ": is UTF-16; convert it"),
        ("output\nx".encode("utf-16"), "rows.csv", ": is UTF-16; convert it"),
        (gzip.compress(GOOD, mtime=0), "rows.jsonl", ": is compressed with gzip; add .gz to its name"),
        (gzip.compress(GOOD, mtime=0), "rows.json", ": is compressed with gzip; add .gz to its name"),
        (b"PK\x03\x04rest", "rows.csv", ": is a ZIP archive or a spreadsheet"),
        (GOOD, "rows.jsonl.gz", ": damaged gzip file"),
        (gzip.compress(GOOD * 9, mtime=0)[:-9], "rows.jsonl.gz", ": damaged gzip file"),
        (gzip.compress(GOOD, mtime=0)[:-8] + b"00000000", "rows.jsonl.gz", ": damaged gzip file (CRC check failed"),
        (b"", "rows.json.gz", ": the file holds no rows"),
        (b'[{"output": "x"}, {"output": }]', "rows.json", ":1: element 2 of the array: no JSON: expecting value"),
        (b'[{"output": "x"}\n{"output": "y"}]', "rows.json", ":1: a comma or ] must follow element 1"),
        (b'[{"output": "x"},\n', "rows.json", ":2: element 2 of the array: no JSON"),
        (b'[{"output": "x"}] more', "rows.json", ":1: more follows after the array"),
        (b'[\n{"output": "\xff"}]', "rows.json", ":2: byte 14 of the file (0xff) is not UTF-8"),
        (b"x", "rows.parquet", ": no readable Parquet file"),
        (b"", "rows.parquet", ": no readable Parquet file"),
        (GOOD, "rows.txt", ": unknown kind of file; known are .jsonl, .ndjson, .json, .csv, .tsv, .parquet"),
        (GOOD, "rows", ": unknown kind of file"),
        (GOOD, "rows.parquet.gz", ": unknown kind of file"),
    ],
)
def test_files_that_are_refused_as_a_whole(data, name, message, put):
    path = put(data, name)
    told = refusal(path, skip_bad_rows=True)
    assert told.startswith(f"{path}{message}")
    assert "\n" not in told


def test_a_bad_element_of_an_array_is_told_by_line_and_number(put):
    path = put(b'[\n{"output": "x"},\n{"output": NaN},\n3, {"a": 1, "a": 2}\n]', "rows.json")
    assert read_items(path, skip_bad_rows=True).bad_rows == (
        f"{path}:3: element 2 of the array: NaN is no JSON number; write null or leave the field out",
        f"{path}:4: element 3 of the array: it is 3, not a JSON object",
        f"{path}:4: element 4 of the array: the key 'a' stands twice in one object; keep one",
    )


def test_an_array_over_the_limit_is_refused(put, monkeypatch):
    monkeypatch.setattr(source, "MAX_ARRAY", 10)
    assert "a JSON array of more than 10 bytes; write one object per line" in refusal(put(b"[" + GOOD + b"]", "r.json"))


def test_a_missing_file_suggests_the_nearest_name(put, tmp_path):
    path = put(GOOD, "answers.jsonl")
    assert refusal(tmp_path / "answer.jsonl") == (
        f"{tmp_path / 'answer.jsonl'}: no such file; did you mean {str(path)!r}?"
    )
    assert refusal(tmp_path / "zzz.csv").endswith("no such file; check the path")
    assert "does not exist either" in refusal(tmp_path / "nowhere" / "answers.jsonl")


def test_a_folder_a_pipe_and_an_impossible_name_are_refused(tmp_path):
    (tmp_path / "folder.jsonl").mkdir()
    assert "is a folder; name a file in it" in refusal(tmp_path / "folder.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "is no regular file" in refusal(tmp_path / "pipe.jsonl")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300 + ".jsonl"))
    assert "\n" not in refusal(tmp_path / "line\nfeed.jsonl")


def test_a_file_without_permission_is_refused(put):
    path = put(GOOD)
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        assert "cannot be read: Permission denied; check the path and its permissions" in refusal(path)
    finally:
        if root:
            os.seteuid(0)


def parquet(tmp_path, columns):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path):
    path = parquet(
        tmp_path,
        {
            "id": [1, 2],
            "question": ["q", None],
            "output": ["x", "y"],
            "label:safe": [float("nan"), 2.0],
            "labels": [{"kind": "met", "clear": None}, {"kind": None, "clear": "unmet"}],
            "day": [dt.date(2026, 1, 2), None],
            "price": [Decimal("1.10"), Decimal("2.00")],
            "list": [[1, 2], []],
        },
    )
    dataset = read_items(path)
    assert dataset.format == "parquet"
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    first, second = dataset.items
    assert (first.id, first.input, first.output) == ("1", "q", "x")
    assert [(label.criterion, label.level, label.score) for label in first.labels] == [("kind", "met", None)]
    assert [(label.criterion, label.level, label.score) for label in second.labels] == [
        ("clear", "unmet", None),
        ("safe", None, 2.0),
    ]
    assert first.metadata == {"day": "2026-01-02", "price": "1.10", "list": [1, 2]}


def test_bad_rows_of_parquet_are_told_by_their_number(tmp_path):
    path = parquet(
        tmp_path,
        {"output": ["x", "a\0", "y", "z"], "n": [1.0, 2.0, float("inf"), 4.0], "b": [None, None, None, b"raw"]},
    )
    dataset = read_items(path, skip_bad_rows=True)
    assert [item.id for item in dataset.items] == ["row-1"]
    assert dataset.bad_rows == (
        f"{path}:2: a NUL in 'a\\x00'; take it out",
        f"{path}:3: an infinite number; leave it empty",
        f"{path}:4: a value of type bytes; store it as text or a number",
    )


def test_damaged_parquet_is_refused(tmp_path):
    path = parquet(tmp_path, {"output": ["x"] * 1000})
    path.write_bytes(path.read_bytes()[:-20])
    assert "no readable Parquet file" in refusal(path)


def test_a_date_of_parquet_that_python_cannot_hold_is_told(tmp_path):
    path = parquet(tmp_path, {"output": ["x"], "day": pa.array([2**23], pa.date32())})
    assert "no readable Parquet file (date value out of range)" in refusal(path)


def test_without_pyarrow_the_pip_line_is_told(tmp_path, monkeypatch):
    path = parquet(tmp_path, {"output": ["x"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refusal(path) == f'{path}: Parquet needs pyarrow: pip install "adjudge[parquet]"'


def test_a_large_file_keeps_its_order(put):
    rows = (json.dumps({"id": n, "output": f"text {n}"}) for n in range(20_000))
    items = read_items(put("\n".join(rows).encode())).items
    assert [item.id for item in items] == [str(n) for n in range(20_000)]
