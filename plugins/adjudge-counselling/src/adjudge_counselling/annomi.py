"""Reads AnnoMI: conversations of motivational interviewing with experts' labels per conversation and per utterance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.errors import InputError
from adjudge.submission import Label, Submission
from adjudge_counselling.dialogue import Side, Utterance, before, one_line, transcript
from adjudge_counselling.files import need, rows
from adjudge_counselling.rubrics import pack

QUALITIES = ("low", "high")
"""Experts' label of a conversation."""
BEHAVIOURS = ("question", "reflection", "therapist_input", "other")
"""Experts' main label of a therapist's utterance."""
TALK = ("change", "neutral", "sustain")
"""Experts' label of a client's utterance."""
COLUMNS = (
    "transcript_id",
    "mi_quality",
    "topic",
    "utterance_id",
    "interlocutor",
    "utterance_text",
    "main_therapist_behaviour",
    "client_talk_type",
)
"""Columns that a file must have; others are ignored."""
WHERE = (
    "AnnoMI (Wu et al. 2022) is published as AnnoMI-simple.csv on github.com/uccollab/AnnoMI; no licence is stated "
    "there (transcripts of public videos), so ask its authors before use. Put the file anywhere and pass "
    "`-T source=PATH`"
)
"""What to download, from where, under which terms, and where to put it."""
RATER = "AnnoMI experts"

_SIDES: Mapping[str, Side] = {"therapist": "counsellor", "client": "client"}
_LABELS: Mapping[Side, tuple[str, tuple[str, ...]]] = {
    "counsellor": ("main_therapist_behaviour", BEHAVIOURS),
    "client": ("client_talk_type", TALK),
}
_CRITERIA: Mapping[Side, str] = {"counsellor": "therapist_behaviour", "client": "client_talk"}


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation with its labels."""

    id: str
    """As the file numbers it."""
    quality: str
    """`high` or `low`, by experts."""
    topic: str
    """The change that it is about."""
    utterances: tuple[Utterance, ...]
    """In order, each with its label."""

    @property
    def text(self) -> str:
        """The transcript, one numbered utterance a line."""
        return transcript(self.utterances, "client", "therapist")


def load_conversations(source: str | Path = "") -> list[Conversation]:
    """Read all conversations of a file with the columns of AnnoMI-simple.

    Args:
        source: A CSV, JSONL or Parquet file (`.gz` too); the synthetic conversations shipped here if empty.

    Returns:
        Conversations in the order in which they begin in the file.

    Raises:
        InputError: The file or one of its rows cannot be read; names file and line.
    """
    grouped: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for place, row in rows(source, "annomi_synthetic.csv", WHERE):
        need(place, row, COLUMNS, "a row of AnnoMI-simple")
        grouped.setdefault(str(row["transcript_id"]), []).append((place, row))
    if not grouped:
        raise InputError(f"{source}: holds no conversation")
    return [_conversation(name, found) for name, found in grouped.items()]


def _conversation(name: str, found: list[tuple[str, Mapping[str, Any]]]) -> Conversation:
    first_place, first = found[0]
    quality = _one_of(first_place, "mi_quality", first["mi_quality"], QUALITIES)
    for place, row in found:
        if row["mi_quality"] != first["mi_quality"]:
            raise InputError(f"{place}: mi_quality is {row['mi_quality']!r}, but {quality!r} at {first_place}")
    utterances = tuple(_utterances(found))
    return Conversation(name, quality, one_line(str(first["topic"])), utterances)


def _utterances(found: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Utterance]:
    seen: dict[int, str] = {}
    for place, row in found:
        number = _number(place, row["utterance_id"])
        if number in seen:
            raise InputError(
                f"{place}: utterance_id {number} stood at {seen[number]} already; AnnoMI-full has a row per annotator, "
                "take AnnoMI-simple"
            )
        seen[number] = place
        side = _SIDES[_one_of(place, "interlocutor", row["interlocutor"], tuple(_SIDES))]
        column, known = _LABELS[side]
        text = one_line(str(row["utterance_text"]))
        yield Utterance(number, side, text, _one_of(place, column, row[column], known))


def _number(place: str, cell: Any) -> int:
    try:
        return int(cell)
    except (TypeError, ValueError):
        raise InputError(f"{place}: utterance_id is {cell!r}; it must be a whole number") from None


def _one_of(place: str, column: str, cell: Any, known: tuple[str, ...]) -> str:
    word = str(cell).strip().casefold()
    if word not in known:
        raise InputError(f"{place}: {column} is {cell!r}; it must be one of {', '.join(known)}")
    return word


def whole(conversations: Iterable[Conversation], opening: int = 0) -> list[Submission]:
    """A submission per conversation, labelled with its quality; the metadata says what each utterance does.

    Args:
        conversations: Where they come from.
        opening: Utterances that are shown, for a judge whose context is short; 0 for all.
    """
    return [
        Submission(
            id=f"annomi-{one.id}",
            input=f"A conversation about this change: {one.topic}",
            output=_lines(one.utterances[: opening or None]),
            labels=(Label(criterion="quality", level=one.quality, rater=RATER),),
            metadata={
                "cluster": one.id,
                "topic": one.topic,
                "shown": min(opening or len(one.utterances), len(one.utterances)) / len(one.utterances),
                "labels": {str(said.number): said.label for said in one.utterances},
            },
        )
        for one in conversations
    ]


def single(conversations: Iterable[Conversation], side: Side, context: int) -> list[Submission]:
    """A submission per utterance of one side, labelled with what it does, with what was said before as its input.

    Args:
        conversations: Where they come from.
        side: `counsellor` for the therapist's utterances, `client` for the client's.
        context: Number of utterances before it that are shown.
    """
    criterion = _CRITERIA[side]
    rubric = pack("mi-utterance").with_criteria([criterion])
    return [
        Submission(
            id=f"annomi-{one.id}-{said.number}",
            input=f"A conversation about this change: {one.topic}\n{_lines(before(one.utterances, place, context))}",
            output=_lines([said]),
            labels=(Label(criterion=criterion, level=said.label, rater=RATER),),
            rubric=rubric,
            metadata={"cluster": one.id},
        )
        for one in conversations
        for place, said in enumerate(one.utterances)
        if said.side == side and said.text
    ]


def _lines(utterances: Iterable[Utterance]) -> str:
    return transcript(utterances, "client", "therapist")
