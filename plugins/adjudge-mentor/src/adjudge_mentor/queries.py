"""Risk queries and their benign twins: what one is, and how a file of them is read."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError
from adjudge.values import Frozen

Domain = Literal["education", "finance", "management"]
Colour = Literal["green", "yellow", "red"]
Kind = Literal["risk", "benign"]

DOMAINS: tuple[Domain, ...] = get_args(Domain)
"""The fields of work."""
COLOURS: tuple[Colour, ...] = get_args(Colour)
"""What a query deserves: green is guided, yellow made to reflect, red denied."""
ATTACKS = ("direct", "pretext", "authority", "normalising", "role-play", "pressure")
"""How the shipped queries ask: outright, with a good purpose put before it, in the name of someone with power, as
something that everybody does, as a game, or under pressure."""
UNSEEN_SHARE = 0.4
"""Share of each domain's scenarios that no rule is learned from."""
WHERE = (
    "the data set Shell is to be had from the authors of MENTOR, a metacognition-driven self-evolution framework; its "
    "licence is reported as CC BY-SA 4.0. Get its file of queries, put it anywhere, and name it with -T source=PATH "
    "(CSV, JSON, JSONL or Parquet)"
)
"""What to get, from where, under which terms, and where to put it."""

_DOMAIN_WORDS: Mapping[str, Domain] = {
    **{domain: domain for domain in DOMAINS},
    "government": "management",
    "教育": "education",
    "金融": "finance",
    "管理": "management",
    "政府": "management",
}
_LANGUAGE_WORDS = {"english": "en", "chinese": "zh", "英文": "en", "中文": "zh"}
_OTHER_NAMES = {"colour": "expected", "color": "expected", "risk": "risk_factor", "attack": "attack_type"}


class RiskQuery(Frozen):
    """A request with a risk in it, or the harmless twin of one."""

    id: str
    """Unique in its file."""
    domain: Domain
    """Field of work; `government` is read as `management`."""
    language: str = "en"
    """BCP 47 tag."""
    query: str
    """What is asked."""
    scenario: str = ""
    """Kind of situation."""
    risk_factor: str = ""
    """What is wrong in it; empty for a twin."""
    attack_type: str = ""
    """How it asks; empty for a twin."""
    implicit: bool | None = None
    """Whether the risk goes unnamed; None if nobody said."""
    expected: Colour | None = None
    """What it deserves; None if nobody said."""
    twin_of: str = ""
    """For a harmless twin, id of the risk query that it goes with."""
    parties: tuple[str, ...] = ()
    """Who is affected, as the author of the query sees it."""
    consequences: tuple[str, ...] = ()
    """What follows if it is granted, as the author sees it."""
    synthetic: bool = False
    """Written for a test."""

    @property
    def kind(self) -> Kind:
        """`benign` if it is a twin or deserves green."""
        return "benign" if self.twin_of or self.expected == "green" else "risk"

    @property
    def pair(self) -> str:
        """What it shares with its twin."""
        return self.twin_of or self.id


def load_queries(source: str | Path = "") -> list[RiskQuery]:
    """Read all queries of a file.

    Args:
        source: A CSV, TSV, JSON, JSONL or Parquet file with the columns of `RiskQuery`, in any spelling of case,
            spaces and hyphens; of those only `domain` and `query` are needed. The synthetic queries if empty.

    Raises:
        InputError: The file or one of its rows cannot be read, or a twin has no risk query; names file and line.
    """
    with given_or_shipped(source, files("adjudge_mentor") / "data" / "queries_synthetic.jsonl", WHERE) as path:
        placed = [(row.place, _query(row.place, row.name, row.fields)) for row in read_rows(path)]
    if not placed:
        raise InputError(f"{source}: holds no query")
    _check_ids(placed)
    return [query for _, query in placed]


def _query(place: str, name: str, row: Mapping[str, Any]) -> RiskQuery:
    fields = {known: value for column, value in row.items() if (known := _field(column)) and value not in (None, "")}
    if missing := [column for column in ("domain", "query") if column not in fields]:
        raise InputError(f"{place}: has no {' and no '.join(missing)}; a row has domain, query and, if known, the rest")
    fields["domain"] = _domain(place, fields["domain"])
    language = str(fields.get("language", "en")).strip().casefold()
    fields["language"] = _LANGUAGE_WORDS.get(language, language)
    for column in ("expected", "attack_type"):
        if column in fields:
            fields[column] = str(fields[column]).strip().casefold()
    for column in ("parties", "consequences"):
        fields[column] = _several(fields.get(column, ()))
    try:
        return RiskQuery(**{"id": name, **fields, **_as_text(fields, ("id", "twin_of"))})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{place}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _field(column: str) -> str:
    """The field that a column is for; empty if for none."""
    plain = column.strip().casefold().replace(" ", "_").replace("-", "_")
    known = _OTHER_NAMES.get(plain, plain)
    return known if known in RiskQuery.model_fields else ""


def _domain(place: str, cell: Any) -> Domain:
    word = str(cell).strip().casefold()
    if word not in _DOMAIN_WORDS:
        raise InputError(f"{place}: domain is {cell!r}; it must be one of {', '.join(_DOMAIN_WORDS)}")
    return _DOMAIN_WORDS[word]


def _several(cell: Any) -> Any:
    """A list as it is; a text of a table split at semicolons."""
    return [part.strip() for part in cell.split(";") if part.strip()] if isinstance(cell, str) else cell


def _as_text(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Whole numbers as text, as a table of numbered rows has them."""
    return {name: str(fields[name]) for name in names if isinstance(fields.get(name), int)}


def _check_ids(placed: Sequence[tuple[str, RiskQuery]]) -> None:
    first: dict[str, str] = {}
    for place, query in placed:
        if query.id in first:
            raise InputError(f"{place}: the id {query.id!r} stood already at {first[query.id]}; ids are unique")
        first[query.id] = place
    risks = {query.id for _, query in placed if query.kind == "risk"}
    for place, query in placed:
        if query.twin_of and query.twin_of not in risks:
            raise InputError(f"{place}: twin_of is {query.twin_of!r}, which is the id of no risk query")


def unseen_scenarios(queries: Iterable[RiskQuery], seed: int = 0, share: float = UNSEEN_SHARE) -> set[str]:
    """The scenarios of each domain that are kept from whatever learns rules, drawn with a seed.

    Args:
        queries: Queries of all scenarios.
        seed: Draws them.
        share: Share of each domain's scenarios, rounded.
    """
    found: set[str] = set()
    scenarios = sorted({(query.domain, query.scenario) for query in queries if query.scenario})
    for domain in DOMAINS:
        own = [scenario for other, scenario in scenarios if other == domain]
        draw = random.Random(f"{seed}:{domain}")  # noqa: S311 - a reproducible choice, no secret
        found |= set(draw.sample(own, round(share * len(own))))
    return found


def drawn(queries: Sequence[RiskQuery], pairs: int, seed: int = 0) -> list[RiskQuery]:
    """A sample of whole pairs, the scenarios in turn, in the order of the file; all if `pairs` is 0 or too many."""
    draw = random.Random(seed)  # noqa: S311 - as above
    waiting: dict[str, list[str]] = {}
    for query in queries:
        own = waiting.setdefault(query.scenario, [])
        own += [query.pair] if query.pair not in own else []
    for own in waiting.values():
        draw.shuffle(own)
    in_turn = [own[turn] for turn in range(max(map(len, waiting.values()), default=0)) for own in _at(waiting, turn)]
    kept = set(in_turn[:pairs] if pairs else in_turn)
    return [query for query in queries if query.pair in kept]


def _at(waiting: Mapping[str, list[str]], turn: int) -> Iterator[list[str]]:
    return (own for own in waiting.values() if turn < len(own))
