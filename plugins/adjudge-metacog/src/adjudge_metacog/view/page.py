"""The rule graph as one HTML file: it fetches nothing, and nothing from a rule's text becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

from adjudge.errors import InputError
from adjudge.metrics import wilson
from adjudge_metacog.events import Event
from adjudge_metacog.exporting import printable
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.queries import event_told
from adjudge_metacog.records import Record
from adjudge_metacog.view.layout import CARD, Box, by_number, laid_out, title_height

MOST_NODES = 5_000
"""Most nodes in one page."""
_LONGEST = 4_000
_MOST_EVENTS = 200
_KINDS = ("rule", "case", "principle", "value", "scenario")


def rendered(graph: RuleGraph, title: str) -> str:
    """The page; the same text for the same graph.

    Args:
        graph: What is shown.
        title: Name of the graph.

    Raises:
        InputError: The graph has more nodes than a page holds.
    """
    if len(graph.records) > MOST_NODES:
        raise InputError(
            f"{title}: {len(graph.records):,} nodes; a page holds {MOST_NODES:,}: choose a part with --domain or --near"
        )
    css, picture, page = (_source(name) for name in ("page.css", "picture.js", "page.js"))
    parts = {
        "policy": _policy(css, picture, page),
        "title": escape(printable(title)),
        "css": css,
        "picture": picture,
        "page": page,
        "data": _harmless(_data(graph)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _source("page.html"))


def _source(name: str) -> str:
    return (files("adjudge_metacog.view") / name).read_text("utf-8")


def _policy(css: str, *scripts: str) -> str:
    allowed = " ".join(f"'{_hash(script)}'" for script in scripts)
    return f"default-src 'none'; script-src {allowed}; style-src '{_hash(css)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _harmless(value: Any) -> str:
    """JSON that can end no element: what HTML could take for markup stands as its code."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _data(graph: RuleGraph) -> dict[str, Any]:
    whole = laid_out(graph)
    places, held = dict(_places(whole)), graph.held_back()
    order = sorted(graph.records, key=lambda name: (_KINDS.index(graph.records[name].node.kind), by_number(name)))
    numbers = {name: number for number, name in enumerate(order)}
    return {
        "size": [whole.width, whole.height],
        "nodes": [_node(graph, name) | {"at": places[name], "held": held.get(name, [])} for name in order],
        "edges": [[numbers[edge.source], numbers[edge.target], edge.kind] for edge in graph.edges],
        "boxes": [
            {"title": printable(box.title), "at": [box.x, box.y, box.width, box.height], "depth": depth}
            | {"head": title_height(depth)}
            for depth, box in whole.inside()
        ],
    }


def _places(whole: Box) -> Iterator[tuple[str, list[float]]]:
    """Left, top, width and height of each node; of one that has a box, the box's title."""
    for depth, box in whole.inside():
        if box.node is not None:
            yield box.node, [box.x, box.y, box.width, title_height(depth)]
        yield from ((name, [x, y, *CARD]) for name, (x, y) in box.places.items())


def _node(graph: RuleGraph, name: str) -> dict[str, Any]:
    record = graph.records[name]
    node = record.node
    found: dict[str, Any] = {"id": name, "kind": node.kind, "text": _cut(node.text), "source": printable(node.source)}
    found["others"] = [_cut(other.text) for other in record.contents[1:]]
    found["history"] = _history(list(record.events.values()))
    if isinstance(node, Rule):
        return found | _rule(node, record)
    return {**found, "domain": printable(node.domain)}


def _history(events: list[Event]) -> list[dict[str, str]]:
    """The last events on a node, with a line for those that are left out."""
    left_out = len(events) - _MOST_EVENTS
    told = [
        {"what": printable(event_told(event)), "by": printable(event.by), "at": printable(event.at)}
        for event in events[max(0, left_out) :]
    ]
    return [{"what": f"{left_out:,} earlier events", "by": "", "at": ""}, *told] if left_out > 0 else told


def _rule(rule: Rule, record: Record) -> dict[str, Any]:
    uses = record.uses
    assessed = [outcome for outcome in uses.values() if outcome is not None]
    return {
        "status": record.status,
        "severity": rule.severity,
        "origin": rule.origin,
        "direction": rule.direction,
        "domain": printable(rule.scope.domain),
        "scenarios": [printable(scenario) for scenario in rule.scope.scenarios],
        "criteria": list(rule.scope.criteria),
        "tags": [printable(tag) for tag in rule.scope.tags],
        "uses": len(uses),
        "outcome": str(wilson(sum(assessed), len(assessed))),
        "evidence": [_evidence(event.evidence.model_dump()) for event in record.measured.values()],
    }


def _evidence(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: printable(value) if isinstance(value, str) else value for name, value in fields.items()}


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text) - _LONGEST:,} more characters)"
