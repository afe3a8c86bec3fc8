"""Small graphs for the tests; every rule here is made up."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge_metacog.changes import Author
from adjudge_metacog.log import change
from adjudge_metacog.nodes import Edge, Rule, Scope

ANA = Author("Ana", "2026-01-01")


def rule(name: str, about: str = "a loan", **fields) -> Rule:
    text = fields.pop("text", f"When someone asks about {about}, do name the risk, because money can be lost")
    return Rule(kind="rule", id=name, text=text, **fields)


def edge(kind: str, source: str, target: str) -> Edge:
    return Edge(kind=kind, source=source, target=target)


class Topics:
    """An embedder that knows three topics in two languages; the counts of the words are the vector."""

    name, fingerprint, floor = "topics", "topics 1", 0.2
    TOPICS = (("loan", "kredit"), ("dose", "dosis"), ("essay", "aufsatz"))

    def __init__(self):
        self.embedded: list[str] = []

    def rules(self, texts):
        self.embedded += texts
        return np.stack([self._vector(text) for text in texts])

    def case(self, text):
        self.embedded.append(text)
        return self._vector(text)

    def _vector(self, text):
        counts = [0.1 + sum(text.casefold().count(word) for word in topic) for topic in self.TOPICS]
        return np.array(counts, np.float32) / np.float32(np.linalg.norm(counts))


@pytest.fixture
def path(tmp_path):
    """A graph of two rules, one validated and used, one that refines it."""
    file = tmp_path / "rules.jsonl"
    change(
        file,
        lambda graph: ANA.adds(graph, rule("loan", scope=Scope(domain="finance"))),
        lambda graph: ANA.adds(graph, rule("loan-old", "a loan at old age")),
        lambda graph: ANA.moves(graph, "loan", "validated", "measured"),
        lambda graph: ANA.links(graph, edge("refines", "loan-old", "loan")),
        lambda graph: ANA.uses(graph, "loan", "item-1", aligned=True),
    )
    return file
