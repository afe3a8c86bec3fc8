"""Where each node of the rule graph stands in its picture: domain > scenario > principle > rule, box in box.

The same graph gives the same picture. Lengths are in units of the picture, a pixel each where it is not zoomed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Edge, EdgeKind, Ground, Rule

CARD = (150, 44)
"""Width and height of a rule or a case."""
GAP, PADDING = 8, 10
"""Between cards, and inside a box."""
TITLES = (80, 46, 26)
"""Height of the title of a domain, of what is in it, and of what is deeper: the wider box can be read from further."""
ANY_DOMAIN = "any domain"
"""Title of the box for what names no domain."""
ASPECT = 1.6
"""Width of a box over its height, about."""
_ROOMS = tuple(0.7 + 0.05 * step for step in range(20))

_Key = tuple[str, str | None]
"""A box: its title, and the id of the node that it is, if it is one."""


def by_number(name: str) -> list[tuple[int, str]]:
    """Sorts `r9` before `r10`."""
    parts = re.split(r"(\d+)", name)  # every second one is a number
    return [
        (len(part.lstrip("0")) if n % 2 else -1, part.lstrip("0") if n % 2 else part) for n, part in enumerate(parts)
    ]


@dataclass
class Box:
    """A domain, scenario, principle or value with what belongs to it."""

    title: str
    """What stands at its top: a domain, or the id of a node."""
    node: str | None = None
    """Id of the node that it is, if it is one."""
    cards: list[str] = field(default_factory=list)
    """Ids of the rules and cases that stand in it."""
    boxes: dict[_Key, Box] = field(default_factory=dict)
    """The boxes in it, by title and node."""
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Where its cards stand: left and top."""

    def inside(self, depth: int = 0) -> Iterator[tuple[int, Box]]:
        """All boxes in it, each before those in it, with their depth: 0 for a domain."""
        for box in self.sorted_boxes():
            yield depth, box
            yield from box.inside(depth + 1)

    def sorted_boxes(self) -> list[Box]:
        """The boxes in it, by title."""
        return sorted(self.boxes.values(), key=lambda box: (by_number(box.title), box.node or ""))


def laid_out(graph: RuleGraph) -> Box:
    """The whole picture: a box without title that holds the domains."""
    homes = _Homes(graph)
    whole = Box("")
    for name in sorted(graph.records, key=by_number):
        record, path = graph.records[name], homes.path(name)
        box = whole
        for key in path if _is_card(record.node) else (*path, (name, name)):
            box = box.boxes.setdefault(key, Box(*key))
        if _is_card(record.node):
            box.cards.append(name)
    _measure(whole, -1)
    _move(whole, 0, 0)
    return whole


def _is_card(node: Rule | Ground) -> bool:
    return node.kind in {"rule", "case"}


class _Homes:
    """In which boxes a node stands, by its edges."""

    def __init__(self, graph: RuleGraph) -> None:
        self._graph = graph
        self._out: defaultdict[tuple[str, EdgeKind], list[str]] = defaultdict(list)
        self._in: defaultdict[str, list[str]] = defaultdict(list)
        for edge in graph.edges:
            self._note(edge)

    def _note(self, edge: Edge) -> None:
        self._out[edge.source, edge.kind].append(edge.target)
        if edge.kind == "derived_from" and isinstance(self._graph.records[edge.source].node, Rule):
            self._in[edge.target].append(edge.source)

    def path(self, name: str) -> tuple[_Key, ...]:
        """The boxes around a node, the outermost first."""
        node = self._graph.records[name].node
        if isinstance(node, Rule):
            return self._of_rule(node)
        if node.kind == "case" and self._in[name]:
            return self.path(min(self._in[name]))
        if node.kind != "scenario" and (scenarios := self._scenarios(name)):
            return self._below(scenarios[0])
        return ((node.domain or ANY_DOMAIN, None),)

    def _of_rule(self, rule: Rule) -> tuple[_Key, ...]:
        grounds = self._out[rule.id, "derived_from"]
        rests_on = [name for name in grounds if self._graph.records[name].node.kind in {"principle", "value"}]
        named = [name for name in rule.scope.scenarios if self._is_scenario(name)]
        if above := [*rests_on, *self._scenarios(rule.id), *named]:
            return self._below(above[0])
        return ((rule.scope.domain or ANY_DOMAIN, None), *((name, None) for name in rule.scope.scenarios[:1]))

    def _below(self, name: str) -> tuple[_Key, ...]:
        return (*self.path(name), (name, name))

    def _scenarios(self, name: str) -> list[str]:
        return [target for target in self._out[name, "applies_to"] if self._is_scenario(target)]

    def _is_scenario(self, name: str) -> bool:
        return name in self._graph and self._graph.records[name].node.kind == "scenario"


def title_height(depth: int) -> int:
    """Height of the title of a box; the whole picture, at depth -1, has none."""
    return TITLES[min(depth, len(TITLES) - 1)] if depth >= 0 else 0


def _measure(box: Box, depth: int) -> None:
    """Find the size of a box and, from its corner, where what is in it stands."""
    boxes = box.sorted_boxes()
    for inner in boxes:
        _measure(inner, depth + 1)
    sizes = [CARD] * len(box.cards) + [(inner.width, inner.height) for inner in boxes]
    corners, width, height = _packed(sizes)
    top = PADDING + title_height(depth)
    moved = [(x + PADDING, y + top) for x, y in corners]
    box.places = dict(zip(box.cards, moved, strict=False))
    for inner, corner in zip(boxes, moved[len(box.cards) :], strict=True):
        inner.x, inner.y = corner
    box.width = max(width, CARD[0]) + 2 * PADDING
    box.height = top + height + (PADDING if sizes else 0)


_Packed = tuple[list[tuple[float, float]], float, float]


def _packed(sizes: Sequence[tuple[float, float]]) -> _Packed:
    """Corners of things of these sizes, and the width and height of all; of several ways the one that wastes least."""
    area = sum((w + GAP) * (h + GAP) for w, h in sizes)
    ways = (_in_rows(sizes, (area * ASPECT) ** 0.5 * room) for room in _ROOMS)
    return min(ways, key=lambda way: max(way[1] / ASPECT, way[2]))


def _in_rows(sizes: Sequence[tuple[float, float]], room: float) -> _Packed:
    corners: list[tuple[float, float]] = []
    x = y = row = width = 0.0
    for w, h in sizes:
        if x and x + w > room:
            x, y, row = 0.0, y + row + GAP, 0.0
        corners.append((x, y))
        x, row, width = x + w + GAP, max(row, h), max(width, x + w)
    return corners, width, y + row


def _move(box: Box, x: float, y: float) -> None:
    """Put a box, measured from the corner of the one around it, in its place in the picture."""
    box.x, box.y = box.x + x, box.y + y
    box.places = {name: (box.x + left, box.y + top) for name, (left, top) in box.places.items()}
    for inner in box.boxes.values():
        _move(inner, box.x, box.y)
