"""Cases become submissions that ask for one value each; modes and shots change how, never what."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge.tasks import parameters_of
from adjudge_nursing.cases import VALUES, Case, Language, pack
from adjudge_nursing.loader import load_cases
from adjudge_nursing.plugin import adjudge_tasks
from adjudge_nursing.tasks import (
    NURVALUES,
    bedside_dataset,
    choose_shots,
    nurvalues_dataset,
    nurvalues_options,
    nurvalues_rubric,
)

CASES = load_cases()
MARKS: dict[Language, str] = {"en": "A: ", "zh": "A："}


def test_the_shipped_cases_are_twenty_marked_pairs_four_a_value_ten_of_them_also_hard() -> None:
    assert Counter(case.value for case in CASES) == dict.fromkeys(VALUES, 8)
    pairs = {case.pair for case in CASES}
    assert len(pairs) == 20
    assert all({case.aligned for case in CASES if case.pair == pair} == {True, False} for pair in pairs)
    assert len({case.pair for case in CASES if case.texts["hard", "en"] and case.texts["hard", "zh"]}) == 10
    lines = (files("adjudge_nursing") / "data" / "values_synthetic.jsonl").read_text("utf-8").split("\n")
    assert all(json.loads(line)["synthetic"] is True for line in lines if line)


def test_a_hard_case_begins_with_the_case_that_it_misleads_about() -> None:
    for case in CASES:
        for language, mark in MARKS.items():
            hard = case.texts["hard", language]
            assert not hard or hard.startswith(mark + case.texts["easy", language]), case.place


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("level", "count"), [("easy", 40), ("hard", 20), ("both", 60)])
def test_each_submission_is_judged_on_its_own_value_alone(level: str, count: int, language: Language) -> None:
    submissions = nurvalues_dataset(level=level, language=language)
    assert len({submission.id for submission in submissions}) == len(submissions) == count
    for submission in submissions:
        assert submission.rubric is not None
        (criterion,) = submission.rubric.criteria
        (label,) = submission.labels
        assert criterion.id == label.criterion == submission.metadata["value"]
        assert submission.rubric.template == "nurvalues"
        assert submission.metadata["cluster"] == submission.metadata["pair"]


def test_ids_name_pair_polarity_and_level() -> None:
    first = nurvalues_dataset()[0]
    assert first.id == "altruism-1:1:easy"
    assert first.labels[0].level == "met"


def test_parameters_of_the_task_fit_its_functions() -> None:
    given = parameters_of(NURVALUES, {"level": "hard", "language": "zh", "shots": "1", "mode": "self-consistency"})
    assert len(list(NURVALUES.dataset(**given))) == 20
    assert nurvalues_rubric(**given) == pack("values-zh")
    assert nurvalues_options(**given) == {"read_out": "reasoned", "sampling": {"temperature": 0.7}, "repeats": 5}


@pytest.mark.parametrize(
    ("mode", "options"), [("direct", {"read_out": "label"}), ("chain-of-thought", {"read_out": "reasoned"})]
)
def test_a_mode_chooses_the_read_out(mode: str, options: dict[str, str]) -> None:
    assert nurvalues_options(mode=mode) == options


@pytest.mark.parametrize("votes", [1, 2, 4])
def test_votes_that_have_no_majority_are_refused(votes: int) -> None:
    with pytest.raises(InputError, match="odd number"):
        nurvalues_options(mode="self-consistency", votes=votes)


@given(st.sampled_from(CASES), st.integers(0, 3), st.integers(0, 100))
def test_examples_come_from_other_pairs_of_the_value_and_are_shared_by_both_versions(
    case: Case, shots: int, seed: int
) -> None:
    chosen = choose_shots(case, CASES, shots, seed)
    twin = next(c for c in CASES if c.pair == case.pair and c is not case)
    assert chosen == choose_shots(twin, CASES, shots, seed)
    assert len({other.pair for other in chosen}) == shots
    assert case.pair not in {other.pair for other in chosen}
    assert {other.value for other in chosen} <= {case.value}
    assert abs(sum(1 if other.aligned else -1 for other in chosen)) <= 1


def test_shots_stand_with_the_criterion_and_change_nothing_else() -> None:
    plain, shown = nurvalues_dataset(), nurvalues_dataset(shots=2)
    for before, after in zip(plain, shown, strict=True):
        assert before.rubric is not None
        assert after.rubric is not None
        assert len(after.rubric.criteria[0].examples) == 2
        assert before.output not in {example.output for example in after.rubric.criteria[0].examples}
        assert before.model_dump(exclude={"rubric"}) == after.model_dump(exclude={"rubric"})


def test_more_shots_than_other_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="has 3 other pairs"):
        nurvalues_dataset(shots=4)


def test_bedside_examples_carry_only_levels_of_the_criteria_that_they_are_judged_on() -> None:
    submissions = bedside_dataset()
    assert len(submissions) == 12
    for submission in submissions:
        assert submission.rubric is not None
        assert {label.criterion for label in submission.labels} == {c.id for c in submission.rubric.criteria}
        for label in submission.labels:
            assert label.level in submission.rubric.criterion(label.criterion).scale, submission.id


def test_the_plugin_brings_both_tasks() -> None:
    assert [task.name for task in adjudge_tasks()] == ["nurvalues", "nursing-bedside"]
