"""`adjudge purge`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from adjudge.api import installed
from adjudge.errors import AdjudgeError, InputError
from adjudge.ledger import LEDGER, Ledger
from adjudge.report.folder import read_record

_ROWS = ("verdicts.jsonl", "scores.jsonl")
_WHOLE = ("verdicts.parquet", "verdicts.csv", "report.csv", "report.json", "report.parquet")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--submission", required=True, help="Id of the submission (or comparison) to remove.")
def purge(folders: Sequence[Path], submission: str) -> int:
    """Remove a submission from the runs in FOLDERS: replies, verdicts, texts, reports.

    The rows are overwritten, not only unlinked. The user's own data file is left alone.
    """
    for folder in folders:
        if not (folder / LEDGER).is_file():
            raise InputError(f"{folder}: holds no {LEDGER}; give the --out folder of a run")
    total = sum(_purge(folder, submission) for folder in folders)
    click.echo(f"{submission}: {total} rows removed")
    return 0 if total else 1


def _purge(folder: Path, submission: str) -> int:
    with Ledger(folder / LEDGER) as ledger:
        removed = ledger.purge(submission)
    for name in _ROWS:
        removed += _drop_rows(folder / name, submission)
    for name in _WHOLE:
        (folder / name).unlink(missing_ok=True)
    _report_again(folder)
    return removed


def _drop_rows(file: Path, submission: str) -> int:
    if not file.exists():
        return 0
    lines = file.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["submission"] != submission]
    file.write_bytes(b"".join(kept))
    return len(lines) - len(kept)


def _report_again(folder: Path) -> None:
    """Write the report without the submission; remove it if that cannot be done."""
    from adjudge.report.writing import report_folder

    report = folder / "report.html"
    if not report.exists():
        return
    report.unlink()
    try:
        report_folder(folder, read_record(folder, installed()))
    except AdjudgeError as error:
        click.echo(f"{report}: removed; it could not be written again: {error}", err=True)
