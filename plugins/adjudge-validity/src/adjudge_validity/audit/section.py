"""The section of the HTML report on audits: what `audit.json` beside a run says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adjudge.interfaces import Section, Table
from adjudge.metrics import Estimate
from adjudge.report import RunRecord
from adjudge.report.sections import AUDITS_LEAD, tables_of
from adjudge_validity.audit.catalogue import Audit
from adjudge_validity.audit.findings import Finding, Part, rows

_HELP = (
    "Each audit changes one trait of a submission and asks the judge again. 'Counted' says how often that moved the"
    " verdict: flips (the level changed), rises (it rose), or credits (an answer without content still got something),"
    " with its 95 % interval. An audit fails if that is surely more than 'at most' allows, and passes if it is surely"
    " not; 'too few' says that there are not enough submissions to tell. 'Shift' is the mean move in favour of the"
    " submission, in shares of the scale."
)
_HEADS = {
    "fail": "Failed",
    "too few": "Too few submissions to tell",
    "pass": "Passed",
    "not applicable": "Not applicable",
}
"""Each decision in words, in the order of the lead."""


def audit_sections(records: Sequence[RunRecord]) -> Sequence[Section]:
    """Findings of audits that lie beside the runs; files of another shape as the tables that they hold."""
    parts: list[Table | str] = []
    found: list[Finding] = []
    for record in records:
        for name, value in record.audits.items():
            title = f"{name}: {record.title}" if len(records) > 1 else name
            own = findings_in(value)
            parts += _findings(title, own) if own else tables_of(title, value)
            found += own
    lead = " ".join((AUDITS_LEAD, *_heads(found)))
    section = Section(title="Audits", lead=lead, help=_HELP if found else "", parts=tuple(parts))
    return (section,) if parts else ()


def findings_in(value: Any) -> list[Finding]:
    """The findings in the JSON that `adjudge audit` writes; none if it is another file."""
    try:
        return [_finding(one) for one in value["findings"]]
    except (KeyError, TypeError):
        return []


def _finding(value: Mapping[str, Any]) -> Finding:
    inside = {"audit": Audit(**value["audit"]), "whole": _part(value["whole"])}
    return Finding(**{**value, **inside, "parts": tuple(map(_part, value["parts"]))})


def _part(value: Mapping[str, Any]) -> Part:
    return Part(**{**value, **{name: Estimate(**value[name]) for name in ("rate", "flips", "shift")}})


def _heads(found: Sequence[Finding]) -> Iterator[str]:
    for decision, head in _HEADS.items():
        names = [one.audit.name for one in found if one.decision == decision]
        if names:
            yield f"{head}: {', '.join(names)}."


def _findings(title: str, found: Sequence[Finding]) -> Iterator[Table]:
    yield _table(title, rows(found), ("audit", "decision", "counted", "at most", "shift", "unscored", "note"))
    parts = [row for row in rows(found, parts=True) if row["rate"].value is not None]
    if len(parts) > len(found):
        yield _table(f"{title}, part by part", parts, ("audit", "part", "counted", "shift", "unscored"))


def _table(title: str, table: Sequence[Mapping[str, Any]], columns: tuple[str, ...]) -> Table:
    """Rows in few and short cells."""
    shown = [
        {
            **row,
            "part": row["part"] or "all",
            "counted": "" if row["rate"].value is None else f"{row['measure']} {row['rate']:.2f}",
            "at most": f"{row['threshold']:g}",
            "shift": "" if row["shift"].value is None else f"{row['shift']:.2f}",
        }
        for row in table
    ]
    return Table(title=title, columns=columns, rows=tuple(tuple(row[name] for name in columns) for row in shown))
