"""Every task of adjudge-moral keeps the contract of tasks, and runs from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adjudge.api import installed
from adjudge.cli import main
from adjudge.interfaces import TaskSpec
from adjudge.testing import TaskContract
from adjudge_moral.plugin import adjudge_tasks

NAMES = (
    "morebench",
    "morebench-responses",
    "morebench-judge",
    "clash",
    "clash-steering",
    "daily-dilemmas",
    "moralchoice",
    "moralchoice-high",
)
ABSENT = {"source": "nowhere.csv"}


def task_of(name: str) -> TaskSpec:
    return next(task for task in adjudge_tasks() if task.name == name)


class MoralTask(TaskContract):
    NAME: ClassVar[str]
    MISSING: ClassVar[Mapping[str, Any] | None] = ABSENT

    def task(self) -> TaskSpec:
        return task_of(self.NAME)


class TestMoreBench(MoralTask):
    NAME = "morebench"


class TestMoreBenchTheory(MoralTask):
    NAME = "morebench"
    GIVEN: ClassVar[Mapping[str, Any]] = {"subset": "theory", "part": "trace"}


class TestMoreBenchResponses(MoralTask):
    NAME = "morebench-responses"


class TestMoreBenchTraces(MoralTask):
    NAME = "morebench-responses"
    GIVEN: ClassVar[Mapping[str, Any]] = {"part": "trace"}


class TestMoreBenchJudge(MoralTask):
    NAME = "morebench-judge"


class TestClash(MoralTask):
    NAME = "clash"
    GIVEN: ClassVar[Mapping[str, Any]] = {"framing": "both"}


class TestClashSteering(MoralTask):
    NAME = "clash-steering"


class TestDailyDilemmas(MoralTask):
    NAME = "daily-dilemmas"


class TestDailyDilemmasSteered(MoralTask):
    NAME = "daily-dilemmas"
    GIVEN: ClassVar[Mapping[str, Any]] = {"principle": "loyalty", "steer": "oppose"}


class TestMoralChoice(MoralTask):
    NAME = "moralchoice"


class TestMoralChoiceHigh(MoralTask):
    NAME = "moralchoice-high"


def test_these_are_all_the_tasks_and_they_are_installed() -> None:
    assert [task.name for task in adjudge_tasks()] == list(NAMES)
    assert set(NAMES) <= set(installed().tasks)
    assert "response-or-trace" in installed().solvers
    assert "yes-no" in installed().judges


def test_there_are_more_than_thirty_synthetic_cases_over_all_tasks() -> None:
    items = {(task.name, item.id) for task in adjudge_tasks() for item in task.dataset()}
    assert len(items) > 60
    assert len({item for name, item in items if name in {"clash", "daily-dilemmas", "moralchoice"}}) >= 40


@pytest.mark.model
@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["run", "moralchoice", "--limit", "2"], "order_consistency"),
        (["run", "daily-dilemmas", "-T", "principle=rules", "-T", "steer=support"], "choices_changed"),
        (["run", "clash", "--limit", "2", "--read-out", "label"], "ambivalence"),
        (["run", "morebench-responses", "--limit", "1"], "hard"),
        (["run", "morebench-responses", "--limit", "1", "--judge", "yes-no"], "hard"),
    ],
)
def test_the_local_model_runs_a_task_end_to_end(
    arguments: list[str], shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 0
    assert shown in capsys.readouterr().out
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_one_line_and_exit_status_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate = ["--candidate", "local"] if name == "morebench" else []
    arguments = ["run", name, *candidate, "-T", "source=nowhere.csv", "--out", str(tmp_path / "run")]
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nowhere.csv: no such file; " in line
    assert not (tmp_path / "run").exists()
