"""What a new version costs."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.packs import diff_rubrics
from adjudge.rubric import Rubric

CRITERIA = [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}, {"id": "c", "text": "C"}]


def rubric(criteria: list[dict[str, Any]] = CRITERIA, **fields: Any) -> Rubric:
    return Rubric.model_validate({"id": "x", "version": "1", "draft": True, "criteria": criteria, **fields})


def changed(**fields: Any) -> Rubric:
    return rubric([{**CRITERIA[0], **fields}, *CRITERIA[1:]])


def test_the_same_rubric_needs_nothing() -> None:
    diff = diff_rubrics(rubric(), rubric())
    assert diff.unchanged == ("a", "b", "c")
    assert diff.to_judge == diff.rescore == diff.removed == ()
    assert not diff.same_version
    assert diff.fields == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "other"},
        {"scale": "1-5"},
        {"examples": [{"output": "o", "level": "met"}]},
        {"evidence": ["output"]},
    ],
)
def test_what_the_judge_sees_of_a_criterion_is_judged_again(fields: dict[str, Any]) -> None:
    diff = diff_rubrics(rubric(), changed(**fields))
    assert diff.rejudge == ("a",)
    assert diff.unchanged == ("b", "c")
    assert diff.fields == {"a": tuple(fields)}


@pytest.mark.parametrize("fields", [{"instructions": "i"}, {"template": "t"}, {"role": "r"}])
def test_what_the_judge_sees_of_the_rubric_is_judged_again_for_all(fields: dict[str, Any]) -> None:
    diff = diff_rubrics(rubric(), rubric(**fields))
    assert diff.rejudge == ("a", "b", "c")
    assert diff.fields == {"": tuple(fields)}


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": 2},
        {"importance": "may"},
        {"dimension": "d"},
        {"depends_on": [{"criterion": "b"}]},
        {"options": {"reference": 1}},
    ],
)
def test_what_only_the_score_reads_is_scored_again(fields: dict[str, Any]) -> None:
    diff = diff_rubrics(rubric(), changed(**fields))
    assert (diff.rejudge, diff.rescore, diff.unchanged) == ((), ("a",), ("b", "c"))


def test_another_scoring_or_tree_scores_all_again() -> None:
    assert diff_rubrics(rubric(), rubric(scoring="mean")).rescore == ("a", "b", "c")
    assert diff_rubrics(rubric(), rubric(groups=[{"id": "g"}])).rescore == ("a", "b", "c")


@pytest.mark.parametrize(
    "fields", [{"feedback": "f"}, {"tags": ["t"]}, {"sources": [{"norm": "N"}]}, {"values": ["v"]}]
)
def test_what_only_people_read_changes_nothing(fields: dict[str, Any]) -> None:
    diff = diff_rubrics(rubric(), changed(**fields))
    assert diff.unchanged == ("a", "b", "c")
    assert diff.fields == {"a": tuple(fields)}
    assert diff.same_version


def test_new_and_removed_criteria_are_told_apart() -> None:
    diff = diff_rubrics(rubric(), rubric([CRITERIA[2], {"id": "d", "text": "D"}, CRITERIA[1]]))
    assert (diff.new, diff.removed, diff.unchanged) == (("d",), ("a",), ("c", "b"))
    assert diff.to_judge == ("d",)


def test_a_changed_rubric_needs_a_new_version() -> None:
    assert diff_rubrics(rubric(), changed(text="other")).same_version
    other = Rubric.model_validate({**changed(text="other").model_dump(), "version": "2"})
    assert not diff_rubrics(rubric(), other).same_version
