"""The tasks and the pack keep the contracts, and run end to end."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar

import pytest

from adjudge.cli import main
from adjudge.interfaces import TaskSpec
from adjudge.testing import PackContract, TaskContract
from adjudge_health.healthbench import HEALTHBENCH, HEALTHBENCH_ANSWERS
from adjudge_health.medsafety import MEDSAFETY, MEDSAFETY_ANSWERS
from adjudge_health.plugin import adjudge_rubric_packs, adjudge_tasks
from adjudge_health.principles import PRINCIPLES


class TestPacks(PackContract):
    IDS: ClassVar = {"health/medical-safety": [*PRINCIPLES.values(), "compliance"]}

    def folders(self) -> Sequence[Traversable]:
        return adjudge_rubric_packs()


class TestHealthBench(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.jsonl"}

    def task(self) -> TaskSpec:
        return HEALTHBENCH


class TestHealthBenchAnswers(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.jsonl"}

    def task(self) -> TaskSpec:
        return HEALTHBENCH_ANSWERS


class TestHealthBenchConsensus(TestHealthBenchAnswers):
    GIVEN: ClassVar = {"criteria": "consensus"}


class TestMedSafety(TaskContract):
    MISSING: ClassVar = {"source": "no/such/folder"}

    def task(self) -> TaskSpec:
        return MEDSAFETY


class TestMedSafetyAnswers(TaskContract):
    MISSING: ClassVar = {"source": "no/such/folder"}

    def task(self) -> TaskSpec:
        return MEDSAFETY_ANSWERS


def test_the_plugin_brings_four_tasks() -> None:
    names = [task.name for task in adjudge_tasks()]
    assert names == ["healthbench", "healthbench-answers", "medsafety", "medsafety-answers"]


@pytest.mark.model
@pytest.mark.parametrize(
    ("command", "figure"),
    [
        (["run", "healthbench-answers", "--limit", "2"], "met_with_points_against"),
        (["run", "medsafety-answers", "--limit", "2"], "principle_accuracy[safe]"),
        (["run", "healthbench", "--limit", "1", "-T", "theme=health_data_tasks", "--candidate", "local"], "score"),
    ],
)
def test_a_run_with_the_local_model_prints_the_figures(
    command: list[str],
    figure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--backend", "local", "--out", "run"]) == 0
    assert figure in capsys.readouterr().out
