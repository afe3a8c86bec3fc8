"""Specs: what names a thing that a plugin brings and builds it, and the parts of a report that an analysis gives.

A spec is a frozen value with a `name`, a one-line `summary` and a `build` function. `build` takes keyword options and
imports whatever is heavy inside itself, so that listing plugins stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from adjudge.interfaces.protocols import Backend, Item, Judge, Metric, Scoring, Solver
from adjudge.rubric import Rubric
from adjudge.verdict import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """A kind of model."""

    name: str
    """Name on the command line: `--backend name` or `--backend name:model`."""
    summary: str
    """One line."""
    build: Callable[..., Backend]
    """`build(model=None, **options)`; imports its SDK inside."""
    requires: tuple[str, ...] = ()
    """Import names that must be present; checked without importing."""
    install: str = ""
    """The pip line that brings them."""
    cards: Any = None
    """Folder (`Traversable`) with judge cards as JSON, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpec:
    """A strategy over a backend."""

    name: str
    """Name on the command line."""
    summary: str
    """One line."""
    build: Callable[..., Judge]
    """`build(**options)`; options are JSON values."""
    compares: bool = False
    """Takes a `Comparison` rather than a `Submission`."""
    members: tuple[str, ...] = ()
    """Options that name other judges: each reaches `build` as a tuple of `Member`. If the first is not given, it is
    one `isolated` judge; options that `build` does not know go to every member."""
    asks: bool = True
    """Whether it asks a model; if not, no backend is started for it and `build` gets no `read_out`, `repeats`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverSpec:
    """A way to answer."""

    name: str
    """Name on the command line."""
    summary: str
    """One line."""
    build: Callable[..., Solver]
    """`build(**options)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringSpec:
    """A named scoring."""

    name: str
    """Name used in packs."""
    summary: str
    """One line with the formula's source."""
    build: Callable[..., Scoring]
    """`build(**params)`; raises `ScoringError` for parameters that it does not know."""
    over: Literal["criteria", "submissions"] = "criteria"
    """`submissions`: gives no number per submission but compares several (`pareto`)."""
    aggregate: Callable[[Sequence[Score]], Mapping[str, Any]] | None = None
    """How scores of many submissions are summed up; the mean with a clustered interval if None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An option of a task, checked before anything runs."""

    name: str
    """Name on the command line: `-T name=value`."""
    summary: str
    """One line."""
    default: Any = None
    """Used if not given; its type is the parameter's type (str if None)."""
    choices: tuple[Any, ...] = ()
    """Allowed values; any if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A data set, the rubric it is judged by, and what is computed from the verdicts."""

    name: str
    """Name on the command line."""
    summary: str
    """One line."""
    kind: Literal["judge", "candidate", "meta"]
    """`judge`: judge given answers. `candidate`: a candidate answers first. `meta`: measure the judge itself against
    gold labels."""
    dataset: Callable[..., Iterable[Item]]
    """`dataset(**parameters)`; raises `InputError` that says what to download, from where, under which licence."""
    rubric: str | Callable[..., Rubric]
    """Id of a pack, or `rubric(**parameters)`."""
    metrics: tuple[Metric, ...] = ()
    """Computed over all items and results."""
    parameters: tuple[Parameter, ...] = ()
    """Options of `dataset` and `rubric`."""
    judge: str = "isolated"
    """Default judge."""
    judge_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the default judge."""
    read_out: str = "label"
    """Default read-out."""
    solver: str = "generate"
    """Default solver of a candidate task."""
    options: Callable[..., Mapping[str, Any]] | None = None
    """`options(**parameters)` overrides `judge`, `read_out`, `template`, `repeats`, … for these parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture in a report."""

    title: str
    """Headline."""
    svg: str
    """The picture as SVG. Shapes, lines and text are kept; scripts, styles and links are not. The colours `var(--ink)`,
    `var(--soft)`, `var(--line)`, `var(--accent)`, `var(--best)`, `var(--middle)` and `var(--worst)` follow the page."""
    says: str
    """What it shows, in words, for who cannot see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table in a report."""

    title: str
    """Headline."""
    columns: tuple[str, ...]
    """Headings; the first column names the rows."""
    rows: tuple[tuple[Any, ...], ...]
    """Cells: text, numbers, None, or what an `Estimate` is."""
    shades: tuple[tuple[float | None, ...], ...] = ()
    """How dark each cell is, from 0 to 1, or None; empty if none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the HTML report."""

    title: str
    """Headline."""
    lead: str
    """What it says, in a sentence or two that a reader without statistics understands."""
    parts: tuple[Plot | Table | str, ...] = ()
    """What it shows, in order; text is a paragraph."""
    help: str = ""
    """How to read it, shown on demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSpec:
    """A report over ledgers and logs."""

    name: str
    """Name on the command line."""
    summary: str
    """One line."""
    build: Callable[..., Callable[..., Any]]
    """`build(**options)` gives a function of a run folder."""
    sections: Callable[[Sequence[Any]], Sequence[Section]] | None = None
    """What it adds to the HTML report of these `adjudge.report.RunRecord`s; None if it adds nothing."""
    labels: Callable[[Any, Sequence[Path]], Any] | None = None
    """Puts what files of labels and reviews say beside a run, before its report is made: from its
    `adjudge.report.RunRecord` to one with more labels and `people`; None if it reads none."""


Spec: TypeAlias = BackendSpec | JudgeSpec | SolverSpec | ScoringSpec | TaskSpec | AnalysisSpec
