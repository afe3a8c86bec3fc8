"""The report for a terminal: one screen of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from adjudge.report.people import people_lines
from adjudge.report.record import RunRecord
from adjudge.report.summary import CriterionRow, summary
from adjudge.report.text import figure, figure_name, is_table, number, percent, visible
from adjudge.report.words import card_lines, headline, token_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from adjudge.report.cards import Confusion, JudgeCard

MOST_ROWS = 20
"""Most criteria shown on one screen."""


def print_record(record: RunRecord, console: Console) -> None:
    """Print the run on the console."""
    console.print(render_table(record))


def render_table(record: RunRecord) -> RenderableType:
    """The run on one screen: criteria, headline, figures, judge card, warnings."""
    from rich.console import Group

    figures = summary(record)
    table = _table(record.title, "criterion" if record.rubric else "dimension", *_COLUMNS)
    for row in figures.criteria[:MOST_ROWS]:
        table.add_row(*map(_text, _cells(row)))
    more = len(figures.criteria) - MOST_ROWS
    lines = [
        *([f"… and {more} more; see the report"] if more > 0 else []),
        *headline(figures),
        token_line(figures),
        *(people_lines(record) if record.people.files else []),
        *(f"{figure_name(name)}: {figure(value)}" for name, value in record.figures.items() if _fits_a_line(value)),
    ]
    card_style = "yellow" if record.card is None or record.card.at_chance else "green"
    return Group(
        table,
        *map(_text, lines),
        *(_text(line, card_style) for line in card_lines(record)),
        *(_text(f"warning: {warning}", "yellow") for warning in record.warnings),
    )


_COLUMNS = ("levels given", "reached", "mean", "scored", "unscored")


def _fits_a_line(value: Any) -> bool:
    return not is_table(value) and not isinstance(value, dict | list | tuple)


def _cells(row: CriterionRow) -> Iterable[str]:
    yield f"{row.name} of {', '.join(row.rubrics)}" if row.rubrics else row.name
    yield " · ".join(f"{level} {count}" for level, count in row.levels.items())
    yield "–" if row.reached is None else percent(row.reached)
    yield "–" if row.mean is None else number(row.mean)
    yield str(row.scored)
    reasons = ", ".join(f"{reason} {count}" for reason, count in row.reasons.items())
    yield f"{row.unscored}{f' ({reasons})' if reasons else ''}"


def _table(title: str, *names: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=_text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(_text(name), overflow="fold", justify="left" if place < 2 else "right")  # noqa: PLR2004 - name and levels are words
    return table


def _text(text: str, style: str = "") -> Text:
    """Text that is neither markup nor terminal control, whatever it holds."""
    from rich.text import Text

    return Text(visible(text), style=style)


def card_tables(card: JudgeCard) -> RenderableType:
    """A judge card as tables: confusion per scale, agreement per criterion."""
    from rich.console import Group

    agreement = _table("agreement per criterion", "criterion", "", "agreed", "scored", "asked")
    for row in card.criteria:
        share = percent(row.agreed / row.scored) if row.scored else "none scored"
        agreement.add_row(*map(_text, (row.criterion, share, str(row.agreed), str(row.scored), str(row.verdicts))))
    return Group(*(_confusion(confusion) for confusion in card.confusion), agreement)


def _confusion(confusion: Confusion) -> Table:
    title = f"expected (rows) and given (columns): {_few(confusion.criteria)}"
    table = _table(title, "expected", *confusion.levels, "unscored")
    for level, counts, unscored in zip(confusion.levels, confusion.counts, confusion.unscored, strict=True):
        table.add_row(*map(_text, (level, *map(str, counts), str(unscored))))
    return table


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"  # noqa: PLR2004 - one line
