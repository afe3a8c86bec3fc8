"""Logs of tasks that know nothing of adjudge, judged afterwards, in place and by several judges at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from inspect_ai import Task, score
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, system_message

from adjudge.cli import main
from adjudge.evals import rubric
from adjudge.evals.scores import judged_of
from adjudge.report.runs import read_runs

from .conftest import Loopback, Spoken, by_the_text, run, score_of


@pytest.fixture
def log(loopback: Loopback) -> EvalLog:
    """A log of a plain task of inspect, by hand, with a scorer of inspect's own."""
    samples = [Sample(id=name, input=f"ask for {name}", target="please") for name in ("salt", "bread")]
    task = Task(dataset=samples, solver=[system_message("Be brief."), generate()], scorer=includes(), name="plain")
    return run(task, model=loopback.model("candidate"))


def levels(log: EvalLog, scorer: str) -> list[str | None]:
    judged = judged_of(score_of(log, "salt", scorer).metadata)
    assert judged is not None
    return [verdict.level for verdict in judged.verdicts]


def test_inspect_scores_a_log_again_with_our_scorer(log: EvalLog, loopback: Loopback, rubric_file: str) -> None:
    again = score(log, rubric(rubric_file), model_roles={"grader": loopback.model()}, action="append", display="none")
    assert set(score_of(again, "salt", "rubric").value) >= {"total", "coverage"}
    assert levels(again, "rubric") == ["met", "met"]
    judged = judged_of(score_of(again, "salt", "rubric").metadata)
    assert judged is not None
    assert (judged.candidate, judged.backend) == ("openai-api/loop/candidate", "openai-compatible:judge")
    assert score_of(again, "salt", "includes").value == "C", "what was there stays"


def test_a_log_is_judged_by_two_judges_at_once(
    log: EvalLog, loopback: Loopback, plugin: Path, rubric_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    remote = "inspect:openai-api/loop/judge"
    arguments = ["rescore", log.location, "--rubric", rubric_file, "--backend", "scripted:a", "--backend", "scripted:b"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "rubric by scripted:a: mean 1.000 over 2 samples, 0 unscored, coverage 100.0%" in told
    assert "rubric1 by scripted:b" in told
    after = read_eval_log(log.location)
    assert after.results is not None
    assert {one.scorer for one in after.results.scores} == {"includes", "rubric", "rubric1"}
    assert levels(after, "rubric") == levels(after, "rubric1") == ["met", "met"]
    assert (
        main(["rescore", log.location, "--rubric", rubric_file, "--backend", remote, "-B", f"base_url={loopback.url}"])
        == 0
    )
    assert levels(read_eval_log(log.location), "rubric2") == ["met", "met"]
    assert not [path for path in Path(log.location).parent.iterdir() if path.name.startswith(".")]


def test_copies_leave_the_logs_alone(log: EvalLog, plugin: Path, rubric_file: str, tmp_path: Path) -> None:
    before = Path(log.location).read_bytes()
    out = tmp_path / "out"
    command = ["rescore", str(Path(log.location).parent), "--rubric", rubric_file, "--backend", "scripted"]
    assert main([*command, "--out", str(out)]) == 0
    assert Path(log.location).read_bytes() == before
    (copy,) = out.iterdir()
    assert levels(read_eval_log(str(copy)), "rubric") == ["met", "met"]


def test_a_judge_that_wrote_the_answers_is_refused_and_the_log_stays(
    log: EvalLog, plugin: Path, rubric_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(log.location).read_bytes()
    command = ["rescore", log.location, "--rubric", rubric_file, "--backend", "scripted:candidate"]
    assert main(command) == 2
    assert "is the model under test" in capsys.readouterr().err
    assert Path(log.location).read_bytes() == before
    assert main([*command, "--self-grading"]) == 0


def test_what_is_no_log_is_refused_in_one_line(
    log: EvalLog, plugin: Path, rubric_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "torn.eval"
    torn.write_bytes(Path(log.location).read_bytes()[:200])
    twin = tmp_path / "twin"
    twin.mkdir()
    shutil.copy(log.location, twin)
    cases = {
        str(tmp_path / "nowhere.eval"): ("no log of inspect there", []),
        str(torn): ("not a log of inspect", []),
        log.location: ("one name", [str(twin), "--out", str(tmp_path / "out")]),
    }
    for name, (says, more) in cases.items():
        assert main(["rescore", name, *more, "--rubric", rubric_file, "--backend", "scripted"]) == 2, name
        told = capsys.readouterr().err
        assert says in told
        assert len(told.strip().splitlines()) == 1
    assert main(["rescore", log.location, "--backend", "scripted"]) == 2
    assert "--rubric" in capsys.readouterr().err


def test_a_judge_that_hardly_wanted_to_answer_is_told_of_in_the_summary_and_in_the_report_of_the_log(
    log: EvalLog, loopback: Loopback, rubric_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = Spoken("Well", logprobs={"Well": -0.3, "Yes": -2.0, "No": -3.0})
    loopback.answer = lambda body: odd if body.get("logprobs") else by_the_text(body)
    asked = ["--backend", "openai-compatible:judge", "-B", f"base_url={loopback.url}", "--read-out", "label"]
    assert main(["rescore", log.location, "--rubric", rubric_file, *asked]) == 0
    told = "4 of 4 verdicts are flagged low-label-mass: the model put less than half of its belief on the labels"
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert f"coverage 100.0%; {told}" in line
    (run_of_ours,) = [one for one in read_runs(log.location) if one.scorer == "rubric"]
    assert [warning for warning in run_of_ours.record.warnings if told in warning]
