"""`adjudge report`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from adjudge.errors import InputError
from adjudge.report.formats import FORMATS, Format
from adjudge.report.runs import Run


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE…")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the report; beside SOURCE if not given.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="html", show_default=True, help="What to write.")
@click.option("--together", is_flag=True, help="One file for all, where judges of one submission stand side by side.")
def report(sources: Sequence[Path], *, out: Path | None, form: Format, together: bool) -> int:
    """Write the report of finished runs.

    SOURCE is the folder of a run, whose report is written again from its ledger, or a log of inspect-ai (.eval, .json),
    or a folder of logs: one report for each scorer of each log.
    """
    from rich.console import Console

    from adjudge.report import print_record

    console = Console()
    for path, runs in _together(sources, out or Path(), form) if together else _each(sources, out, form):
        for run in runs:
            print_record(run.record, console)
        click.echo(f"report: {path}")
    return 0


def _each(sources: Sequence[Path], out: Path | None, form: Format) -> Iterator[tuple[Path, Sequence[Run]]]:
    """A file for each run."""
    from adjudge.report.runs import read_runs
    from adjudge.report.writing import report_files

    written: dict[Path, str] = {}
    for source in sources:
        for path, run in report_files(source, read_runs(source), out, form):
            if path in written:
                raise InputError(f"{path}: the reports of {written[path]} and {run.log} have one name; use --together")
            written[path] = run.log
            yield path, [run]


def _together(sources: Sequence[Path], out: Path, form: Format) -> Iterator[tuple[Path, Sequence[Run]]]:
    """One file for all runs."""
    from adjudge.report.export import write_files
    from adjudge.report.formats import packed
    from adjudge.report.runs import read_runs
    from adjudge.report.writing import together

    runs = read_runs(*sources)
    path = out / f"report.{form}"
    write_files(out, {path.name: together(runs) if form == "html" else packed(runs, form)})
    yield path, runs
