"""Runs a rubric's golden tests and keeps the judge card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adjudge.cli.job import Job
from adjudge.cli.options import How
from adjudge.cli.running import execute
from adjudge.report import CardStore, JudgeCard, RunRecord, identity_hash, measure
from adjudge.rubric import Rubric
from adjudge.tasks import golden_items


def measure_card(rubric: Rubric, how: How, out: Path) -> tuple[JudgeCard, RunRecord]:
    """Judge the golden tests; the card is saved in the user's cache and stands in the record.

    Raises:
        InputError: The rubric has no golden tests.
    """
    job = Job(
        title=f"golden tests of {rubric.title or rubric.id}",
        items=golden_items(rubric),
        rubric=rubric,
        how=how,
        out=out,
        source={"command": "test"},
    )
    record = execute(job)
    card = measure(
        rubric,
        record.results,
        backend=str(record.provenance["backend"]),
        backend_hash=identity_hash(record.provenance["backend identity"]),  # type: ignore[arg-type] # put there as a dict
        read_out=str(record.provenance["read-out"]),
        judge=str(record.provenance["judge"]),
        date=record.created[:10],
        template=str(record.provenance["template"]),
    )
    CardStore().save(card)
    return card, replace(record, card=card)
