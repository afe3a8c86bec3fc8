"""The tree: answers as nodes, their rewards, which node comes next, and how a reward goes up. Nothing here asks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

ROOT = 0
"""Id of the root, which stands for the case and has no answer."""
_ALMOST_NONE = 1e-5
"""Keeps an unvisited node's bound finite; the released code's figure."""

Kind = Literal["root", "initial", "regenerated", "refined"]


@dataclass(frozen=True, slots=True)
class Review:
    """What one sample of the critic says of an answer."""

    score: float
    """From 0 to 10."""
    critique: str
    """What falls short of the rubric."""
    suggestions: str
    """What to change."""

    @property
    def reward(self) -> float:
        """From 0 to 100."""
        return 10 * self.score


@dataclass(slots=True)
class Node:
    """An answer in the tree."""

    id: int
    """From 1 in the order of writing; 0 is the root."""
    parent: int | None
    """The node that it was made from."""
    kind: Kind
    """How it was made."""
    text: str = ""
    """The answer."""
    strategy: int = 0
    """Which meta-prompt it was written under, from 0."""
    reviews: tuple[Review, ...] = ()
    """Reviews that could be read."""
    unread: int = 0
    """Reviews that could not."""
    cut: bool = False
    """Whether the answer ran into its token limit."""
    q: float | None = None
    """Value that is searched by; None if no review could be read."""
    visits: int = 0
    """How often the node was written or gone through."""
    children: list[int] = field(default_factory=list)
    """Ids of the nodes made from it."""

    @property
    def rewards(self) -> tuple[float, ...]:
        """Rewards of the reviews, from 0 to 100."""
        return tuple(review.reward for review in self.reviews)

    @property
    def value(self) -> float | None:
        """What the answer itself is worth, whatever was made from it; None if nobody could tell."""
        return quality(self.rewards) if self.reviews else None

    @property
    def worst_review(self) -> Review:
        """The review with the lowest score, the first of several."""
        return min(self.reviews, key=lambda review: review.score)


def quality(rewards: Sequence[float]) -> float:
    """Q of an answer: halfway between its worst and its mean reward (MCTSr, arXiv:2406.07394).

    Args:
        rewards: One per review, at least one.
    """
    return (min(rewards) + fmean(rewards)) / 2


def bound(q: float, parent_visits: int, visits: int, exploration: float) -> float:
    """Upper confidence bound of a node: `q + C sqrt(ln(N(parent) + 1) / (N + 1e-5))`.

    Args:
        q: Its value, from 0 to 100.
        parent_visits: Visits of its parent.
        visits: Its own.
        exploration: C.
    """
    return q + exploration * math.sqrt(math.log(parent_visits + 1) / (visits + _ALMOST_NONE))


class Tree:
    """Nodes by id, the root first."""

    def __init__(self) -> None:
        self.nodes: list[Node] = [Node(ROOT, None, "root")]
        """All nodes; the id of a node is its place."""

    @property
    def root(self) -> Node:
        """The case itself."""
        return self.nodes[ROOT]

    @property
    def answers(self) -> list[Node]:
        """All nodes but the root."""
        return self.nodes[1:]

    def add(self, node: Node) -> None:
        """Hang a written and reviewed node in, and carry its value up.

        A node that nobody could review counts as a child, and neither its value nor its visit goes up.
        """
        assert node.id == len(self.nodes), "ids follow the order of writing"
        assert node.parent is not None, "only the root has no parent"
        self.nodes.append(node)
        self.nodes[node.parent].children.append(node.id)
        node.q = node.value
        node.visits = 1
        if node.q is not None:
            self._carry_up(node)

    def _carry_up(self, node: Node) -> None:
        """A parent's value goes halfway to its best child's; the root's is the mean of its children's."""
        for above in self._above(node):
            values = [q for child in above.children if (q := self.nodes[child].q) is not None]
            if above.id == ROOT or above.q is None:
                above.q = fmean(values)
            else:
                above.q = (above.q + max(values)) / 2
            above.visits += 1

    def _above(self, node: Node) -> Iterator[Node]:
        while node.parent is not None:
            node = self.nodes[node.parent]
            yield node

    def next_node(self, children: int, exploration: float) -> Node | None:
        """The node to work on: of those with room for a child, the one with the highest bound, the oldest of several.

        Args:
            children: Most children of a node.
            exploration: C of the bound.

        Returns:
            None if no node with a value has room.
        """
        open_nodes = [node for node in self.nodes if node.q is not None and len(node.children) < children]
        return max(open_nodes, key=lambda node: self.bound_of(node, exploration), default=None)

    def bound_of(self, node: Node, exploration: float) -> float:
        """The bound of a node with a value; the root, which has no parent, counts as its own."""
        assert node.q is not None, "a node that nobody could review is not chosen"
        parent = node if node.parent is None else self.nodes[node.parent]
        return bound(node.q, parent.visits, node.visits, exploration)

    @property
    def best(self) -> Node | None:
        """The answer that is worth most by its own reviews, the oldest of several; None if none was reviewed."""
        reviewed = [node for node in self.answers if node.reviews]
        return max(reviewed, key=lambda node: node.value or 0.0, default=None)
