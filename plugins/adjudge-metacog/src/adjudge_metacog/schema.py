"""JSON Schema of a rule graph's file: generated from the models, committed beside them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from adjudge_metacog.lines import Header, Line
from adjudge_metacog.trees import RuleTree

NAMES = ("rule-graph-line", "rule-tree")
"""A line of a graph's log, and a static rule tree."""


def generate(name: str) -> str:
    """The schema as it stands in its file."""
    adapter: TypeAdapter[Any] = TypeAdapter(Header | Line if name == "rule-graph-line" else RuleTree)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **adapter.json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


@cache
def committed(name: str) -> str:
    """The schema as it is shipped."""
    return (files("adjudge_metacog") / "schemas" / f"{name}.schema.json").read_text("utf-8")
