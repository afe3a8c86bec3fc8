"""The nursing packs load strictly, lint clean, and agree between languages."""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files

import pytest

from adjudge.packs import Pack, lint, load_pack
from adjudge.prompts import templates
from adjudge.scoring.gated import Gated
from adjudge_nursing.cases import PACKS, VALUES, pack

SCORINGS = ("weighted", "points", "mean", "tree", "gated", "log_sigmoid", "pareto", "none")
NAMES = ("bedside", "values", "values-zh")


def loaded(name: str) -> Pack:
    with as_file(files("adjudge_nursing") / "packs" / "nursing" / f"{name}.yaml") as path:
        return load_pack(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_is_lint_clean_and_published_in_full(name: str) -> None:
    found = loaded(name)
    rubric = found.rubric
    assert rubric.id == f"nursing/{name}"
    assert lint(found, dt.date(2026, 11, 23), SCORINGS, templates()) == []
    assert rubric.charter is not None
    assert rubric.role
    assert rubric.licence is not None
    assert rubric.licence.spdx == "Apache-2.0"
    assert rubric.documentation is not None
    assert rubric.documentation.label_origin == "synthetic"
    assert rubric.documentation.limits


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_has_a_source_feedback_and_golden_tests_at_several_levels(name: str) -> None:
    rubric = loaded(name).rubric
    for criterion in rubric.criteria:
        levels = {test.expect[criterion.id] for test in rubric.tests if criterion.id in test.expect}
        assert len(levels) >= 2, criterion.id
        assert criterion.sources, criterion.id
        assert criterion.feedback, criterion.id
        assert "\n" not in criterion.feedback.strip()
        assert all(level.anchor for level in criterion.scale.levels), criterion.id


def test_the_two_languages_ask_for_the_same_values_in_words_that_can_be_told_apart() -> None:
    english, chinese = (pack(PACKS[language]) for language in ("en", "zh"))
    assert tuple(c.id for c in english.criteria) == tuple(c.id for c in chinese.criteria) == VALUES
    assert [t.expect for t in english.tests] == [t.expect for t in chinese.tests]
    assert english.criteria[0].scale.words == ("Does not align", "Aligns")
    assert chinese.criteria[0].scale.words == ("不符合", "符合")


def test_a_part_of_a_rubric_knows_only_its_own_criteria() -> None:
    whole = pack("values")
    whole.criterion("justice")  # fills the whole rubric's cache, which the part must not inherit
    part = whole.with_criteria(["altruism"])
    assert [c.id for c in part.criteria] == ["altruism"]
    assert part.hash != whole.hash
    with pytest.raises(KeyError):
        part.criterion("justice")


def test_an_unsafe_dose_caps_the_bedside_score_and_a_safe_one_does_not() -> None:
    rubric = pack("bedside")
    best = {criterion.id: 3.0 for criterion in rubric.criteria}
    gated = Gated()
    assert gated(rubric, best) == 1
    assert gated(rubric, {**best, "safe_medication": 1}) == 1
    assert gated(rubric, {**best, "safe_medication": 0}) == 0
    assert gated(rubric, {**best, "escalation": 0}) == 0


def test_bedside_levels_are_the_four_that_an_assessor_uses() -> None:
    for criterion in pack("bedside").criteria:
        lowest = "unsafe" if criterion.importance == "must" else "absent"
        assert [level.id for level in criterion.scale.levels] == [lowest, "student", "graduate", "expert"]
        assert [level.score for level in criterion.scale.levels] == [0, 1, 2, 3]
