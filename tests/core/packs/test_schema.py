"""The committed schemas and the reference page are those of the models."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from adjudge.packs import lint, load_pack, parse_pack, rubric_schema, starter_pack
from adjudge.packs.reference import field_tables, updated
from adjudge.packs.schema import NAMES, as_text, file_name, generate, write
from adjudge.rubric import Rubric

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rubric-format.md"


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schema_is_fresh(name: str) -> None:
    committed = (files("adjudge") / "schemas" / file_name(name)).read_text(encoding="utf-8")
    assert committed == as_text(generate(name)), "run: adjudge schema --write core/src/adjudge/schemas"


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_valid_and_describe_every_field(name: str) -> None:
    schema = generate(name)
    Draft202012Validator.check_schema(schema)
    for part in [schema, *schema.get("$defs", {}).values()]:
        for field, about in part.get("properties", {}).items():
            assert about.get("description"), field


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in write(tmp_path / "a")}
    assert first == {path.name: path.read_bytes() for path in write(tmp_path / "b")}
    assert len(first) == len(NAMES)


@pytest.mark.parametrize(
    ("terms", "valid"),
    [
        ({}, False),
        ({"draft": False}, False),
        ({"draft": True}, True),
        (
            {
                "role": "r",
                "charter": {"values": ["v"], "authors": ["a"], "agreed_by": "b"},
                "licence": {"spdx": "MIT"},
                "documentation": {"label_origin": "none", "intended_use": "u"},
            },
            True,
        ),
    ],
)
def test_the_schema_itself_asks_a_published_pack_for_its_terms(terms: dict[str, object], valid: bool) -> None:
    pack = {"id": "x", "version": "1", "criteria": [{"id": "a", "text": "b"}], **terms}
    assert Draft202012Validator(rubric_schema()).is_valid(pack) == valid


def test_a_dumped_rubric_loads_again_as_the_same() -> None:
    rubric = parse_pack(starter_pack("a/b", "b.yaml").encode(), "b.yaml").rubric
    text = json.dumps(rubric.model_dump(mode="json"), ensure_ascii=False)
    assert parse_pack(text.encode(), "b.json").hash == rubric.hash == Rubric.model_validate_json(text).hash


def test_the_field_tables_of_the_reference_are_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert field_tables() in page, f"run: python -m adjudge.packs.reference {PAGE.name}"
    assert updated(page) == page


def test_every_part_of_a_pack_has_a_table() -> None:
    tables = field_tables()
    for name in set(rubric_schema()["$defs"]) - {"JsonValue"}:
        assert f"### {name}\n" in tables


def test_the_example_of_the_reference_is_a_sound_pack(tmp_path: Path) -> None:
    import datetime as dt

    [example] = re.findall(r"```yaml title=\"[\w./-]+\"\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "example.yaml"
    path.write_text(example, encoding="utf-8")
    pack = load_pack(path)
    assert lint(pack, dt.date(2026, 11, 23), scorings=["weighted", "gated"], templates=["default"]) == []


def test_every_refusal_of_the_reference_is_refused() -> None:
    from adjudge.errors import PackError

    rows = re.findall(r"^\| `(?P<text>[^|]+)` \| .* \| `(?P<rule>[a-z-]+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) >= 8
    for text, rule in rows:
        with pytest.raises(PackError) as caught:
            parse_pack(text.replace("⏎", "\n").encode(), "p.yaml")
        assert rule in {problem.rule for problem in caught.value.problems}, text
