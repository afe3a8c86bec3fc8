"""Runs audits: makes the twins, judges all of them as any other run does, and reads the findings off the record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adjudge.api import BoundJudge
from adjudge.cli.job import Job
from adjudge.cli.options import How
from adjudge.cli.record import now
from adjudge.interfaces import Item
from adjudge.judges.members import part_of
from adjudge.report import RunRecord
from adjudge.rubric import Rubric
from adjudge.submission import Comparison
from adjudge_validity.audit.catalogue import OWN_WORK, Audit
from adjudge_validity.audit.findings import Finding, decided, findings
from adjudge_validity.audit.own_work import own_work
from adjudge_validity.audit.pairing import check_groups, observations
from adjudge_validity.audit.plan import Plan

TWINS_TOO = "means and counts are over submissions and their changed twins together; the audit has tables of its own"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is audited, and what is known of judge and items."""

    audits: Sequence[Audit]
    """The audits."""
    judge: str = ""
    """Name of the judge's model."""
    twins: str = ""
    """Metadata field that the user's own twins share."""
    group_by: str = ""
    """Metadata field that tells twins, or groups, apart."""


def audited(record: RunRecord, scope: Scope) -> list[Finding]:
    """The findings of a run over planned items, in the order of the audits.

    Raises:
        InputError: An item lacks the field that groups are made by.
    """
    found = findings(scope.audits, observations(record, twins=scope.twins, group_by=scope.group_by))
    return [decided(one.audit, own_work(record, scope.judge)) if one.audit.name == OWN_WORK else one for one in found]


async def audit(
    judge: BoundJudge, items: Sequence[Item], plan: Plan, *, twins: str = "", group_by: str = ""
) -> list[Finding]:
    """Audit a judge from Python.

    Args:
        judge: Made with `judge="again"`, so that `repeatability` asks anew; any other answers that from its ledger.
        items: Submissions or comparisons.
        plan: Which twins to make of them.
        twins: Metadata field that your own twins share.
        group_by: Metadata field that tells twins, or groups, apart.

    Raises:
        InputError: An item has no rubric, or lacks the field that groups are made by.
    """
    check_groups(items, twins=twins, group_by=group_by)
    planned = plan.items(items, judge.rubric)
    results = await judge.many(planned)
    record = RunRecord(title="audit", created=now(), rubric=judge.rubric, items=planned, results=results)
    return audited(record, Scope(audits=plan.audits, judge=plan.judge, twins=twins, group_by=group_by))


def job(
    items: Sequence[Item],
    rubric: Rubric | None,
    how: How,
    plan: Plan,
    *,
    out: Path,
    criteria: Collection[str] = (),
    **about: Any,
) -> Job:
    """The run that answers an audit.

    Args:
        items: What the user gave.
        rubric: By which rubric; None if every item brings its own.
        how: How to judge.
        plan: Which twins to make.
        out: Folder of the run.
        criteria: Criteria to judge by; all if empty.
        about: Further fields of `Job`.
    """
    name = how.judge or ("compare" if items and isinstance(items[0], Comparison) else "isolated")
    if rubric is not None:
        # A template that was chosen counts as the rubric's own, so that the audit can put another in its place.
        chosen = {} if how.template is None else {"template": how.template}
        about["source"] = {**about.get("source", {}), **chosen}
        rubric = (part_of(rubric, criteria) if criteria else rubric).model_copy(update=chosen)
        how = replace(how, template=None)
    about["warnings"] = [TWINS_TOO, *about.get("warnings", ())]
    return Job(
        items=plan.items(items, rubric),
        rubric=rubric,
        how=replace(how, judge="again", judge_options={"members": [{"judge": name, **how.judge_options}]}),
        out=out,
        **about,
    )
