"""Reports of runs that were read back, each in a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from adjudge.report.export import write_files
from adjudge.report.html import render_html
from adjudge.report.runs import Run


def report_files(source: Path, runs: Sequence[Run], out: Path | None = None) -> Iterator[tuple[Path, Run]]:
    """Write the report of each run.

    Args:
        source: What the runs were read from.
        runs: The runs.
        out: Folder to write to; that of the run, or the one that holds the log, if None.

    Yields:
        The file written and its run: `report.html` for the folder of one run, the name of the folder or log otherwise,
        with the scorer where a log has several.

    Raises:
        InputError: The folder cannot be written.
    """
    for run in runs:
        path = _path(source, run, runs)
        folder = out or path.parent
        write_files(folder, {path.name: render_html(run.record).encode()})
        yield folder / path.name, run


def _path(source: Path, run: Run, runs: Sequence[Run]) -> Path:
    if run.source == "adjudge":
        folder = Path(run.log)
        return folder / ("report.html" if len(runs) == 1 else f"{folder.name}.html")
    log = _local(source, run)
    several = sum(other.log == run.log for other in runs) > 1
    name = re.sub(r"[^\w.-]+", "-", run.scorer)
    return log.with_name(f"{log.stem}.{name}.html" if several else f"{log.stem}.html")


def _local(source: Path, run: Run) -> Path:
    """Where the log lies on this machine, as far as its own account can be read as a path."""
    if source.is_file():
        return source
    return Path(run.log.removeprefix("file://"))
