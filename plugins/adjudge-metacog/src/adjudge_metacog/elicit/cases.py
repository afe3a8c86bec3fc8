"""The cases that interviews start from, in strict YAML."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from adjudge.errors import InputError
from adjudge.packs.findings import Findings
from adjudge.packs.tree import parse_tree
from adjudge.packs.typed import typed_value
from adjudge.values import Frozen
from adjudge_metacog.elicit.events import Case


class _Cases(Frozen):
    cases: tuple[Case, ...]


def load_cases(path: Path | None = None) -> tuple[Case, ...]:
    """Read cases: each has `id`, `text` (what someone writes) and `context` (what it is an example of).

    Args:
        path: The file; the shipped, synthetic cases if None.

    Raises:
        InputError: It cannot be read, or holds something else.
        PackError: It is no strict YAML; names file, line and column.
    """
    source = path or files("adjudge_metacog.elicit") / "cases.yaml"
    try:
        data = source.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    findings = Findings(str(source))
    tree = parse_tree(data, findings)
    value = typed_value(tree, _Cases.model_json_schema(), findings)
    findings.raise_if_any()
    try:
        found = _Cases.model_validate(value).cases
    except ValidationError as error:
        first = error.errors()[0]
        place = tree.find(first["loc"]).place
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{source}:{place.line}:{place.column}: {where}: {first['msg']}") from None
    ids = [case.id for case in found]
    if not ids or len(set(ids)) < len(ids):
        raise InputError(f"{source}: wants one case or more, each with an id of its own")
    return found
