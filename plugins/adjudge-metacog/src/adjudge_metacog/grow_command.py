"""The command `adjudge grow`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import how_options, pairs
from adjudge_metacog.reflect_command import asked_how, criterion_named, plain, shares_of

if TYPE_CHECKING:
    from adjudge.api import BoundJudge
    from adjudge.cli.options import How
    from adjudge.rubric import Rubric
    from adjudge_metacog.cases import Parts
    from adjudge_metacog.cycle import Jobs
    from adjudge_metacog.gate import Gate
    from adjudge_metacog.growth import Amender, Growth

_FILE = click.Path(path_type=Path)
_SHARE = click.FloatRange(0, 1)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--rubric", "pack", required=True, type=_FILE, help="The pack's YAML file; it stays as it is.")
@click.option("--criterion", default="", help="Criterion that people labelled: the only one of the rubric.")
@click.option(
    "--learner", type=click.Choice(["model", "phrases"]), default="model", show_default=True, help="Proposes."
)
@click.option("--parts", default="0.4,0.4,0.2", show_default=True, help="Shares to learn from, to prove on, to report.")
@click.option("--split-seed", default=0, show_default=True, help="Another seed gives other parts.")
@click.option("--look", default=1, show_default=True, type=click.IntRange(1), help="How often, with this time.")
@click.option("--most", default=10, show_default=True, type=click.IntRange(1), help="Most amendments that are tried.")
@click.option("--margin", default=0.0, show_default=True, type=_SHARE, help="Least improvement that must be sure.")
@click.option("--spoils", default=0.05, show_default=True, type=_SHARE, help="Most cases that it may spoil.")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0, 0.5, min_open=True), help="Error.")
@click.option("--column", "columns", multiple=True, callback=pairs, metavar="FIELD=NAME", help="Where a field stands.")
@click.option("--limit", type=click.IntRange(min=1), help="Take the first N rows only.")
@click.option("--out", type=_FILE, help="Folder of the run; the same folder resumes it.")
@how_options
def grow(file: Path, *, pack: Path, out: Path | None, **options: Any) -> int:
    """Propose amendments to a rubric from where it disagrees with the labels that people gave in FILE.

    Writes OUT/growth.diff: a diff of the pack that holds what passed the gate, with the measured effect of each change
    before it. Nothing is changed; apply it with `patch -p0 < OUT/growth.diff` once you agree.
    """
    from adjudge.cli.running import answerer, default_folder
    from adjudge.ledger import Ledger
    from adjudge.packs import load_pack
    from adjudge_metacog.amendments import diff
    from adjudge_metacog.cases import parted, read_cases
    from adjudge_metacog.dry import grow_lines
    from adjudge_metacog.gate import AMENDMENTS, Gate
    from adjudge_metacog.growth import told
    from adjudge_metacog.run_folder import opened

    rubric, key = load_pack(pack).rubric, {"command": "grow", "file": str(file), "rubric": str(pack), **plain(options)}
    columns = {name: str(value) for name, value in options.pop("columns").items()}
    cases, seed = read_cases(file, columns or None, options.pop("limit")), options.pop("split_seed")
    parts = parted(cases, seed=seed, shares=shares_of(options.pop("parts")))
    named = {name: options.pop(name) for name in ("margin", "alpha")}
    gate = Gate(refusals=options.pop("spoils"), split=f"{file.name}, seed {seed}", words=AMENDMENTS, **named)
    criterion = criterion_named(rubric, options.pop("criterion"))
    own = {name: options.pop(name) for name in ("learner", "look", "most")}
    how = asked_how(options)
    if how.dry_run:
        click.echo("\n".join(grow_lines(rubric, criterion, parts, how, out, gate=gate, look=own["look"])))
        return 0
    folder = out or default_folder("grow", file.stem, rubric.id, answerer(how, "isolated"), own["learner"])
    with Ledger(opened(folder, key)) as ledger:
        found = asyncio.run(_grown(rubric, criterion, parts, gate=gate, how=how, ledger=ledger, own=own))
    lines = list(told(found, gate))
    (folder / "growth.diff").write_text(diff(str(pack), criterion, found.accepted, lines), "utf-8")
    click.echo("\n".join(lines))
    click.echo(f"{len(found.accepted)} of {len(found.measured)} amendments passed: {folder / 'growth.diff'}")
    return 0


async def _grown(
    rubric: Rubric, criterion: str, parts: Parts, *, gate: Gate, how: How, ledger: Any, own: Mapping[str, Any]
) -> Growth:
    from adjudge.cli.interrupt import stopping
    from adjudge.engine import run_each
    from adjudge_metacog.growth import Grower
    from adjudge_metacog.running import bound_judge, check_labels, closed

    check_labels(parts, rubric.criterion(criterion))
    bound = bound_judge(rubric, how, ledger)

    async def run(jobs: Jobs) -> None:
        await run_each(bound.engine, range(len(jobs)), lambda place: jobs[place]())

    try:
        await bound.prepare()
        amender = _amender(own["learner"], bound, rubric, parts, criterion)
        grower = Grower(bound.engine, bound.judge, rubric, criterion, amender, gate, own["look"], own["most"], run)
        with stopping(bound.engine):
            return await grower.grow(parts)
    finally:
        await closed(bound)


def _amender(learner: str, bound: BoundJudge, rubric: Rubric, parts: Parts, criterion: str) -> Amender:
    from adjudge_metacog.growth import ModelAmender, PhraseAmender
    from adjudge_metacog.proposing import PhraseTemplate

    if learner == "phrases":
        return PhraseAmender(PhraseTemplate.learned(parts.learn, criterion))
    return ModelAmender(bound.engine, rubric)
