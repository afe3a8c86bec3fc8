"""Registers the commands of the rule graph with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adjudge import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The command `graph`."""
    from adjudge_metacog.commands import graph

    return [graph]
