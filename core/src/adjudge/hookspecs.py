"""The hooks that a plugin can implement: entry-point group `adjudge`, all collecting.

A plugin is a module or package with functions marked `@hookimpl`, named in its `pyproject.toml`:

    [project.entry-points.adjudge]
    nursing = "adjudge_nursing.plugin"

Every hook returns a list. Names are unique per kind; two plugins that use one name are a `PluginError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from adjudge.interfaces import (
        AnalysisSpec,
        BackendSpec,
        JudgeSpec,
        ScoringSpec,
        SolverSpec,
        TaskSpec,
    )

hookspec = pluggy.HookspecMarker("adjudge")
hookimpl = pluggy.HookimplMarker("adjudge")


@hookspec
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """Folders of YAML rubric packs, usually `importlib.resources.files(__package__) / "packs"`."""


@hookspec
def adjudge_tasks() -> Sequence[TaskSpec]:
    """Tasks: a data set, its rubric and its metrics."""


@hookspec
def adjudge_backends() -> Sequence[BackendSpec]:
    """Backends: models that answer questions."""


@hookspec
def adjudge_judges() -> Sequence[JudgeSpec]:
    """Judges: strategies over a backend."""


@hookspec
def adjudge_solvers() -> Sequence[SolverSpec]:
    """Solvers: how a candidate answers."""


@hookspec
def adjudge_scorings() -> Sequence[ScoringSpec]:
    """Scorings: named pure functions from verdicts to a score."""


@hookspec
def adjudge_analyses() -> Sequence[AnalysisSpec]:
    """Analyses: reports over ledgers and logs."""


@hookspec
def adjudge_commands() -> Sequence[click.Command]:
    """Subcommands; each name also stands in the entry-point group `adjudge.commands`, read without importing."""
