"""Installed tasks as inspect tasks: every kind, every parameter, and what is broken hides no other."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai._util.registry import registry_info

from adjudge import _registry
from adjudge.cli import main
from adjudge.evals.scores import judged_of
from adjudge.evals.tasks import register_tasks

from .conftest import Loopback, Spoken, figures_of, run, score_of

Factory = Callable[..., Task]


@pytest.fixture
def made(plugin: Path, caplog: pytest.LogCaptureFixture) -> dict[str, Factory]:
    return register_tasks()


def refusal(make: Factory, **values: object) -> str:
    with pytest.raises(PrerequisiteError) as caught:
        make(**values)
    return str(caught.value.message)


def test_inspect_knows_them_under_our_name(made: dict[str, Factory]) -> None:
    names = {registry_info(task).name for task in made.values()}
    assert {"adjudge/polite", "adjudge/answers", "adjudge/judge"} <= names
    kinds = {registry_info(one).name for one in (_registry.rubric, _registry.figures, _registry.epochs_mean)}
    assert kinds == {"adjudge/rubric", "adjudge/figures", "adjudge/epochs_mean"}


def test_what_is_broken_says_so_and_hides_no_other(made: dict[str, Factory], caplog: pytest.LogCaptureFixture) -> None:
    assert "no luck \\[today]" in refusal(made["dead"]), "told, and no markup"
    told = [record.getMessage() for record in caplog.get_records("setup")]
    assert any("the plugin 'dead' did not load" in line for line in told)
    assert "evals-plugin/torn.yaml" in refusal(made["torn"])
    assert "judge" in refusal(made["takes"])
    assert made["polite"]().dataset


def test_a_task_that_is_called_like_cores_own_does_not_replace_it(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (plugin / "evals_plugin.py").read_text("utf-8")
    (plugin / "evals_plugin.py").write_text(source.replace('name="answers"', 'name="judge"'), "utf-8")
    made = register_tasks()
    assert "core's own" in refusal(made["judge-task"])
    assert "name a data file" in refusal(made["judge"])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sise": 3}, "did you mean 'size'"),
        ({"size": "many"}, "size='many' is no int"),
        ({"kind": "zzz"}, "must be one of short, long"),
        ({"backend": "scriptet"}, "scripted"),
        ({"backend": "scripted", "judge_engine": "inspect"}, "leave judge_engine out"),
        ({"sampling": {"temperatur": 1}}, "temperature"),
    ],
)
def test_parameters_are_checked_not_only_warned_about(
    values: dict[str, object], says: str, made: dict[str, Factory]
) -> None:
    assert says in refusal(made["polite"], **values)


def test_a_meta_task_measures_the_judge_and_asks_no_candidate(made: dict[str, Factory], loopback: Loopback) -> None:
    log = run(made["polite"](size=4), model=loopback.model("idle"), model_roles={"grader": loopback.model()})
    assert log.status == "success", log.error
    assert {body["model"] for body in loopback.bodies} == {"judge"}
    figures = figures_of(log)
    assert figures["pairs_right"] == 0.5
    assert (figures["whole"], figures["whole low"], figures["whole high"]) == (0.5, 0.25, 0.75)
    assert figures["accuracy (polite)"] == 0.75
    assert "table" not in figures
    assert "undefined" not in figures
    sample = score_of(log, "1")
    judged = judged_of(sample.metadata)
    assert judged is not None
    assert (judged.task, judged.task_args["size"], judged.rubric.version) == ("polite", 4, "3")
    assert log.eval.task == "adjudge/polite"
    assert log.eval.task_args["kind"] == "short"


def test_the_metrics_of_a_task_are_averaged_over_epochs(made: dict[str, Factory]) -> None:
    log = run(made["polite"](backend="scripted"), epochs=2)
    assert log.status == "success", log.error
    assert figures_of(log)["pairs_right"] == 0.5
    assert figures_of(log)["verdicts"] == 8


def test_standard_errors_know_which_samples_belong_together(made: dict[str, Factory]) -> None:
    log = run(made["polite"](backend="scripted"))
    # Clusters {0, 1} and {2, 3} have the same sum: between them there is no spread.
    assert figures_of(log, "total")["adjudge/clustered_stderr"] == pytest.approx(0)
    figures = figures_of(log)
    assert figures["dimension:tone low"] == pytest.approx(figures["dimension:tone"])


def test_a_candidate_answers_chat_messages(made: dict[str, Factory], loopback: Loopback) -> None:
    log = run(made["answers"](backend="scripted"), model=loopback.model("candidate"))
    assert log.status == "success", log.error
    assert [turn["role"] for turn in loopback.bodies[0]["messages"]] == ["user"]
    judged = judged_of(score_of(log, "0").metadata)
    assert judged is not None
    assert (judged.candidate, judged.engine) == ("openai-api/loop/candidate", "adjudge")
    assert judged.verdicts[0].distribution == pytest.approx({"met": 0.9, "unmet": 0.1})


def test_a_solver_of_adjudge_answers_through_inspects_model(made: dict[str, Factory], loopback: Loopback) -> None:
    log = run(made["shouts"](backend="scripted"), model=loopback.model("candidate"))
    assert log.status == "success", log.error
    assert score_of(log, "0").answer == "PLEASE AND THANK YOU please"
    assert log.stats.model_usage["openai-api/loop/candidate"].output_tokens == 10


def test_a_solver_takes_options(made: dict[str, Factory], loopback: Loopback) -> None:
    log = run(made["answers"](backend="scripted", solver_options={"system": "Be brief."}), model=loopback.model("m"))
    assert log.status == "success", log.error
    assert [turn["role"] for turn in loopback.bodies[0]["messages"]] == ["system", "user"]
    assert loopback.bodies[0]["messages"][0]["content"] == "Be brief."


def test_what_a_solver_notes_stands_in_the_sample(made: dict[str, Factory], loopback: Loopback) -> None:
    loopback.answer = lambda body: Spoken("please and", finish="length")
    log = run(made["answers"](backend="scripted", solver_options={"max_tokens": 2}), model=loopback.model("m"))
    assert log.status == "success", log.error
    assert log.samples is not None
    assert log.samples[0].metadata["solver_cut"] is True


def test_our_engine_writes_its_usage_into_the_log_and_closes_its_backend(made: dict[str, Factory]) -> None:
    log = run(made["polite"](backend="scripted:m", size=2))
    backend = sys.modules["evals_plugin"].MADE[-1]
    assert (backend.asked, backend.closed) == (2, 1)
    judged = [judged_of(score_of(log, name).metadata) for name in "01"]
    spent = sum(one.usage.prompt_tokens + one.usage.completion_tokens for one in judged if one is not None)
    assert spent > 0
    assert log.stats.role_usage["grader"].total_tokens == spent
    assert log.stats.model_usage["m"].total_tokens == spent


def test_a_judge_that_is_out_of_reach_leaves_every_answer_unscored_not_lost(
    made: dict[str, Factory], loopback: Loopback
) -> None:
    loopback.answer = lambda body: Spoken("DEAD")
    log = run(made["answers"](backend="scripted:m"), model=loopback.model("candidate"))
    assert log.status == "success", log.error
    score = score_of(log, "0")
    assert score.reason == "grader_failed"
    judged = judged_of(score.metadata)
    assert judged is not None
    assert [(v.status, v.reason) for v in judged.verdicts] == [("unscored", "infra")]
    assert score.answer == "DEAD"


def test_tasks_are_listed_with_the_line_to_type(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks"]) == 0
    listed = capsys.readouterr().out
    assert "inspect eval adjudge/polite --model none --model-role grader=MODEL" in listed
    assert "inspect eval adjudge/answers --model MODEL --model-role grader=MODEL" in listed
    assert "inspect eval adjudge/judge" in listed
