"""Rubric packs: YAML files that hold a rubric. Strict reading, linting, comparing, and an index of installed packs."""

from __future__ import annotations

from adjudge.packs.diff import RubricDiff, diff_rubrics
from adjudge.packs.findings import Place
from adjudge.packs.index import PackEntry, PackIndex
from adjudge.packs.linting import lint
from adjudge.packs.load import Pack, load_pack, load_rubric_file, pack_of, parse_pack
from adjudge.packs.scaffold import new_rubric, starter_pack
from adjudge.packs.schema import rubric_schema

__all__ = [
    "Pack",
    "PackEntry",
    "PackIndex",
    "Place",
    "RubricDiff",
    "diff_rubrics",
    "lint",
    "load_pack",
    "load_rubric_file",
    "new_rubric",
    "pack_of",
    "parse_pack",
    "rubric_schema",
    "starter_pack",
]
