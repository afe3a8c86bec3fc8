"""What inspect-ai finds under the name `adjudge`: tasks, scorer, solvers, metrics, reducers.

inspect names a task after the first part of the module that defines it, so that all of them are made here in core;
plugins bring specs and data.
"""

from __future__ import annotations

from adjudge.evals.figures import clustered_stderr, figures, parts
from adjudge.evals.reducers import epochs_mean
from adjudge.evals.scorer import rubric
from adjudge.evals.solvers import answer, given, require_grader
from adjudge.evals.tasks import register_tasks

TASKS = register_tasks()
"""Every installed task, and the general one, as inspect tasks by name."""

__all__ = [
    "TASKS",
    "answer",
    "clustered_stderr",
    "epochs_mean",
    "figures",
    "given",
    "parts",
    "require_grader",
    "rubric",
]
