"""What is shown in one place: a submission, with what every run made of it; and its texts, each kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from adjudge.interfaces import Item
from adjudge.report.record import RunRecord
from adjudge.rubric import Criterion
from adjudge.submission import Comparison, as_text
from adjudge.verdict import Result


class Strings:
    """Texts, each kept once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        """The texts by place."""
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Where the text stands; it is put there if it is new."""
        found = self._places.setdefault(text, len(self.all))
        if found == len(self.all):
            self.all.append(text)
        return found


@dataclass(frozen=True)
class Judged:
    """One submission or comparison as one run judged it."""

    run: int
    """Which run, from 0."""
    record: RunRecord
    """The run."""
    item: Item
    """What was judged."""
    result: Result
    """What came of it."""

    @property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria that it was judged on, by id."""
        return self.record.criteria_of(self.item)


@dataclass(frozen=True)
class Entry:
    """One submission or comparison, with what each run made of it."""

    id: str
    """Its id."""
    judged: list[Judged] = field(default_factory=list)
    """By run."""


def entries_of(records: Sequence[RunRecord]) -> list[Entry]:
    """Submissions in order of first appearance; what several runs judged alike stands in one entry."""
    found: dict[tuple[str, ...], Entry] = {}
    for run, record in enumerate(records):
        for item, result in zip(record.items, record.results, strict=True):
            entry = found.setdefault(_same(item), Entry(item.id))
            entry.judged.append(Judged(run, record, item, result))
    return list(found.values())


def _same(item: Item) -> tuple[str, ...]:
    parts = item.submissions if isinstance(item, Comparison) else (item,)
    return (item.id, *(as_text(text) for part in parts for text in (part.input, part.output)))
