"""Questions to the rule graph: what is near a node, why a rule is there, what waits for a person, how it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from adjudge.metrics import wilson
from adjudge_metacog.events import Event, Moved
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Edge, EdgeKind, Ground, Rule


def near(graph: RuleGraph, node: str, steps: int = 1, kinds: Collection[EdgeKind] = ()) -> tuple[list[str], list[Edge]]:
    """The nodes within some steps of a node, along edges either way, and the edges between them.

    Args:
        graph: The graph.
        node: Where to begin.
        steps: How far.
        kinds: Kinds of edge to walk along; all if empty.

    Raises:
        UnknownNameError: There is no such node.
    """
    import networkx as nx

    graph.record(node)
    walked = [(a, b, kind) for a, b, kind in graph.network.edges(keys=True) if not kinds or kind in kinds]
    paths = nx.Graph([(a, b) for a, b, _ in walked])
    paths.add_node(node)
    reached = nx.single_source_shortest_path_length(paths, node, cutoff=steps)
    names = sorted(reached, key=lambda name: (reached[name], name))
    between = [(a, b, kind) for a, b, kind in walked if a in reached and b in reached]
    return names, sorted((Edge(kind=kind, source=a, target=b) for a, b, kind in between), key=str)


def part(graph: RuleGraph, domain: str | None = None, near_to: str | None = None, steps: int = 1) -> RuleGraph:
    """The nodes of a domain, or near a node, or both, with all that is known of them and the edges between them.

    What one of its rules contradicts is in it too: without that, the rule would look as if it may guide.

    Raises:
        UnknownNameError: There is no such node.
    """
    names = set(graph.records) if near_to is None else set(near(graph, near_to, steps)[0])
    if domain is not None:
        names = {name for name in names if _domain(graph.records[name].node) == domain}
    names |= {edge.target for edge in graph.edges if edge.kind == "conflicts_with" and edge.source in names}
    events = (entry for name in names for entry in graph.records[name].events.items())
    edges = (edge for edge in graph.links if {edge.source, edge.target} <= names)
    return RuleGraph(chain(events, (entry for edge in edges for entry in graph.links[edge].items())))


def _domain(node: Rule | Ground) -> str:
    return node.scope.domain if isinstance(node, Rule) else node.domain


def why(graph: RuleGraph, rule: str) -> Iterator[str]:
    """Lines that say where a rule comes from, what it rests on, what it did and what keeps it from guiding.

    Raises:
        UnknownNameError: There is no such node.
    """
    record = graph.record(rule)
    node = record.node
    yield f"{node.id} ({node.kind}): {node.text}"
    if isinstance(node, Rule):
        held = graph.why_not_active(rule)
        yield f"status: {'/'.join(record.statuses)}{', not active: ' + '; '.join(held) if held else ', active'}"
        yield f"origin: {node.origin}{', ' + node.source if node.source else ''}; severity {node.severity}"
        yield from (f"evidence: {event.evidence}" for event in record.measured.values())
        yield from _outcome(record.uses)
    for edge in graph.edges:
        if edge.source == rule:
            yield f"{edge.kind}: {edge.target}: {graph.records[edge.target].node.text}"
        elif edge.target == rule:
            yield f"{edge.kind} (from): {edge.source}: {graph.records[edge.source].node.text}"
    for event in record.events.values():
        who = " by ".join(part for part in (event.at, event.by) if part)
        yield f"history: {event.clock} {event_told(event)}{f' ({who})' if who else ''}"


def event_told(event: Event) -> str:
    """What an event did, in one line."""
    if isinstance(event, Moved):
        return f"{event.type} to {event.status}{': ' + event.reason if event.reason else ''}"
    return event.type


def _outcome(uses: dict[str, bool | None]) -> Iterator[str]:
    assessed = [outcome for outcome in uses.values() if outcome is not None]
    yield f"uses: {len(uses)}, in order afterwards: {wilson(sum(assessed), len(assessed))}"


def to_review(graph: RuleGraph) -> dict[str, list[str]]:
    """The rules that wait for a person, by id, with what is open: proposals, disagreements, contradictions, flags."""
    return {
        name: why for name, why in graph.held_back().items() if why and graph.records[name].statuses != ("retired",)
    }


def figures(graph: RuleGraph) -> dict[str, Any]:
    """Counts of nodes, edges and statuses, and how often the outcome was in order after a rule was shown."""
    records = graph.records.values()
    rules = [record for record in records if isinstance(record.node, Rule)]
    assessed = [use for record in rules for use in record.uses.values() if use is not None]
    return {
        "nodes": dict(sorted(Counter(record.node.kind for record in records).items())),
        "edges": dict(sorted(Counter(edge.kind for edge in graph.edges).items())),
        "rules": dict(sorted(Counter(record.status for record in rules).items())),
        "active": len(graph.active),
        "flagged": sum(bool(record.flags) for record in rules),
        "disagreements": sum(len(record.statuses) > 1 or len(record.contents) > 1 for record in records),
        "uses": sum(len(record.uses) for record in rules),
        "in order after use": wilson(sum(assessed), len(assessed)),
    }
