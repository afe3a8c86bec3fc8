"""Harmful requests are read per principle, and figures tell safe answers and a judge's blindness apart."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.api import installed, load_rubric, result_of
from adjudge.errors import InputError
from adjudge.submission import Submission
from adjudge.verdict import Result, Verdict
from adjudge_health.medsafety import (
    COMPLIANCE,
    answers_dataset,
    candidate_dataset,
    judge_figures,
    pack,
    principle_rubric,
    safety_figures,
)
from adjudge_health.principles import PRINCIPLES, load_requests

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[2] / "../shared/data")) / "medsafetybench"
ANSWERS = answers_dataset()
COLUMNS = ("", "harmful_medical_request", "safe_response")


def table(path: Path, *rows: tuple[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([str(number), *row] for number, row in enumerate(rows))
    return path


def judged(item: Submission, principle: str | None, compliance: str | None) -> Result:
    assert item.rubric is not None
    given = {c.id: compliance if c.id == COMPLIANCE else principle for c in item.rubric.criteria}
    verdicts = [_verdict(item.id, name, level) for name, level in given.items()]
    return result_of(item, item.rubric, verdicts, installed())


def _verdict(name: str, criterion: str, level: str | None) -> Verdict:
    if level is None:
        return Verdict(submission=name, criterion=criterion, status="unscored", reason="refusal")
    return Verdict(submission=name, criterion=criterion, status="scored", level=level)


def results(answer: Callable[[Submission], tuple[str | None, str | None]]) -> list[Result]:
    return [judged(item, *answer(item)) for item in ANSWERS]


def seeing(item: Submission) -> tuple[str, str]:
    return ("met", "refuses") if item.metadata["kind"] == "safe" else ("unmet", "fully")


def test_a_folder_is_read_by_the_number_in_the_names_in_either_form(tmp_path: Path) -> None:
    table(tmp_path / "med_safety_demonstrations_category_2.csv", ("Harm a.", "No."), ("Harm b.", "No, but …"))
    table(tmp_path / "test_gpt4_cat1.csv", ("Harm c.", "I will not."))
    (tmp_path / "README.md").write_text("not a table", "utf-8")
    found = load_requests(tmp_path)
    assert [(one.id, one.principle, one.kind) for one in found] == [
        ("p1-001", 1, "safe"),
        ("p2-001", 2, "safe"),
        ("p2-002", 2, "safe"),
    ]


def test_one_file_is_enough(tmp_path: Path) -> None:
    (one,) = load_requests(table(tmp_path / "category_7.csv", ("Harm.", "No.")))
    assert (one.principle, one.text, one.answer) == (7, "Harm.", "No.")


def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file or folder; .*MIT licence.*github.com.*-T source="):
        load_requests(tmp_path / "none")
    with pytest.raises(InputError, match="holds no file named like"):
        load_requests(tmp_path)
    with pytest.raises(InputError, match="has no number of a category"):
        load_requests(table(tmp_path / "harm.csv", ("a", "b")))
    with pytest.raises(InputError, match=r"cat3.csv:3: has no safe_response"):
        load_requests(table(tmp_path / "cat3.csv", ("a", "b"), ("c", "")))


def test_the_shipped_requests_are_two_a_principle_each_with_a_safe_and_a_complying_answer() -> None:
    assert Counter(item.metadata["principle"] for item in ANSWERS) == dict.fromkeys(PRINCIPLES, 4)
    assert Counter(item.metadata["kind"] for item in ANSWERS) == {"safe": 18, "complying": 18}
    by_request = Counter(item.input for item in ANSWERS)
    assert set(by_request.values()) == {2}


def test_a_request_is_judged_on_its_principle_and_on_compliance_alone() -> None:
    for item in ANSWERS:
        assert item.rubric is not None
        asked = [criterion.id for criterion in item.rubric.criteria]
        assert asked == [PRINCIPLES[int(str(item.metadata["principle"]))], COMPLIANCE]
    assert principle_rubric(1).hash != principle_rubric(2).hash != pack().hash


def test_a_candidate_gets_each_request_once_and_no_answer() -> None:
    items = candidate_dataset()
    assert len(items) == len({item.input for item in items}) == 18
    assert all(item.output == "" and not item.labels for item in items)
    assert [item.metadata["principle"] for item in candidate_dataset(principle=4)] == [4, 4]


def test_a_judge_that_sees_the_kinds_is_right_on_both() -> None:
    found = judge_figures(ANSWERS, results(seeing))
    assert {figure.value for figure in found.values()} == {1.0}


def test_a_judge_that_always_says_safe_is_right_on_the_safe_ones_only() -> None:
    found = judge_figures(ANSWERS, results(lambda _: ("met", "refuses")))
    assert found["principle_accuracy"].value == 0.5
    assert found["principle_accuracy[safe]"].value == found["compliance_accuracy[safe]"].value == 1
    assert found["principle_accuracy[complying]"].value == found["compliance_accuracy[complying]"].value == 0


def test_a_partial_answer_counts_as_neither_kind() -> None:
    found = judge_figures(ANSWERS, results(lambda item: (seeing(item)[0], "partly")))
    assert found["compliance_accuracy"].value == 0
    assert found["principle_accuracy"].value == 1


def test_compliance_is_the_mean_level_and_a_failed_verdict_is_in_no_figure() -> None:
    safe = [item for item in ANSWERS if item.metadata["kind"] == "safe"]
    half = [judged(item, "met", "deflects" if place % 2 else None) for place, item in enumerate(safe)]
    found = safety_figures(safe, half)
    assert found["compliance"].value == 2
    assert (found["compliance_coverage"], found["principle_coverage"]) == (0.5, 1)
    assert found["principle_kept"].value == 1
    assert [row["answers"] for row in found["by_principle"]] == [2] * 9
    assert all(result.score.value is None for result in half[::2]), "no score where the compliance is unknown"


def test_a_judge_that_refuses_is_neither_right_nor_wrong() -> None:
    found = judge_figures(ANSWERS, results(lambda _: (None, None)))
    assert all(figure.value is None for figure in found.values())


def test_golden_tests_have_each_principle_both_ways_and_every_level_of_compliance() -> None:
    rubric = load_rubric("health/medical-safety")
    for name in PRINCIPLES.values():
        assert {test.expect[name] for test in rubric.tests if name in test.expect} == {"met", "unmet"}
    levels = {level.id for level in rubric.criterion(COMPLIANCE).scale.levels}
    assert {test.expect[COMPLIANCE] for test in rubric.tests} == levels


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the data set is not under ADJUDGE_DATA")
def test_the_published_files_are_read_per_principle() -> None:
    """About half of their 450 requests are here."""
    counts = Counter(one.principle for one in load_requests(DATA))
    assert counts == {1: 29, 2: 20, 3: 28, 4: 23, 5: 24, 6: 21, 7: 20, 8: 28, 9: 25}
    labels = {label.level for item in answers_dataset(source=str(DATA)) for label in item.labels}
    assert labels == {"met"}
