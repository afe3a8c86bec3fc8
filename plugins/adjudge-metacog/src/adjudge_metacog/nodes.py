"""What the rule graph is made of: rules, what they rest on, and edges, as frozen values."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from adjudge.metrics import Estimate
from adjudge.prompts import flags_of
from adjudge.submission import Submission
from adjudge.values import Frozen, Id

Status = Literal["proposed", "validated", "retired"]
EdgeKind = Literal["derived_from", "refines", "except", "supports", "conflicts_with", "applies_to"]

FORWARD: tuple[Status, ...] = ("proposed", "validated", "retired")
"""The one way through the statuses; only a rollback goes back."""
CAUTION: tuple[Status, ...] = ("retired", "proposed", "validated")
"""Statuses from the most cautious to the least: what counts where two copies of a graph disagree."""
RULE_FORM = r"^[Ww]hen [^\n]+, (do|do not) [^\n]+, because [^\n]+$"
"""The one sentence that a rule is."""

_INSTRUCTS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,60}\b(?:instructions?|rubric|criteri\w+|rules?|prompt|above)\b"
    r"|\b(?:always|must|only)\b.{0,30}\b(?:answer|reply|respond|output|say|give|score|rate)\b.{0,30}"
    r"\b(?:met|yes|true|pass|highest|maximum|full marks|top level)\b"
    r"|\b(?:system prompt|you are now|as an ai)\b",
    re.IGNORECASE,
)


class Scope(Frozen):
    """Where a rule holds; what is left empty does not narrow it."""

    domain: str = ""
    """Field of work, for example `finance`."""
    scenarios: tuple[str, ...] = ()
    """Kinds of situation."""
    criteria: tuple[Id, ...] = ()
    """Ids of the criteria that it guides."""
    tags: tuple[str, ...] = ()
    """Free words to find it by."""


class Rule(Frozen):
    """One sentence of guidance."""

    kind: Literal["rule"]
    """Marks a rule."""
    id: Id
    """Stable name, unique in the graph."""
    text: Annotated[str, Field(pattern=RULE_FORM, max_length=600)]
    """`when …, do / do not …, because …`."""
    scope: Scope = Scope()
    """Where it holds."""
    severity: Annotated[int, Field(ge=1, le=3, strict=True)] = 2
    """How bad a breach is, 3 the worst."""
    origin: Literal["tree", "reflection", "person", "votes"] = "reflection"
    """Who brought it: a static tree, a judge's reflection, a person, or votes on values."""
    direction: Literal["tightens", "loosens", "either"] = "either"
    """What it does to verdicts; only one that tightens may guide a `must` criterion without review."""
    source: str = ""
    """The norm, file or run that it comes from."""


class Ground(Frozen):
    """What rules rest on and where they apply."""

    kind: Literal["case", "principle", "value", "scenario"]
    """What it is."""
    id: Id
    """Stable name, unique in the graph."""
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    """The case, the principle, …"""
    domain: str = ""
    """Field of work."""
    source: str = ""
    """Where it comes from; for a case, the id of its submission."""


Node = Annotated[Rule | Ground, Field(discriminator="kind")]


class Edge(Frozen):
    """A directed relation between two nodes."""

    kind: EdgeKind
    """`derived_from`, `refines`, `except` (an exception to the target), `supports`, `applies_to`, or `conflicts_with`:
    the source contradicts the target, which was there before."""
    source: Id
    """Id of the node that it leaves."""
    target: Id
    """Id of the node that it points to."""

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.target}"


class Evidence(Frozen):
    """One measurement of what a rule does."""

    measure: str
    """What was measured, for example `improvement` or `over-refusal`."""
    split: str = ""
    """The cases that it was measured on."""
    cycle: Annotated[int, Field(ge=0)] = 0
    """How often the gate had looked at these cases, this time counted in; 0 if it was no gate."""
    value: float | None
    """The figure; None if undefined."""
    low: float | None = None
    """Lower end of the interval."""
    high: float | None = None
    """Upper end of the interval."""
    n: Annotated[int, Field(ge=0)] = 0
    """Number of cases."""
    method: str = ""
    """How the interval was made."""
    note: str = ""
    """Why to distrust it, or why it is undefined."""

    @classmethod
    def of(cls, measure: str, split: str, estimate: Estimate, cycle: int = 0) -> Evidence:
        """From an estimate of `adjudge.metrics`."""
        return cls(
            measure=measure,
            split=split,
            cycle=cycle,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            n=estimate.n,
            method=estimate.method,
            note=estimate.note,
        )

    def __str__(self) -> str:
        estimate = Estimate(value=self.value, low=self.low, high=self.high, n=self.n, note=self.note)
        return f"{self.measure} {estimate:.3f}{f' on {self.split}' if self.split else ''}"


def flags_of_text(text: str) -> tuple[str, ...]:
    """Why a text must not reach a judge as guidance: the checks of submissions, and words that instruct a judge.

    Returns:
        Names such as `control-token`, `forged-marker`, `hidden-unicode`, `instructs-the-judge`; empty if clean.
    """
    found = tuple(flag for flag in flags_of(Submission(id="rule", output=text)) if flag != "near-empty")
    return (*found, "instructs-the-judge") if _INSTRUCTS.search(text) else found
