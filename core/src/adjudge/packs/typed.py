"""Tree to plain values, as the schema directs: where it says text, the text is kept whatever it looks like."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adjudge.packs.findings import Findings, shown
from adjudge.packs.tree import Node

Schema = Mapping[str, Any]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_DIGITS = 40


def typed_value(node: Node, schema: Schema, findings: Findings) -> Any:
    """Give every scalar the type that its place in the schema asks for.

    A plain scalar where text is allowed stays text (`no`, `1.10`, `017`, dates). Elsewhere it is read as JSON:
    `true`, `false`, `null`, a number; anything else is text. `null` or nothing at all is None where None is allowed.

    Args:
        node: Root of the tree.
        schema: JSON Schema of the root, with its `$defs`.
        findings: Takes numbers that cannot be read.

    Returns:
        A value of dicts, lists and JSON scalars.
    """
    return _Typing(schema, findings).value(node, [schema])


class _Typing:
    def __init__(self, root: Schema, findings: Findings) -> None:
        self._definitions: Schema = root.get("$defs", {})
        self._findings = findings

    def value(self, node: Node, schemas: Iterable[Schema]) -> Any:
        choices = [flat for schema in schemas for flat in self._flat(schema)]
        if node.kind == "list":
            items = [choice["items"] for choice in choices if "items" in choice]
            return [self.value(item, items) for item in node.items]
        if node.kind == "map":
            return {key: self.value(child, _fields(choices, key)) for key, (_, child) in node.entries.items()}
        return self._scalar(node, {choice["type"] for choice in choices if "type" in choice})

    def _flat(self, schema: Schema) -> Iterator[Schema]:
        """Follow references and alternatives to the schemas that say something themselves."""
        if "$ref" in schema:
            yield from self._flat(self._definitions[schema["$ref"].rpartition("/")[2]])
        elif "anyOf" in schema:
            for choice in schema["anyOf"]:
                yield from self._flat(choice)
        else:
            yield schema

    def _scalar(self, node: Node, types: set[str]) -> Any:
        if node.quoted:
            return node.text
        if node.text == "" or (node.text == "null" and ("null" in types or "string" not in types)):
            return None
        if "string" in types:
            return node.text
        if node.text in {"true", "false"}:
            return node.text == "true"
        return self._number(node) if _NUMBER.fullmatch(node.text) else node.text

    def _number(self, node: Node) -> float | int:
        """Read a JSON number; 1, with a problem noted, if it is out of range."""
        if len(node.text) <= _MOST_DIGITS:
            number = int(node.text) if node.text.removeprefix("-").isdecimal() else float(node.text)
            if math.isfinite(number):
                return number
        self._findings.add(node.place, f"the number {shown(node.text)} is out of range; shorten it", "number")
        return 1


def _fields(choices: list[Schema], key: str) -> list[Schema]:
    """What the schemas say of one field."""
    found = [choice["properties"][key] for choice in choices if key in choice.get("properties", {})]
    return found or [more for choice in choices if isinstance(more := choice.get("additionalProperties"), dict)]
