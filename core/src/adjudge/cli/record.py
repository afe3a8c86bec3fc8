"""The record of a run: what its report and its ledger say about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from adjudge import __version__
from adjudge.api import BoundJudge, installed
from adjudge.cli.job import Job
from adjudge.interfaces import Item
from adjudge.judges.label_mass import cautions
from adjudge.judges.members import described
from adjudge.privacy import verdict_without_text, without_text
from adjudge.report import CardStore, RunRecord, identity_hash, read_out_of
from adjudge.verdict import Result

DOWNGRADED = (
    "read-out reasoned in place of label: a backend gives no label log-probabilities, so there are no probabilities"
    " of levels; choose with --read-out"
)
ASKED, SERVED = "questions asked now", "answered from the ledger"


def record_of(job: Job, items: Sequence[Item], results: Sequence[Result], bound: BoundJudge) -> RunRecord:
    """Put a finished run together: metrics, judge card, provenance."""
    figures: dict[str, Any] = {}
    for metric in job.metrics:
        figures |= metric(items, results)
    store = CardStore(shipped=[spec.cards for spec in installed().backends.values() if spec.cards is not None])
    read_out = read_out_of(bound.judge)
    card = None
    if job.rubric is not None:
        card = store.find(identity_hash(bound.backend.identity), read_out, job.rubric.hash, bound.judge.name)
    hashes = job.how.store == "hashes"
    return RunRecord(
        title=job.title,
        created=now(),
        rubric=job.rubric,
        items=[without_text(item) for item in items] if hashes else items,
        results=[_without_text(result) for result in results] if hashes else results,
        provenance=provenance(job, bound),
        figures=figures,
        card=card,
        warnings=[*job.warnings, *store.warnings, *_downgraded(bound), *cautions(results)],
    )


def _downgraded(bound: BoundJudge) -> list[str]:
    """What to know where the read-out is not the usual one."""
    return [DOWNGRADED] if bound.downgraded else []


def _without_text(result: Result) -> Result:
    return result.model_copy(update={"verdicts": tuple(map(verdict_without_text, result.verdicts))})


def saved(record: RunRecord) -> dict[str, Any]:
    """What `adjudge report` needs beside items and verdicts."""
    rubric = record.rubric.model_dump(mode="json") if record.rubric is not None else None
    return {"rubric": rubric, "provenance": record.provenance, "warnings": list(record.warnings)}


def provenance(job: Job, bound: BoundJudge) -> dict[str, Any]:
    """Where the figures come from."""
    settings = getattr(bound.judge, "settings", None)
    tally = bound.engine.tally
    rubric = job.rubric
    return {
        "rubric": f"{rubric.id} {rubric.version}" if rubric else "each submission's own",
        "rubric hash": rubric.hash if rubric else None,
        **({"rubric file": job.rubric_file} if job.rubric_file else {}),
        **{str(name): value for name, value in job.source.items()},
        **({"data hash": job.data_hash} if job.data_hash else {}),
        **({"limit": job.limit} if job.limit else {}),
        "judge": bound.judge.name,
        "read-out": read_out_of(bound.judge),
        "template": (getattr(settings, "template", None) or (rubric.template if rubric else "default")),
        "backend": bound.backend.name,
        "backend identity": dict(bound.backend.identity),
        **({"members": members} if (members := described(bound.judge)) else {}),
        "candidate": job.candidate,
        ASKED: tally.asked,
        SERVED: tally.served,
        "adjudge": __version__,
    }


def now() -> str:
    """The time, in UTC, as ISO 8601 text."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
