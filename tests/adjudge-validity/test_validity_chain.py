"""Files that only grow: all is read back, whatever was changed since is found, a torn end loses nothing."""

from __future__ import annotations

import errno
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_validity.labelling.chain import START, seal, unchain
from adjudge_validity.labelling.log import Log

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=6,
)
CONTENT = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name not in ("previous", "hash")),
    PLAIN,
    max_size=4,
)
CONTENTS = st.lists(CONTENT, min_size=1, max_size=6)


def sealed(contents):
    """The bytes of a file."""
    lines, previous = [], START
    for content in contents:
        line, previous = seal(content, previous)
        lines.append(line)
    return lines


@given(CONTENTS)
def test_what_was_sealed_is_read_back(contents):
    chain = unchain(b"".join(sealed(contents)))
    assert (chain.broken, chain.torn) == (None, b"")
    assert [dict(line.content) for line in chain.lines] == contents
    assert json.loads(sealed(contents)[-1])["hash"] == chain.head


@given(CONTENTS, st.data())
def test_any_changed_byte_is_found_in_its_line(contents, data):
    lines = sealed(contents)
    number = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[number]) - 2))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != lines[number][at]))
    changed = bytearray(lines[number])
    changed[at] = other
    chain = unchain(b"".join([*lines[:number], bytes(changed), *lines[number + 1 :]]))
    assert chain.broken is not None
    assert (chain.broken.line, len(chain.lines)) == (number + 1, number)


@given(st.lists(CONTENT, min_size=2, max_size=6), st.data())
def test_a_line_taken_out_put_in_twice_or_moved_is_found(contents, data):
    lines = sealed(contents)
    number = data.draw(st.integers(0, len(lines) - 2))
    swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
    without, twice = [*lines[:number], *lines[number + 1 :]], [*lines[: number + 1], *lines[number:]]
    places = [unchain(b"".join(changed)).broken for changed in (swapped, without, twice)]
    assert [place and place.line for place in places] == [number + 1, number + 1, number + 2]


@given(st.lists(CONTENT, min_size=2, max_size=6), st.data())
def test_a_line_sealed_anew_is_found_by_the_one_after_it(contents, data):
    lines = sealed(contents)
    number = data.draw(st.integers(0, len(lines) - 2))
    previous = json.loads(lines[number])["previous"]
    forged, _ = seal({**contents[number], "level": "forged"}, previous)
    chain = unchain(b"".join([*lines[:number], forged, *lines[number + 1 :]]))
    assert chain.broken is not None
    assert chain.broken.line == number + 2
    assert "does not follow" in chain.broken.problem


@given(CONTENTS, st.data())
def test_a_file_cut_anywhere_keeps_every_whole_line(contents, data):
    lines = sealed(contents)
    whole = b"".join(lines)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    chain = unchain(cut)
    kept = next(n for n in range(len(lines), -1, -1) if len(b"".join(lines[:n])) - (n > 0) <= len(cut))
    assert chain.broken is None
    assert len(chain.lines) == kept
    assert b"".join(lines[:kept]) + chain.torn in (cut, cut + b"\n")


@settings(max_examples=30)
@given(contents=CONTENTS, more=CONTENT, data=st.data())
def test_a_torn_file_is_gone_on_with_and_the_torn_bytes_are_kept(tmp_path_factory, contents, more, data):
    path = tmp_path_factory.mktemp("torn") / "labels.jsonl"
    *first, last = sealed(contents)
    torn = last[: data.draw(st.integers(1, len(last) - 2))]
    path.write_bytes(b"".join(first) + torn)
    with Log(path) as log:
        assert (log.torn, len(log.lines)) == (torn, len(first))
        log.append(more)
    chain = unchain(path.read_bytes())
    assert [dict(line.content) for line in chain.lines] == [*contents[:-1], more]
    assert path.with_name("labels.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_last_line_that_lacks_only_its_line_feed_is_whole(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b"".join(sealed([{"a": 1}, {"b": 2}]))[:-1])
    with Log(path) as log:
        assert (log.torn, len(log.lines)) == (b"", 2)
        log.append({"c": 3})
    assert len(unchain(path.read_bytes()).lines) == 3


def test_a_changed_file_is_not_added_to(tmp_path):
    path = tmp_path / "labels.jsonl"
    data = b"".join(sealed([{"level": "met"}, {"level": "met"}])).replace(b"met", b"bad", 1)
    path.write_bytes(data)
    with pytest.raises(
        InputError, match=r"labels.jsonl:1: the line was changed after it was written; nothing was added"
    ):
        Log(path)
    assert path.read_bytes() == data


def test_a_file_in_use_is_not_opened_twice(tmp_path):
    path = tmp_path / "labels.jsonl"
    with Log(path), pytest.raises(InputError, match="another page adds to it"):
        Log(path)
    with Log(path) as log:
        assert not log.lines


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "labels.jsonl"
    with Log(path) as log:
        log.append({"a": 1})
        before = path.read_bytes()

        def full(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("adjudge_validity.labelling.log.os.fsync", full)
            with pytest.raises(OSError, match="No space left"):
                log.append({"b": 2})
        assert path.read_bytes() == before
        log.append({"c": 3})
    assert [dict(line.content) for line in unchain(path.read_bytes()).lines] == [{"a": 1}, {"c": 3}]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another --out"):
        Log(tmp_path / "file" / "labels.jsonl")


def replaced(path):
    path.with_suffix(".new").write_bytes(path.read_bytes())
    path.with_suffix(".new").replace(path)


def longer(path):
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("touch", [replaced, longer, lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_file_that_another_program_touched_is_not_added_to(tmp_path, touch):
    path = tmp_path / "labels.jsonl"
    with Log(path) as log:
        log.append({"a": 1})
        touch(path)
        with pytest.raises(InputError, match="nothing more is saved"):
            log.append({"b": 2})
        assert len(log.lines) == 1
