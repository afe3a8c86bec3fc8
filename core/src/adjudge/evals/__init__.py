"""adjudge inside inspect-ai: every task and rubric as an inspect task, scorer and re-scorer.

Names are loaded on first use: importing this package does not import inspect_ai, which is the extra `adjudge[inspect]`.
`adjudge.evals.scores` and `adjudge.evals.backend` say what is written into a log, and how a model of inspect judges.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudge.evals.figures import clustered_stderr, figures, parts
    from adjudge.evals.reducers import epochs_mean
    from adjudge.evals.scorer import rubric
    from adjudge.evals.scores import Judged, judged_of
    from adjudge.evals.solvers import answer, require_grader

_HOME = {
    "figures": ("clustered_stderr", "figures", "parts"),
    "reducers": ("epochs_mean",),
    "scorer": ("rubric",),
    "scores": ("Judged", "judged_of"),
    "solvers": ("answer", "require_grader"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Judged",
    "answer",
    "clustered_stderr",
    "epochs_mean",
    "figures",
    "judged_of",
    "parts",
    "require_grader",
    "rubric",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"adjudge.evals.{_MODULE_OF[name]}"), name)
