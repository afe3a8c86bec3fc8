"""The tasks keep the task contract, run from the command line, and say what to do where data are missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adjudge.api import installed, make_judge
from adjudge.cli import main
from adjudge.interfaces import TaskSpec
from adjudge.testing import TaskContract
from adjudge_counselling.datasets import session_dataset
from adjudge_counselling.metrics import search_figures
from adjudge_counselling.plugin import adjudge_tasks
from adjudge_counselling.search.export import KEY, export

NAMES = ("psyeval", "psyeval-session", "psyeval-turn", "annomi", "esconv", "counselling-crisis")


def task(name: str) -> TaskSpec:
    return next(spec for spec in adjudge_tasks() if spec.name == name)


class TestPsyeval(TaskContract):
    MISSING: ClassVar[dict[str, Any]] = {"source": "no/such/output.jsonl"}

    def task(self) -> TaskSpec:
        return task("psyeval")


class TestPsyevalEnglish(TestPsyeval):
    GIVEN: ClassVar[dict[str, Any]] = {"language": "en"}


class TestSession(TaskContract):
    MISSING: ClassVar[dict[str, Any]] = {"source": "no/such/output.jsonl"}

    def task(self) -> TaskSpec:
        return task("psyeval-session")


class TestTurn(TaskContract):
    MISSING: ClassVar[dict[str, Any]] = {"source": "no/such/output.jsonl"}

    def task(self) -> TaskSpec:
        return task("psyeval-turn")


class TestAnnomi(TaskContract):
    MISSING: ClassVar[dict[str, Any]] = {"source": "no/such/AnnoMI-simple.csv"}

    def task(self) -> TaskSpec:
        return task("annomi")


class TestAnnomiTherapist(TestAnnomi):
    GIVEN: ClassVar[dict[str, Any]] = {"unit": "therapist"}


class TestAnnomiClient(TestAnnomi):
    GIVEN: ClassVar[dict[str, Any]] = {"unit": "client"}


class TestAnnomiPointing(TestAnnomi):
    GIVEN: ClassVar[dict[str, Any]] = {"point": True}


class TestEsconv(TaskContract):
    MISSING: ClassVar[dict[str, Any]] = {"source": "no/such/ESConv.json"}

    def task(self) -> TaskSpec:
        return task("esconv")


class TestEsconvSession(TestEsconv):
    GIVEN: ClassVar[dict[str, Any]] = {"unit": "session"}


class TestCrisis(TaskContract):
    def task(self) -> TaskSpec:
        return task("counselling-crisis")


class TestCrisisChinese(TestCrisis):
    GIVEN: ClassVar[dict[str, Any]] = {"language": "zh", "split": "unseen"}


def test_the_plugin_brings_its_tasks_judges_solver_scoring_and_analysis() -> None:
    plugins = installed()
    assert [spec.name for spec in adjudge_tasks()] == list(NAMES)
    assert set(NAMES) <= set(plugins.tasks)
    assert {"crisis-lexicon", "crisis-gate"} <= set(plugins.judges)
    assert "mctsr-zero" in plugins.solvers
    assert "total" in plugins.scorings
    assert "search-trees" in plugins.analyses


def searched_item(*values: float) -> Any:
    from adjudge.submission import Submission

    nodes = [{"id": 0, "value": None}] + [{"id": n, "value": value} for n, value in enumerate(values, 1)]
    best = max(range(len(values)), key=values.__getitem__) + 1
    return Submission(id=str(values), output="x", metadata={KEY: {"nodes": nodes, "best": best, "calls": 9}})


def test_search_figures_say_what_searching_added() -> None:
    found = search_figures([searched_item(50, 70), searched_item(60, 60)], [])
    assert found["best_value"].value == 65
    assert found["gained"].value == 10
    assert (found["searched"], found["answers"], found["search_calls"]) == (2, 4, 18)
    assert search_figures([], []) == {"escalate": []}


@pytest.fixture
def adjudge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`adjudge(*words)`: exit status, standard output and error stream of the command line, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(words)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_the_lexicon_runs_as_a_task_without_any_model(adjudge) -> None:
    status, out, err = adjudge("run", "counselling-crisis", "--judge", "crisis-lexicon", "--out", "run")
    assert status == 0, err
    assert "recall" in out


def test_files_of_dialogues_are_judged_by_the_packs(adjudge, tmp_path: Path) -> None:
    (tmp_path / "messages.jsonl").write_text(json.dumps({"id": "m", "output": "I want to die."}) + "\n", "utf-8")
    line = ("judge", "messages.jsonl", "--rubric", "counselling/crisis", "--judge", "crisis-lexicon", "--out", "run")
    status, _, err = adjudge(*line)
    assert status == 0, err
    (verdict,) = map(json.loads, (tmp_path / "run" / "verdicts.jsonl").read_text("utf-8").splitlines())
    assert (verdict["level"], verdict["flags"]) == ("met", ["escalate"])


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("annomi", "github.com/uccollab/AnnoMI"),
        ("esconv", "CC BY-NC 4.0"),
        ("psyeval", "github.com/JianChengXingYun/PsyEval"),
    ],
)
def test_missing_data_are_told_of_in_one_line(adjudge, name: str, where: str) -> None:
    status, _, err = adjudge("run", name, "-T", "source=nowhere.jsonl")
    assert status == 2
    assert where in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.model
async def test_the_local_model_searches_one_case_is_judged_and_exported(tmp_path: Path) -> None:
    limits = {"iterations": 1, "initial": 1, "samples": 1, "words": 20, "max_tokens": 40, "review_tokens": 300}
    solver = installed().solvers["mctsr-zero"].build(rubric="counselling/support-session", **limits)
    (case, *_) = session_dataset(case="complaint")
    async with make_judge("counselling/support-session", backend="local", ledger=tmp_path / "ledger.sqlite") as judge:
        solved = await solver.solve(case, judge.engine)
        result = await judge(solved)
        ledger = judge.engine.ledger
        ledger.record_item(ledger.begin_run("{}"), 0, solved, result.verdicts)
    assert len(result.verdicts) == 2
    (row,) = export(tmp_path, str(tmp_path / "trees.jsonl"), str(tmp_path / "pairs.jsonl"))
    tree = json.loads((tmp_path / "trees.jsonl").read_text("utf-8"))
    assert tree["nodes"][1]["text"]
    assert row["answers"] <= 2
    assert tree["calls"] <= 5
    assert bool(solved.output) == (tree["best"] is not None)
