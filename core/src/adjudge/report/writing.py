"""Reports of finished runs as files: HTML with all that plugins add, JSON, CSV, Parquet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from adjudge.api import installed
from adjudge.plugins import Plugins
from adjudge.report.export import write_files
from adjudge.report.folder import audits_in
from adjudge.report.formats import Format, packed
from adjudge.report.html import render_html
from adjudge.report.logged import with_logged
from adjudge.report.record import RunRecord
from adjudge.report.rehearsal import with_exchanges
from adjudge.report.runs import Run
from adjudge.report.sections import sections_of
from adjudge.report.target import check_target


def report_folder(folder: Path, record: RunRecord, plugins: Plugins | None = None) -> Path:
    """Write `report.html` into the folder of a run, with prompts and replies, audits, and what plugins add.

    Raises:
        InputError: The folder cannot be written, or an audit in it cannot be read.
    """
    known = plugins or installed()
    with with_exchanges(folder, replace(record, audits=audits_in(folder)), known) as full:
        page = render_html(full, sections=sections_of([full], known))
    write_files(folder, {"report.html": page.encode()})
    return folder / "report.html"


def report_files(
    source: Path, runs: Sequence[Run], out: Path | None = None, form: Format = "html"
) -> Iterator[tuple[Path, Run]]:
    """Write the report of each run.

    Args:
        source: What the runs were read from.
        runs: The runs.
        out: Folder to write to; that of the run, or the one that holds the log, if None.
        form: What to write.

    Yields:
        The file written and its run: `report` with the ending of the format for the folder of one run, the name of the
        folder or log otherwise, with the scorer where a log has several.

    Raises:
        InputError: The folder cannot be written, a file of that name is no report, or the format needs what is not
            installed.
    """
    for _, group in groupby(runs, key=lambda run: run.log):
        same = list(group)
        contents = _pages(same) if form == "html" else (packed([run], form) for run in same)
        for run, content in zip(same, contents, strict=True):
            path = _path(source, run, runs, form)
            target = (out or path.parent) / path.name
            write_over(target, content)
            yield target, run


def write_over(path: Path, content: bytes) -> None:
    """Write a report to where there is nothing, or a report.

    Raises:
        InputError: The file is there and is no report, or the folder cannot be written.
    """
    check_target(path)
    write_files(path.parent, {path.name: content})


def together(runs: Sequence[Run], title: str = "") -> bytes:
    """One page for one run, or for several beside each other."""
    with _complete(runs) as complete:
        return _page(_told_apart(complete), title)


def _pages(runs: Sequence[Run]) -> Iterator[bytes]:
    """A page for each run."""
    with _complete(runs) as complete:
        for record in complete:
            yield _page([record])


def _page(records: Sequence[RunRecord], title: str = "") -> bytes:
    return render_html(*records, sections=sections_of(records, installed()), title=title).encode()


@contextmanager
def _complete(runs: Sequence[Run]) -> Iterator[list[RunRecord]]:
    """The records of runs with prompts and replies."""
    logged = iter(with_logged([run for run in runs if run.source != "adjudge"]))
    with ExitStack() as stack:
        yield [
            stack.enter_context(with_exchanges(Path(run.log), run.record, installed()))
            if run.source == "adjudge"
            else next(logged)
            for run in runs
        ]


def _told_apart(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Runs that share a title with the judge and the backend in it."""
    titles = Counter(record.title for record in records)
    return [
        replace(record, title=f"{record.title} · {record.provenance.get('judge')}, {record.provenance.get('backend')}")
        if titles[record.title] > 1
        else record
        for record in records
    ]


def _path(source: Path, run: Run, runs: Sequence[Run], form: Format) -> Path:
    if run.source == "adjudge":
        folder = Path(run.log)
        return folder / f"{'report' if len(runs) == 1 else folder.name}.{form}"
    log = _local(source, run)
    several = sum(other.log == run.log for other in runs) > 1
    name = re.sub(r"[^\w.-]+", "-", run.scorer)
    if several:
        return log.with_name(f"{log.stem}.{name}.{form}")
    # The report of a log in JSON must not have the name of the log.
    return log.with_name(f"{log.stem}.report.{form}" if log.suffix == f".{form}" else f"{log.stem}.{form}")


def _local(source: Path, run: Run) -> Path:
    """Where the log lies on this machine, as far as its own account can be read as a path."""
    if source.is_file():
        return source
    return Path(run.log.removeprefix("file://"))
