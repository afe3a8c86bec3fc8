"""Cases to learn rules from, to prove them on and to report on, read from any data file and parted by their source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.submission import Comparison, Submission
from adjudge_metacog.splits import PARTS, part_of, place_of

COLOURS = ("green", "yellow", "red")
"""What a request calls for: guide, reflect, deny."""
Kind = Literal["risk", "benign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case."""

    submission: Submission
    """The request, and the output if one is given."""
    source: str
    """What it shares with cases that come from the same place: a risk case and its benign twin have one source."""
    kind: Kind = "risk"
    """What it tests: is the risk handled, or is a harmless twin refused."""
    colour: str = ""
    """What people say the request calls for: one of `COLOURS`, or empty."""

    @property
    def id(self) -> str:
        """That of the submission."""
        return self.submission.id

    def about(self, name: str) -> str:
        """A field of its metadata as text, for example `scenario`; empty if there is none."""
        return told(self.submission.metadata, name)

    def gold(self, criterion: str) -> str | None:
        """The level that most people gave on a criterion; None without labels, or if they are even."""
        levels = Counter(one.level for one in self.submission.labels if one.criterion == criterion and one.level)
        best = levels.most_common(2)
        even = len(best) > 1 and best[0][1] == best[1][1]
        return None if not best or even else best[0][0]


def told(metadata: Mapping[str, Any], *names: str) -> str:
    """The first of these fields of the metadata that says something, as text; empty if all are missing or null."""
    values = (metadata.get(name) for name in names)
    return next((str(value).strip() for value in values if value is not None and value != ""), "")


def read_cases(path: str | Path, columns: Mapping[str, str] | None = None, limit: int | None = None) -> list[Case]:
    """Read a data file of requests, with or without outputs.

    Beside the columns of every data file it may have `query` (the request, where there is no `input`), `scenario`,
    `domain`, `twin_of` (of a benign twin: the id of the risk case), `kind` (`risk` or `benign`), and the colour that
    the request calls for as `expected`, `colour` or `risk_colour`.

    Raises:
        InputError: The file cannot be read, or a value is not understood.
    """
    from adjudge.dataset import read_items

    found = read_items(path, columns=columns, limit=limit, needs_output=False)
    return [_located(item, str(path)) for item in found.items]


def _located(item: Item, path: str) -> Case:
    try:
        return case_of(item)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def case_of(item: Item) -> Case:
    """A case from a submission.

    Raises:
        InputError: It is a comparison, asks nothing and says nothing, or its kind is not understood.
    """
    if isinstance(item, Comparison):
        raise InputError(f"{item.id}: rules are learned from submissions, this is a comparison")
    if not item.input and (query := told(item.metadata, "query")):
        item = item.model_copy(update={"input": query})
    if not item.input and not item.output:
        raise InputError(f"{item.id}: has neither input nor output; name the column with --column input=NAME")
    colour = _colour(item)
    return Case(
        submission=item,
        source=told(item.metadata, "source", "twin_of") or item.id,
        kind=_kind(item, colour),
        colour=colour,
    )


def _colour(item: Submission) -> str:
    said = told(item.metadata, "risk_colour", "colour") or (item.reference or "")
    return said.casefold() if said.casefold() in COLOURS else ""


def _kind(item: Submission, colour: str) -> Kind:
    said = told(item.metadata, "kind").casefold()
    if said not in {"", "risk", "benign"}:
        raise InputError(f"{item.id}: kind is {said!r}; it must be risk or benign")
    benign = said == "benign" if said else bool(told(item.metadata, "twin_of")) or colour == "green"
    return "benign" if benign else "risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Cases by what they are for; no source stands in two parts."""

    learn: tuple[Case, ...]
    """Rules are found on these."""
    gate: tuple[Case, ...]
    """Rules are proved on these."""
    final: tuple[Case, ...]
    """Figures come from these; no gate saw them."""
    clusters: str = "source"
    """What the cases of `final` are clustered by: `source`, or the field that is unseen."""

    def unit(self, case: Case) -> str:
        """The cluster of a case of `final`."""
        return case.source if self.clusters == "source" else case.about(self.clusters)


def parted(cases: Sequence[Case], *, unseen: str = "", seed: int = 0, shares: Mapping[str, float] = PARTS) -> Parts:
    """Part cases by their source.

    Args:
        cases: All of them.
        unseen: A field such as `scenario`: whole values of it go to `final`, so that its figures tell how rules carry
            over to what was never seen; the rest is parted by source into `learn` and `gate`.
        seed: Another seed gives other parts.
        shares: Shares of `learn`, `gate` and `final`.

    Raises:
        InputError: A case has no such field.
    """
    where = _by_source(cases, seed, shares) if not unseen else _by_field(cases, unseen, seed, shares)
    parts = {name: tuple(case for case in cases if where[case.id] == name) for name in PARTS}
    return Parts(**parts, clusters=unseen or "source")


def _by_source(cases: Iterable[Case], seed: int, shares: Mapping[str, float]) -> dict[str, str]:
    return {case.id: part_of(case.source, seed, shares) for case in cases}


def _by_field(cases: Sequence[Case], field: str, seed: int, shares: Mapping[str, float]) -> dict[str, str]:
    """Values of the field in the order of their hash: the first go to `final`, as many as make its share of cases."""
    of_source: dict[str, str] = {}
    for case in cases:
        if not case.about(field):
            raise InputError(f"{case.id}: has no {field}, by which cases are to be parted")
        if of_source.setdefault(case.source, case.about(field)) != case.about(field):
            raise InputError(f"{case.id}: is of another {field} than its twin, so that one would tell of the other")
    values = sorted({case.about(field) for case in cases}, key=lambda value: place_of(value, seed))
    counts = Counter(case.about(field) for case in cases)
    final: set[str] = set()
    while values and sum(counts[value] for value in final) < shares["final"] * len(cases):
        final.add(values.pop(0))
    seen = [case for case in cases if case.about(field) not in final]
    total = shares["learn"] + shares["gate"]
    rest = {"learn": shares["learn"] / total, "gate": shares["gate"] / total}
    return {**{case.id: "final" for case in cases}, **_by_source(seen, seed, rest)}
