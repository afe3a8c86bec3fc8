"""`adjudge calibrate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from adjudge_validity.commands import AS_JSON, LABELS, RUN, SEED


@click.command()
@click.argument("run", type=RUN)
@LABELS
@click.option(
    "--method",
    type=click.Choice(["auto", "temperature", "platt", "ordinal", "isotonic", "learned"]),
    default="auto",
    show_default=True,
    help="The map; auto takes the best one of a criterion alone in cross-validation, learned looks at all criteria.",
)
@click.option("--out", type=RUN, help="Keep the calibration here, as JSON; a file that is there is not touched.")
@SEED
@AS_JSON
def calibrate(run: Path, labels: Path | None, method: str, out: Path | None, *, seed: int, as_json: bool) -> int:
    """Learn from labels how to mend the probabilities of the judge of RUN, criterion by criterion.

    A criterion on which no map is better in cross-validation keeps its probabilities as they are.
    """
    from adjudge_validity.calibration import learn
    from adjudge_validity.fitted import LEARNED, FileCalibration, fitted_on, save
    from adjudge_validity.labels import read_labels
    from adjudge_validity.learning import learn_read_out
    from adjudge_validity.ratings import join, read_run
    from adjudge_validity.show import plain, print_table

    record = read_run(run)
    rated = join(record, read_labels(labels) if labels is not None else [])
    names = [name for name in rated.criteria if any(row.levels for row in rated.of(name))]
    found = [
        learn_read_out(rated, name, seed=seed) if method == LEARNED else learn(rated.of(name), method, seed=seed)
        for name in names
    ]
    useful = {one.criterion: one for one in found if one.after < one.before}
    of = {name: {"method": one.method, "parameters": one.parameters} for name, one in useful.items()}
    if out is not None:
        save(out, FileCalibration(fitted_on=fitted_on(record), of=of))
    if as_json:
        shown = [{k: v for k, v in plain(one).items() if k != "out_of_fold"} for one in found]
        click.echo(json.dumps({"criteria": shown, "kept": list(useful)}, indent=2, ensure_ascii=False))
        return 0
    print_table(
        "log-loss on labels that the map did not see",
        ["criterion", "map", "before", "after", "gain", "rater known", "kept"],
        [
            [
                x.criterion,
                x.method,
                x.before,
                x.after,
                x.gain,
                x.after_of_rater,
                "yes" if x.criterion in useful else "no",
            ]
            for x in found
        ],
    )
    if out is not None:
        click.echo(f"{out}: judge with --judge fitted -J file={out}")
    return 0
