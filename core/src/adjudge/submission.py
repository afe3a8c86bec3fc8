"""What is judged: submissions and comparisons, as frozen values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from adjudge.rubric import Rubric
from adjudge.values import Frozen


class Message(Frozen):
    """One turn of a conversation or one step of a trace."""

    role: Literal["system", "user", "assistant", "tool"]
    """Who speaks."""
    content: str
    """What is said."""
    kind: Literal["text", "thinking", "tool_call", "tool_result"] = "text"
    """What sort of step it is."""
    name: str = ""
    """The tool that is called or that answers; of a text, who speaks where several share a role. The content of a
    tool call with a name is its arguments."""
    call: str = ""
    """Mark that a tool call and its result have in common, for example `1`."""


Text = str | tuple[Message, ...]
"""Plain text or a conversation."""


class Label(Frozen):
    """A human verdict."""

    criterion: str
    """Id of the criterion; for a comparison the criterion it was compared on, or `overall`."""
    level: str | None = None
    """Id of the level, if the rater gave one."""
    score: float | None = None
    """A number in the scale's units, if the rater (or an average of raters) gave one."""
    rater: str = ""
    """Who gave it."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.level is None and self.score is None:
            raise ValueError(f"the label of {self.criterion!r} has neither a level nor a score")
        return self


class Submission(Frozen):
    """One thing to judge."""

    id: str
    """Unique in its file."""
    input: Text = ""
    """What was asked: text or chat messages."""
    output: Text = ""
    """What is judged: text, messages or a thinking trace. Empty before a candidate has answered."""
    reference: str | None = None
    """A reference answer."""
    context: str | None = None
    """Further evidence, for example the document that was summarised."""
    labels: tuple[Label, ...] = ()
    """Human verdicts, per criterion and rater."""
    rubric: Rubric | None = None
    """The rubric of this one submission, in place of the run's."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    """Anything else, kept for metrics and reports and never shown to the judge."""

    @property
    def cluster(self) -> str:
        """What it belongs to that is independent of all else: `metadata["cluster"]`, or itself if none is named."""
        return cluster_of(self.metadata, self.id)


class Comparison(Frozen):
    """Two or more submissions of one input, to be told apart."""

    id: str
    """Unique in its file."""
    submissions: Annotated[tuple[Submission, ...], Field(min_length=2)]
    """The candidates, in file order; all share one input, and one rubric if they bring any."""
    labels: tuple[Label, ...] = ()
    """Human preferences: level `first`, `second`, `tie` or `incomparable`."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    """Anything else, kept for metrics and reports and never shown to the judge."""

    @model_validator(mode="after")
    def _one_input(self) -> Self:
        first, *others = self.submissions
        if any(other.input != first.input for other in others):
            raise ValueError("the submissions of a comparison must share one input")
        if any(other.rubric is not first.rubric and other.rubric != first.rubric for other in others):
            raise ValueError("the submissions of a comparison must share one rubric, or bring none")
        return self

    @property
    def cluster(self) -> str:
        """What it belongs to that is independent of all else: `metadata["cluster"]`, or itself if none is named."""
        return cluster_of(self.metadata, self.id)

    @property
    def rubric(self) -> Rubric | None:
        """The rubric that its submissions bring, in place of the run's."""
        return self.submissions[0].rubric


_PLAIN_NAME = re.compile(r"[\w.:/-]{1,80}")
_BETWEEN = "\n\n"


def as_text(text: Text) -> str:
    """Render a conversation as labelled turns; plain text stays as it is."""
    return text if isinstance(text, str) else _BETWEEN.join(map(_turn, text))


def message_at(text: Text, offset: int) -> int | None:
    """Number (from 1) of the message in which that place of `as_text(text)` lies; None of plain text."""
    if isinstance(text, str):
        return None
    ends = accumulate(len(_turn(message)) + len(_BETWEEN) for message in text)
    return next((number for number, end in enumerate(ends, start=1) if offset < end), None)


def _turn(message: Message) -> str:
    return f"{speaker(message)}: {said(message)}"


def speaker(message: Message) -> str:
    """Whose turn it is and of what sort, in one line that nothing in a name can break out of."""
    if message.kind == "text":
        return " ".join(part for part in (message.role, _shown(message.name)) if part)
    sort = message.kind.replace("_", " ")
    mark = f" #{_shown(message.call)}" if message.call else ""
    of = f" of {_shown(message.name)}" if message.name and message.kind == "tool_result" else ""
    return f"{message.role} ({sort}{mark}{of})"


def said(message: Message) -> str:
    """What is said; a tool call as `name(arguments)`."""
    called = message.kind == "tool_call" and message.name
    return f"{message.name}({message.content})" if called else message.content


def _shown(name: str) -> str:
    return name if not name or _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def cluster_of(metadata: Mapping[str, Any], own: str) -> str:
    """What metadata name as the cluster, else the id."""
    named = metadata.get("cluster")
    return own if named is None else str(named)
