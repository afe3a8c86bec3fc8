"""What is seen of one criterion of one item, before a change and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from adjudge.interfaces import Item
from adjudge.verdict import Verdict
from adjudge_validity.audit.perturbation import CATALOGUE

Judged: TypeAlias = tuple[Item, Mapping[str, Verdict]]
"""An item and its verdict on each criterion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One criterion of one item, before a change and after it."""

    audit: str
    """Name of the audit."""
    perturbation: str
    """What was changed."""
    criterion: str
    """Id."""
    cluster: str
    """What is independent of all else: `metadata["cluster"]` of the item, or its id."""
    group: str = ""
    """Value of the metadata field that groups are made by."""
    reached: bool = True
    """Whether the judge asked another question after the change; if not, nothing else is known."""
    scored: bool = True
    """Whether the judge gave levels on both sides; if not, nothing else is known."""
    flip: bool | None = None
    """Whether the level is another one."""
    rise: bool | None = None
    """Whether the level is better for the submission; None if it could not be, or levels have no order."""
    shift: float | None = None
    """How much better for the submission, from -1 to 1 in shares of the scale; in expected scores where known."""
    credit: bool | None = None
    """Whether the changed submission got a level of the upper half of the scale, or won."""

    @property
    def family(self) -> str:
        """Family of the perturbation, if it has one."""
        return CATALOGUE[self.perturbation].family if self.perturbation in CATALOGUE else ""

    @property
    def language(self) -> str:
        """Language of the perturbation, if it has one."""
        return CATALOGUE[self.perturbation].language if self.perturbation in CATALOGUE else ""


def about(item: Item, audit: str, perturbation: str, criterion: str, group_by: str) -> Observation:
    """An observation that says yet only what it is of."""
    group = str(item.metadata[group_by]) if group_by else ""
    cluster = item.cluster
    return Observation(audit=audit, perturbation=perturbation, criterion=criterion, cluster=cluster, group=group)
