"""The rule graph in memory: a pure function of a set of events.

The order in which events arrive changes nothing: what is known of each node and edge is kept as the set of events on
it, and everything else follows from that set. So replay, any interleaving and merges in any order give one graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

from adjudge.errors import UnknownNameError
from adjudge_metacog.events import Added, Event, Linked, Measured, Moved, Used, canonical, plain
from adjudge_metacog.nodes import CAUTION, FORWARD, Edge, Ground, Rule, Status, flags_of_text

E = TypeVar("E", Added, Moved, Linked)
_AT_ONCE = 500


def _heads(events: Mapping[str, E]) -> dict[str, E]:
    """The events that no other one replaces, by id, in the order of their ids."""
    if len(events) == 1:
        return dict(events)
    replaced = {known for event in events.values() for known in event.after}
    return {name: events[name] for name in sorted(events.keys() - replaced)}


def latest(events: Mapping[str, E]) -> tuple[str, ...]:
    """Ids of the events that no other one replaces: what a new event on the same thing comes after."""
    return tuple(_heads(events))


@dataclass
class Record:
    """Everything known of one node."""

    added: dict[str, Added] = field(default_factory=dict)
    moved: dict[str, Moved] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    used: dict[str, Used] = field(default_factory=dict)

    @cached_property
    def contents(self) -> tuple[Rule | Ground, ...]:
        """Its content; more than one where copies of the graph disagree."""
        heads = _heads(self.added).values()
        if len(heads) == 1:
            return tuple(event.node for event in heads)
        # Two people who wrote the same thing do not disagree.
        return tuple({canonical(plain(event.node)): event.node for event in heads}.values())

    @cached_property
    def node(self) -> Rule | Ground:
        """Its content; the first of those that disagree."""
        return self.contents[0]

    @cached_property
    def statuses(self) -> tuple[Status, ...]:
        """Its status; more than one, the most cautious first, where copies of the graph disagree."""
        found = {event.status for event in _heads(self.moved).values()} or {"proposed"}
        return tuple(status for status in CAUTION if status in found)

    @property
    def status(self) -> Status:
        """Its status; the most cautious of those that disagree."""
        return self.statuses[0]

    @cached_property
    def reviewed(self) -> bool:
        """A person stands behind its status."""
        heads = _heads(self.moved).values()
        return bool(heads) and all(event.reviewed for event in heads)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Why a rule must not reach a judge, whatever its status."""
        if not isinstance(self.node, Rule):
            return ()
        return tuple(dict.fromkeys(flag for node in self.contents for flag in flags_of_text(node.text)))

    @property
    def uses(self) -> dict[str, bool | None]:
        """What came of each use, by item; where two copies disagree it was not in order."""
        found: dict[str, bool | None] = {}
        for event in sorted(self.used.values(), key=lambda event: (event.aligned is not None, not event.aligned)):
            found[event.item] = event.aligned
        return found

    @property
    def events(self) -> dict[str, Event]:
        """All events on the node, by id, in their order."""
        every: dict[str, Event] = {**self.added, **self.moved, **self.measured, **self.used}
        return dict(sorted(every.items(), key=in_order))

    def forget(self) -> None:
        """Drop what was derived, since an event came in."""
        for name in ("contents", "node", "statuses", "reviewed", "flags"):
            self.__dict__.pop(name, None)


def in_order(entry: tuple[str, Event]) -> tuple[int, str]:
    """The order of events: by clock, then by identity."""
    return entry[1].clock, entry[0]


class RuleGraph:
    """Nodes and edges with their history; changed by events alone."""

    def __init__(self, events: Iterable[tuple[str, Event]] = ()) -> None:
        self.records: dict[str, Record] = {}
        """By node id."""
        self.links: dict[Edge, dict[str, Linked]] = {}
        """Events on each edge."""
        self.clock = 0
        """The highest clock of an event."""
        self._network: Any = None
        for name, event in events:
            self.apply(name, event)

    def apply(self, name: str, event: Event) -> None:
        """Take an event in; one that is known changes nothing."""
        self.clock, self._network = max(self.clock, event.clock), None
        if isinstance(event, Linked):
            self.links.setdefault(event.edge, {})[name] = event
            return
        record = self.records.setdefault(event.node.id if isinstance(event, Added) else event.rule, Record())
        kept: dict[str, Any] = getattr(record, event.type)
        kept[name] = event
        record.forget()

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
        return any(event.present for event in _heads(self.links.get(edge, {})).values())

    def contradicted(self, rule: str) -> list[str]:
        """The rules in force or under review that this rule contradicts."""
        return [
            edge.target
            for edge in self.links
            if edge.kind == "conflicts_with" and edge.source == rule and self._holds(edge)
        ]

    def _holds(self, edge: Edge) -> bool:
        return self.has(edge) and self.records[edge.target].status != "retired"

    @property
    def active(self) -> list[Rule]:
        """The rules that may guide, by id: validated, free of flags and of open conflicts."""
        against = self._contradicting()
        self._check_texts()
        return [rule for rule in self.rules if not self._why_not(rule.id, contradicts=rule.id in against)]

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

    def problems(self) -> Iterator[tuple[str, str]]:
        """Pairs of event and what is wrong with it: unknown nodes and events, statuses out of order, cycles."""
        for name, record in self.records.items():
            yield from _record_problems(name, record)
        for edge, events in self.links.items():
            for name, event in events.items():
                yield from self._link_problems(edge, name, event, events)
        yield from self._cycle()

    def _link_problems(
        self, edge: Edge, name: str, event: Linked, events: Mapping[str, Linked]
    ) -> Iterator[tuple[str, str]]:
        for end in (edge.source, edge.target):
            if end not in self.records:
                yield name, f"the edge `{edge}` speaks of {end!r}, which no event adds"
        if edge.source == edge.target:
            yield name, f"the edge `{edge}` leads back to its own node"
        yield from _strangers(name, event.after, events)

    def _cycle(self) -> Iterator[tuple[str, str]]:
        above: defaultdict[str, list[str]] = defaultdict(list)
        for edge in self.edges:
            if edge.kind == "refines":
                above[edge.source].append(edge.target)
        try:
            TopologicalSorter(above).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            events = {
                name: event.clock
                for source, target in zip(circle[1:], circle, strict=False)
                for name, event in self.links[Edge(kind="refines", source=source, target=target)].items()
            }
            yield max(events, key=lambda name: (events[name], name)), f"refines goes in a circle: {' > '.join(circle)}"


def _record_problems(node: str, record: Record) -> Iterator[tuple[str, str]]:
    if not record.added:
        yield next(iter(record.events)), f"speaks of {node!r}, which no event adds"
        return
    is_rule = isinstance(record.node, Rule)
    kinds = {event.node.kind for event in record.added.values()}
    for name, added in record.added.items():
        yield from _strangers(name, added.after, record.added)
        if len(kinds) > 1:
            yield name, f"{node!r} is a {' and a '.join(sorted(kinds))}; ids are unique"
    for name in () if is_rule else (*record.moved, *record.measured, *record.used):
        yield name, f"speaks of {node!r} as a rule, which is a {record.node.kind}"
    for name, moved in record.moved.items():
        yield from _strangers(name, moved.after, record.moved)
        before = [record.moved[known].status for known in moved.after if known in record.moved] or ["proposed"]
        # Where copies disagreed, a person may settle on any of their statuses.
        if not moved.rollback and all(FORWARD.index(moved.status) < FORWARD.index(status) for status in before):
            yield name, f"{node!r} cannot go from {max(before, key=FORWARD.index)} to {moved.status}; roll back instead"


def _strangers(name: str, after: Iterable[str], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for other in after:
        if other not in known:
            yield name, f"follows the event {other}, which is not there"


def _plain_events(events: Mapping[str, Event]) -> dict[str, dict[str, Any]]:
    return {name: plain(event) for name, event in events.items()}
