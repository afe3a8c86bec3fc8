"""Writes the field tables of the rubric format's reference page from the schema, so that they cannot go stale.

`python -m adjudge.packs.reference docs/reference/rubric-format.md` brings the page up to date.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from adjudge.packs.schema import rubric_schema

BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"
_ORDER = (
    "Criterion",
    "Scale",
    "Level",
    "Source",
    "Example",
    "Dependency",
    "Group",
    "ScoringChoice",
    "Charter",
    "Licence",
    "Documentation",
    "Condition",
    "GoldenTest",
)
_WORDS = {"string": "text", "array": "list", "object": "fields", "boolean": "true / false", "null": "nothing"}


def field_tables() -> str:
    """Markdown: one table of fields for the pack and one for each part of it."""
    schema = rubric_schema()
    parts = [("The pack", schema), *((name, schema["$defs"][name]) for name in _ORDER)]
    return "\n\n".join(_table(title, part) for title, part in parts)


def _table(title: str, part: dict[str, Any]) -> str:
    required = part.get("required", ())
    rows = [_row(name, about, name in required) for name, about in part["properties"].items()]
    head = ["| field | what it takes | if left out | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"### {title}", "", part.get("description", ""), "", *head, *rows])


def _row(name: str, about: dict[str, Any], required: bool) -> str:
    default = "**required**" if required else _default(about.get("default"))
    return f"| `{name}` | {_kind(about)} | {default} | {_cell(about.get('description', ''))} |"


def _kind(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_kind(choice) for choice in about["anyOf"] if choice.get("type") != "null")
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return "anything" if name == "JsonValue" else f"[{name}](#{name.lower()})"
    if "enum" in about:
        return ", ".join(f"`{choice}`" for choice in about["enum"])
    return _plain_kind(about)


def _plain_kind(about: dict[str, Any]) -> str:
    if about["type"] == "array":
        return f"list of {_kind(about['items'])}"
    if isinstance(about.get("additionalProperties"), dict):
        return f"names, each with {_kind(about['additionalProperties'])}"
    return "day" if about.get("format") == "date" else _WORDS.get(about["type"], str(about["type"]))


def _default(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, dict):
        return "met / unmet" if "levels" in value else f"`{value['name']}`"
    return f"`{json.dumps(value) if not isinstance(value, str) else value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def updated(page: str) -> str:
    """The page with its field tables made anew."""
    pattern = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)
    return pattern.sub(lambda _: f"\n{field_tables()}\n\n", page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
