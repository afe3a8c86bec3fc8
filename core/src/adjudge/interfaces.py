"""What plugins provide: protocols, and the specs that name and build them.

A spec is a frozen value with a `name`, a one-line `summary` and a `build` function. `build` takes keyword options and
imports whatever is heavy inside itself, so that listing plugins stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Question, Reply, Result, Score, Verdict

Item: TypeAlias = Submission | Comparison
"""What a judge is given."""


class Ask(Protocol):
    """The way to a backend, through the engine: de-duplicated, bounded in time, recorded in the ledger."""

    @property
    def secret(self) -> bytes:
        """Keys the random boundaries of prompts."""

    @property
    def primes(self) -> bool:
        """Whether asking one question of an item first pays: the backend keeps a prompt's prefix."""

    @property
    def context_tokens(self) -> int | None:
        """Longest prompt and reply together that the backend takes, in tokens, if it says so."""

    async def __call__(self, question: Question) -> Reply:
        """Ask. A failed call gives a `Reply` with a `Failure`; it does not raise."""

    def discard(self, question: Question) -> None:
        """Say that the reply could not be used, so that the next run asks again."""

    def fingerprint(self, question: Question) -> str:
        """Identity of the question: hash of everything that reaches the model and of who answers."""

    def to(self, backend: Backend) -> Ask:
        """The way to another backend, on the same ledger, budget and stop; for judges made of judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do; what is absent is refused with a typed error before any call."""

    label_logprobs: Literal["raw", "masked"] | None = None
    """Gives log-probabilities of labels: before (`raw`) or after (`masked`) the constraint."""
    json_schema: bool = False
    """Constrains the reply to a JSON schema."""
    prefix_cache: bool = False
    """Serves a repeated prompt prefix from a cache."""
    seed: bool = False
    """Takes a seed."""
    embeddings: bool = False
    """Offers `embed`."""
    hidden_states: bool = False
    """Offers `hidden_states`."""
    local: bool = False
    """Runs on this machine: nothing leaves it and nothing is paid."""
    context_tokens: int | None = None
    """Longest prompt and reply together, in tokens."""
    concurrency: int = 16
    """Questions that it can usefully hold in flight."""


@runtime_checkable
class Backend(Protocol):
    """A model that answers questions; the only impure part of a judgement.

    A backend may further offer `ask_many(questions) -> list[Reply]` (offline engines, batch services),
    `embed(texts) -> list[list[float]]` and `hidden_states(texts, layer)`; `capabilities` says so. With
    `prepare(*, labels)` it finds out what its server offers before the first question (with `labels` also whether it
    gives log-probabilities), so that `capabilities` is exact.
    """

    @property
    def name(self) -> str:
        """Name and model for people, for example `local:SmolLM2-135M-Instruct`."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who answers, as JSON values: backend, endpoint, model asked for, weights' hash; part of every fingerprint."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def ask(self, question: Question) -> Reply:
        """Answer one question. A call that fails gives a `Reply` with a `Failure`; it does not raise."""

    async def aclose(self) -> None:
        """Release the model or the connections; may be called twice."""


class Judge(Protocol):
    """A strategy: turns one item into verdicts by asking questions."""

    @property
    def name(self) -> str:
        """Name with settings, for example `joint(4)`."""

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one item on every criterion of the rubric.

        Returns:
            One verdict per criterion and repeat, in the rubric's order.
        """


class Calibration(Protocol):
    """Maps a judge's distribution over the levels of a criterion to a better one; a pure function.

    One that needs the judge's verdicts on all criteria of a submission further has a method `seeing(verdicts)`, from
    lists of verdicts by criterion to the calibration for that submission; its name tells what it has seen.
    """

    @property
    def name(self) -> str:
        """What it is and what it was fitted to; part of the fingerprint of every verdict that it changed."""

    def __call__(self, criterion: Criterion, distribution: Mapping[str, float]) -> Mapping[str, float]:
        """Map.

        Args:
            criterion: The criterion.
            distribution: Probability of each level of its scale, by id; sums to 1.

        Returns:
            The same keys; sums to 1.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A judge inside a judge, with the backend that it asks."""

    judge: Judge
    """The strategy."""
    backend: Backend | None = None
    """Who answers; the one that the outer judge asks if None."""
    name: str = ""
    """What its verdicts are signed with; unique within the outer judge."""
    weight: float = 1.0
    """Weight of its vote."""
    criteria: tuple[str, ...] = ()
    """Criteria that are its own, for a judge that shares them out."""


class Solver(Protocol):
    """How a candidate answers an input."""

    @property
    def name(self) -> str:
        """Name with settings."""

    async def solve(self, submission: Submission, ask: Ask) -> Submission:
        """Return the submission with its output filled in.

        A failed call leaves the output empty and puts the failure under `metadata["solver_failure"]`.
        """


class Scoring(Protocol):
    """A pure function from the scores of levels to the score of a rubric."""

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine.

        Args:
            rubric: The rubric; its criteria carry weight, importance, group, options.
            scores: Score of the level of every criterion that takes part, in the scale's units. Excluded criteria
                are left out; unscored ones never get here (the core fills in their worst and best for the bounds).

        Returns:
            The score, or None where it is undefined (for example no positive point to be had).
        """


Metric: TypeAlias = Callable[[Sequence[Item], Sequence[Result]], "Mapping[str, Any]"]
"""From items (with gold labels) and their results, in the same order, to named figures.

A figure is a number, None if undefined, an `adjudge.metrics.Estimate` (with interval), or a table as a list of rows.
"""


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


Spec: TypeAlias = BackendSpec | JudgeSpec | SolverSpec | ScoringSpec | TaskSpec | AnalysisSpec

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
