"""Scenarios of MoReBench: the RUBRIC column, its weights and dimensions, the two parts."""

from __future__ import annotations

import csv
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge_moral.morebench.scenarios import DIMENSIONS, WEIGHTS, load_scenarios
from adjudge_moral.morebench.tasks import candidate_dataset
from adjudge_moral.morebench.theories import NEUTRAL, THEORIES, assignment

CRITERION = {"annotations": {"rubric_dimension": "identifying"}, "id": "a1", "title": " It's said. ", "weight": 3}


def a_row(rubric: Any = None, **changes: str) -> dict[str, str]:
    cell = rubric if isinstance(rubric, str) else repr([CRITERION] if rubric is None else rubric)
    return {
        "DILEMMA": "Tell her,\nor not?",
        "DILEMMA_SOURCE": "daily_dilemmas",
        "DILEMMA_TYPE": "short_case",
        "THEORY": "neutral",
        "RUBRIC": cell,
        "ROLE_DOMAIN": "ai_advisor",
        "CONTEXT": "Family",
        **changes,
    }


def written(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_rubric_column_is_read_as_a_python_literal(tmp_path: Path) -> None:
    second = {**CRITERION, "id": "a2", "title": "Takes sides.", "weight": -2}
    (scenario,) = load_scenarios(written(tmp_path / "m.csv", a_row([CRITERION, second])))
    first, last = scenario.rubric.criteria
    assert (first.id, first.text, first.weight, first.dimension) == ("a1", "It's said.", 3, "identifying")
    assert last.weight == -2
    assert scenario.id == "row-2"
    assert scenario.about == {
        "source": "daily_dilemmas",
        "type": "short_case",
        "role": "ai_advisor",
        "context": "Family",
    }
    assert scenario.rubric.template == "morebench"


@pytest.mark.parametrize(
    ("rubric", "problem"),
    [
        ("__import__('os')", "no Python literal"),
        ("{}", "a list is wanted"),
        ([], "at least 1 item"),
        ([{**CRITERION, "weight": 0}], "'a1' has the weight 0"),
        ([{**CRITERION, "weight": 4}], "it must be -3 to 3 without 0"),
        ([{**CRITERION, "weight": True}], "has the weight True"),
        ([{**CRITERION, "annotations": {"rubric_dimension": "style"}}], "has the dimension 'style'"),
        ([{**CRITERION, "annotations": {}}], "criterion 1 lacks 'rubric_dimension'"),
        ([CRITERION, "text"], "criterion 2 lacks"),
        ([CRITERION, CRITERION], "two criteria share the id 'a1'"),
        ([{**CRITERION, "title": " "}], "text: String should have at least 1 character"),
        ([{**CRITERION, "id": "no spaces"}], "'no spaces': id"),
    ],
)
def test_a_rubric_that_is_none_is_named_by_file_line_and_criterion(tmp_path: Path, rubric: Any, problem: str) -> None:
    path = written(tmp_path / "m.csv", a_row(rubric))
    with pytest.raises(InputError, match=r"m\.csv:2: RUBRIC") as caught:
        load_scenarios(path)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_theory_that_is_none_of_the_five_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="THEORY is 'Stoicism'; it must be neutral or one of Act Utilitarianism"):
        load_scenarios(written(tmp_path / "m.csv", a_row(THEORY="Stoicism")))


def test_the_parts_divide_the_scenarios_by_whether_a_theory_is_asked_for(tmp_path: Path) -> None:
    public, theory = load_scenarios("", "public"), load_scenarios("", "theory")
    assert {one.theory for one in public} == {NEUTRAL}
    assert {one.theory for one in theory} == set(THEORIES)
    assert len(public) + len(theory) == len(load_scenarios())
    with pytest.raises(InputError, match="holds no scenario of the part 'theory'"):
        load_scenarios(written(tmp_path / "m.csv", a_row()), "theory")


def test_shipped_scenarios_are_marked_and_use_every_dimension_and_weight() -> None:
    text = (files("adjudge_moral") / "data" / "morebench_synthetic.jsonl").read_text("utf-8")
    assert all(json.loads(line)["synthetic"] is True for line in text.splitlines())
    criteria = [c for scenario in load_scenarios() for c in scenario.rubric.criteria]
    assert {c.dimension for c in criteria} == set(DIMENSIONS)
    assert {c.weight for c in criteria} == set(WEIGHTS)


def test_a_candidate_is_told_the_theory_and_the_dilemma_and_no_criterion() -> None:
    for item in candidate_dataset(subset="theory"):
        theory = str(item.metadata["theory"])
        assert theory in str(item.input)
        assert THEORIES[theory] in str(item.input)
        assert item.rubric is not None
        assert not any(c.text in str(item.input) for c in item.rubric.criteria)
        assert item.output == ""
    assert not any(theory in assignment("Go?", NEUTRAL) for theory in THEORIES)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "part", "criteria", "weight"),
    [("morebench_public.row1.csv.gz", "public", 20, 42), ("morebench_theory.row0.csv.gz", "theory", 23, 60)],
)
def test_rows_of_the_published_files_are_read(file: str, part: str, criteria: int, weight: int) -> None:
    path = data_folder() / "morebench_csv_sample" / file
    if not path.exists():
        pytest.skip("no MoReBench rows: set ADJUDGE_DATA")
    (scenario,) = load_scenarios(path, part)
    assert len(scenario.rubric.criteria) == criteria
    assert sum(abs(c.weight) for c in scenario.rubric.criteria) == weight


def data_folder() -> Path:
    return Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[3] / "shared/data"))
