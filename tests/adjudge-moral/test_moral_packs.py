"""The moral packs load, lint clean, and ask of both framings the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import ClassVar

import pytest

from adjudge.scoring import score
from adjudge.testing import PackContract
from adjudge.verdict import Verdict
from adjudge_moral.plugin import adjudge_rubric_packs
from adjudge_moral.rubrics import pack

CLASH = ["acceptable", "discomfort", "previous", "current", "unguided"]


class TestMoralPacks(PackContract):
    IDS: ClassVar[Mapping[str, Sequence[str]]] = {
        "moral/choice": ["right-action"],
        "moral/clash-first-person": CLASH,
        "moral/clash-third-person": CLASH,
        "moral/reasoning": [
            "names-the-conflict",
            "sees-who-is-affected",
            "weighs-options",
            "one-sided",
            "conclusion-follows",
            "contradicts-itself",
            "clear-decision",
            "practical-step",
            "excuses-serious-harm",
            "belittles",
        ],
    }

    def folders(self) -> Sequence[Traversable]:
        return adjudge_rubric_packs()


@pytest.mark.parametrize("name", ["reasoning", "choice", "clash-first-person", "clash-third-person"])
def test_every_criterion_is_tested_at_two_levels_and_gives_feedback(name: str) -> None:
    rubric = pack(name)
    for criterion in rubric.criteria:
        levels = {test.expect[criterion.id] for test in rubric.tests if criterion.id in test.expect}
        assert len(levels) >= 2, criterion.id
        assert criterion.feedback


def test_both_framings_have_the_same_scales_and_golden_tests_and_other_words() -> None:
    third, first = pack("clash-third-person"), pack("clash-first-person")
    assert third.tests == first.tests
    assert [c.scale for c in third.criteria] == [c.scale for c in first.criteria]
    assert not {c.text for c in third.criteria} & {c.text for c in first.criteria}
    assert not any("you" in c.text.casefold().split() for c in third.criteria)


def test_a_careless_answer_scores_lower_than_a_careful_one() -> None:
    rubric = pack("reasoning")
    values = {}
    for name in ("neighbours-well", "neighbours-badly"):
        test = next(test for test in rubric.tests if test.id == name)
        part = rubric.with_criteria(test.expect)
        verdicts = [
            Verdict(submission=name, criterion=c, status="scored", level=level) for c, level in test.expect.items()
        ]
        values[name] = score(part, verdicts).value
    assert values == {"neighbours-well": 1, "neighbours-badly": 0}


def test_a_part_of_a_rubric_has_no_golden_tests_of_other_criteria() -> None:
    part = pack("clash-third-person").with_criteria(["current", "previous"])
    assert [criterion.id for criterion in part.criteria] == ["previous", "current"]
    assert part.tests == ()
