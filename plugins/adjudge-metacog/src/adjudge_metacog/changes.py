"""Makes events: each function looks at the graph and says what would change, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adjudge.errors import InputError
from adjudge_metacog.events import Added, Event, Linked, Measured, Moved, Used
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import FORWARD, Edge, Evidence, Ground, Rule, Status
from adjudge_metacog.records import latest

Change = Callable[[RuleGraph], Iterator[Event]]
"""What to do to a graph, once it is known."""


@dataclass(frozen=True)
class Author:
    """Who changes a graph, and when; makes the events."""

    by: str = ""
    """A person, or a judge by name."""
    at: str = ""
    """When, ISO 8601."""
    signature: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signature", {"by": self.by, "at": self.at})

    def adds(self, graph: RuleGraph, node: Rule | Ground) -> Iterator[Added]:
        """The node is new, or its content is; nothing if the graph has it as it is."""
        known = graph.records.get(node.id)
        if known is not None and known.contents == (node,):
            return
        after = latest(known.added) if known is not None else ()
        yield Added(type="added", clock=graph.clock + 1, node=node, after=after, **self.signature)

    def links(self, graph: RuleGraph, edge: Edge, *, present: bool = True) -> Iterator[Linked]:
        """The edge is drawn, or taken away; nothing if it already is as asked."""
        if graph.has(edge) == present:
            return
        after = latest(graph.links.get(edge, {}))
        yield Linked(type="linked", clock=graph.clock + 1, edge=edge, present=present, after=after, **self.signature)

    def moves(
        self,
        graph: RuleGraph,
        rule: str,
        status: Status,
        reason: str = "",
        *,
        reviewed: bool = False,
        rollback: bool = False,
    ) -> Iterator[Moved]:
        """The rule's status changes; nothing if it already is so.

        Raises:
            InputError: The rule cannot go there without a rollback, or a flagged rule would become validated.
        """
        record = graph.record(rule)
        if record.statuses == (status,) and record.reviewed >= reviewed:
            return
        if not rollback and FORWARD.index(status) < min(map(FORWARD.index, record.statuses)):
            raise InputError(f"{rule}: cannot go from {record.status} to {status}; use `adjudge graph rollback`")
        if status == "validated" and record.flags:
            raise InputError(f"{rule}: its text has a {', '.join(record.flags)}; change the text first")
        yield Moved(
            type="moved",
            clock=graph.clock + 1,
            rule=rule,
            status=status,
            reason=reason,
            reviewed=reviewed,
            rollback=rollback,
            after=latest(record.moved),
            **self.signature,
        )

    def measures(self, graph: RuleGraph, rule: str, evidence: Evidence) -> Iterator[Measured]:
        """A measurement of the rule."""
        graph.record(rule)
        yield Measured(type="measured", clock=graph.clock + 1, rule=rule, evidence=evidence, **self.signature)

    def uses(self, graph: RuleGraph, rule: str, item: str, *, aligned: bool | None = None) -> Iterator[Used]:
        """The rule was shown for an item; nothing if that is known with that outcome."""
        if graph.record(rule).uses.get(item, "new") == aligned:
            return
        yield Used(type="used", clock=graph.clock + 1, rule=rule, item=item, aligned=aligned, **self.signature)
