"""`adjudge drift`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge_validity.commands import AS_JSON, RUN, SEED

if TYPE_CHECKING:
    from adjudge_validity.audit.drift import Drift


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RUN, metavar="RUN RUN…")
@click.option("--group-by", default="", metavar="FIELD", help="Metadata field, for example the topic of a submission.")
@click.option(
    "--at-most", type=click.FloatRange(0, 1), help="Exit with 1 if a criterion surely moved by more than this."
)
@SEED
@AS_JSON
def drift(runs: Sequence[Path], group_by: str, *, at_most: float | None, seed: int, as_json: bool) -> int:
    """How far verdicts on the same submissions moved from the first RUN to the last, level by level.

    The runs are of two judges, or of versions of one in their order; with more than two, also when the change came.
    """
    from adjudge_validity.audit.drift import drift as measure
    from adjudge_validity.audit.drift import moved, path
    from adjudge_validity.ratings import read_run

    if len(runs) < 2:  # noqa: PLR2004 - from one to another
        raise click.UsageError("name at least two runs over the same submissions")
    records = [read_run(run) for run in runs]
    found = measure(records[0], records[-1], group_by=group_by, seed=seed)
    series = path(records, seed=seed) if len(records) > 2 else {}  # noqa: PLR2004 - a path has a middle
    if as_json:
        _print_json(found, series)
    else:
        _print(found, series)
    return int(at_most is not None and moved(found, at_most))


def _times(series: Mapping[str, Sequence[float | None]]) -> dict[str, int | None]:
    from adjudge_validity.audit.drift import drift_time

    return {
        name: drift_time([value for value in values if value is not None]) if None not in values else None
        for name, values in series.items()
    }


def _print_json(found: Sequence[Drift], series: Mapping[str, Sequence[float | None]]) -> None:
    from adjudge_validity.show import plain

    value = {"drift": plain(list(found)), "path": plain(series), "time": _times(series)}
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print(found: Sequence[Drift], series: Mapping[str, Sequence[float | None]]) -> None:
    for one in found:
        of = f"  {one.group}" if one.group else one.criterion
        unscored = f", {one.unscored:,} unscored" if one.unscored else ""
        click.echo(f"{of}: moved {one.total:.2f}, flips {one.flips:.2f}{unscored}")
        for level, change in one.levels.items():
            click.echo(f"    {level}: {change:+.2f}")
        if one.total.note:
            click.echo(f"    {one.total.note}")
    for name, time in _times(series).items():
        told = ", ".join("undefined" if value is None else f"{value:.2f}" for value in series[name])
        when = f"95% of it by run {time + 1}" if time is not None else "no change in the end"
        click.echo(f"{name}: moved from the first run {told}; {when}")
