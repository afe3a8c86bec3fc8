"""Registers the packs of this distribution with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import hookimpl


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The general packs."""
    return [files(__package__) / "packs"]
