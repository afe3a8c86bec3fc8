"""The reference of hooks says what the code says: every hook, every signature, every field."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from adjudge import hookspecs, interfaces

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "hooks.md").read_text("utf-8")
HOOKS = {name for name in vars(hookspecs) if name.startswith("adjudge_")}
SPECS = {spec.__name__ for spec in get_args(interfaces.Spec)} | {"Parameter", "Capabilities"}
SPECS |= {"Section", "Plot", "Table"}
PROTOCOLS = {"Backend", "Judge", "Ask", "Solver", "Scoring"}


def section(name: str) -> str:
    """The text under one heading, up to the next."""
    found = re.search(rf"^###? {name}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/hooks.md has no section {name}"
    return found[1]


def code(name: str) -> list[str]:
    """The lines of the first block under a heading."""
    found = re.search(r"^```py\n(.*?)^```", section(name), re.MULTILINE | re.DOTALL)
    assert found, f"the section {name} has no block"
    return found[1].splitlines()


def signature(function) -> str:
    kind = "async def" if inspect.iscoroutinefunction(function) else "def"
    return f"{kind} {function.__name__}{inspect.signature(function)}".replace("'", "")


def described(name: str) -> list[str]:
    """What the code says of a protocol: properties, then methods, in its own order."""
    members = [(key, value) for key, value in vars(getattr(interfaces, name)).items() if is_told(key, value)]
    properties = [f"{key}: {value.fget.__annotations__['return']}" for key, value in members if is_property(value)]
    return properties + [signature(value) for _, value in members if not is_property(value)]


def is_property(value) -> bool:
    return isinstance(value, property)


def is_told(key: str, value) -> bool:
    return (key == "__call__" or not key.startswith("_")) and (is_property(value) or inspect.isfunction(value))


def default(field) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    return "required" if field.default_factory is dataclasses.MISSING else f"`{field.default_factory()!r}`"


def test_every_hook_and_every_spec_has_its_section_and_there_is_no_other() -> None:
    headings = set(re.findall(r"^###? (\w+)$", PAGE, re.MULTILINE))
    assert headings == HOOKS | SPECS | PROTOCOLS


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_shown_with_its_exact_signature(name) -> None:
    assert code(name) == [signature(getattr(hookspecs, name))]


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_a_protocol_is_shown_with_all_its_members(name) -> None:
    assert code(name) == described(name)


def meanings(name: str) -> dict[str, str]:
    """The text under each field, from the source, on one line."""
    (body,) = ast.parse(inspect.getsource(getattr(interfaces, name))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return found


@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_spec_is_shown_field_by_field_as_the_code_has_it(name) -> None:
    told = meanings(name)
    rows = []
    for field in dataclasses.fields(getattr(interfaces, name)):
        kind = field.type.replace("|", "\\|")
        rows.append(f"| `{field.name}` | `{kind}` | {default(field)} | {told[field.name]} |")
    shown = [line for line in section(name).splitlines() if line.startswith("| `")]
    wanted = "\n".join(rows)
    assert shown == rows, f"the table of {name} should be:\n{wanted}"
