"""JSON Schemas of the value types: generated from the models, committed beside them, used for editors and for packs.

`adjudge schema --write core/src/adjudge/schemas` brings the committed files up to date.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

NAMES = ("rubric", "submission", "comparison", "verdict", "score", "result")
"""Types that have a schema."""
PUBLISHED = ("role", "charter", "licence", "documentation")
"""Fields that only a draft may leave out."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_name(name: str) -> str:
    """Name of the schema's file."""
    return f"{name}.schema.json"


def generate(name: str) -> dict[str, Any]:
    """The schema of one type, from its model.

    Raises:
        KeyError: No such type.
    """
    schema = {"$schema": _DIALECT, **_models()[name].model_json_schema()}
    if name == "rubric":
        schema.update(_published_rule())
    return schema


def rubric_schema() -> dict[str, Any]:
    """The schema of a rubric pack, from the model, with what a published pack must carry."""
    return generate("rubric")


def _models() -> dict[str, type[BaseModel]]:
    from adjudge import rubric, submission, verdict

    return {
        "rubric": rubric.Rubric,
        "submission": submission.Submission,
        "comparison": submission.Comparison,
        "verdict": verdict.Verdict,
        "score": verdict.Score,
        "result": verdict.Result,
    }


def _published_rule() -> dict[str, Any]:
    """Unless it says `draft: true`, a pack carries its role, charter, licence and documentation."""
    some_text = {"type": "string", "minLength": 1}
    return {
        "if": {"properties": {"draft": {"const": True}}, "required": ["draft"]},
        "else": {
            "required": list(PUBLISHED),
            "properties": {
                "version": {"minLength": 1},
                "role": some_text,
                "charter": {"type": "object", "properties": {"agreed_by": {"minLength": 1}}},
                "licence": {"type": "object", "properties": {"spdx": {"minLength": 1}}},
                "documentation": {"type": "object", "properties": {"intended_use": {"minLength": 1}}},
            },
        },
    }


@cache
def committed(name: str) -> dict[str, Any]:
    """The schema as it is shipped; a test keeps it equal to `generate(name)`, and reading it is ten times faster."""
    text = (files("adjudge") / "schemas" / file_name(name)).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def as_text(schema: dict[str, Any]) -> str:
    """The schema as it stands in its file: the same bytes for the same models."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[Path]:
    """Write all schemas into a folder, which is made if need be.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file_name(name) for name in NAMES]
    for name, path in zip(NAMES, paths, strict=True):
        path.write_text(as_text(generate(name)), encoding="utf-8")
    return paths
