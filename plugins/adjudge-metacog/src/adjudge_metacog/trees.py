"""Static rule trees: domain > scenario > principle > rule, in strict YAML; the roots of a graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from adjudge.errors import InputError
from adjudge.packs.findings import Findings
from adjudge.packs.tree import Node as Tree
from adjudge.packs.tree import parse_tree
from adjudge.packs.typed import typed_value
from adjudge.rubric import Licence
from adjudge.values import Frozen, Id, PackId
from adjudge_metacog.changes import Author
from adjudge_metacog.events import Event, identity
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import RULE_FORM, Edge, EdgeKind, Ground, Rule, Scope, flags_of_text


class TreeRule(Frozen):
    """A rule below a principle."""

    id: Id
    """Stable name, unique in the graph."""
    text: Annotated[str, Field(pattern=RULE_FORM, max_length=600)]
    """`when …, do / do not …, because …`."""
    severity: Annotated[int, Field(ge=1, le=3)] = 2
    """How bad a breach is, 3 the worst."""
    direction: Literal["tightens", "loosens", "either"] = "either"
    """What it does to verdicts."""
    source: str = ""
    """The norm that it comes from."""
    criteria: tuple[Id, ...] = ()
    """Ids of the criteria that it guides; all if empty."""
    tags: tuple[str, ...] = ()
    """Free words to find it by."""


class TreePrinciple(Frozen):
    """A principle below a scenario."""

    id: Id
    """Stable name, unique in the graph."""
    text: Annotated[str, Field(min_length=1)]
    """The principle."""
    rules: tuple[TreeRule, ...] = ()
    """What follows from it."""


class TreeScenario(Frozen):
    """A kind of situation."""

    id: Id
    """Stable name, unique in the graph."""
    text: Annotated[str, Field(min_length=1)]
    """What happens in it."""
    principles: tuple[TreePrinciple, ...] = ()
    """What holds in it."""


class RuleTree(Frozen):
    """Rules that people wrote for one domain."""

    id: PackId
    """Stable name: `name` or `domain/name`."""
    version: str
    """Version of the wording."""
    title: str = ""
    """One line."""
    domain: Annotated[str, Field(min_length=1)]
    """Field of work."""
    licence: Licence
    """Terms."""
    agreed_by: Annotated[str, Field(min_length=1)]
    """Who stands behind the rules."""
    scenarios: Annotated[tuple[TreeScenario, ...], Field(min_length=1)]
    """Kinds of situation in the domain."""


def load_tree(path: str | Path) -> RuleTree:
    """Read a rule tree.

    Raises:
        InputError: The file cannot be read.
        PackError: It is no strict YAML or no rule tree; names file, line and column.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    findings = Findings(str(path))
    tree = parse_tree(data, findings)
    value = typed_value(tree, RuleTree.model_json_schema(), findings)
    findings.raise_if_any()
    found = _checked(value, tree, findings)
    findings.raise_if_any()
    assert found is not None
    return found


def _checked(value: Any, tree: Tree, findings: Findings) -> RuleTree | None:
    try:
        found = RuleTree.model_validate(value)
    except ValidationError as error:
        found_at = [each["loc"] for each in error.errors()]
        for each in error.errors():
            if any(each["loc"] == deeper[: len(each["loc"])] != deeper for deeper in found_at):
                continue  # only follows from the one below it
            where = ".".join(map(str, each["loc"]))
            hint = "; write `when …, do / do not …, because …`" if each["type"] == "string_pattern_mismatch" else ""
            findings.add(tree.find(each["loc"]).place, f"{where}: {each['msg']}{hint}", each["type"])
        return None
    seen: set[str] = set()
    for node, path in _nodes(found):
        place = tree.find(path).place
        if node.id in seen:
            findings.add(place, f"the id {node.id!r} stands twice; ids are unique", "repeated-id")
        seen.add(node.id)
        for flag in flags_of_text(node.text):
            findings.add(place, f"the text of {node.id!r} has a {flag}; a judge would be led by it", flag)
    return found


def _nodes(tree: RuleTree) -> Iterator[tuple[Ground | Rule, tuple[str | int, ...]]]:
    """Every node with its place in the file: scenarios before their principles, principles before their rules."""
    about = {"domain": tree.domain, "source": f"{tree.id} {tree.version}"}
    for i, scenario in enumerate(tree.scenarios):
        at: tuple[str | int, ...] = ("scenarios", i)
        yield Ground(kind="scenario", id=scenario.id, text=scenario.text, **about), at
        for j, principle in enumerate(scenario.principles):
            yield Ground(kind="principle", id=principle.id, text=principle.text, **about), (*at, "principles", j)
            for k, rule in enumerate(principle.rules):
                yield _rule(tree, scenario, rule), (*at, "principles", j, "rules", k)


def _rule(tree: RuleTree, scenario: TreeScenario, rule: TreeRule) -> Rule:
    scope = Scope(domain=tree.domain, scenarios=(scenario.id,), criteria=rule.criteria, tags=rule.tags)
    fields = {name: getattr(rule, name) for name in ("id", "text", "severity", "direction")}
    return Rule(kind="rule", origin="tree", scope=scope, source=rule.source or f"{tree.id} {tree.version}", **fields)


def _edges(tree: RuleTree) -> Iterator[Edge]:
    for scenario in tree.scenarios:
        for principle in scenario.principles:
            yield _edge("applies_to", principle.id, scenario.id)
            for rule in principle.rules:
                yield _edge("derived_from", rule.id, principle.id)
                yield _edge("applies_to", rule.id, scenario.id)


def _edge(kind: EdgeKind, source: str, target: str) -> Edge:
    return Edge(kind=kind, source=source, target=target)


def planted(graph: RuleGraph, tree: RuleTree, author: Author) -> Iterator[Event]:
    """The events that bring a tree into a graph; none if it is there already.

    People stand behind a tree, so that its rules are validated and reviewed. One that was retired since stays retired.
    """
    for node, _ in _nodes(tree):
        yield from author.adds(graph, node)
        if isinstance(node, Rule) and not graph.record(node.id).moved:
            reason = f"from the tree {tree.id} {tree.version}, agreed by {tree.agreed_by}"
            yield from author.moves(graph, node.id, "validated", reason, reviewed=True)
    for edge in _edges(tree):
        yield from author.links(graph, edge)


def graph_of(*trees: RuleTree, author: Author | None = None) -> RuleGraph:
    """The graph of trees alone, in memory."""
    graph = RuleGraph()
    for tree in trees:
        for event in planted(graph, tree, author or Author()):
            graph.apply(identity(event), event)
    return graph
