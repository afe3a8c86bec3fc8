"""What is written is read back unchanged, and no bytes make the reader fail in any other way than it says."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adjudge.dataset import read_items, write_items
from adjudge.errors import InputError
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Label, Message, Submission

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NAME = TEXT.filter(bool)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
METADATA = st.dictionaries(TEXT, VALUE, max_size=3)
MESSAGE = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=TEXT,
    kind=st.sampled_from(["text", "thinking", "tool_call", "tool_result"]),
    name=TEXT,
    call=TEXT,
)
CONTENT = TEXT | st.lists(MESSAGE, max_size=3).map(tuple)


def labels(level):
    given_level = st.builds(Label, criterion=TEXT, level=level, score=st.none() | NUMBER, rater=TEXT)
    return st.lists(given_level | st.builds(Label, criterion=TEXT, score=NUMBER), max_size=3).map(tuple)


PARTS = {
    "output": CONTENT,
    "reference": st.none() | TEXT,
    "context": st.none() | TEXT,
    "labels": labels(TEXT),
    "rubric": st.none()
    | st.just(Rubric(id="one", version="1", draft=True, criteria=(Criterion(id="c", text="Kind?", scale="1-5"),))),
    "metadata": METADATA,
}
SUBMISSION = st.builds(Submission, id=NAME, input=CONTENT, **PARTS)
PREFERENCE = st.sampled_from(["first", "second", "tie", "incomparable"])


@st.composite
def comparisons(draw):
    shared = {"input": st.just(draw(CONTENT)), "rubric": st.just(draw(PARTS["rubric"]))}
    candidates = draw(st.lists(st.builds(Submission, id=NAME, **PARTS | shared), min_size=2, max_size=3))
    return Comparison(
        id=draw(NAME), submissions=tuple(candidates), labels=draw(labels(PREFERENCE)), metadata=draw(METADATA)
    )


def items(one):
    return st.lists(one, min_size=1, max_size=4, unique_by=lambda item: item.id)


QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=80)


@QUIET
@given(items(SUBMISSION) | items(comparisons()))
def test_items_survive_a_round_trip(tmp_path_factory, written):
    folder = tmp_path_factory.mktemp("trip")
    for name in ("rows.jsonl", "rows.jsonl.gz"):
        write_items(folder / name, written)
        assert read_items(folder / name).items == tuple(written)


FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
SHARDS = [
    b'{"output": "x"}',
    b'"output"',
    b"output",
    b"[",
    b"{",
    b"}",
    b"]",
    b",",
    b'"',
    b"\n",
    b"\r",
    b":",
    b"1",
    b"\0",
]
BYTES = st.binary(max_size=60) | st.lists(st.sampled_from(SHARDS) | st.binary(max_size=3), max_size=20).map(b"".join)


def read_or_refusal(path, **options):
    try:
        return read_items(path, **options)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("name", ["f.jsonl", "f.json", "f.csv", "f.tsv", "f.parquet", "f.jsonl.gz"])
@pytest.mark.parametrize("skip", [False, True])
def test_any_bytes_are_read_or_refused_in_words(name, skip, tmp_path):
    path = tmp_path / name

    @FUZZ
    @given(BYTES, st.booleans())
    @example(b"[", False)
    @example(b"\xef\xbb\xbf[{}", False)
    @example(b'output\n"', False)
    def reading(data, packed):
        path.write_bytes(gzip.compress(data) if packed and name.endswith(".gz") else data)
        dataset = read_or_refusal(path, skip_bad_rows=skip)
        if isinstance(dataset, str):
            assert dataset.startswith(str(path))
        else:
            assert dataset.items
            assert skip or not dataset.bad_rows

    reading()


FIELDS = (
    "id input output labels metadata rubric outputs submissions label label:a output_1 output_2 instruction context"
)
ODD = VALUE | st.lists(st.dictionaries(st.sampled_from(["role", "content", "kind", "type", "output"]), VALUE))


@FUZZ
@given(st.dictionaries(st.sampled_from(FIELDS.split()), ODD, max_size=6))
def test_any_values_in_known_fields_are_read_or_refused_in_words(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("values") / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    dataset = read_or_refusal(path)
    if isinstance(dataset, str):
        assert dataset.startswith(str(path))
    else:
        assert len(dataset.items) == 1


def test_equal_items_give_equal_bytes(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_items(tmp_path / folder / f"{folder}.jsonl.gz", [Submission(id="a", output="x")])
    assert (tmp_path / "one/one.jsonl.gz").read_bytes() == (tmp_path / "two/two.jsonl.gz").read_bytes()


@pytest.mark.parametrize(
    "items_given",
    [
        [Submission(id="a", output="x\0")],
        [Submission(id="a", labels=(Label(criterion="c", score=float("inf")),))],
        [Submission(id="a", metadata={"n": float("nan")})],
        [Submission(id="a", metadata={"n": 10**1200})],
        [Submission(id="", output="x")],
        [Submission(id="a"), Submission(id="a")],
        [
            Comparison(
                id="c",
                submissions=(Submission(id="a"), Submission(id="b")),
                labels=(Label(criterion="overall", level="left"),),
            )
        ],
        [Submission(id="a"), Comparison(id="c", submissions=(Submission(id="a"), Submission(id="b")))],
    ],
)
def test_an_item_that_could_not_be_read_back_is_refused_and_the_old_file_kept(items_given, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(InputError):
        write_items(path, items_given)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_nothing_can_be_written_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written: No such file or directory; choose another folder"):
        write_items(tmp_path / "nowhere" / "rows.jsonl", [])
    with pytest.raises(InputError, match=r"items are written as \.jsonl"):
        write_items(tmp_path / "rows.csv", [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(tmp_path):
    # The part file is made to be the device that is always full.
    (tmp_path / f".rows.jsonl.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left on device"):
        write_items(tmp_path / "rows.jsonl", [Submission(id="a", output="x" * 100_000)])
    assert list(tmp_path.iterdir()) == []


def test_reading_json_lines_loads_neither_pandas_nor_pyarrow(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_items(path, [Submission(id="a", output="x")])
    code = (
        "import sys; from adjudge.dataset import read_items; read_items(sys.argv[1]); "
        "print(sorted({'pandas', 'pyarrow', 'numpy', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
