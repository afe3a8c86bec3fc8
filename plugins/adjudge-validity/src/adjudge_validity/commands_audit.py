"""`adjudge audit`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import how_from, how_options, pairs
from adjudge.errors import UnknownNameError
from adjudge_validity.commands import AS_JSON

if TYPE_CHECKING:
    from adjudge.report import RunRecord
    from adjudge.rubric import Rubric
    from adjudge_validity.audit.catalogue import Audit
    from adjudge_validity.audit.findings import Finding, Part

NAME_VALUE: dict[str, Any] = {"multiple": True, "callback": pairs}


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--rubric", "rubric_name", help="Id of an installed rubric, or path of a YAML file.")
@click.option("--list", "list_them", is_flag=True, help="List the audits with their perturbations, and do nothing.")
@click.option("--only", multiple=True, metavar="AUDIT", help="Do this audit; may be given several times.")
@click.option("--without", multiple=True, metavar="AUDIT", help="Leave this audit out; may be given several times.")
@click.option("--criterion", "criteria", multiple=True, metavar="ID", help="Judge by this criterion only.")
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Most perturbations of one audit per item; the items take turns.",
)
@click.option("--draw-seed", default=0, show_default=True, help="The same seed makes the same twins.")
@click.option("--threshold", "thresholds", metavar="AUDIT=SHARE", help="How much is too much.", **NAME_VALUE)
@click.option("--twins", default="", metavar="FIELD", help="Metadata field that your own twins share.")
@click.option("--group-by", default="", metavar="FIELD", help="Metadata field that tells twins, or groups, apart.")
@click.option("--own-name", default="", metavar="MODEL", help="The judge's model, for self-preference and own-work.")
@click.option("--strict", is_flag=True, help="Exit with 1 where there are too few items to decide, too.")
@click.option("--details", is_flag=True, help="Show every perturbation, criterion, family, language and group.")
@click.option("--column", "columns", metavar="FIELD=NAME", help="Where a field stands.", **NAME_VALUE)
@click.option("--limit", type=click.IntRange(min=1), help="Audit with the first N rows only.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run; the same folder asks nothing twice.")
@AS_JSON
@how_options
def audit(file: Path | None, *, list_them: bool, strict: bool, **options: Any) -> int:
    """Does the judge change its verdicts when it should not? Tried on the items of FILE and changed twins of them.

    Exits with 1 if an audit surely finds too much, so that it can gate a change of judge, model or prompt.
    """
    if list_them:
        _list()
        return 0
    if file is None:
        raise click.UsageError("name the file with the items: adjudge audit FILE --rubric RUBRIC")
    details, as_json = options.pop("details"), options.pop("as_json")
    from adjudge_validity.audit.findings import too_much

    found, out = _run(file, **options)
    if as_json:
        click.echo(_json(found))
    else:
        _print(found, details=details)
        click.echo(f"report: {out / 'report.html'}")
    if all(one.decision == "not applicable" for one in found):
        click.echo("nothing could be audited", err=True)
        return 1
    return int(too_much(found, strict=strict))


def _run(
    file: Path,
    *,
    rubric_name: str | None,
    only: Sequence[str],
    without: Sequence[str],
    criteria: Sequence[str],
    draws: int,
    draw_seed: int,
    thresholds: dict[str, Any],
    twins: str,
    group_by: str,
    own_name: str,
    columns: dict[str, Any],
    limit: int | None,
    out: Path | None,
    **options: Any,
) -> tuple[list[Finding], Path]:
    """Judge items and twins, write the run's files, and give the findings and the folder."""
    from adjudge.api import load_rubric
    from adjudge.cli.running import answerer, default_folder, execute
    from adjudge.dataset import read_items
    from adjudge.label_checks import refuse_misfits
    from adjudge_validity.audit.catalogue import chosen, with_thresholds
    from adjudge_validity.audit.pairing import check_groups
    from adjudge_validity.audit.plan import Plan
    from adjudge_validity.audit.running import Scope, audited, job

    audits = with_thresholds(chosen(only, without), thresholds)
    rubric = load_rubric(rubric_name) if rubric_name else None
    _check_criteria(rubric, criteria)
    data = read_items(file, columns={k: str(v) for k, v in columns.items()}, limit=limit)
    refuse_misfits(data, rubric)
    check_groups(data.items, twins=twins, group_by=group_by)
    how = how_from(options)
    judge = own_name or how.backend.partition(":")[2] or how.backend
    folder = out or default_folder("audit", file.stem, rubric.id if rubric else "", answerer(how), *how.settings)
    asked = job(
        data.items,
        rubric,
        how,
        Plan(audits=audits, draws=draws, seed=draw_seed, judge=judge),
        out=folder,
        criteria=criteria,
        title=f"Audit of {answerer(how) or how.judge} on {file.name}",
        source={"command": "audit", "file": str(file)},
        rubric_file=rubric_name if rubric_name and rubric_name.endswith((".yaml", ".yml")) else "",
        data_hash=data.sha256,
        limit=limit,
    )
    record = execute(asked)
    # The items as planned: with --store hashes the record's own have lost what marks the twins.
    marked = replace(record, items=asked.items)
    found = audited(marked, Scope(audits=audits, judge=judge, twins=twins, group_by=group_by))
    _write(folder, record, found)
    return found, folder


def _check_criteria(rubric: Rubric | None, criteria: Sequence[str]) -> None:
    known = [criterion.id for criterion in rubric.criteria] if rubric is not None else []
    for name in criteria:
        if name not in known:
            raise UnknownNameError("criterion", name, known)


def _write(folder: Path, record: RunRecord, found: Sequence[Finding]) -> None:
    from adjudge.report import write_verdicts
    from adjudge.report.export import write_files
    from adjudge.report.writing import report_folder

    write_verdicts(folder, record.results)
    write_files(folder, {"audit.json": _json(found).encode()})
    report_folder(folder, record)


def _json(found: Sequence[Finding]) -> str:
    from adjudge_validity.audit.findings import too_much
    from adjudge_validity.show import plain

    value = {"passed": not too_much(found), "findings": plain(list(found))}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _print(found: Sequence[Finding], *, details: bool) -> None:
    for one in found:
        if one.decision == "not applicable":
            click.echo(f"{one.audit.name:<16}not applicable: {one.note}")
            continue
        click.echo(f"{one.audit.name:<16}{one.decision:<9}{_figures(one, one.whole)}{one.note and f'  ({one.note})'}")
        for part in one.parts if details else ():
            click.echo(f"    {part.name:<30} {_figures(one, part)}")


def _figures(one: Finding, part: Part) -> str:
    """What is counted beside how much of it is allowed, the mean shift, and what was left out."""
    rate = (
        "" if one.audit.measure == "shift" else f"{one.audit.measure} {part.rate:.2f} (at most {one.audit.threshold:g})"
    )
    shift = "" if part.shift.value is None else f"shift {part.shift:.2f}"
    unscored = f"{part.unscored:,} unscored" if part.unscored else ""
    return ", ".join(filter(None, (rate, shift, unscored)))


def _list() -> None:
    from adjudge_validity.audit.catalogue import AUDITS, perturbations

    for one in AUDITS.values():
        click.echo(_headline(one))
        for perturbation in perturbations(one.name):
            click.echo(f"    {perturbation.name}: {perturbation.summary}")


def _headline(audit: Audit) -> str:
    return f"{audit.name}: {audit.summary}? ({audit.measure}, at most {audit.threshold:g})"
