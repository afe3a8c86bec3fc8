"""The rule graph in memory: a pure function of a set of events.

The order in which events arrive changes nothing: what is known of each node and edge is kept as the set of events on
it, and everything else follows from that set. So replay, any interleaving and merges in any order give one graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from adjudge.errors import UnknownNameError
from adjudge_metacog.bulk import in_bulk
from adjudge_metacog.events import Event, Linked, Used, canonical, plain
from adjudge_metacog.nodes import Edge, Rule, flags_of_text
from adjudge_metacog.records import Record, heads, in_order, node_of, record_problems, strangers

_AT_ONCE = 500


class RuleGraph:
    """Nodes and edges with their history; changed by events alone."""

    def __init__(self, events: Iterable[tuple[str, Event]] = ()) -> None:
        self.records: dict[str, Record] = {}
        """By node id."""
        self.links: dict[Edge, dict[str, Linked]] = {}
        """Events on each edge."""
        self.clock = 0
        """The highest clock of an event."""
        self._leaving: defaultdict[str, dict[Edge, None]] = defaultdict(dict)  # edges by their source, in order
        self._network: Any = None
        for name, event in events:
            self.apply(name, event)

    def apply(self, name: str, event: Event) -> bool:
        """Take an event in; one that is known changes nothing. Tells whether it was new."""
        self.clock = max(self.clock, event.clock)
        events = self._events_beside(event)
        new = name not in events
        events[name] = event
        if new and isinstance(event, Used):
            self.records[event.rule].counts(event)
        return new

    def _events_beside(self, event: Event) -> dict[str, Any]:
        """The events on the same thing, by id, about to change: what was derived from them is dropped."""
        self._network = None
        if isinstance(event, Linked):
            self._leaving[event.edge.source][event.edge] = None
            return self.links.setdefault(event.edge, {})
        record = self.records.setdefault(node_of(event), Record())
        record.forget()
        found: dict[str, Any] = getattr(record, event.type)
        return found

    def withdraw(self, name: str, event: Event) -> None:
        """Take an event out again, as if it had never come in; the clock stays."""
        del self._events_beside(event)[name]
        if isinstance(event, Linked):
            if not self.links[event.edge]:
                del self.links[event.edge], self._leaving[event.edge.source][event.edge]
        else:
            self.records[node_of(event)].forget_uses()
            if not self.records[node_of(event)].events:
                del self.records[node_of(event)]

    def __contains__(self, node: str) -> bool:
        return node in self.records

    def record(self, node: str) -> Record:
        """What is known of a node.

        Raises:
            UnknownNameError: There is none of that id.
        """
        if node not in self.records:
            raise UnknownNameError("node", node, self.records)
        return self.records[node]

    @property
    def rules(self) -> Iterator[Rule]:
        """All rules, whatever their status, by id."""
        return (r.node for _, r in sorted(self.records.items()) if isinstance(r.node, Rule))

    @property
    def edges(self) -> list[Edge]:
        """The edges that are there, in order; one that any copy still draws is there."""
        found = [edge for edge in self.links if self.has(edge)]
        return sorted(found, key=lambda edge: (edge.source, edge.kind, edge.target))

    def has(self, edge: Edge) -> bool:
        """Whether the edge is there."""
        return any(event.present for event in heads(self.links.get(edge, {})).values())

    def contradicted(self, rule: str) -> list[str]:
        """The rules in force or under review that this rule contradicts."""
        return [
            edge.target for edge in self._leaving.get(rule, ()) if edge.kind == "conflicts_with" and self._holds(edge)
        ]

    def _holds(self, edge: Edge) -> bool:
        return self.has(edge) and self.records[edge.target].status != "retired"

    @property
    def active(self) -> list[Rule]:
        """The rules that may guide, by id: validated, free of flags and of open conflicts."""
        found = (self.records[name].node for name, why in self.held_back().items() if not why)
        return [node for node in found if isinstance(node, Rule)]

    def held_back(self) -> dict[str, list[str]]:
        """What keeps each rule from guiding, by id; nothing for those that may."""
        against = self._contradicting()
        with in_bulk():
            self._check_texts()
            return {rule.id: self._why_not(rule.id, contradicts=rule.id in against) for rule in self.rules}

    def _check_texts(self) -> None:
        """Find the flags of all rules, many at a time, since nearly all have none."""
        unknown = [r for r in self.records.values() if "flags" not in r.__dict__ and isinstance(r.node, Rule)]
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            if not flags_of_text("\n".join(node.text for record in some for node in record.contents)):
                for record in some:
                    record.flags = ()

    def _contradicting(self) -> set[str]:
        return {edge.source for edge in self.links if edge.kind == "conflicts_with" and self._holds(edge)}

    def why_not_active(self, rule: str) -> list[str]:
        """What keeps a rule from guiding; empty if it is active."""
        return self._why_not(rule, contradicts=bool(self.contradicted(rule)))

    def _why_not(self, rule: str, *, contradicts: bool) -> list[str]:
        record = self.record(rule)
        found = [f"it is {record.status}"] if record.status != "validated" else []
        found += [f"its text has a {flag}" for flag in record.flags]
        found += ["copies of the graph disagree on its status"] if len(record.statuses) > 1 else []
        found += ["copies of the graph disagree on its text"] if len(record.contents) > 1 else []
        found += ["it contradicts another rule"] if contradicts and not record.reviewed else []
        return found

    @property
    def network(self) -> Any:
        """The graph as a `networkx.MultiDiGraph`: nodes by id with their `record`, edges keyed by kind."""
        if self._network is None:
            import networkx as nx

            self._network = nx.MultiDiGraph()
            self._network.add_nodes_from((name, {"record": record}) for name, record in sorted(self.records.items()))
            self._network.add_edges_from((edge.source, edge.target, edge.kind) for edge in self.edges)
        return self._network

    def events(self) -> list[tuple[str, Event]]:
        """All events in order: by clock, then by identity."""
        every = [entry for record in self.records.values() for entry in record.events.items()]
        every += [entry for events in self.links.values() for entry in events.items()]
        return sorted(every, key=in_order)

    def canonical(self) -> bytes:
        """The whole graph as JSON: the same bytes for the same set of events."""
        against = self._contradicting()
        nodes = {name: self._plain(name, contradicts=name in against) for name in sorted(self.records)}
        links = sorted(self.links.items(), key=lambda entry: str(entry[0]))
        edges = [{**edge.model_dump(), "events": _plain_events(events)} for edge, events in links]
        return (canonical({"edges": edges, "nodes": nodes}) + "\n").encode()

    def _plain(self, name: str, *, contradicts: bool) -> dict[str, Any]:
        """A node: what follows from its events, for the reader, then the events."""
        record = self.records[name]
        found: dict[str, Any] = {"contents": [plain(node) for node in record.contents]}
        if isinstance(record.node, Rule):
            uses = record.uses.values()
            found |= {"statuses": list(record.statuses), "uses": len(uses), "successes": sum(u is True for u in uses)}
            found["why_not_active"] = self._why_not(name, contradicts=contradicts)
        return {**found, "events": _plain_events(record.events)}

    def problems(self, fresh: Collection[Event] | None = None) -> Iterator[tuple[str, str]]:
        """Pairs of event and what is wrong with it: unknown nodes and events, statuses out of order, cycles.

        Args:
            fresh: Events that came in since the graph held together: only what they are about is looked at.
        """
        nodes: Iterable[str] = self.records
        edges: Iterable[Edge] = self.links
        if fresh is not None:
            nodes = dict.fromkeys(node_of(event) for event in fresh if not isinstance(event, Linked))
            edges = dict.fromkeys(event.edge for event in fresh if isinstance(event, Linked))
        for node in nodes:
            yield from record_problems(node, self.records[node])
        for edge in edges:
            yield from self._link_problems(edge, self.links[edge])
        if any(edge.kind == "refines" for edge in edges):
            yield from self._cycle(edges)

    def _link_problems(self, edge: Edge, events: Mapping[str, Linked]) -> Iterator[tuple[str, str]]:
        for name, event in events.items():
            for end in (edge.source, edge.target):
                if end not in self.records:
                    yield name, f"the edge `{edge}` speaks of {end!r}, which no event adds"
            if edge.source == edge.target:
                yield name, f"the edge `{edge}` leads back to its own node"
            yield from strangers(name, event.after, events)

    def _refined(self, edges: Iterable[Edge]) -> dict[str, list[str]]:
        """What each rule at these edges `refines` refines, and what that does, and so on."""
        found: dict[str, list[str]] = {}
        waiting = sorted({edge.source for edge in edges if edge.kind == "refines"})
        while waiting:
            node = waiting.pop()
            if node not in found:
                above = (edge for edge in self._leaving.get(node, ()) if edge.kind == "refines" and self.has(edge))
                found[node] = sorted(edge.target for edge in above)
                waiting += found[node]
        return found

    def _cycle(self, edges: Iterable[Edge]) -> Iterator[tuple[str, str]]:
        try:
            TopologicalSorter(self._refined(edges)).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            events = {
                name: event.clock
                for source, target in zip(circle[1:], circle, strict=False)
                for name, event in self.links[Edge(kind="refines", source=source, target=target)].items()
            }
            yield max(events, key=lambda name: (events[name], name)), f"refines goes in a circle: {' > '.join(circle)}"


def _plain_events(events: Mapping[str, Event]) -> dict[str, dict[str, Any]]:
    return {name: plain(event) for name, event in events.items()}
