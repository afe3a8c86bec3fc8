"""What plugins provide: protocols, and the specs that name and build them."""

from __future__ import annotations

from adjudge.interfaces.protocols import (
    Ask,
    Backend,
    Calibration,
    Capabilities,
    Item,
    Judge,
    Member,
    Metric,
    Scoring,
    Solver,
)
from adjudge.interfaces.specs import (
    AnalysisSpec,
    BackendSpec,
    JudgeSpec,
    Parameter,
    Plot,
    ScoringSpec,
    Section,
    SolverSpec,
    Spec,
    Table,
    TaskSpec,
)

__all__ = [
    "AnalysisSpec",
    "Ask",
    "Backend",
    "BackendSpec",
    "Calibration",
    "Capabilities",
    "Item",
    "Judge",
    "JudgeSpec",
    "Member",
    "Metric",
    "Parameter",
    "Plot",
    "Scoring",
    "ScoringSpec",
    "Section",
    "Solver",
    "SolverSpec",
    "Spec",
    "Table",
    "TaskSpec",
]
