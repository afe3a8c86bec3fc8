"""The report as one HTML file: no network, one script and one style sheet, known by their hashes, and nothing else.

Everything from outside is text: escaped in the markup that is written here, and put in by `textContent` where the
script of the page shows it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from adjudge.interfaces import Plot, Section, Table
from adjudge.report.payload import payload
from adjudge.report.people import people_lines
from adjudge.report.record import RunRecord
from adjudge.report.rubrics import other_rubrics
from adjudge.report.summary import Summary, summary
from adjudge.report.svg import safe_svg
from adjudge.report.text import columns, figure, figure_name, is_table, json_text, number, percent, visible
from adjudge.report.words import card_lines, headline, token_line

if TYPE_CHECKING:
    from jinja2 import Environment

SHADES = 10
"""Steps of shading in a table."""


def render_html(*records: RunRecord, sections: Sequence[Section] = (), title: str = "") -> str:
    """Write the report of one run, or of several beside each other, as one self-contained page.

    Args:
        records: The runs. Of large ones the first submissions are shown, with a line that counts what is left out.
        sections: What analyses add.
        title: Headline; of one run its own.

    Returns:
        HTML that loads nothing; equal records and sections give equal text.
    """
    submissions = payload(records)
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=title or (records[0].title if len(records) == 1 else f"{len(records)} runs"),
            runs=[_Part.of(record) for record in records],
            sections=[section_view(section, place) for place, section in enumerate(sections)],
            payload=submissions,
            css=_source("report.css"),
            script=_source("report.js"),
            policy=_policy(),
        )
    )


@dataclass(frozen=True)
class _Part:
    """What the overview shows of one run."""

    record: RunRecord
    summary: Summary
    headline: Sequence[str]
    tokens: str
    others: Sequence[str]
    people: Sequence[str]
    card_lines: Sequence[str]
    at_chance: bool
    blocks: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, record: RunRecord) -> _Part:
        figures = summary(record)
        return cls(
            record=record,
            summary=figures,
            headline=headline(figures),
            tokens=token_line(figures),
            others=other_rubrics(record),
            people=people_lines(record),
            card_lines=card_lines(record),
            at_chance=record.card is None or record.card.at_chance,
            blocks=[_figure_block(figure_name(name), value) for name, value in record.figures.items()],
        )

    @property
    def hardest(self) -> Sequence[tuple[str, float]]:
        """Criteria below the best level, with the share of it that was reached on average, the lowest first.

        None of two criteria, which the table above shows at a glance.
        """
        known = [(row.name, row.reached) for row in self.summary.criteria if row.reached is not None]
        short = [(name, share) for name, share in known if share < 1]
        return sorted(short, key=lambda pair: pair[1]) if len(known) > 2 else []  # noqa: PLR2004 - as above


def section_view(section: Section, place: int) -> dict[str, Any]:
    """What the template shows of a section.

    Args:
        section: The section.
        place: Its number, from 0; part of the ids in its pictures.

    Raises:
        ValueError: A plot is no SVG.
    """
    parts = [_part(part, f"s{place}p{number}-") for number, part in enumerate(section.parts)]
    return {"title": section.title, "lead": section.lead, "help": section.help, "parts": parts}


def _part(part: Plot | Table | str, prefix: str) -> dict[str, Any]:
    if isinstance(part, str):
        return {"kind": "text", "text": part}
    if isinstance(part, Table):
        return {"kind": "table", "title": part.title, "columns": part.columns, "rows": list(_shaded(part))}
    picture = ET.tostring(safe_svg(part.svg, prefix, part.title), encoding="unicode")
    return {"kind": "plot", "title": part.title, "says": part.says, "svg": picture}


def _shaded(table: Table) -> Sequence[Sequence[tuple[str, int | None]]]:
    """Cells as text, each with its step of shading."""
    return [
        [(figure(cell), _step(table, row, column)) for column, cell in enumerate(cells)]
        for row, cells in enumerate(table.rows)
    ]


def _step(table: Table, row: int, column: int) -> int | None:
    shade = table.shades[row][column] if table.shades else None
    return None if shade is None else min(SHADES - 1, int(shade * SHADES))


def _figure_block(name: str, value: Any) -> dict[str, Any]:
    """A figure in one line, or a table."""
    if is_table(value):
        names = columns(value)
        return {"name": name, "columns": names, "rows": [[_cell(row, one) for one in names] for row in value]}
    if isinstance(value, Mapping):
        return {"name": name, "columns": ["figure", "value"], "rows": [[k, figure(v)] for k, v in value.items()]}
    return {"name": name, "text": figure(value)}


def _cell(row: Mapping[str, Any], name: str) -> str:
    return figure(row[name]) if name in row else ""


@cache
def _policy() -> str:
    """The content security policy: nothing at all but this script and this style sheet."""
    script, style = (_hash(_source(name)) for name in ("report.js", "report.css"))
    return f"default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "json": json_text,
        "ticked": _ticked,
    }
    return environment


def _ticked(text: str) -> list[str]:
    """Stretches in turn outside and inside backticks; one without its partner stays what it is."""
    *parts, last = text.split("`")
    return [*parts, last] if len(parts) % 2 == 0 else [*parts[:-1], f"{parts[-1]}`{last}"]


def _finalize(value: Any) -> Any:
    """Make hidden characters visible wherever text is put out; escaping follows."""
    return visible(value) if type(value) is str else value


@cache
def _source(name: str) -> str:
    from importlib.resources import files

    return (files("adjudge.report") / "templates" / name).read_text(encoding="utf-8")
