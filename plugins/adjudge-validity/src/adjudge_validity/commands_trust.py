"""`adjudge trust`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adjudge_validity.commands import AS_JSON, LABELS, RUN

_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.argument("run", type=RUN)
@LABELS
@click.option("--accuracy", type=_SHARE, default=0.9, show_default=True, help="Agreement with people to guarantee.")
@click.option("--risk", type=_SHARE, default=0.1, show_default=True, help="Chance that the guarantee fails.")
@click.option("--out", type=RUN, help="Keep the thresholds here, as JSON; a file that is there is not touched.")
@AS_JSON
def trust(run: Path, labels: Path | None, *, accuracy: float, risk: float, out: Path | None, as_json: bool) -> int:
    """From which confidence on the judge of RUN can be trusted alone; what is below goes to a dearer judge or a person.

    The labels must not be those that the judge was calibrated with.
    """
    from adjudge_validity.fitted import fitted_on
    from adjudge_validity.labels import read_labels
    from adjudge_validity.ratings import join, read_run
    from adjudge_validity.trust import NEVER, Trust, save

    record = read_run(run)
    rated = join(record, read_labels(labels) if labels is not None else [])
    names = [name for name in rated.criteria if any(row.levels for row in rated.of(name))]
    rows = [_row(name, rated.of(name), accuracy, risk) for name in names]
    thresholds = {str(row["criterion"]): NEVER if row["threshold"] is None else row["threshold"] for row in rows}
    if out is not None:
        save(out, Trust(fitted_on=fitted_on(record), accuracy=accuracy, risk=risk, thresholds=thresholds))
    if as_json:
        click.echo(json.dumps({"accuracy": accuracy, "risk": risk, "criteria": rows}, indent=2, ensure_ascii=False))
    else:
        _print(rows, accuracy, risk)
        click.echo(f"judge with --judge cascade -J threshold=1 -J 'thresholds={json.dumps(thresholds)}'")
        if out is not None:
            click.echo(f"or with --judge trusted -J file={out}, which refuses any other first judge")
    return 0


def _row(name: str, rows: Any, accuracy: float, risk: float) -> dict[str, Any]:
    from adjudge.errors import InputError
    from adjudge_validity.trust import trusted

    try:
        kept = trusted(rows, accuracy=accuracy, risk=risk)
    except InputError as error:
        return {"criterion": name, "threshold": None, "coverage": 0.0, "agreement": None, "n": 0, "note": str(error)}
    figures = {"coverage": kept.coverage, "agreement": kept.accuracy, "n": kept.n}
    return {"criterion": name, "threshold": kept.threshold, **figures, "note": ""}


def _print(rows: list[dict[str, Any]], accuracy: float, risk: float) -> None:
    from adjudge_validity.show import print_table

    columns = ["criterion", "threshold", "coverage", "agreement", "n"]
    print_table(
        f"confidence above which the judge agrees with people in {accuracy:.0%}, with a risk of {risk:.0%}",
        columns,
        [
            ["none: always ask on" if row[name] is None and name == "threshold" else row[name] for name in columns]
            for row in rows
        ],
    )
    for row in rows:
        if row["note"]:
            click.echo(f"  {row['criterion']}: {row['note']}")
