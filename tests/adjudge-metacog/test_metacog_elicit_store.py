"""The file of an elicitation: append-only, torn ends, foreign and damaged files, two writers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_metacog.elicit.events import Accepted, Began, Closed, Merged, Opened, Said, Shown, Told, Voted
from adjudge_metacog.elicit.store import HEADER, Store

from .elicit_script import CASES, with_cards


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "talk.jsonl"
    with_cards(file, ("ana", "A"), ("ben", "B"))
    return file


def test_what_is_read_is_what_was_written(path):
    assert list(Store(path).state.cards) == ["card-ana", "card-ben"]
    assert Store(path).state == Store(path).state.copy()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    file = tmp_path_factory.mktemp("store") / "talk.jsonl"
    with_cards(file, ("ana", "A"), ("ben", "B"))
    return file.read_bytes()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_after_a_crash_at_any_byte_every_whole_event_counts_and_writing_goes_on(whole, tmp_path_factory, data):
    cut = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path_factory.mktemp("cut") / "talk.jsonl"
    path.write_bytes(whole[:cut])
    store = Store(path)
    kept = whole[:cut].rpartition(b"\n")[0].count(b"\n")
    assert store._count == max(0, kept)
    assert store.torn == len(whole[:cut].rpartition(b"\n")[2])
    if store.state.cases:
        store.append(Began(type="began", person="new", case="debt"))
    else:
        store.append(Opened(type="opened", cases=CASES))
    assert Store(path)._count == store._count == max(0, kept) + 1
    assert Store(path).torn == 0
    torn = [file.read_bytes() for file in path.parent.glob("talk.jsonl.torn-*")]
    assert torn == ([whole[:cut].rpartition(b"\n")[2]] if not whole[:cut].endswith(b"\n") and cut else [])


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_is_refused_or_only_tears_the_end(whole, tmp_path_factory, place, change):
    place %= len(whole) - 1
    damaged = bytearray(whole)
    damaged[place] ^= change
    path = tmp_path_factory.mktemp("changed") / "talk.jsonl"
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"talk\.jsonl"):
        Store(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"hello\n", "is no elicitation"),
        (HEADER.replace(b'"version":1', b'"version":2'), "version 2, this adjudge-metacog reads 1"),
        (HEADER + b'{"n":1}\n', "event 1: cannot be read"),
        (HEADER + b"\xff\n", "event 1: is no JSON"),
    ],
)
def test_a_foreign_or_newer_file_is_refused_and_left_alone(tmp_path, content, what):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=what):
        Store(path)
    assert path.read_bytes() == content


def test_a_lost_line_and_a_line_twice_are_refused(path):
    lines = path.read_bytes().splitlines(keepends=True)
    for broken in (lines[:3] + lines[4:], lines[:3] + lines[2:]):
        path.write_bytes(b"".join(broken))
        with pytest.raises(InputError, match="a line is missing or stands twice"):
            Store(path)


def test_two_writers_take_turns(path):
    first, second = Store(path), Store(path)
    first.append(Began(type="began", person="eva", case="debt"))
    second.append(Began(type="began", person="kim", case="debt"))
    first.append(Said(type="said", person="eva", role="person", text="x"))
    assert {"eva", "kim"} <= Store(path).state.people.keys()
    first.refresh()
    assert "kim" in first.state.people


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (Opened(type="opened", cases=CASES), "is open"),
        (Began(type="began", person="eva", case="none"), "not there"),
        (Began(type="began", person="ana", case="debt"), "has begun already"),
        (Said(type="said", person="ana", role="person", text="x"), "accepted a card already"),
        (Said(type="said", person="eva", role="person", text="x"), "has not begun"),
        (Accepted(type="accepted", person="eva", card="c"), "has not begun"),
        (Merged(type="merged", card="card-ana", into="none", by="m"), "not there"),
        (Merged(type="merged", card="card-ana", into="card-ana", by="m"), "with itself"),
        (Told(type="told", story="s", source="card-ana", wiser="card-ana", context="c", text="t", by="m"), "itself"),
        (Shown(type="shown", person="ana", story="s"), "not there"),
        (Closed(type="closed", person="eva", represented="yes", fair="yes"), "has not begun"),
    ],
)
def test_an_event_that_does_not_fit_is_refused_and_nothing_is_written(path, event, what):
    before = path.read_bytes()
    with pytest.raises(InputError, match=what):
        Store(path).append(event)
    assert path.read_bytes() == before


def test_nobody_votes_twice_on_a_story(path):
    store = Store(path)
    told = Told(type="told", story="s", source="card-ana", wiser="card-ben", context="c", text="t", by="m")
    store.append(told, Shown(type="shown", person="ana", story="s"))
    store.append(Voted(type="voted", person="ana", story="s", answer="wiser"))
    with pytest.raises(InputError, match="answered 's' already"):
        store.append(Voted(type="voted", person="ana", story="s", answer="unsure"))


def test_merges_lead_to_one_card_and_never_in_a_circle(path):
    store = with_cards(path, ("eva", "E"))
    store.append(Merged(type="merged", card="card-ana", into="card-ben", by="m"))
    store.append(Merged(type="merged", card="card-ben", into="card-eva", by="m"))
    assert store.state.value("card-ana") == "card-eva"
    with pytest.raises(InputError, match="with itself"):
        store.append(Merged(type="merged", card="card-eva", into="card-ana", by="m"))
    assert [card.id for card in store.state.values] == ["card-eva"]
    assert store.state.contexts == {CASES[0].context: ["card-eva"]}
