"""The general packs load strictly, lint clean, and have golden tests that exercise every criterion."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from importlib.resources import as_file

import pytest

from adjudge.packs import Pack, lint, load_pack
from adjudge.prompts import templates
from adjudge_rubrics.plugin import adjudge_rubric_packs

SCORINGS = ("weighted", "points", "mean", "tree", "gated", "log_sigmoid", "pareto", "none")
EXPECTED = {
    "general/health-consensus": "points",
    "general/helpful-honest": "gated",
    "general/instruction-following": "mean",
    "general/summary": "mean",
}


def loaded_packs() -> dict[str, Pack]:
    (folder,) = adjudge_rubric_packs()
    with as_file(folder) as path:
        packs = [load_pack(file) for file in sorted(path.rglob("*.yaml"))]
    return {pack.rubric.id: pack for pack in packs}


PACKS = loaded_packs()


def test_the_distribution_brings_the_packs_that_it_documents() -> None:
    assert {name: pack.rubric.scoring.name for name, pack in PACKS.items()} == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_a_pack_is_lint_clean(name: str) -> None:
    assert lint(PACKS[name], dt.date(2026, 11, 23), SCORINGS, templates()) == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_pack_is_published_in_full(name: str) -> None:
    rubric = PACKS[name].rubric
    assert rubric.charter is not None
    assert rubric.charter.agreed_by
    assert rubric.licence is not None
    assert rubric.licence.spdx == "Apache-2.0"
    assert rubric.documentation is not None
    assert rubric.documentation.label_origin == "synthetic"
    assert rubric.documentation.intended_use
    assert rubric.documentation.limits
    assert rubric.role
    assert rubric.version == "0.1.0"


@pytest.mark.parametrize("name", EXPECTED)
def test_golden_tests_show_each_criterion_at_both_ends(name: str) -> None:
    rubric = PACKS[name].rubric
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for test in rubric.tests:
        for name_of, level in test.expect.items():
            seen[name_of].add(level)
    assert len(rubric.tests) >= 4
    assert all(test.synthetic for test in rubric.tests)
    for criterion in rubric.criteria:
        assert {criterion.scale.levels[0].id, criterion.scale.levels[-1].id} <= seen[criterion.id], criterion.id


@pytest.mark.parametrize("name", EXPECTED)
def test_every_criterion_with_a_better_level_says_how_to_get_there(name: str) -> None:
    ranked = [c for c in PACKS[name].rubric.criteria if c.scale.kind != "labels"]
    assert all(c.feedback for c in ranked)


def test_summary_shows_the_source_document_to_the_consistency_judge() -> None:
    assert set(PACKS["general/summary"].rubric.criterion("consistency").evidence) == {"input", "output", "context"}
