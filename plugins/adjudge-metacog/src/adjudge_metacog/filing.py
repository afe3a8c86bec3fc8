"""Files what a proposer says: known, contradictory, flagged, or a new rule that the gate may look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from adjudge.submission import as_text
from adjudge.verdict import Failure
from adjudge_metacog.cases import Case
from adjudge_metacog.changes import Author
from adjudge_metacog.comparing import Comparer, near
from adjudge_metacog.events import Event, identity
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Edge, Ground, Rule
from adjudge_metacog.practice import Attempt, Practice
from adjudge_metacog.proposing import Proposer
from adjudge_metacog.retrieval import Retriever

What: TypeAlias = Literal["no rule", "flagged", "known", "unsettled", "contradicts", "proposed"]
_MOST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one case that turned out badly."""

    case: str
    """Id of the case."""
    what: What
    """`known`: the graph had the rule, and the case was attached to it. `unsettled`: it could not be compared."""
    rule: str = ""
    """Id of the rule, the old one if it is known."""
    why: str = ""
    """More about it."""


@dataclass
class Notebook:
    """A graph that is being changed, and every event since it was opened."""

    graph: RuleGraph
    """The graph; changed in place."""
    events: list[Event] = field(default_factory=list)
    """What was noted, in order."""

    def note(self, made: Iterable[Event]) -> None:
        """Take events in, each made of the graph as it then is."""
        for event in made:
            self.graph.apply(identity(event), event)
            self.events.append(event)


@dataclass
class Filing:
    """Files one case after the other, since a proposal may repeat or contradict the one before."""

    practice: Practice
    """Fits a rule to where it came from."""
    proposer: Proposer
    """Finds rules."""
    comparer: Comparer
    """Tells whether a rule is new, and whether it contradicts another."""
    author: Author
    """Who is put on record."""
    notebook: Notebook
    """The graph."""

    async def file_all(self, bad: Sequence[Attempt]) -> list[Filed]:
        """Propose a rule for each attempt that turned out badly."""
        graph = self.notebook.graph
        self._index = Retriever([rule for rule in graph.rules if graph.record(rule.id).status != "retired"])
        self._fresh: list[Rule] = []
        return [await self._file(attempt) for attempt in bad]

    async def _file(self, attempt: Attempt) -> Filed:
        found = await self.proposer.propose(attempt)
        if isinstance(found, Failure):
            return Filed(attempt.case.id, "no rule", why=f"{found.reason}: {found.detail}")
        rule = self.practice.fitted(found, attempt)
        against: list[str] = []
        for old in near(rule, self._index, self._fresh):
            relation = await self.comparer.relation(rule, old)
            if relation == "same":
                self._attach(old.id, attempt.case)
                return Filed(attempt.case.id, "known", old.id)
            if relation is None:
                return Filed(attempt.case.id, "unsettled", why=f"{rule.text}: could not be compared with {old.id}")
            against += [old.id] if relation == "contradicts" else []
        return self._add(rule, attempt.case, against)

    def _add(self, rule: Rule, case: Case, against: Sequence[str]) -> Filed:
        """A new rule, proposed; what it contradicts is drawn, so that it is not active before a person reviewed it."""
        graph, note = self.notebook.graph, self.notebook.note
        if rule.id in graph:
            return Filed(case.id, "no rule", rule.id, "it was retired before")
        note(self.author.adds(graph, rule))
        self._fresh.append(rule)
        self._attach(rule.id, case)
        for old in against:
            note(self.author.links(graph, Edge(kind="conflicts_with", source=rule.id, target=old)))
        if flags := graph.record(rule.id).flags:
            return Filed(case.id, "flagged", rule.id, ", ".join(flags))
        return Filed(case.id, "contradicts" if against else "proposed", rule.id, ", ".join(against))

    def _attach(self, rule: str, case: Case) -> None:
        """The case, and that the rule comes from it."""
        graph, ground = self.notebook.graph, ground_of(case)
        self.notebook.note(self.author.adds(graph, ground))
        self.notebook.note(self.author.links(graph, Edge(kind="derived_from", source=rule, target=ground.id)))


def ground_of(case: Case) -> Ground:
    """A case as a node, named after what it says."""
    submission = case.submission
    text = "\n\n".join(part for part in (as_text(submission.input), as_text(submission.output)) if part.strip())
    name = hashlib.sha256(f"{case.id}\x00{text}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    about = {"domain": case.about("domain"), "source": case.id}
    return Ground(kind="case", id=f"case-{name}", text=text[:_MOST_TEXT], **about)
