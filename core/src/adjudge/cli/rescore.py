"""`adjudge rescore`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from adjudge.cli.options import pairs
from adjudge.discovery import is_present
from adjudge.errors import AdjudgeError, BackendError, UnsupportedError

INSTALL = "inspect-ai is not installed: pip install 'adjudge[inspect]'"
_PAIRS: dict[str, Any] = {"multiple": True, "callback": pairs, "metavar": "NAME=VALUE"}


@click.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--rubric", help="Id of an installed rubric, or path of a YAML file; the task's own if not given.")
@click.option("--task", help="Task whose rubric, judge and metrics are meant.")
@click.option(
    "--backend", "backends", multiple=True, default=("local",), show_default=True, help="Who judges; several at once."
)
@click.option("-B", "backend_options", help="Option of the backends.", **_PAIRS)
@click.option("--judge", help="isolated, joint, panel, …")
@click.option("-J", "judge_options", help="Option of the judge.", **_PAIRS)
@click.option("--read-out", type=click.Choice(["label", "reasoned"]), help="How the level is read from the reply.")
@click.option("--repeats", type=click.IntRange(min=1), help="Votes per criterion.")
@click.option("--ledger", type=click.Path(dir_okay=False), help="File that keeps every reply.")
@click.option("--self-grading", is_flag=True, help="Allow a model to judge what it wrote itself.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the logs; in place if none.")
def rescore(logs: Sequence[Path], backends: Sequence[str], out: Path | None, **asked: Any) -> int:
    """Judge LOGS of any inspect task (files or folders) by a rubric, and append the scores.

    With several --backend each judges every log, at the same time. What is in a log stays.
    """
    if not is_present("inspect_ai"):
        raise BackendError(INSTALL)
    if not asked["rubric"] and not asked["task"]:
        raise UnsupportedError("by what? name a rubric (--rubric ID or PATH) or a task (--task NAME)")
    for row in _rescored(logs, backends, {name: value for name, value in asked.items() if value}, out):
        click.echo(
            f"{row.log}: {row.scorer} by {row.backend}: mean {row.mean:.3f} over {row.scored} samples,"
            f" {row.unscored} unscored, coverage {row.coverage:.1%}{''.join(f'; {told}' for told in row.cautions)}"
        )
    return 0


def _rescored(logs: Sequence[Path], backends: Sequence[str], asked: dict[str, Any], out: Path | None) -> Any:
    from inspect_ai._util.error import PrerequisiteError

    from adjudge.evals.rescore import logs_in, rescore
    from adjudge.evals.settings import Asked

    try:
        return asyncio.run(rescore(logs_in(logs), [Asked(backend=name, **asked) for name in backends], out))
    except PrerequisiteError as error:
        if isinstance(error.__cause__, AdjudgeError):
            raise error.__cause__ from error
        raise BackendError(str(error.message)) from error
