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
@click.option(
    "--labels",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Labels of people, or a review; may be given several times. They count in the HTML report.",
)
@click.option("--together", is_flag=True, help="One file for all, where judges of one submission stand side by side.")
def report(sources: Sequence[Path], *, out: Path | None, form: Format, labels: Sequence[Path], together: bool) -> int:
    """Write the report of finished runs.

    SOURCE is the folder of a run, whose report is written again from its ledger, or a log of inspect-ai (.eval, .json),
    or a folder of logs: one report for each scorer of each log.
    """
    from rich.console import Console

    from adjudge.report import print_record

    if labels and form != "html":
        raise click.UsageError(f"--labels counts in the HTML report; leave it out with --format {form}")
    console = Console()
    make = _together if together else _each
    for path, runs in make(sources, labels, out, form):
        for run in runs:
            print_record(run.record, console)
        click.echo(f"report: {path}")
    return 0


def _read(sources: Sequence[Path], labels: Sequence[Path]) -> list[Run]:
    from adjudge.api import installed
    from adjudge.report.people import with_people
    from adjudge.report.runs import read_runs

    return with_people(read_runs(*sources), labels, installed())


def _each(
    sources: Sequence[Path], labels: Sequence[Path], out: Path | None, form: Format
) -> Iterator[tuple[Path, Sequence[Run]]]:
    """A file for each run."""
    from adjudge.report.writing import report_files

    written: dict[Path, str] = {}
    for source in sources:
        for path, run in report_files(source, _read([source], labels), out, form):
            if path in written:
                raise InputError(f"{path}: the reports of {written[path]} and {run.log} have one name; use --together")
            written[path] = run.log
            yield path, [run]


def _together(
    sources: Sequence[Path], labels: Sequence[Path], out: Path | None, form: Format
) -> Iterator[tuple[Path, Sequence[Run]]]:
    """One file for all runs."""
    from adjudge.report.export import write_files
    from adjudge.report.formats import packed
    from adjudge.report.writing import together

    runs = _read(sources, labels)
    path = (out or Path()) / f"report.{form}"
    write_files(path.parent, {path.name: together(runs) if form == "html" else packed(runs, form)})
    yield path, runs
