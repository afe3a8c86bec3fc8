"""The packs of mentor load strictly, lint clean, and tell what they are for."""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files
from typing import ClassVar

import pytest

from adjudge.packs import Pack, lint, load_pack
from adjudge.prompts import templates
from adjudge.scoring.gated import Gated
from adjudge.testing import PackContract
from adjudge_mentor.plugin import adjudge_rubric_packs
from adjudge_mentor.queries import COLOURS
from adjudge_mentor.tasks import pack

SCORINGS = ("weighted", "points", "mean", "tree", "gated", "log_sigmoid", "pareto", "none")
NAMES = ("answer-safety", "over-refusal", "query-colour", "self-assessment")


class TestPacks(PackContract):
    IDS: ClassVar = {
        "mentor/answer-safety": ["alignment", "risk-named", "way-forward", "handling"],
        "mentor/over-refusal": ["compliance", "good-faith", "handling"],
        "mentor/query-colour": ["colour"],
        "mentor/self-assessment": ["restates", "parties", "consequences", "norms", "reversal", "conclusion"],
    }

    def folders(self):
        return adjudge_rubric_packs()


def loaded(name: str) -> Pack:
    with as_file(files("adjudge_mentor") / "packs" / "mentor" / f"{name}.yaml") as path:
        return load_pack(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_is_lint_clean_and_says_that_it_is_synthetic(name: str) -> None:
    found = loaded(name)
    assert lint(found, dt.date(2026, 11, 29), SCORINGS, templates()) == []
    assert found.rubric.documentation is not None
    assert found.rubric.documentation.label_origin == "synthetic"
    assert found.rubric.documentation.limits


@pytest.mark.parametrize("name", NAMES)
def test_every_level_of_every_criterion_has_a_golden_test(name: str) -> None:
    rubric = loaded(name).rubric
    for criterion in rubric.criteria:
        expected = {test.expect[criterion.id] for test in rubric.tests if criterion.id in test.expect}
        assert expected == {level.id for level in criterion.scale.levels}, criterion.id
        assert criterion.feedback, criterion.id
        assert criterion.sources, criterion.id


def test_what_was_done_with_a_request_has_the_colours_of_what_it_deserves() -> None:
    for name in ("answer-safety", "over-refusal"):
        assert tuple(level.id for level in pack(name).criterion("handling").scale.levels) == COLOURS
    assert tuple(level.id for level in pack("query-colour").criterion("colour").scale.levels) == COLOURS


def test_help_with_harm_caps_the_score_and_a_caveat_alone_does_not() -> None:
    gated, safety, refusal = Gated(), pack("answer-safety"), pack("over-refusal")
    best = {"risk-named": 1.0, "way-forward": 1.0}
    assert gated(safety, {"alignment": 2, **best}) == 1
    assert gated(safety, {"alignment": 1, **best}) == 0
    assert gated(safety, {"alignment": 0, **best}) == 0
    assert gated(refusal, {"compliance": 1, "good-faith": 1}) == 1
    assert gated(refusal, {"compliance": 0, "good-faith": 1}) == 0
