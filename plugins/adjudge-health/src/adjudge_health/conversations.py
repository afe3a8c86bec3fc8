"""Reads health conversations that each bring criteria with points, in the rows of HealthBench (arXiv:2505.08775)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.dataset.parts import text as conversation_of
from adjudge.dataset.source import RowError
from adjudge.errors import InputError
from adjudge.rubric import Criterion, Rubric, ScoringChoice
from adjudge.submission import Text

THEMES = (
    "emergency_referrals",
    "context_seeking",
    "global_health",
    "health_data_tasks",
    "communication",
    "hedging",
    "complex_responses",
)
"""The seven themes; a conversation has one, in the tag `theme:…`."""
AXES = ("accuracy", "completeness", "context_awareness", "communication_quality", "instruction_following")
"""The five axes; a criterion has one, in the tag `axis:…`."""
WHERE = (
    "HealthBench is published by OpenAI under the MIT licence: its address stands in healthbench_eval.py of "
    "openai/simple-evals on github.com. Download the file 2025-05-07-06-14-12_oss_eval.jsonl (or the consensus or hard "
    "part), put it anywhere on this machine, and name it with -T source=PATH; keep it out of training data"
)
"""What to download, from where, under which licence, and where to put it."""

Part = Literal["all", "consensus", "example"]
"""Which criteria: all, those that physicians agreed on for a whole category, those written for the conversation."""


@dataclass(frozen=True, slots=True)
class Item:
    """One criterion of a conversation."""

    text: str
    """What is met or not."""
    points: float
    """Earned if it is met; negative for something that should not be there."""
    tags: tuple[str, ...]
    """`axis:…`, `level:…`, `cluster:…`."""

    @property
    def axis(self) -> str:
        """Its axis; empty if it has none."""
        return tag_value(self.tags, "axis")

    @property
    def consensus(self) -> str:
        """Id of the consensus criterion that it is; empty if it was written for this conversation."""
        return tag_value(self.tags, "cluster")


@dataclass(frozen=True, slots=True)
class Answer:
    """A synthetic answer that comes with a shipped conversation."""

    id: str
    """Unique in its conversation."""
    output: str
    """The answer."""
    met: tuple[bool, ...]
    """For each criterion whether its author meant it to be met."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row: a conversation to answer and the criteria that its answer is judged on."""

    id: str
    """`prompt_id`."""
    prompt: Text
    """The conversation up to the answer."""
    items: tuple[Item, ...]
    """The criteria, in the order of the file."""
    tags: tuple[str, ...]
    """`theme:…`, `physician_agreed_category:…`."""
    ideal: str
    """A physician's answer; empty if there is none."""
    answers: tuple[Answer, ...]
    """Answers with known levels; only the shipped conversations have some."""
    place: str
    """File and line, for messages."""

    @property
    def theme(self) -> str:
        """Its theme; empty if the row has no tags."""
        return tag_value(self.tags, "theme")

    @property
    def category(self) -> str:
        """The category within the theme that physicians agreed on; empty if they did not."""
        return tag_value(self.tags, "physician_agreed_category")

    def rubric(self, part: Part = "all") -> Rubric | None:
        """Its criteria as a rubric scored by points, ids by their place in the row; None if the part has none."""
        criteria = [_criterion(name, item) for name, item in self.named(part)]
        if not criteria:
            return None
        return Rubric(
            id="healthbench/sample",
            version="1",
            title=f"criteria of {self.id}",
            draft=True,
            template="healthbench",
            criteria=tuple(criteria),
            scoring=ScoringChoice(name="points"),
        )

    def named(self, part: Part = "all") -> list[tuple[str, Item]]:
        """The criteria of a part with their ids, which do not depend on the part."""
        wanted = {"all": (True, False), "consensus": (True,), "example": (False,)}[part]
        return [(f"c{place:02}", item) for place, item in enumerate(self.items, 1) if bool(item.consensus) in wanted]


def _criterion(name: str, item: Item) -> Criterion:
    return Criterion(id=name, text=item.text, weight=item.points, dimension=item.axis, tags=item.tags)


def tag_value(tags: Iterable[str], name: str) -> str:
    """What stands behind `name:` in the first tag that begins so; empty if none does."""
    return next((tag.partition(":")[2] for tag in tags if tag.startswith(f"{name}:")), "")


def consensus_parts(name: str) -> tuple[str, str, str]:
    """Theme, category and behaviour that the id of a consensus criterion is made of.

    `hedging_no-uncertainty_hedges` is the behaviour `hedges` in the category `no-uncertainty` of the theme `hedging`.
    """
    theme = next((theme for theme in THEMES if name.startswith(f"{theme}_")), "")
    category, _, behaviour = name.removeprefix(f"{theme}_").partition("_")
    return theme, category, behaviour


def load_conversations(source: str | Path = "") -> list[Conversation]:
    """Read all conversations of a source.

    Args:
        source: A file with the rows of HealthBench, also with .gz; the synthetic ones shipped here if empty.

    Returns:
        Conversations in file order.

    Raises:
        InputError: The source or one of its rows cannot be read; names file and line.
    """
    with given_or_shipped(source, files("adjudge_health") / "data" / "conversations_synthetic.jsonl", WHERE) as path:
        return _read(path)


def _read(path: Path) -> list[Conversation]:
    found: dict[str, Conversation] = {}
    for row in read_rows(path):
        one = _conversation(row.place, row.fields)
        if one.id in found:
            raise InputError(f"{row.place}: repeats the prompt_id {one.id!r} of {found[one.id].place}; ids are unique")
        found[one.id] = one
    if not found:
        raise InputError(f"{path}: holds no conversation")
    return list(found.values())


def _conversation(place: str, row: Mapping[str, Any]) -> Conversation:
    missing = [name for name in ("prompt_id", "rubrics") if not row.get(name)]
    if missing or not (row.get("prompt") or row.get("conversation")):
        lacking = ", ".join(missing or ["prompt"])
        raise InputError(f"{place}: has no {lacking}; a row of HealthBench has prompt_id, prompt and rubrics")
    items = tuple(_item(place, number, item) for number, item in enumerate(_list(place, "rubrics", row["rubrics"]), 1))
    ideal = row.get("ideal_completions_data") or {}
    answers = _list(place, "answers", row.get("answers") or [])
    return Conversation(
        id=str(row["prompt_id"]),
        prompt=_prompt(place, row.get("prompt") or row["conversation"]),
        items=items,
        tags=tuple(map(str, _list(place, "example_tags", row.get("example_tags") or []))),
        ideal=str(ideal.get("ideal_completion") or "") if isinstance(ideal, Mapping) else "",
        answers=tuple(Answer(one["id"], one["output"], tuple(one["met"])) for one in answers),
        place=place,
    )


def _list(place: str, name: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise InputError(f"{place}: {name} is a {type(value).__name__}; it must be an array")
    return value


def _prompt(place: str, value: Any) -> Text:
    try:
        prompt = conversation_of(value, "prompt")
    except RowError as error:
        raise InputError(f"{place}: {error}") from None
    assert prompt is not None
    return prompt


def _item(place: str, number: int, item: Any) -> Item:
    if not isinstance(item, Mapping) or not str(item.get("criterion") or "").strip():
        raise InputError(f"{place}: rubric item {number} has no criterion; it needs criterion, points and tags")
    points = item.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float) or not math.isfinite(points) or points == 0:
        raise InputError(f"{place}: rubric item {number} has the points {points!r}; they must be a number other than 0")
    return Item(str(item["criterion"]), float(points), tuple(map(str, item.get("tags") or ())))
