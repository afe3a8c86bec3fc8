"""Dialogues as transcripts: one numbered utterance a line, so that a quote points at the utterances that it lies in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adjudge.submission import Submission, as_text
from adjudge.verdict import Verdict

Language = Literal["en", "zh"]
Side = Literal["client", "counsellor"]

SPEAKERS: Mapping[tuple[Side, Language], str] = {
    ("client", "en"): "client",
    ("counsellor", "en"): "counsellor",
    ("client", "zh"): "来访者",
    ("counsellor", "zh"): "咨询师",
}
"""Names of the speakers in a transcript, unless a data set has its own."""

_NUMBERED = re.compile(r"^\[(\d+)\] ", re.MULTILINE)
_SPEAKERS = 2
_CLIENT = {"client", "来访者", "求助者", "seeker", "speaker", "user", "usr", "patient"}
_TURN = re.compile(r"^\s*(?:\[\d+\]\s*)?\**([^\W\d][^:：\n]{0,24}?)\**\s*[:：]\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn of a dialogue."""

    number: int
    """As the data set numbers it; unique in the dialogue."""
    side: Side
    """Who speaks: the one who seeks help, or the one who gives it."""
    text: str
    """What is said, on one line."""
    label: str = ""
    """What it does, by the data set's own label; empty if it has none."""


def transcript(utterances: Iterable[Utterance], client: str, counsellor: str) -> str:
    """One line an utterance: `[3] counsellor: …`.

    Args:
        utterances: In order.
        client: Name of the one who seeks help.
        counsellor: Name of the one who gives it.
    """
    names = {"client": client, "counsellor": counsellor}
    return "\n".join(f"[{one.number}] {names[one.side]}: {one.text}" for one in utterances)


def is_transcript(text: str) -> bool:
    """Whether every line is an utterance as `transcript` writes it."""
    lines = text.splitlines()
    return bool(lines) and all(_NUMBERED.match(line) for line in lines)


def utterances_at(text: str, start: int, end: int) -> list[int]:
    """Numbers of the utterances of a transcript that a passage touches.

    Args:
        text: A transcript as `transcript` writes it.
        start: Offset of the passage, in characters.
        end: Offset just after it.
    """
    marks = [(match.start(), int(match[1])) for match in _NUMBERED.finditer(text)]
    ends = [begin for begin, _ in marks[1:]] + [len(text)]
    return [number for (begin, number), after in zip(marks, ends, strict=True) if begin < end and start < after]


def pointed_at(verdict: Verdict, submission: Submission) -> list[int]:
    """Numbers of the utterances that a verdict's quotes lie in, in order; quotes that are not there point nowhere."""
    text = as_text(submission.output)
    spans = [(quote.start, quote.end) for quote in verdict.quotes]
    found = {
        n for start, end in spans if start is not None and end is not None for n in utterances_at(text, start, end)
    }
    return sorted(found)


def read_turns(text: str, clients: Iterable[str] = ()) -> list[Utterance]:
    """Read a dialogue written as `name: …`, one turn a line; a line without a name goes on with the turn before.

    The first two names are those of the speakers, so that a later `for example: …` is none. One who is called `client`,
    来访者 and the like seeks help, any other gives it.

    Args:
        text: The dialogue.
        clients: Further names of those who seek help.

    Returns:
        Utterances numbered from 1; none if no line names a speaker.
    """
    known = _CLIENT | {name.casefold() for name in clients}
    turns: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        match = _TURN.match(line)
        name = match[1].strip().casefold() if match else ""
        if match and (name in (speakers := {speaker for speaker, _ in turns}) or len(speakers) < _SPEAKERS):
            turns.append((name, [match[2]]))
        elif turns and line.strip():
            turns[-1][1].append(line)
    sides: list[Side] = ["client" if speaker in known else "counsellor" for speaker, _ in turns]
    spoken = zip(sides, (one_line(" ".join(lines)) for _, lines in turns), strict=True)
    return [Utterance(number, side, said) for number, (side, said) in enumerate(spoken, 1)]


def one_line(text: str) -> str:
    """The text with its white space made single, so that an utterance is one line."""
    return " ".join(text.split())


def before(utterances: Sequence[Utterance], place: int, count: int) -> Sequence[Utterance]:
    """Up to `count` utterances before the one at `place`."""
    return utterances[max(0, place - count) : place]
