"""A job: what a command wants judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adjudge.cli.options import How
from adjudge.interfaces import Item, Metric
from adjudge.rubric import Rubric


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to judge, by what, into which folder."""

    title: str
    """Headline of the report."""
    items: Sequence[Item]
    """What is judged."""
    rubric: Rubric | None
    """None if every submission brings its own."""
    how: How
    """How to judge."""
    out: Path
    """Folder of the run."""
    source: Mapping[str, Any]
    """Where the items come from; with the rubric's id it tells one run from another."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Options of the judge that the task asks for."""
    judge: str | None = None
    """The judge that the task asks for."""
    metrics: Sequence[Metric] = ()
    """Computed over all items and results."""
    warnings: Sequence[str] = ()
    """What the reader must know first."""
    rubric_file: str = ""
    """Path of the rubric, if it is no installed one."""
    data_hash: str = ""
    """SHA-256 of the data file."""
    limit: int | None = None
    """Number of rows asked for, if not all."""
    candidate: str | None = None
    """Backend that answers first, if any."""
    candidate_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of that backend."""
    solver: str = "generate"
    """How it answers."""
    solver_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the solver."""
