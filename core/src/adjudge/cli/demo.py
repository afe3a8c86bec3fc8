"""`adjudge demo`: real verdicts on the shipped examples, with nothing to sign up for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adjudge.api import installed
from adjudge.cli.options import how_from, how_options
from adjudge.errors import UnknownNameError

EXAMPLES = {"nursing/bedside": "adjudge-nursing", "general/summary": "adjudge-rubrics"}
"""Rubrics whose golden tests are judged, and the distributions that bring them."""


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("adjudge-demo"), show_default=True, help="Folder.")
@how_options
def demo(*, out: Path, **options: Any) -> int:
    """Judge the shipped nursing and summary examples (synthetic) and show the judge card and where the report lies."""
    from rich.console import Console

    from adjudge.cli.golden import measure_card
    from adjudge.report import print_record, write_verdicts
    from adjudge.report.writing import report_folder

    how = how_from(options)
    console = Console()
    for rubric_id, distribution in EXAMPLES.items():
        packs = installed().packs
        if rubric_id not in packs.ids():
            raise UnknownNameError("rubric", rubric_id, packs.ids(), f"(pip install {distribution})")
        folder = out / rubric_id.replace("/", "-")
        _, record = measure_card(packs.get(rubric_id).rubric, how, folder)
        write_verdicts(folder, record.results)
        report = report_folder(folder, record)
        print_record(record, console)
        click.echo(f"report: {report}\n")
    click.echo("next: adjudge rubrics · adjudge new rubric NAME · adjudge judge FILE --rubric ID")
    return 0
