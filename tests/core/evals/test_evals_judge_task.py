"""`adjudge/judge` end to end: a YAML file and a data file as an eval, in this process, on a real server."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.model._model import init_active_model

from adjudge import _registry
from adjudge.evals.scores import Judged, judged_of

from .conftest import Loopback, figures_of, prompt_of, run, score_of

judge = _registry.TASKS["judge"]
Rows = Callable[..., str]
GIVEN = ({"id": "kind", "input": "say it", "output": "please"}, {"id": "curt", "input": "say it", "output": "now"})
ASKED = ({"id": "a", "input": "ask for salt"}, {"id": "b", "input": "ask for bread"})


def judgements(log: EvalLog, scorer: str = "rubric") -> dict[str, Judged]:
    found = {}
    for sample in log.samples or ():
        judged = judged_of((sample.scores or {})[scorer].metadata)
        assert judged is not None
        found[f"{sample.id}" if sample.epoch == 1 else f"{sample.id}/{sample.epoch}"] = judged
    return found


def levels(log: EvalLog) -> dict[str, list[str | None]]:
    return {name: [verdict.level for verdict in judged.verdicts] for name, judged in judgements(log).items()}


def test_given_answers_are_judged_criterion_by_criterion(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    log = run(judge(rubric=rubric_file, dataset=rows(*GIVEN)), model_roles={"grader": loopback.model()})
    assert (log.status, log.eval.task_version) == ("success", "2")
    assert levels(log) == {"kind": ["met", "met"], "curt": ["unmet", "unmet"]}
    score = score_of(log, "kind")
    assert score.value == {
        "total": 1.0,
        "coverage": 1.0,
        "dimension:tone": 1.0,
        "dimension:form": 1.0,
        "criterion:polite": 1.0,
        "criterion:short": 1.0,
    }
    assert score.explanation == "- **polite**: met (1)\n- **short**: met (1)"
    assert score.answer == "please"
    figures = figures_of(log)
    assert (figures["verdicts"], figures["verdict_coverage"], figures["dimension:tone"]) == (4, 1, 0.5)
    assert figures_of(log, "total")["mean"] == 0.5
    assert figures_of(log, "total")["adjudge/clustered_stderr"] == pytest.approx(0.5)
    assert log.stats.role_usage["grader"].output_tokens == 4 * 5


def test_the_log_says_by_which_rubric_and_by_whom(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    log = run(
        judge(rubric=rubric_file, dataset=rows(*GIVEN), judge_engine="inspect"),
        model_roles={"grader": loopback.model()},
    )
    assert log.eval.metadata is not None
    mark = log.eval.metadata["adjudge"]["rubric"]
    assert (mark["id"], mark["version"], len(mark["hash"])) == ("manners", "2", 64)
    judged = judgements(log)["kind"]
    assert judged.rubric.model_dump(exclude_defaults=True) == mark
    assert (judged.engine, judged.backend) == ("inspect", "inspect:openai-api/loop/judge")
    assert judged.identity["endpoint"] == loopback.url
    assert (judged.read_out, judged.read_out_asked) == ("reasoned(explanation-first,400)", "label")
    assert judged.dimensions == {"polite": "tone", "short": "form"}
    assert judged.usage.prompt_tokens == 200
    assert (judged.candidate, judged.epoch, judged.comparison) == ("", 1, False)
    assert score_of(log, "kind").explanation == "- **polite**: met (1): as it says\n- **short**: met (1): as it says"


def test_a_row_without_an_output_is_answered_by_the_model_under_test(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    data = rows(*ASKED, {"id": "c", "input": "ask", "output": "now"})
    log = run(
        judge(rubric=rubric_file, dataset=data),
        model=loopback.model("candidate"),
        model_roles={"grader": loopback.model()},
    )
    assert levels(log) == {"a": ["met", "met"], "b": ["met", "met"], "c": ["unmet", "unmet"]}
    judged = judgements(log)
    assert judged["a"].candidate == "openai-api/loop/candidate"
    assert judged["c"].candidate == ""
    asked_for = [body["model"] for body in loopback.bodies]
    assert (asked_for.count("candidate"), asked_for.count("judge")) == (2, 6)


def test_without_a_grader_nothing_is_generated(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    log = run(judge(rubric=rubric_file, dataset=rows(*ASKED)), model=loopback.model("candidate"))
    assert (log.status, loopback.bodies) == ("error", [])
    assert log.error is not None
    assert "--model-role grader=" in log.error.message


@pytest.mark.parametrize("name", ["candidate", "CANDIDATE"])
def test_a_model_does_not_judge_itself(name: str, loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    task = judge(rubric=rubric_file, dataset=rows(*ASKED))
    log = run(task, model=loopback.model("candidate"), model_roles={"grader": loopback.model(name)})
    assert (log.status, loopback.bodies) == ("error", [])
    assert log.error is not None
    assert "self_grading" in log.error.message


def test_a_model_judges_itself_if_told_so(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    task = judge(rubric=rubric_file, dataset=rows(*ASKED), self_grading=True)
    log = run(task, model=loopback.model("candidate"))
    assert log.status == "success"
    assert {body["model"] for body in loopback.bodies} == {"candidate"}


def test_one_model_may_judge_what_it_did_not_write(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    task = judge(rubric=rubric_file, dataset=rows(*GIVEN))
    log = run(task, model=loopback.model("m"), model_roles={"grader": loopback.model("m")})
    assert log.status == "success"


def test_what_cannot_be_read_is_unscored_and_counted_everywhere(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    data = rows(*GIVEN, {"id": "odd", "input": "x", "output": "ODD please"}, {"id": "bad", "output": "BROKEN please"})
    log = run(judge(rubric=rubric_file, dataset=data, judge_engine="inspect"), model_roles={"grader": loopback.model()})
    assert log.status == "success"
    judged = judgements(log)
    assert [verdict.reason for verdict in judged["odd"].verdicts] == ["parse", "parse"]
    assert [verdict.reason for verdict in judged["bad"].verdicts] == ["infra", "infra"]
    odd = score_of(log, "odd")
    assert isinstance(odd.value, dict)
    assert math.isnan(float(odd.value["total"] or 0))
    assert (odd.value["coverage"], odd.reason) == (0.0, "grader_failed")
    figures = figures_of(log)
    assert (figures["verdicts"], figures["unscored_verdicts"], figures["unscored_samples"]) == (8, 4, 2)
    assert (figures["unscored (parse)"], figures["unscored (infra)"]) == (2, 2)
    assert (figures["verdict_coverage"], figures["criterion:polite coverage"]) == (0.5, 0.5)
    assert figures["criterion:polite"] == 0.5
    assert figures_of(log, "total")["mean"] == 0.5, "the mean of what was scored"
    assert figures_of(log, "coverage")["mean"] == 0.5
    assert log.results is not None
    counted = {score.name: (score.scored_samples, score.unscored_samples) for score in log.results.scores}
    assert counted["total"] == (2, 2)
    assert counted["coverage"] == (4, 0)


def test_an_unreadable_reply_is_asked_again_with_the_fault_shown(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    run(
        judge(rubric=rubric_file, dataset=rows({"id": "odd", "output": "ODD"}), judge_engine="inspect"),
        model_roles={"grader": loopback.model()},
    )
    assert len(loopback.bodies) == 4
    assert sum("could not be read" in prompt_of(body) for body in loopback.bodies) == 2


def test_a_candidate_that_says_nothing_is_unscored(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    from .conftest import Spoken, by_the_text

    loopback.answer = lambda body: Spoken("") if body["model"] == "candidate" else by_the_text(body)
    log = run(
        judge(rubric=rubric_file, dataset=rows(*ASKED)),
        model=loopback.model("candidate"),
        model_roles={"grader": loopback.model()},
    )
    assert {body["model"] for body in loopback.bodies} == {"candidate"}, "nothing to judge, nobody asked"
    assert log.samples is not None
    assert {(sample.scores or {})["rubric"].reason for sample in log.samples} == {"no_response"}
    assert figures_of(log)["unscored_samples"] == 2


def test_epochs_are_judged_anew_and_all_kept(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    log = run(
        judge(rubric=rubric_file, dataset=rows(*GIVEN)),
        model_roles={"grader": loopback.model()},
        epochs=3,
    )
    assert log.status == "success", log.error
    assert log.eval.config.epochs_reducer == ["adjudge/epochs_mean"]
    assert log.reductions is not None
    kept = [sample.metadata["adjudge_epochs"] for sample in log.reductions[0].samples if sample.metadata]
    assert [[entry.get("epoch", 1) for entry in entries] for entries in kept] == [[1, 2, 3]] * 2
    assert levels(log)["kind/3"] == ["met", "met"]
    assert len(loopback.bodies) == 2 * 2 * 3
    assert figures_of(log)["verdicts"] == 12
    assert figures_of(log, "total")["mean"] == 0.5


def test_samples_with_rubrics_of_their_own_share_one_log(loopback: Loopback, rows: Rows) -> None:
    own = {
        name: {"id": f"own-{name}", "version": "1", "criteria": [{"id": name, "text": name, "dimension": name}]}
        for name in ("warm", "brief")
    }
    data = rows(*({"id": name, "output": "please", "rubric": own[name]} for name in own))
    for epochs in (1, 2):
        log = run(judge(dataset=data), model_roles={"grader": loopback.model()}, epochs=epochs)
        assert log.status == "success", log.error
        assert levels(log)["warm"] == ["met"]
        figures = figures_of(log)
        assert (figures["dimension:warm"], figures["dimension:brief"]) == (1, 1)
        assert not any(name.startswith("criterion:") for name in figures)
        assert log.eval.metadata is not None
        assert log.eval.metadata["adjudge"]["rubric"] == "each sample's own"


def test_samples_can_be_chosen(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    task = judge(rubric=rubric_file, dataset=rows(*GIVEN))
    assert list(levels(run(task, model_roles={"grader": loopback.model()}, limit=1))) == ["kind"]
    assert list(levels(run(task, model_roles={"grader": loopback.model()}, sample_id="curt"))) == ["curt"]


def test_a_role_bound_to_several_models_is_a_panel(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    task = judge(rubric=rubric_file, dataset=rows(*GIVEN))
    log = run(task, model_roles={"grader": [loopback.model(name) for name in ("one", "two", "three")]})
    verdict = judgements(log)["kind"].verdicts[0]
    assert (verdict.level, len(verdict.members)) == ("met", 3)
    assert {body["model"] for body in loopback.bodies} == {"one", "two", "three"}


def test_comparisons_are_judged_in_both_orders(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    data = rows({"id": "pair", "input": "say it", "outputs": ["please", "now"]})
    log = run(judge(rubric=rubric_file, dataset=data, judge_engine="inspect"), model_roles={"grader": loopback.model()})
    assert log.status == "success", log.error
    assert log.samples is not None
    assert judgements(log)["pair"].comparison


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no file": ({"dataset": ""}, "-T dataset="),
    "a file that is not there": ({"dataset": "nowhere.jsonl"}, "nowhere.jsonl"),
    "no rubric": ({"rubric": ""}, "brings no rubric"),
    "a rubric that is not there": ({"rubric": "nothing/here"}, "no rubric named"),
    "a misspelt parameter": ({"rubrik": "x"}, "did you mean 'rubric'"),
    "a value of another type": ({"repeats": "many"}, "repeats='many' is no int"),
    "a choice that is none": ({"read_out": "shouted"}, "must be one of"),
    "an option that is none": ({"judge": "joint", "judge_options": {"sise": 4}}, "sise"),
    "a judge that is none": ({"judge": "isolatet"}, "isolated"),
    "a table that is none": ({"judge_options": "size"}, "is no dict"),
    "a solver that is none": ({"solver": "generat"}, "generate"),
    "an option that the solver does not have": ({"solver_options": {"sistem": "x"}}, "sistem"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_parameter_that_cannot_be_is_refused_in_one_line(name: str, rubric_file: str, rows: Rows) -> None:
    given, says = BAD[name]
    with pytest.raises(PrerequisiteError) as caught:
        judge(**{"rubric": rubric_file, "dataset": rows(*ASKED), **given})
    assert says in str(caught.value.message)
    assert len(str(caught.value.message).splitlines()) == 1


def test_a_misspelt_output_is_refused_in_the_words_of_inspect(rubric_file: str, rows: Rows) -> None:
    with pytest.raises(PrerequisiteError) as caught:
        judge(rubric=rubric_file, dataset=rows({"id": "a", "input": "say it", "outptu": "please"}))
    assert str(caught.value.message).endswith("""name it with -T columns='{"output": "outptu"}'""")


def test_without_a_model_rows_without_an_output_are_refused_while_the_task_is_made(
    plugin: Path, rubric_file: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*table: dict[str, Any]) -> Any:
        init_active_model(get_model("none/none"), GenerateConfig())  # as inspect does before it makes tasks
        return judge(rubric=rubric_file, dataset=rows(*table), backend="scripted")

    # An eval that is over says nothing of a task that is made by hand for the next one.
    assert len(copy_context().run(made, GIVEN[0], ASKED[1]).dataset) == 2
    monkeypatch.setattr("inspect_ai._eval.eval._eval_async_running", True)
    with pytest.raises(PrerequisiteError, match="'b' has no output and there is no model to write one"):
        copy_context().run(made, GIVEN[0], ASKED[1])
    assert len(copy_context().run(made, *GIVEN).dataset) == 2
