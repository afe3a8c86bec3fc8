"""Transcripts number their utterances, and quotes point at them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.submission import Submission
from adjudge.verdict import Quote, Verdict
from adjudge_counselling.dialogue import Utterance, pointed_at, read_turns, transcript, utterances_at

LINE = st.text("ab好[]1：:.?", min_size=1, max_size=12)
TURNS = st.lists(st.tuples(st.sampled_from(["client", "counsellor"]), LINE), min_size=1, max_size=8)


def talk(turns: list[tuple[str, str]]) -> list[Utterance]:
    return [Utterance(number, side, text) for number, (side, text) in enumerate(turns, 1)]


@given(TURNS, st.data())
def test_a_passage_points_at_the_utterances_that_it_touches(turns: list[tuple[str, str]], data: st.DataObject) -> None:
    said = talk(turns)
    text = transcript(said, "client", "counsellor")
    starts = [0]
    for line in text.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    place = data.draw(st.integers(0, len(said) - 1))
    begin = starts[place]
    end = begin + len(text.split("\n")[place])
    assert utterances_at(text, begin, end) == [said[place].number]
    assert utterances_at(text, 0, len(text)) == [one.number for one in said]


def test_a_verdicts_quotes_point_at_utterances_and_invented_ones_nowhere() -> None:
    text = transcript(
        talk([("client", "I cannot sleep."), ("counsellor", "Since when?"), ("client", "Since May.")]), "c", "h"
    )
    start = text.index("sleep")
    quotes = (
        Quote(text="sleep.", start=start, end=start + 6),
        Quote(text="May", start=text.index("May"), end=text.index("May") + 3),
        Quote(text="never said"),
    )
    verdict = Verdict(submission="s", criterion="quality", status="scored", level="low", quotes=quotes)
    assert pointed_at(verdict, Submission(id="s", output=text)) == [1, 3]


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("来访者：睡不着。\n南希：多久了？", ["client", "counsellor"]),
        ("client: Hi.\nDr Lee: Hello.", ["client", "counsellor"]),
        ("[1] client: Hi.\n[2] counsellor: Hello.", ["client", "counsellor"]),
        ("**Client**: Hi.\n**Counsellor**: Hello.", ["client", "counsellor"]),
        ("no speaker at all", []),
        ("", []),
    ],
)
def test_turns_are_read_by_the_speakers_name(text: str, sides: list[str]) -> None:
    assert [turn.side for turn in read_turns(text)] == sides


def test_a_line_without_a_name_goes_on_with_the_turn_before() -> None:
    first, second = read_turns("client: I cannot\nsleep.\n\ncounsellor: Since when?")
    assert (first.text, second.text) == ("I cannot sleep.", "Since when?")


def test_a_time_of_day_is_no_speaker() -> None:
    (turn,) = read_turns("client: I wake at\n3:15 each night.")
    assert turn.text == "I wake at 3:15 each night."


def test_a_third_name_is_no_speaker() -> None:
    first, second = read_turns("来访者：我累了。\n南希：你可以试试。\n比如：早点睡。")
    assert second.text == "你可以试试。 比如：早点睡。"
    assert first.side == "client"


@given(TURNS)
def test_a_transcript_reads_back_as_the_same_utterances(turns: list[tuple[str, str]]) -> None:
    said = talk(turns)
    assert read_turns(transcript(said, "client", "counsellor")) == said
