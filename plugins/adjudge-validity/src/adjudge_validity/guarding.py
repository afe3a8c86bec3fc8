"""Cells that a spreadsheet takes for formulas: guarded when a table is written, freed when it is read back."""

from __future__ import annotations

import re

_GUARDED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def guard(text: str) -> str:
    """Put a `'` in front of what a spreadsheet would run, or of what would be freed by mistake."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def free(cell: str) -> str:
    """The text that `guard` was given."""
    return cell[1:] if _GUARDED.match(cell) else cell
