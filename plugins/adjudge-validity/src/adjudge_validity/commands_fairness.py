"""`adjudge fairness`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import pairs
from adjudge_validity.commands import AS_JSON, LABELS, RUN, SEED

if TYPE_CHECKING:
    from adjudge_validity.audit.fairness import Fairness


@click.command()
@click.argument("run", type=RUN)
@LABELS
@click.option("--group-by", required=True, metavar="FIELD", help="Metadata field that names a submission's group.")
@click.option(
    "--met-from",
    multiple=True,
    callback=pairs,
    metavar="CRITERION=LEVEL",
    help="Of a criterion that is not binary: the lowest level that counts as met.",
)
@SEED
@AS_JSON
def fairness(
    run: Path, *, labels: Path | None, group_by: str, met_from: dict[str, Any], seed: int, as_json: bool
) -> int:
    """Whether the judge of RUN treats groups alike, notion by notion, and which notions cannot hold together."""
    from adjudge_validity.audit.fairness import fairness as measure
    from adjudge_validity.labels import read_labels
    from adjudge_validity.ratings import join, read_run

    given = read_labels(labels) if labels is not None else []
    rated = join(read_run(run), given, group_by=group_by)
    found = measure(rated, met_from={name: str(level) for name, level in met_from.items()}, seed=seed)
    if as_json:
        _print_json(found)
    else:
        _print(found)
    return 0


def _print_json(found: Sequence[Fairness]) -> None:
    from adjudge_validity.audit.notions import NOTIONS
    from adjudge_validity.show import plain

    criteria = [{**plain(one), "conflict": one.conflict} for one in found]
    value = {"notions": [asdict(notion) for notion in NOTIONS], "criteria": criteria}
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print(found: Sequence[Fairness]) -> None:
    from adjudge_validity.audit.notions import NOTIONS
    from adjudge_validity.show import print_table

    names = ["base rate", *(notion.name for notion in NOTIONS)]
    for one in found:
        first = one.groups[0].group
        rows = [[name, *(group.figures[name] for group in one.groups)] for name in names]
        print_table(f"criterion {one.criterion}", ["figure", *(group.group for group in one.groups)], rows)
        for group in one.groups[1:]:
            for name, gap in group.less_first.items():
                click.echo(f"  {name}, {group.group} less {first}: {gap:+.2f}{f' ({gap.note})' if gap.note else ''}")
        said = [one.conflict, f"{one.unscored:,} unscored or without a majority of raters" if one.unscored else ""]
        for line in filter(None, said):
            click.echo(f"  {line}")
    for notion in NOTIONS:
        click.echo(f"{notion.name}: {notion.comparison}; {notion.object}, {notion.unit}; {notion.discipline}")
        click.echo(f"    what a gap means: {notion.harm}")
