"""The report as one HTML file: no script, no network, everything from outside escaped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from adjudge.report import cards
from adjudge.report.record import RunRecord
from adjudge.report.summary import Summary, summary
from adjudge.report.text import columns, figure, is_table, number, percent, visible
from adjudge.report.view import REASONS, item_view
from adjudge.submission import Comparison

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ITEMS = 2_000
"""Most submissions shown."""
MOST_CHARACTERS = 12_000_000
"""Most bytes of HTML spent on submissions."""


def render_html(record: RunRecord) -> str:
    """Write the report of a run as one self-contained page.

    Args:
        record: The run. Of a large one the first submissions are shown, with a line that counts what is left out.

    Returns:
        HTML without scripts or outside references; equal records give equal text.
    """
    environment = _environment()
    figures = summary(record)
    shown = list(_items(record, environment))
    return environment.get_template("report.html").render(
        record=record,
        summary=figures,
        headline=headline(figures),
        tokens=token_line(figures),
        card_lines=card_lines(record),
        at_chance=record.card is None or record.card.at_chance,
        blocks=[_figure_block(name, value) for name, value in record.figures.items()],
        items=shown,
        left_out=len(record.items) - len(shown),
        css=_source("report.css"),
    )


def headline(figures: Summary) -> list[str]:
    """The result in a few sentences, what is missing from it beside it."""
    lines = [_mean_line(figures)] if figures.preferences is None or figures.n_scored else []
    if figures.preferences is not None:
        counts = ", ".join(f"{visible(level)} {count:,}" for level, count in figures.preferences.items())
        lines.append(f"Comparisons: {counts}; {figures.order_inconsistent:,} changed with the order.")
    lines.append(_coverage_line(figures))
    if figures.bounds is not None and figures.unscored and figures.n_scored + figures.n_unscored:
        low, high = map(number, figures.bounds)
        lines.append(f"With every unscored verdict at its worst the mean is {low}, at its best {high}.")
    if figures.n_undefined and figures.preferences is None:
        lines.append(f"For {figures.n_undefined:,} submissions the scoring gives no number; they are left out.")
    return lines


def _mean_line(figures: Summary) -> str:
    of = f"{figures.n_scored:,} of {figures.items:,} submissions"
    if figures.mean is None:
        return f"No mean score: {of} have a score, {figures.n_unscored:,} are unscored."
    return f"Mean score {number(figures.mean)} over {of}; {figures.n_unscored:,} unscored."


def _coverage_line(figures: Summary) -> str:
    reasons = ", ".join(f"{count:,} {reason} ({REASONS[reason]})" for reason, count in figures.reasons.items())
    due = figures.scored + figures.unscored
    skipped = f"; {figures.skipped:,} not asked" if figures.skipped else ""
    return (
        f"Coverage {percent(figures.coverage)}: {figures.scored:,} of {due:,} verdicts scored, "
        f"{figures.unscored:,} unscored{f': {reasons}' if reasons else ''}{skipped}."
    )


def token_line(figures: Summary) -> str:
    """Tokens and cost in one sentence."""
    usage = figures.usage
    cost = f"cost {usage.cost:.4f} US dollars" if usage.cost else "no cost"
    if figures.cached_share is None:
        return f"No tokens were counted; {cost}."
    return (
        f"{usage.prompt_tokens:,} prompt tokens, {percent(figures.cached_share)} of them from a cache; "
        f"{usage.completion_tokens:,} written; {cost}."
    )


def card_lines(record: RunRecord) -> list[str]:
    """What is known of the judge, and what to type for a better one where it is at chance."""
    if record.card is None:
        if any(isinstance(item, Comparison) for item in record.items):
            return ["judge card: none, since golden tests measure single answers and these are comparisons"]
        if "scorer" in record.provenance and "judge" not in record.provenance:
            return ["judge card: none, since another scorer gave these scores"]
        if record.rubric is not None and not record.rubric.tests:
            return ["judge card: none, since the rubric has no golden tests to measure a judge with"]
        named = record.provenance.get("rubric file") or (record.rubric.id if record.rubric else "")
        judge, read_out = (str(record.provenance.get(name) or "") for name in ("judge", "read-out"))
        return [cards.missing_line(str(named), _backend_name(record), judge, read_out)]
    lines = [cards.line(record.card), *map(cards.human_line, record.card.human_figures)]
    return [*lines, *(f"better: {one}" for one in cards.BETTER_JUDGES)] if record.card.at_chance else lines


def _backend_name(record: RunRecord) -> str:
    name = record.provenance.get("backend", "")
    return name if isinstance(name, str) else ""


def _items(record: RunRecord, environment: Environment) -> Iterator[str]:
    """Each submission as HTML, until the room is spent."""
    template = environment.get_template("item.html")
    room = MOST_CHARACTERS
    for item, result in islice(zip(record.items, record.results, strict=True), MOST_ITEMS):
        text = template.render(item=item_view(record, item, result))
        room -= len(text.encode())
        if room < 0:
            return
        yield text


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


def _json(value: Any) -> str:
    """A value of provenance or metadata: text as it is, the rest as JSON."""
    if isinstance(value, str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


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
    environment.filters |= {"number": number, "percent": percent, "json": _json}
    return environment


def _finalize(value: Any) -> Any:
    """Make hidden characters visible wherever text is put out; escaping follows."""
    return visible(value) if type(value) is str else value


def _source(name: str) -> str:
    from importlib.resources import files

    return (files("adjudge.report") / "templates" / name).read_text(encoding="utf-8")
