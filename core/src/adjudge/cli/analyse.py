"""`adjudge analyse`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adjudge.api import installed
from adjudge.cli.options import pairs
from adjudge.errors import UnsupportedError
from adjudge.options import refuse_options
from adjudge.plugins import lookup


@click.command()
@click.argument("name", required=False)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("-O", "options", multiple=True, callback=pairs, metavar="NAME=VALUE", help="Option of the analysis.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON rather than a table.")
def analyse(name: str | None, folder: Path | None, *, options: dict[str, Any], as_json: bool) -> int:
    """Run the analysis NAME over the run in FOLDER; without arguments, list the analyses."""
    known = installed().analyses
    if name is None:
        for spec in known.values():
            click.echo(f"{spec.name}: {spec.summary}\n    adjudge analyse {spec.name} FOLDER")
        return 0
    spec = lookup(installed(), known, "analysis", name)
    if folder is None:
        raise click.UsageError(f"name the --out folder of a run: adjudge analyse {name} FOLDER")
    refuse_options(f"the analysis {name!r}", spec.build, options)
    try:
        run = spec.build(**options)
    except TypeError as error:
        raise UnsupportedError(f"the analysis {name!r} does not take these options: {error}") from error
    found = run(folder)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str)) if as_json else _print(found)
    return 0


def _print(found: Any) -> None:
    """A list of rows as a table, anything else as JSON."""
    from rich.console import Console
    from rich.table import Table

    if not (isinstance(found, list) and found and all(isinstance(row, dict) for row in found)):
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))
        return
    rows = [{name: _shown(value) for name, value in row.items()} for row in found]
    console = Console()
    if len(rows[0]) * _NARROWEST > console.width:
        click.echo("\n\n".join(_block(row) for row in rows))
        return
    table = Table(*map(str, rows[0]))
    for row in rows:
        table.add_row(*row.values())
    console.print(table)


_NARROWEST = 10
"""Characters of a column under which a table cannot be read."""


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _block(row: dict[str, str]) -> str:
    """A row on lines of its own; what is empty is left out."""
    known = {name: value for name, value in row.items() if value not in ("", "None")}
    width = max(map(len, known), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in known.items())
