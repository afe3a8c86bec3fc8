"""`adjudge raters`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge_validity.commands import AS_JSON, LABELS, RUN

if TYPE_CHECKING:
    from adjudge_validity.rasch import Rasch
    from adjudge_validity.raters import Standing


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RUN, metavar="RUN…")
@LABELS
@click.option(
    "--epsilon",
    type=click.FloatRange(0, 1),
    default=0.15,
    show_default=True,
    help="How much worse than a person a judge may be: .2 beside experts, .15 skilled people, .1 a crowd.",
)
@AS_JSON
def raters(runs: Sequence[Path], labels: Path | None, epsilon: float, *, as_json: bool) -> int:
    """Whether the judge of each RUN may stand in for a person, how severe each rater is, and what each knows."""
    from adjudge_validity.labels import read_labels
    from adjudge_validity.raters import severities, standings
    from adjudge_validity.ratings import join, read_run

    given = read_labels(labels) if labels is not None else []
    rated = {str(run): join(read_run(run), given) for run in runs}
    found, severe = standings(rated, epsilon), severities(rated)
    if as_json:
        _print_json(found, severe)
        return 0
    for one in found:
        _print_standing(one)
    for criteria, model in severe.items():
        _print_severity(criteria, model)
    return 0


def _print_json(found: Sequence[Standing], severe: Mapping[str, Rasch]) -> None:
    from adjudge_validity.show import plain

    value = {"criteria": plain(found), "severity": plain(severe)}
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_standing(one: Standing) -> None:
    from adjudge_validity.show import print_table

    rows: list[list[object]] = []
    for judge, test in one.alt_tests.items():
        if isinstance(test, str):
            rows.append([judge, test, None, None])
            continue
        rows.append([judge, "yes" if test.passed else "no", test.winning_rate, test.advantage])
    columns = ["judge", "stands in", "winning rate", "advantage"]
    print_table(f"criterion {one.criterion}", columns, rows)
    print_table(
        "what each one knows (Dawid–Skene)",
        ["rater", "weight", "right of"],
        [
            [name, weight, ", ".join(f"{share:.2f}" for share in one.dawid_skene.confusion[name].diagonal())]
            for name, weight in one.dawid_skene.weights.items()
        ],
    )
    votes = one.votes
    worth = f"{votes.value:.2f}" if votes.value is not None else "an unknown number of"
    click.echo(f"  the judges are worth {worth} independent votes" + (f": {votes.note}" if votes.note else ""))
    for warning in dict.fromkeys(w for t in one.alt_tests.values() if not isinstance(t, str) for w in t.warnings):
        click.echo(f"  {warning}")


def _print_severity(criteria: str, model: Rasch) -> None:
    from adjudge_validity.show import print_table

    rows = [("rater", name, one) for name, one in model.raters.items()]
    rows += [("criterion", name, one) for name, one in model.criteria.items()]
    print_table(
        f"severity and difficulty in logits, over {criteria}" + ("" if model.converged else " (did not converge)"),
        ["facet", "name", "severity", "error", "infit", "outfit", "n"],
        [[kind, name, one.value, one.error, one.infit, one.outfit, one.n] for kind, name, one in rows],
    )
