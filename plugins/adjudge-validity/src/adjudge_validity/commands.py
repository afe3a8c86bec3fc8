"""`adjudge agreement`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from adjudge_validity.ratings import Ratings

LABELS = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="Human labels: CSV or JSONL with submission, criterion, level or score, rater. Labels that stand in the"
    " submissions count without it.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON rather than tables.")
SEED = click.option("--seed", default=0, show_default=True, help="Seed of the bootstrap.")
RUN = click.Path(path_type=Path)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RUN, metavar="RUN…")
@LABELS
@click.option("--group-by", default="", metavar="FIELD", help="Metadata field: adds the macro-F1 of the worst group.")
@SEED
@AS_JSON
def agreement(runs: Sequence[Path], labels: Path | None, group_by: str, *, seed: int, as_json: bool) -> int:
    """How far the judge of each RUN agrees with people, beside how far people agree with each other.

    With several runs, also by how much the first agrees better than each other one, on the same submissions.
    """
    from adjudge_validity.agreement import agreement as measure
    from adjudge_validity.contrast import differences
    from adjudge_validity.labels import read_labels
    from adjudge_validity.ratings import join, read_run

    given = read_labels(labels) if labels is not None else []
    rated = [join(read_run(folder), given, group_by=group_by) for folder in runs]
    found = [(str(run), one, measure(one, seed=seed)) for run, one in zip(runs, rated, strict=True)]
    apart = {str(run): differences(rated[0], one, seed=seed) for run, one in zip(runs[1:], rated[1:], strict=True)}
    if as_json:
        _print_json(found, apart)
    else:
        _print_tables(found, apart)
    return 0


def _of_draw(rated: Ratings) -> list[str]:
    from adjudge_validity.ratings import BY_DOUBT

    active = any(row.humans and row.drawn == "active" for row in rated.rows)
    return [BY_DOUBT] if active else []


def _print_json(found: Sequence[tuple[str, Any, Any]], apart: Mapping[str, Any]) -> None:
    from adjudge_validity.show import plain

    runs = [
        {
            "run": run,
            "judge": rated.judge,
            "warnings": [*rated.warnings, *_of_draw(rated)],
            "agreement": plain(figures),
        }
        for run, rated, figures in found
    ]
    click.echo(json.dumps({"runs": runs, "first_less": plain(apart)}, indent=2, ensure_ascii=False))


def _print_tables(found: Sequence[tuple[str, Any, Any]], apart: Mapping[str, Any]) -> None:
    from adjudge_validity.agreement import ALONE, has_pairs
    from adjudge_validity.show import notes, print_table

    for run, rated, figures in found:
        click.echo(f"{run}: {rated.judge}")
        alone = not has_pairs(figures)
        if alone:
            click.echo(f"  {ALONE}")
        for warning in (*rated.warnings, *_of_draw(rated)):
            click.echo(f"warning: {warning}", err=True)
        for one in figures:
            rows = dict.fromkeys(name for side in one.sides.values() for name in side)
            columns = [side for side in one.sides if not (alone and side == "human–human")]
            print_table(
                f"{one.kind} {one.name}" if one.kind != "all" else "all criteria",
                ["figure", *columns],
                [[name, *(one.sides[side].get(name) for side in columns)] for name in rows],
            )
            said = [one.note, f"{one.unscored:,} unscored by the judge" if one.unscored else ""]
            said += [f"raters split evenly on {one.split:,}, left out of the consensus" if one.split else ""]
            said += notes({side: one.sides[side] for side in columns})
            for line in dict.fromkeys(filter(None, said)):
                click.echo(f"  {line}")
    for run, criteria in apart.items():
        rows = dict.fromkeys(name for figures in criteria.values() for name in figures)
        print_table(
            f"{found[0][0]} less {run}",
            ["criterion", *rows],
            [[criterion, *(figures.get(name) for name in rows)] for criterion, figures in criteria.items()],
        )
