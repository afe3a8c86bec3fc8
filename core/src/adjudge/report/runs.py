"""Finished runs from wherever they are kept: folders of adjudge, ledgers, logs of inspect-ai."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adjudge.api import installed
from adjudge.errors import InputError
from adjudge.ledger import LEDGER
from adjudge.plugins import Plugins
from adjudge.report.record import RunRecord

_LOGS = (".eval", ".json")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a run knows of one judged sample beside its item and result."""

    sample_id: str
    """Unique id of sample and epoch; in a log that of inspect's own frames."""
    id: str
    """Id of the sample in its data set."""
    epoch: int = 1
    """Which epoch, from 1."""
    rubric: str = ""
    """Id of the rubric; empty if another scorer gave the score."""
    rubric_version: str = ""
    """Its version."""
    rubric_hash: str = ""
    """Its content hash."""
    judge: str = ""
    """Name of the judge with its settings."""
    read_out: str = ""
    """How levels were asked for and read."""
    backend: str = ""
    """Who was asked."""
    dimensions: tuple[tuple[str, str], ...] = ()
    """Criterion and dimension, of those that have one."""
    error: str = ""
    """Why there is no score at all: the sample failed, or was not scored by this scorer."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run by one scorer, whoever kept it."""

    eval_id: str
    """Id of the run; in a log that of inspect's own frames."""
    log: str
    """Where it is kept."""
    source: Literal["adjudge", "inspect"]
    """Whose file that is."""
    task: str
    """What was run."""
    model: str = ""
    """The model that wrote what is judged, if one did."""
    scorer: str = "adjudge"
    """Name of the scorer in the log."""
    status: str = "success"
    """Of a log: `success`, `started`, `cancelled` or `error`."""
    engine: str = ""
    """Whose calls the judge's were: `inspect` or `adjudge`; empty for another scorer."""
    version: str = ""
    """Version of adjudge, if it gave the scores."""
    record: RunRecord
    """Items, results and provenance."""
    rows: tuple[Row, ...]
    """One per item, in the record's order."""


def read_runs(*sources: Any, plugins: Plugins | None = None) -> list[Run]:
    """Read runs.

    Args:
        sources: The `--out` folder of a run, its ledger, a log of inspect-ai (`.eval` or `.json`, or one that was read
            already), or a folder of any of these, searched through.
        plugins: Where rubrics and scorings come from; the installed ones by default.

    Returns:
        The last run of each ledger and, for each log, one run per scorer.

    Raises:
        InputError: A path is none of these, or holds a run that was not finished.
        LedgerError: A ledger is torn.
    """
    known = plugins or installed()
    return [run for source in sources for run in _read(source, known)]


def _read(source: Any, plugins: Plugins) -> Iterator[Run]:
    if not isinstance(source, str | Path):
        from adjudge.report.logs import runs_of_log

        yield from runs_of_log(source, plugins)
        return
    path = Path(source)
    if (path / LEDGER).is_file():
        yield _folder(path, plugins)
    elif path.is_dir():
        yield from _inside(path, plugins)
    elif path.name == LEDGER and path.is_file():
        yield _folder(path.parent, plugins)
    elif path.suffix in _LOGS and path.is_file():
        from adjudge.report.logs import read_log, runs_of_log

        yield from runs_of_log(read_log(path), plugins)
    else:
        what = "is no run folder and no log" if path.exists() else "no such file or folder"
        raise InputError(f"{path}: {what}; name the --out folder of a run, or an inspect log (.eval)")


def _inside(folder: Path, plugins: Plugins) -> Iterator[Run]:
    found = [path for path in sorted(folder.rglob("*")) if path.name == LEDGER or path.suffix == ".eval"]
    if not found:
        raise InputError(f"{folder}: holds no {LEDGER} and no .eval log; name the --out folder of a run, or a log")
    for path in found:
        yield from _read(path, plugins)


def _folder(folder: Path, plugins: Plugins) -> Run:
    from adjudge.report.folder import read_record, run_id

    record = read_record(folder, plugins)
    about = record.provenance
    eval_id = run_id(folder)
    rows = []
    for item in record.items:
        rubric = record.rubric_of(item)
        rows.append(
            Row(
                sample_id=f"{eval_id}/{item.id}",
                id=item.id,
                rubric=rubric.id if rubric else "",
                rubric_version=rubric.version if rubric else "",
                rubric_hash=rubric.hash if rubric else "",
                judge=str(about.get("judge") or ""),
                read_out=str(about.get("read-out") or ""),
                backend=str(about.get("backend") or ""),
                dimensions=tuple((one.id, one.dimension) for one in rubric.criteria if one.dimension) if rubric else (),
            )
        )
    return Run(
        eval_id=eval_id,
        log=str(folder),
        source="adjudge",
        task=str(about.get("task") or record.title),
        model=str(about.get("candidate") or ""),
        engine="adjudge",
        version=str(about.get("adjudge") or ""),
        record=record,
        rows=tuple(rows),
    )
