"""Sections that plugins add to the report, and the line that stands where a plugin is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adjudge.interfaces import Section, Table
from adjudge.plugins import Plugins
from adjudge.report.html import section_view
from adjudge.report.record import RunRecord
from adjudge.report.text import columns, is_table

EXPECTED = {
    "agreement": ("Agreement with people", "pip install adjudge-validity"),
    "confidence": ("How far the judge's confidence can be trusted", "pip install adjudge-validity"),
}
"""Analyses whose section a reader looks for: the headline, and how to get them."""
AUDITS = "audits"
"""Name of the analysis that shows results of audits; without it they are shown as the tables that they hold."""
AUDITS_LEAD = "What happens to the judge's verdicts when something changes that should not matter."
"""How a section on audits begins, whoever writes it."""


def sections_of(records: Sequence[RunRecord], plugins: Plugins) -> list[Section]:
    """What the installed analyses have to say, then audits; one line for each expected analysis that is missing.

    An analysis that fails leaves its reason in place of its section: the report is written all the same.
    """
    found: list[Section] = []
    for name in dict.fromkeys([*EXPECTED, *plugins.analyses]):
        spec = plugins.analyses.get(name)
        if spec is not None and spec.sections is not None:
            found += _made(name, spec.sections, records)
        elif name in EXPECTED:
            title, install = EXPECTED[name]
            found.append(Section(title=title, lead=f"Not shown: this part comes from a plugin; to see it, {install}"))
    told = plugins.analyses.get(AUDITS)
    return [*found, *([] if told is not None and told.sections is not None else audits_of(records))]


def _made(name: str, make: Any, records: Sequence[RunRecord]) -> Sequence[Section]:
    try:
        found = tuple(make(records))
        for section in found:
            section_view(section, 0)
    except Exception as error:  # noqa: BLE001 - a plugin may do anything; the report must still be written
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return (Section(title=name.capitalize(), lead=f"Not shown: the analysis {name!r} failed ({told})"),)
    return found


def audits_of(records: Sequence[RunRecord]) -> list[Section]:
    """Results of audits that lie beside the runs, as the tables that they hold."""
    files = [(name, value) for record in records for name, value in record.audits.items()]
    if not files:
        return []
    parts = [part for name, value in files for part in tables_of(name, value)]
    return [Section(title="Audits", lead=AUDITS_LEAD, parts=tuple(parts))]


def tables_of(title: str, value: Any) -> list[Table | str]:
    """Any JSON value as tables: lists of rows as they are, single values in a table of their own."""
    if is_table(value):
        return [*_table(title, value), *_inner(title, value)]
    if not isinstance(value, Mapping):
        return [f"{title}: {value}"]
    plain = {str(name): inner for name, inner in value.items() if not _holds_more(inner)}
    inside = [(f"{title}: {name}", inner) for name, inner in value.items() if _holds_more(inner)]
    first = [Table(title=title, columns=("figure", "value"), rows=tuple(plain.items()))] if plain else []
    return [*first, *(part for name, inner in inside for part in tables_of(name, inner))]


def _holds_more(value: Any) -> bool:
    return isinstance(value, Mapping) or is_table(value)


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> list[Table]:
    """The rows, without columns that say nothing; none if there are no others."""
    flat = [dict(_flat(row)) for row in rows]
    names = [name for name in columns(flat) if any(row.get(name) not in (None, "", []) for row in flat)]
    cells = tuple(tuple(row.get(name, "") for name in names) for row in flat)
    return [Table(title=title, columns=tuple(names), rows=cells)] if names else []


def _inner(title: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Table | str]:
    """Tables inside rows, named after the first cell of their row."""
    for row in rows:
        name = next((str(value) for _, value in _flat(row) if value not in (None, "")), "")
        for key, value in row.items():
            if is_table(value):
                yield from tables_of(f"{title}: {name}: {key}", value)


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Cells of a row; what is inside a cell gets columns of its own, a figure with its interval one."""
    for key, value in row.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and "value" in value:
            yield name, _figure(value)
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{name} ")
        elif not is_table(value):
            yield name, value


def _figure(value: Mapping[str, Any]) -> str:
    """A figure with its interval, as the JSON of an estimate says it."""
    number, low, high = (value.get(name) for name in ("value", "low", "high"))
    if not isinstance(number, int | float):
        return f"undefined: {value.get('note') or 'no data'}"
    return f"{number:.2f}" if low is None or high is None else f"{number:.2f} ({low:.2f} to {high:.2f})"
