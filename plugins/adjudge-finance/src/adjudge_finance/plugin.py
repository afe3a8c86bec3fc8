"""Registers the finance packs, tasks and judges with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import JudgeSpec, TaskSpec, hookimpl


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The finance packs."""
    return [files("adjudge_finance") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """Company news, central-bank stance, advice, business writing."""
    from adjudge_finance.tasks import ADVICE, FOMC, PHRASEBANK, WRITING, WRITING_ANSWERS

    return [PHRASEBANK, FOMC, ADVICE, WRITING, WRITING_ANSWERS]


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """`phrase-structure` and `phrase-structure-learned`."""
    from adjudge_finance.judges import SPECS

    return SPECS
