"""Two graphs beside each other: merging them, telling them apart, and going back to an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adjudge.errors import InputError
from adjudge_metacog.changes import Author, Change
from adjudge_metacog.events import Event, plain
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.log import Log
from adjudge_metacog.nodes import Rule


def merged(logs: Sequence[Log]) -> RuleGraph:
    """The graph that holds the events of all; the same whatever their order, and however often one is among them.

    Where copies disagree on a status or a text, both stay, the rule is not active and `review` shows it.

    Raises:
        InputError: Together they do not hold together, for example `refines` goes in a circle.
    """
    graph = RuleGraph(entry for log in logs for entry in log.graph.events())
    for name, problem in sorted(graph.problems()):
        places = ", ".join(f"{log.path}: event {log.numbers[name]}" for log in logs if name in log.numbers)
        raise InputError(f"{places}: in the merged graph {problem}; change one of the graphs first")
    return graph


def differences(old: RuleGraph, new: RuleGraph) -> Iterator[tuple[str, str]]:
    """Pairs of node or edge and what differs, in order."""
    for name in sorted(old.records.keys() | new.records.keys()):
        if name not in old:
            yield name, f"added: {_told(new, name)}"
        elif name not in new:
            yield name, f"gone: {_told(old, name)}"
        else:
            yield from ((name, what) for what in _changed(old, new, name))
    before, after = set(old.edges), set(new.edges)
    yield from ((str(edge), "drawn") for edge in new.edges if edge not in before)
    yield from ((str(edge), "taken away") for edge in old.edges if edge not in after)


def _told(graph: RuleGraph, name: str) -> str:
    record = graph.records[name]
    status = f"{record.status} " if isinstance(record.node, Rule) else ""
    return f"{status}{record.node.kind}: {record.node.text}"


def _changed(old: RuleGraph, new: RuleGraph, name: str) -> Iterator[str]:
    first, second = old.records[name], new.records[name]
    if first.contents != second.contents:
        old_fields, new_fields = plain(first.node), plain(second.node)
        names = sorted(key for key in old_fields | new_fields if old_fields.get(key) != new_fields.get(key))
        yield f"changed: {', '.join(names) or 'its other contents'}"
    if first.statuses != second.statuses:
        yield f"status: {'/'.join(first.statuses)} to {'/'.join(second.statuses)}"
    for what in ("measured", "used"):
        more = len(getattr(second, what)) - len(getattr(first, what))
        if more:
            yield f"{what}: {more:+d}"


def rolled_back(log: Log, number: int, author: Author) -> Change:
    """The change that brings the graph back to what it was after event `number` of its log.

    Nothing is erased: statuses, texts and edges are set back by further events. A rule that came later is retired; what
    was measured and used stays, since it happened.

    Raises:
        InputError: The log has no such event.
    """
    if not 0 <= number <= log.count:
        raise InputError(f"{log.path}: has {log.count} events; roll back to one of them, not to {number}")
    past = RuleGraph((name, event) for name, event in log.graph.events() if log.numbers[name] <= number)
    return lambda graph: _back(graph, past, author, f"rolled back to event {number}")


def _back(graph: RuleGraph, past: RuleGraph, author: Author, reason: str) -> Iterator[Event]:
    how: dict[str, Any] = {"reason": reason, "rollback": True}
    for edge in past.edges:
        yield from author.links(graph, edge)
    before = set(past.edges)
    for edge in graph.edges:
        if edge not in before:
            yield from author.links(graph, edge, present=False)
    for name, record in sorted(graph.records.items()):
        if name not in past:
            if isinstance(record.node, Rule):
                yield from author.moves(graph, name, "retired", **how)
            continue
        yield from author.adds(graph, past.records[name].node)
        if isinstance(record.node, Rule) and record.statuses != past.records[name].statuses:
            reviewed = past.records[name].reviewed
            yield from author.moves(graph, name, past.records[name].status, reviewed=reviewed, **how)
