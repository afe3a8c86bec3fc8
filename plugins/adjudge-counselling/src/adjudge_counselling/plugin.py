"""Registers packs, tasks, judges, the search and its export with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import AnalysisSpec, JudgeSpec, ScoringSpec, SolverSpec, TaskSpec, hookimpl


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The counselling packs."""
    return [files("adjudge_counselling") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """`psyeval`, `psyeval-session`, `psyeval-turn`, `annomi`, `esconv`, `counselling-crisis`."""
    from adjudge_counselling.tasks import TASKS

    return TASKS


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """`crisis-lexicon` and `crisis-gate`."""
    from adjudge_counselling.crisis import SPECS

    return SPECS


@hookimpl
def adjudge_solvers() -> Sequence[SolverSpec]:
    """`mctsr-zero`."""
    from adjudge_counselling.search.solver import SPEC

    return [SPEC]


@hookimpl
def adjudge_scorings() -> Sequence[ScoringSpec]:
    """`total`."""
    from adjudge_counselling.total import SPEC

    return [SPEC]


@hookimpl
def adjudge_analyses() -> Sequence[AnalysisSpec]:
    """`search-trees`."""
    from adjudge_counselling.search.export import SPEC

    return [SPEC]
