"""`adjudge run` and `adjudge tasks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adjudge.api import installed, load_rubric
from adjudge.cli.options import PAIRS, how_from, how_options, out_options
from adjudge.discovery import is_present
from adjudge.errors import UnsupportedError
from adjudge.interfaces import TaskSpec
from adjudge.plugins import lookup
from adjudge.tasks import parameters_of


@click.command()
@click.argument("task")
@click.option("-T", "parameters", help="Parameter of the task.", **PAIRS)
@click.option("--candidate", help="Backend that answers first (tasks of kind candidate).")
@click.option("-C", "candidate_options", help="Option of its backend.", **PAIRS)
@click.option("--solver", help="How the candidate answers.")
@click.option("-S", "solver_options", help="Option of the solver.", **PAIRS)
@click.option("--limit", type=click.IntRange(min=1), help="Take the first N items only.")
@how_options
@out_options
def run(
    task: str,
    parameters: dict[str, Any],
    *,
    candidate: str | None,
    candidate_options: dict[str, Any],
    solver: str | None,
    solver_options: dict[str, Any],
    limit: int | None,
    out: Path | None,
    parquet: bool,
    min_coverage: float,
    **options: Any,
) -> int:
    """Run TASK: judge given answers, have a candidate answer first, or measure the judge against gold labels."""
    from adjudge.cli.job import Job
    from adjudge.cli.running import answerer, default_folder, execute, show, status

    plugins = installed()
    spec = lookup(plugins, plugins.tasks, "task", task)
    _check_candidate(spec, candidate, candidate_options, solver_options)
    values = parameters_of(spec, parameters)
    rubric = load_rubric(spec.rubric, plugins) if isinstance(spec.rubric, str) else spec.rubric(**values)
    defaults = {"read_out": spec.read_out, **spec.judge_options, **(spec.options(**values) if spec.options else {})}
    judge = str(defaults.pop("judge", spec.judge))
    how = how_from(options)
    given = "".join(f" {name}={value}" for name, value in sorted(parameters.items()))
    job = Job(
        title=f"{spec.summary}{' (' + given.strip() + ')' if given else ''}",
        items=tuple(spec.dataset(**values))[:limit],
        rubric=rubric,
        how=how,
        out=out or default_folder("run", task, *map(str, parameters.values()), answerer(how, judge), *how.settings),
        source={"command": "run", "task": task, "parameters": values},
        limit=limit,
        defaults=defaults,
        judge=judge,
        metrics=spec.metrics,
        candidate=candidate,
        candidate_options=candidate_options,
        solver=solver or spec.solver,
        solver_options=solver_options,
    )
    record = execute(job)
    show(record, job, parquet=parquet)
    return status(record, min_coverage)


def _check_candidate(
    spec: TaskSpec, candidate: str | None, candidate_options: dict[str, Any], solver_options: dict[str, Any]
) -> None:
    if spec.kind == "candidate" and candidate is None:
        raise UnsupportedError(f"the task {spec.name!r} needs a candidate that answers first; use --candidate BACKEND")
    if spec.kind != "candidate" and candidate is not None:
        raise UnsupportedError(f"the task {spec.name!r} judges given answers; leave --candidate out")
    if candidate_options and candidate is None:
        raise UnsupportedError(f"-C {next(iter(candidate_options))}=…: there is no candidate; leave -C out")
    if solver_options and candidate is None:
        raise UnsupportedError(f"-S {next(iter(solver_options))}=…: the task {spec.name!r} has no solver; leave -S out")


_KINDS = {"judge": "judges given answers", "candidate": "a candidate answers first", "meta": "measures the judge"}


@click.command()
def tasks() -> int:
    """List tasks, with the lines to run them."""
    known = installed().tasks
    for name, spec in known.items():
        candidate = " --candidate BACKEND" if spec.kind == "candidate" else ""
        click.echo(f"{name}: {spec.summary} [{_KINDS[spec.kind]}]\n    adjudge run {name}{candidate} --backend local")
        click.echo(f"    {_inspect_line(name, candidate=spec.kind == 'candidate')}")
        for parameter in spec.parameters:
            allowed = f" ({', '.join(map(str, parameter.choices))})" if parameter.choices else ""
            click.echo(f"    -T {parameter.name}={parameter.default}: {parameter.summary}{allowed}")
    if not known:
        click.echo("no tasks are installed; a domain plugin brings some, for example: pip install adjudge-nursing")
    click.echo("judge: any rubric over any data file, as a task of inspect-ai")
    click.echo(f"    {_inspect_line('judge', candidate=True)} -T rubric=ID_OR_PATH -T dataset=FILE")
    if not is_present("inspect_ai"):
        click.echo("the lines with `inspect` need inspect-ai: pip install 'adjudge[inspect]'")
    return 0


def _inspect_line(name: str, *, candidate: bool) -> str:
    """Inspect lists source files only, so its line stands here; given answers need no model under test."""
    return f"inspect eval adjudge/{name} --model {'MODEL' if candidate else 'none'} --model-role grader=MODEL"
