"""The packs of this distribution as rubrics."""

from __future__ import annotations

from adjudge.packs import pack_of
from adjudge.rubric import Rubric


def pack(name: str) -> Rubric:
    """A rubric of this distribution, for example `choice`."""
    return pack_of("adjudge_moral", f"moral/{name}")
