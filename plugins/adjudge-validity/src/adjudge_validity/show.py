"""Prints estimates as tables, and turns them into JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from adjudge.metrics import Estimate


def plain(value: Any) -> Any:
    """JSON values for estimates and what holds them; what is undefined is null with its note."""
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def cell(value: Any) -> str:
    """An estimate as `0.62 [0.55, 0.69] n=200`, or `undefined (why)`; nothing for what does not apply."""
    if value is None:
        return ""
    if isinstance(value, Estimate):
        return f"{value:.2f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table on standard output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=Text(title), title_justify="left")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    Console(soft_wrap=False).print(table)


def notes(sides: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """What is to be known of figures, each thing once, after the figures that it is about.

    Args:
        sides: Column of a table to figures by name.
    """
    about: dict[str, dict[str, list[str]]] = {}
    for side, figures in sides.items():
        for name, figure in figures.items():
            for note in figure.note.split("; ") if figure.value is not None and figure.note else ():
                about.setdefault(note, {}).setdefault(side, []).append(name)
    return [f"{'; '.join(_named(sides, *one) for one in found.items())}: {note}" for note, found in about.items()]


def _named(sides: Mapping[str, Mapping[str, Estimate]], side: str, names: Sequence[str]) -> str:
    """Figures of one column that have a value: all, all but a few, or some."""
    others = [name for name, figure in sides[side].items() if figure.value is not None and name not in names]
    if not others:
        return side
    few = len(others) < len(names)
    return f"{side} except {', '.join(others)}" if few else f"{side} {', '.join(names)}"
