"""The scoring `tree`: a weighted mean at every node of a rubric tree (PaperBench, arXiv:2504.01848)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from adjudge.rubric import Rubric
from adjudge.scoring.credit import credit, weighted_mean


@dataclass(frozen=True, slots=True)
class Tree:
    """Each group is the weighted mean of its criteria and groups; the score is that of the root, from 0 to 1.

    Criteria and groups without a parent hang from the root. A group without any criterion that takes part drops out.
    """

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no criterion takes part."""
        return node_scores(rubric, scores).get(None)


def node_scores(rubric: Rubric, scores: Mapping[str, float]) -> dict[str | None, float]:
    """The score of every group that has one, from 0 to 1; the root is None."""
    children: defaultdict[str | None, list[tuple[float, float]]] = defaultdict(list)
    for criterion in rubric.criteria:
        if criterion.id in scores:
            children[criterion.group].append((abs(criterion.weight), credit(criterion, scores[criterion.id])))
    groups = {group.id: group for group in rubric.groups}
    found: dict[str | None, float] = {}
    for name in (*_bottom_up(rubric), None):
        value = weighted_mean(children[name])
        if value is None:
            continue
        found[name] = value
        if name is not None:
            children[groups[name].group].append((groups[name].weight, value))
    return found


def _bottom_up(rubric: Rubric) -> list[str]:
    """Groups, each after all groups that hang from it."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for group in rubric.groups:
        order.add(group.id)
        if group.group is not None:
            order.add(group.group, group.id)
    return list(order.static_order())
