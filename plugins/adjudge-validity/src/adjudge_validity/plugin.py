"""Registers this distribution's commands with adjudge; what is heavy waits until one is called."""

from __future__ import annotations

from collections.abc import Sequence

import click

from adjudge import hookimpl


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The commands `agreement`, `estimate`, `gate`, `draw` and `raters`."""
    from adjudge_validity.commands import agreement
    from adjudge_validity.commands_estimate import draw, estimate, gate
    from adjudge_validity.commands_raters import raters

    return [agreement, estimate, gate, draw, raters]
