"""The rule graph for other programs: GraphML, JSON-LD and Mermaid."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category

from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import EdgeKind, Rule
from adjudge_metacog.records import Record

FORMATS = ("graphml", "jsonld", "mermaid")
"""Names of the formats."""
VOCABULARY = "urn:adjudge:rule-graph#"
"""Prefix of the terms in JSON-LD; nothing is fetched from it."""

_TERMS: dict[EdgeKind, str] = {
    "derived_from": "derivedFrom",
    "refines": "refines",
    "except": "exceptTo",
    "supports": "supports",
    "conflicts_with": "conflictsWith",
    "applies_to": "appliesTo",
}
_SHAPES = {
    "rule": ('["', '"]'),
    "case": ('("', '")'),
    "principle": ('{{"', '"}}'),
    "value": ('(["', '"])'),
    "scenario": ('[/"', '"/]'),
}
_LONGEST = 80
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def exported(graph: RuleGraph, form: str) -> str:
    """The graph in one of `FORMATS`; the same text for the same graph."""
    return {"graphml": _graphml, "jsonld": _jsonld, "mermaid": _mermaid}[form](graph)


def _flat(record: Record) -> dict[str, str | int]:
    """A node's plain attributes."""
    node = record.node
    found: dict[str, str | int] = {"kind": node.kind, "text": node.text}
    if isinstance(node, Rule):
        found |= {"domain": node.scope.domain, "severity": node.severity, "origin": node.origin}
        found |= {"status": record.status, "uses": len(record.uses)}
        found["successes"] = sum(use is True for use in record.uses.values())
    else:
        found["domain"] = node.domain
    return found


def _graphml(graph: RuleGraph) -> str:
    import networkx as nx

    flat = nx.MultiDiGraph()
    # XML has no place for control characters, not even escaped.
    flat.add_nodes_from((name, _without_controls(_flat(record))) for name, record in sorted(graph.records.items()))
    for edge in graph.edges:
        flat.add_edge(edge.source, edge.target, key=edge.kind, kind=edge.kind)
    return "\n".join(nx.generate_graphml(flat)) + "\n"


def _without_controls(fields: dict[str, str | int]) -> dict[str, str | int]:
    return {key: printable(value) if isinstance(value, str) else value for key, value in fields.items()}


def printable(text: str) -> str:
    """The text with every character that a reader does not see, and a terminal may obey, made visible."""
    return "".join(c if c in "\n\t" or category(c) not in _UNSEEN else "\N{REPLACEMENT CHARACTER}" for c in text)


def _jsonld(graph: RuleGraph) -> str:
    nodes: dict[str, dict[str, Any]] = {
        name: {"@id": f"urn:adjudge:node:{name}", "@type": record.node.kind.capitalize(), **_described(record)}
        for name, record in sorted(graph.records.items())
    }
    for edge in graph.edges:
        nodes[edge.source].setdefault(_TERMS[edge.kind], []).append({"@id": f"urn:adjudge:node:{edge.target}"})
    document = {"@context": {"@vocab": VOCABULARY}, "@graph": list(nodes.values())}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _described(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = {key: value for key, value in _flat(record).items() if key != "kind"}
    if record.measured:
        found["evidence"] = [event.evidence.model_dump(exclude_defaults=True) for event in record.measured.values()]
    return found


def _mermaid(graph: RuleGraph) -> str:
    numbers = {name: f"n{number}" for number, name in enumerate(sorted(graph.records))}
    lines = ["flowchart LR"]
    for name, number in numbers.items():
        node = graph.records[name].node
        opened, closed = _SHAPES[node.kind]
        lines.append(f"  {number}{opened}{_label(name)}: {_label(node.text)}{closed}")
    lines += [f"  {numbers[edge.source]} -->|{edge.kind}| {numbers[edge.target]}" for edge in graph.edges]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    """A text that can end no label and open no tag: everything but letters, digits and plain marks as its code."""
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(c if c.isalnum() or c in " .,:-_…" else f"#{ord(c)};" for c in cut)
