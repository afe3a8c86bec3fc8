"""What a report is made of: one finished run, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from adjudge.interfaces import Item
from adjudge.report.cards import JudgeCard
from adjudge.report.exchanges import ExchangesOf, nothing_heard
from adjudge.report.people import People
from adjudge.rubric import Criterion, Rubric
from adjudge.verdict import Result


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run: what was judged, by what, and what came of it.

    Raises:
        ValueError: Items and results are not the same submissions in the same order.
    """

    title: str
    """Headline of the report."""
    created: str
    """When the run was made, as ISO 8601 text; the only time in the report."""
    rubric: Rubric | None
    """The rubric of the run; None if every submission carries its own."""
    items: Sequence[Item]
    """What was judged, in file order."""
    results: Sequence[Result]
    """What came of it, in the order of `items`."""
    provenance: Mapping[str, JsonValue] = field(default_factory=dict)
    """Where the figures come from, shown in this order: pack and its hash, judge, read-out, template, backend and its
    identity, sampling, version, data set and its SHA-256, …"""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Metrics, shown in this order. A value is a number, None if undefined, text, a mapping of figures, a table as a
    list of rows, or an object with `value`, `low`, `high` and `n`, such as `adjudge.metrics.Estimate`."""
    card: JudgeCard | None = None
    """What is known of the judge; None if it was not measured."""
    warnings: Sequence[str] = ()
    """What the reader must know first."""
    exchanges: ExchangesOf = nothing_heard
    """What was asked and replied, where it is known."""
    audits: Mapping[str, JsonValue] = field(default_factory=dict)
    """Results of audits that lie beside the run, by the name of their file."""
    people: People = field(default_factory=People)
    """What people wrote in files of their own."""

    def __post_init__(self) -> None:
        if [item.id for item in self.items] != [result.submission for result in self.results]:
            raise ValueError("items and results of a report must be the same submissions in the same order")

    def rubric_of(self, item: Item) -> Rubric | None:
        """The rubric that the item was judged by; None if unknown."""
        return item.rubric or self.rubric

    def criteria_of(self, item: Item) -> dict[str, Criterion]:
        """The criteria that the item was judged on, by id."""
        rubric = self.rubric_of(item)
        return {} if rubric is None else {criterion.id: criterion for criterion in rubric.criteria}
