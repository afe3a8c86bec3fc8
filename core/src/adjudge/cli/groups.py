"""Groups of commands."""

from __future__ import annotations

import click

_WHOLE = 1_000
"""More characters than a sentence has."""


class WholeGroup(click.Group):
    """A group whose help tells the first sentence of every command whole, wrapped rather than cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in found if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
