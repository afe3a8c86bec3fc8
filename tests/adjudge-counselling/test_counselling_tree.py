"""The arithmetic of the search: Q, the bound, the choice of a node, and how a value goes up."""

from __future__ import annotations

import math
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_counselling.search.limits import Limits, limits_from
from adjudge_counselling.search.tree import ROOT, Node, Review, Tree, bound, quality

REWARDS = st.lists(st.floats(0, 100), min_size=1, max_size=6)


def grown(*plan: tuple[int, list[float]]) -> Tree:
    """A tree from (parent, rewards), in the order of writing."""
    tree = Tree()
    for number, (parent, rewards) in enumerate(plan, 1):
        reviews = tuple(Review(reward / 10, "", "") for reward in rewards)
        tree.add(Node(number, parent, "refined" if parent else "initial", f"answer {number}", reviews=reviews))
    return tree


def test_q_is_halfway_between_the_worst_and_the_mean_reward() -> None:
    assert quality([60, 80, 70]) == 65


def test_the_bound_of_the_published_formula() -> None:
    assert bound(50, 4, 1, 2.8) == pytest.approx(53.552164, abs=5e-7)
    assert bound(70, 4, 3, 2.8) == pytest.approx(72.050850, abs=5e-7)


@given(REWARDS)
def test_q_lies_between_the_lowest_and_the_highest_reward(rewards: list[float]) -> None:
    assert min(rewards) - 1e-9 <= quality(rewards) <= max(rewards) + 1e-9


@given(st.floats(0, 100), st.integers(1, 100), st.integers(1, 100))
def test_an_unvisited_child_has_the_highest_bound(q: float, parent: int, visits: int) -> None:
    assert bound(0, parent, 0, 2.8) > bound(q, parent, visits, 2.8)


def test_the_root_is_the_mean_of_its_children_and_a_parent_goes_halfway_to_its_best_child() -> None:
    tree = grown((ROOT, [40]), (ROOT, [60]), (2, [80]), (2, [70]))
    assert tree.nodes[1].q == 40
    assert tree.nodes[2].q == ((60 + 80) / 2 + 80) / 2
    assert tree.root.q == fmean([40, 75])
    assert [node.visits for node in tree.nodes] == [4, 1, 3, 1, 1]


def test_a_value_goes_up_through_every_generation() -> None:
    tree = grown((ROOT, [20]), (1, [40]), (2, [100]))
    assert tree.nodes[2].q == (40 + 100) / 2
    assert tree.nodes[1].q == (30 + 70) / 2
    assert tree.root.q == 50


def test_what_nobody_could_review_is_neither_chosen_nor_best_and_carries_nothing_up() -> None:
    tree = grown((ROOT, []), (ROOT, [10]))
    assert tree.nodes[1].q is None
    assert tree.root.q == 10
    assert tree.root.visits == 1
    assert tree.best is tree.nodes[2]
    assert tree.next_node(6, 2.8) is not tree.nodes[1]


def test_the_best_answer_is_the_one_with_the_best_reviews_of_its_own() -> None:
    tree = grown((ROOT, [50]), (ROOT, [70]), (1, [90, 10]), (1, [65]))
    assert tree.best is tree.nodes[2]
    assert Tree().best is None


def test_a_full_node_is_left_alone() -> None:
    tree = grown((ROOT, [90]), (1, [5]), (1, [5]))
    chosen = tree.next_node(2, 0.0)
    assert chosen is tree.root
    assert tree.next_node(1, 0.0) is tree.nodes[2]


PLANS = st.lists(st.tuples(st.integers(0, 5), st.lists(st.floats(0, 100), max_size=3)), min_size=1, max_size=12)


@given(PLANS, st.integers(1, 6), st.floats(0, 10))
def test_the_chosen_node_has_room_and_the_highest_bound(
    plan: list[tuple[int, list[float]]], children: int, exploration: float
) -> None:
    tree = grown(*((min(parent, number), rewards) for number, (parent, rewards) in enumerate(plan)))
    chosen = tree.next_node(children, exploration)
    room = [node for node in tree.nodes if node.q is not None and len(node.children) < children]
    assert (chosen is None) == (not room)
    if chosen is not None:
        highest = max(tree.bound_of(node, exploration) for node in room)
        assert tree.bound_of(chosen, exploration) == highest
        assert all(node.q is None or 0 <= node.q <= 100 + 1e-9 for node in tree.nodes)


def test_limits_say_the_most_that_a_search_can_ask() -> None:
    limits = limits_from({"iterations": 4, "initial": 2, "samples": 3})
    assert (limits.nodes, limits.most_calls) == (6, 2 * 4 + 4 * 5)
    assert limits_from({"initial": 9, "children": 3}).first_answers == 3
    assert limits_from({"calls": 7}).most_calls == 7
    assert math.isclose(Limits().exploration, 2.8)
