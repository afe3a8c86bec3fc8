"""Reads a finished run back from its ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adjudge.api import result_of
from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.ledger import LEDGER, Ledger
from adjudge.plugins import Plugins
from adjudge.report.cards import identity_hash
from adjudge.report.record import RunRecord
from adjudge.report.store import CardStore
from adjudge.rubric import Rubric
from adjudge.verdict import Result


def read_record(folder: Path, plugins: Plugins) -> RunRecord:
    """The record of the latest run in a folder.

    Raises:
        InputError: There is no ledger, or the run was not finished.
        LedgerError: The ledger is torn.
    """
    if not (folder / LEDGER).is_file():
        raise InputError(f"{folder}: holds no {LEDGER}; give the --out folder of a run")
    with Ledger(folder / LEDGER, reading=True) as ledger:
        run, text = ledger.last_run()
        rows = ledger.read_run(run)
    saved = json.loads(text)
    if "created" not in saved:
        raise InputError(f"{folder}: the last run was not finished; run its command again")
    rubric = Rubric.model_validate(saved["rubric"]) if saved["rubric"] else None
    results = []
    for item, verdicts in rows:
        own = item.rubric or rubric
        if own is None:
            raise InputError(f"{folder}: {item.id!r} has no rubric; run the command again")
        results.append(result_of(item, own, verdicts, plugins))
    provenance = saved["provenance"]
    card = None
    if rubric is not None:
        store = CardStore(shipped=[spec.cards for spec in plugins.backends.values() if spec.cards is not None])
        card = store.find(
            identity_hash(provenance["backend identity"]), provenance["read-out"], rubric.hash, provenance["judge"]
        )
    return RunRecord(
        title=saved["title"],
        created=saved["created"],
        rubric=rubric,
        items=[item for item, _ in rows],
        results=results,
        provenance=provenance,
        figures=_figures(plugins, str(provenance.get("task", "")), [item for item, _ in rows], results),
        card=card,
        warnings=saved["warnings"],
        audits=audits_in(folder),
    )


def audits_in(folder: Path) -> dict[str, Any]:
    """Results of audits in a folder: the JSON files whose name begins with `audit`, by name.

    Raises:
        InputError: One of them is no JSON.
    """
    found: dict[str, Any] = {}
    for file in sorted(folder.glob("audit*.json")):
        try:
            found[file.stem] = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"{file}: no JSON that could be shown as an audit ({error}); move it away") from error
    return found


def run_id(folder: Path) -> str:
    """Id of the latest run in a folder, the same wherever the folder is moved to; 22 hexadecimal digits."""
    with Ledger(folder / LEDGER, reading=True) as ledger:
        run, _ = ledger.last_run()
        return hashlib.sha256(ledger.secret + str(run).encode()).hexdigest()[:22]


def _figures(plugins: Plugins, task: str, items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """The task's metrics, computed again; none if the run was no task or its plugin is gone."""
    figures: dict[str, Any] = {}
    for metric in plugins.tasks[task].metrics if task in plugins.tasks else ():
        figures |= metric(items, results)
    return figures
