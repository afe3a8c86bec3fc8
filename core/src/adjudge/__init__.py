"""adjudge judges text against rubrics with language models.

Names are loaded on first use, so that `import adjudge` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudge.api import judge, load_rubric, make_judge
    from adjudge.errors import AdjudgeError
    from adjudge.hookspecs import hookimpl
    from adjudge.interfaces import (
        AnalysisSpec,
        Backend,
        BackendSpec,
        Capabilities,
        Judge,
        JudgeSpec,
        Parameter,
        Scoring,
        ScoringSpec,
        Solver,
        SolverSpec,
        TaskSpec,
    )
    from adjudge.rubric import Criterion, Rubric
    from adjudge.scale import BINARY, Level, Scale
    from adjudge.submission import Comparison, Label, Message, Submission
    from adjudge.verdict import Failure, Question, Reply, Result, Score, Usage, Verdict

__version__ = "0.1.0"

_HOME = {
    "api": ("judge", "load_rubric", "make_judge"),
    "errors": ("AdjudgeError",),
    "hookspecs": ("hookimpl",),
    "interfaces": (
        "AnalysisSpec",
        "Backend",
        "BackendSpec",
        "Capabilities",
        "Judge",
        "JudgeSpec",
        "Parameter",
        "Scoring",
        "ScoringSpec",
        "Solver",
        "SolverSpec",
        "TaskSpec",
    ),
    "rubric": ("Criterion", "Rubric"),
    "scale": ("BINARY", "Level", "Scale"),
    "submission": ("Comparison", "Label", "Message", "Submission"),
    "verdict": ("Failure", "Question", "Reply", "Result", "Score", "Usage", "Verdict"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "BINARY",
    "AdjudgeError",
    "AnalysisSpec",
    "Backend",
    "BackendSpec",
    "Capabilities",
    "Comparison",
    "Criterion",
    "Failure",
    "Judge",
    "JudgeSpec",
    "Label",
    "Level",
    "Message",
    "Parameter",
    "Question",
    "Reply",
    "Result",
    "Rubric",
    "Scale",
    "Score",
    "Scoring",
    "ScoringSpec",
    "Solver",
    "SolverSpec",
    "Submission",
    "TaskSpec",
    "Usage",
    "Verdict",
    "hookimpl",
    "judge",
    "load_rubric",
    "make_judge",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"adjudge.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
