"""Reads cells that hold a Python literal, as data frames write lists; nothing in them is ever run."""

from __future__ import annotations

import ast
import warnings
from typing import Any

MAX_LENGTH = 1_000_000
"""Longest cell that is read, in characters."""


class _NanIsNone(ast.NodeTransformer):
    """A missing value of pandas stands as `nan`, which is a name and no literal."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(None), node) if node.id == "nan" else node


def parse_literal(text: str) -> Any:
    """The value of a Python literal: texts, numbers, lists, mappings, None; `nan` is read as None.

    Args:
        text: The cell.

    Raises:
        ValueError: It is no literal, or too long or too deep; one line, without the place.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a literal of more than {MAX_LENGTH:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a text is no fault of ours
            return ast.literal_eval(_NanIsNone().visit(ast.parse(text.strip(), mode="eval")))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        shown = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - fits in a message
        raise ValueError(f"no Python literal: {shown!r} ({type(error).__name__})") from None


def parse_list(cell: Any) -> list[Any]:
    """A list, written out as JSON or as a Python literal in a cell.

    Raises:
        ValueError: It is neither.
    """
    value = parse_literal(cell) if isinstance(cell, str) else cell
    if not isinstance(value, list):
        raise ValueError(f"a list is wanted, not {type(value).__name__}")  # noqa: TRY004 - one error for all faults
    return value


def parse_mapping(cell: Any) -> dict[Any, Any]:
    """A mapping, written out as JSON or as a Python literal in a cell.

    Raises:
        ValueError: It is neither.
    """
    value = parse_literal(cell) if isinstance(cell, str) else cell
    if not isinstance(value, dict):
        raise ValueError(f"a mapping is wanted, not {type(value).__name__}")  # noqa: TRY004 - one error for all faults
    return value
