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
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the report, or its file, which ends in .html, .json, .csv or .parquet; beside SOURCE if not given.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="What to write.  [default: what --out says, or html]"
)
@click.option(
    "--labels",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Labels of people, or a review; may be given several times. They count in the HTML report.",
)
@click.option("--together", is_flag=True, help="One file for all, where judges of one submission stand side by side.")
def report(
    sources: Sequence[Path], *, out: Path | None, form: Format | None, labels: Sequence[Path], together: bool
) -> int:
    """Write the report of finished runs.

    SOURCE is the folder of a run, whose report is written again from its ledger, or a log of inspect-ai (.eval, .json),
    or a folder of logs: one report for each scorer of each log.
    """
    from rich.console import Console

    from adjudge.report import print_record

    console = Console()
    told = _told_by(out, form)
    form = told or form or "html"
    if labels and form != "html":
        raise click.UsageError(f"--labels counts in the HTML report; leave it out with the format {form}")
    if told or together:
        file = out if out is not None and told else (out or Path()) / f"report.{form}"
        written = _one(sources, labels, file, form, together=together)
    else:
        written = _each(sources, labels, out, form)
    for path, runs in written:
        for run in runs:
            print_record(run.record, console)
        click.echo(f"report: {path}")
    return 0


def _told_by(out: Path | None, form: Format | None) -> Format | None:
    """The format that the name of a file says; None if it is a folder."""
    if out is None or out.is_dir():
        return None
    told = next((known for known in FORMATS if out.suffix == f".{known}"), None)
    if told is None:
        _refuse_other_file(out)
        return None
    if form not in (None, told):
        raise click.UsageError(
            f"--out {out} is a file of another format than --format {form}; name a folder, or .{form}"
        )
    return told


def _refuse_other_file(out: Path) -> None:
    """Refuse what looks like a file of a format that there is not, rather than make a folder of that name."""
    if out.suffix[1:].isalpha():
        *most, last = (f".{known}" for known in FORMATS)
        raise click.UsageError(
            f"--out {out}: a report is no {out.suffix} file; end its name in {', '.join(most)} or {last}, or name a"
            " folder"
        )


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


def _one(
    sources: Sequence[Path], labels: Sequence[Path], file: Path, form: Format, *, together: bool
) -> Iterator[tuple[Path, Sequence[Run]]]:
    """One file for all runs."""
    from adjudge.report.formats import packed
    from adjudge.report.writing import together as page
    from adjudge.report.writing import write_over

    runs = _read(sources, labels)
    if len(runs) > 1 and not together:
        raise InputError(f"{file}: one file for {len(runs):,} runs; use --together, or name a folder with --out")
    write_over(file, page(runs) if form == "html" else packed(runs, form))
    yield file, runs
