"""What an audit judges: the items as they are, and changed twins of each; a pure function of items and seed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Submission
from adjudge_validity.audit.catalogue import POSITION, Audit, perturbations
from adjudge_validity.audit.perturbation import Change, Perturbation
from adjudge_validity.audit.positions import SWAPPED, reversed_pair

MARK = "audit"
"""Key in the metadata of a twin that says what it is."""
SIDES = ("first", "second")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many twins are made of each item, and which."""

    audits: Sequence[Audit]
    """What to audit."""
    draws: int = 2
    """Most perturbations of one audit per item; the items take turns, so that all get used."""
    seed: int = 0
    """The same seed makes the same twins."""
    judge: str = ""
    """Name of the judge's model."""

    def items(self, items: Sequence[Item], rubric: Rubric | None) -> list[Item]:
        """The items, each followed by its twins.

        Raises:
            InputError: An item has no rubric, or uses the metadata key that marks twins.
        """
        found: list[Item] = []
        for place, item in enumerate(items):
            if MARK in item.metadata:
                raise InputError(f"{item.id!r}: the column {MARK!r} is the audit's own; rename it")
            own = item.rubric or rubric
            if own is None:
                raise InputError(f"{item.id!r} brings no rubric and none was given; use --rubric ID or PATH")
            found += [item, *self._twins(place, item, own)]
        return found

    def _twins(self, place: int, item: Item, rubric: Rubric) -> Iterator[Item]:
        for audit in self.audits:
            made = 0
            turned = reversed_pair(item) if audit.name == POSITION else None
            if turned is not None:
                mark = {"of": item.id, "audit": POSITION, "perturbation": SWAPPED}
                yield _marked(turned, item, f"{item.id}~{SWAPPED}", mark)
            for one in self._in_turn(audit, place):
                twins = self._pair(item, one, rubric)
                if twins and made < self.draws:
                    made += 1
                    yield from twins

    def _in_turn(self, audit: Audit, place: int) -> list[Perturbation]:
        """All perturbations of an audit, beginning where the item before left off."""
        known = perturbations(audit.name, self.judge)
        random.Random(f"{self.seed} {audit.name}").shuffle(known)  # noqa: S311 - an order, not a secret
        start = place * self.draws % len(known) if known else 0
        return [*known[start:], *known[:start]]

    def _pair(self, item: Item, one: Perturbation, rubric: Rubric) -> list[Item]:
        """The twin, before it its control if it has one; empty if there is nothing to change."""
        if one.alone and isinstance(item, Comparison):
            return []
        seed = _number(self.seed, item.id, one.name)
        side = None if one.whole or isinstance(item, Submission) else SIDES[_number(self.seed, item.id, "side") % 2]
        mark = {"of": item.id, "audit": one.audit, "perturbation": one.name, "side": side}
        parts = {"control": one.control, "twin": one.change} if one.control else {"twin": one.change}
        found = []
        for part, change in parts.items():
            changed = _changed(item, change, seed, side, rubric)
            if changed is None:
                return []
            marked = {**mark, "part": part, "again": one.again}
            found.append(_marked(changed, item, f"{item.id}~{one.name}~{part}", marked))
        return found


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()[:6], "big")


def _changed(item: Item, change: Change, seed: int, side: str | None, rubric: Rubric) -> Item | None:
    if isinstance(item, Submission):
        return _one(item, change, seed, rubric)
    parts = [
        one if side is not None and name != side else _one(one, change, seed, rubric)
        for name, one in zip(SIDES, item.submissions, strict=False)
    ]
    whole = [part for part in parts if part is not None]
    return None if len(whole) < len(item.submissions) else item.model_copy(update={"submissions": tuple(whole)})


def _one(submission: Submission, change: Change, seed: int, rubric: Rubric) -> Submission | None:
    """The changed submission; it carries a rubric only if it did before, or if the rubric is what changed."""
    found = change(submission.model_copy(update={"rubric": rubric}), seed)
    if found is None or found.rubric is not rubric:
        return found
    return found.model_copy(update={"rubric": submission.rubric})


def _marked(changed: Item, item: Item, name: str, mark: dict[str, Any]) -> Item:
    """The twin with a name of its own, in the cluster of the item, without people's labels of the item."""
    metadata = {**item.metadata, "cluster": item.cluster, MARK: mark}
    changes: dict[str, Any] = {"id": name, "labels": (), "metadata": metadata}
    if isinstance(changed, Comparison):
        parts = enumerate(changed.submissions, start=1)
        changes["submissions"] = tuple(one.model_copy(update={"id": f"{name}/{n}"}) for n, one in parts)
    return changed.model_copy(update=changes)
