"""`adjudge estimate`, `adjudge gate` and `adjudge draw`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from adjudge_validity.commands import AS_JSON, LABELS, RUN

if TYPE_CHECKING:
    from adjudge_validity.corrected import Corrected
    from adjudge_validity.estimating import Drawn, Estimated
    from adjudge_validity.ratings import Ratings

DRAWN = click.option(
    "--drawn",
    type=click.Choice(["random", "active", "all", "unknown"]),
    help="How the labelled submissions were chosen; active if the labels have probabilities, else unknown.",
)


@click.command()
@click.argument("run", type=RUN)
@LABELS
@DRAWN
@AS_JSON
def estimate(run: Path, labels: Path | None, drawn: str | None, *, as_json: bool) -> int:
    """Means and rates over all submissions of RUN, corrected for the judge's errors with labels of some of them."""
    from adjudge_validity.estimating import NOT_RANDOM, estimates, how_drawn

    rated = _rated(run, labels)
    how = how_drawn(rated, cast("Drawn | None", drawn))
    found = estimates(rated, how)
    warnings = [*rated.warnings, *([NOT_RANDOM] if how == "unknown" else [])]
    if as_json:
        from adjudge_validity.show import plain

        value = {"judge": rated.judge, "drawn": how, "warnings": warnings, "estimates": plain(found)}
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return 0
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    _print(rated.judge, how, found)
    return 0


def _rated(run: Path, labels: Path | None, option: str = "--labels") -> Ratings:
    from adjudge_validity.labels import read_labels
    from adjudge_validity.ratings import join, read_run

    return join(read_run(run), read_labels(labels) if labels is not None else [], run=str(run), option=option)


def _print(judge: str, how: str, found: list[Estimated]) -> None:
    from adjudge_validity.show import notes, print_table

    print_table(
        f"{judge}; labels drawn: {how}",
        ["criterion", "judge alone", "labels alone", "corrected", "rogan–gladen", "detectable"],
        [[one.criterion, one.judge, one.labels, one.corrected, one.rate, one.detectable] for one in found],
    )
    for one in found:
        columns = {"labels alone": one.labels, "corrected": one.corrected, "rogan–gladen": one.rate}
        told = notes({column: {one.criterion: figure} for column, figure in columns.items() if figure is not None})
        said = [*told, f"{one.unscored:,} unscored by the judge, left out" if one.unscored else ""]
        for line in filter(None, said):
            click.echo(f"  {one.criterion}: {line}")
    click.echo("detectable: the smallest true difference that would be found in 4 of 5 such studies")


@click.command()
@click.argument("run", type=RUN)
@LABELS
@click.option("--baseline", type=RUN, help="Another run: the gate is on the difference RUN less BASELINE.")
@click.option(
    "--baseline-labels",
    type=RUN,
    help="Labels of the baseline's submissions, given as --labels are; people label both runs.",
)
@click.option("--criterion", default="overall", show_default=True, help="What the gate is on.")
@click.option(
    "--at-least",
    default=0.0,
    show_default=True,
    help="The lower end of the corrected interval must reach this; below 0 it is a margin for being worse.",
)
@DRAWN
@AS_JSON
def gate(
    run: Path,
    *,
    labels: Path | None,
    baseline: Path | None,
    baseline_labels: Path | None,
    criterion: str,
    at_least: float,
    drawn: str | None,
    as_json: bool,
) -> int:
    """Exit with 0 if the corrected mean of RUN (or its difference from a baseline) is surely high enough, else with 1.

    The same submissions in both runs, told by their ids, are compared in pairs.
    """
    if baseline_labels is not None and baseline is None:
        raise click.UsageError("--baseline-labels are labels of a --baseline; name it")
    found = _mean(_rated(run, labels), run, criterion, drawn)
    if baseline is not None:
        rated = _rated(baseline, baseline_labels, "--baseline-labels")
        found = found.less(_mean(rated, baseline, criterion, drawn))
    interval = found.estimate()
    passed = interval.low is not None and interval.low >= at_least
    if as_json:
        from adjudge_validity.show import plain

        click.echo(json.dumps({"passed": passed, "at_least": at_least, "estimate": plain(interval)}, indent=2))
    else:
        what = f"{criterion}: {run}" + (f" less {baseline}" if baseline is not None else "")
        click.echo(f"{'passed' if passed else 'missed'}: {what} = {interval:.3f}; lower end wanted: {at_least:g}")
        if interval.note:
            click.echo(f"  {interval.note}")
    return 0 if passed else 1


def _mean(rated: Ratings, run: Path, criterion: str, drawn: str | None) -> Corrected:
    from adjudge_validity.estimating import NOT_RANDOM, how_drawn, mean_of

    how = how_drawn(rated, cast("Drawn | None", drawn))
    for warning in [*rated.warnings, *([NOT_RANDOM] if how == "unknown" else [])]:
        click.echo(f"warning: {run}: {warning}", err=True)
    return mean_of(rated, criterion, how)


@click.command()
@click.argument("run", type=RUN)
@click.option("-n", "size", type=click.IntRange(min=1), required=True, help="How many submissions to draw.")
@click.option("--out", type=RUN, required=True, help="CSV to fill in; a file that is there is not touched.")
@click.option("--seed", default=0, show_default=True, help="The same seed draws the same.")
def draw(run: Path, size: int, out: Path, seed: int) -> int:
    """Draw submissions of RUN to label, those that the judge is unsure of with a higher chance."""
    import csv

    from adjudge.errors import InputError
    from adjudge_validity.drawing import draw as drawn
    from adjudge_validity.drawing import rows
    from adjudge_validity.ratings import read_run

    if out.exists():
        raise InputError(f"{out}: is there already, perhaps with labels in it; name another file with --out")
    found = drawn(read_run(run), size, seed=seed)
    lines: list[dict[str, Any]] = rows(found)
    with out.open("x", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["submission", "criterion", "level", "rater", "probability"])
        writer.writeheader()
        writer.writerows(lines)
    click.echo(f"{out}: {len(found):,} submissions, {len(lines):,} labels to give; label all of them")
    return 0
