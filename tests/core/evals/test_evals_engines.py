"""Both engines give the same verdicts for the same replies, and each is chosen where it belongs."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import Score

from adjudge import _registry, collector
from adjudge.errors import UnsupportedError
from adjudge.evals.graders import is_at_home, refuse_self
from adjudge.evals.reducers import epochs_mean
from adjudge.evals.scores import judged_of
from adjudge.evals.usage import as_inspect
from adjudge.verdict import Usage

from .conftest import Loopback, Spoken, by_the_text, run, score_of

judge = _registry.TASKS["judge"]
Rows = Callable[..., str]
ROWS = (
    {"id": "kind", "input": "say it", "output": "please"},
    {"id": "curt", "input": "say it", "output": "now"},
    {"id": "odd", "input": "say it", "output": "ODD please"},
    {"id": "bad", "input": "say it", "output": "BROKEN please"},
)
SAME = ("criterion", "status", "level", "score", "explanation", "reason", "quotes", "fingerprint_free")


def verdicts(log: Any) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    for sample in log.samples:
        judged = judged_of(score_of(log, sample.id).metadata)
        assert judged is not None
        found[sample.id] = [tuple(getattr(one, name, None) for name in SAME) for one in judged.verdicts]
    return found


def test_both_engines_give_the_same_verdicts_for_the_same_replies(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    logs = {}
    asked = {}
    for engine in ("inspect", "adjudge"):
        loopback.bodies.clear()
        task = judge(rubric=rubric_file, dataset=rows(*ROWS), judge_engine=engine, read_out="reasoned")
        logs[engine] = run(task, model_roles={"grader": loopback.model()})
        asked[engine] = len(loopback.bodies)
    assert verdicts(logs["inspect"]) == verdicts(logs["adjudge"])
    assert asked["inspect"] == asked["adjudge"] > 8
    judged = {engine: judged_of(score_of(log, "kind").metadata) for engine, log in logs.items()}
    assert {engine: one.engine for engine, one in judged.items() if one} == {"inspect": "inspect", "adjudge": "adjudge"}
    values = [score_of(log, "kind").value for log in logs.values()]
    assert values[0] == values[1]
    for log in logs.values():
        assert log.stats.role_usage["grader"].output_tokens == 5 * (asked["inspect"] - 2), "all but the two refusals"


@pytest.mark.parametrize(
    ("url", "home"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://gpu.internal/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
        ("", False),
    ],
)
def test_a_server_at_home_is_told_from_a_service(url: str, home: bool) -> None:
    assert is_at_home(url) is home


def test_a_model_that_no_engine_of_ours_reaches_is_asked_through_inspect(rubric_file: str, rows: Rows) -> None:
    said = ModelOutput.from_content("m", '{"explanation": "so", "level": "Yes"}')
    grader = get_model("mockllm/m", custom_outputs=lambda *_: said.model_copy(update={"usage": as_inspect(Usage())}))
    log = run(judge(rubric=rubric_file, dataset=rows(*ROWS[:1])), model_roles={"grader": grader})
    judged = judged_of(score_of(log, "kind").metadata)
    assert judged is not None
    assert (judged.engine, judged.backend) == ("inspect", "inspect:mockllm/m")
    log = run(
        judge(rubric=rubric_file, dataset=rows(*ROWS[:1]), judge_engine="adjudge"), model_roles={"grader": grader}
    )
    assert log.error is not None
    assert "cannot ask mockllm/m" in log.error.message


def test_a_label_read_out_that_was_asked_for_is_not_changed_in_silence(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    asked = {"rubric": rubric_file, "dataset": rows(*ROWS[:1]), "judge_engine": "inspect", "read_out": "label"}
    with pytest.raises(PrerequisiteError, match="read_out=reasoned"):
        run("adjudge/judge", task_args=asked, model_roles={"grader": loopback.model()})
    assert loopback.bodies == []


def test_a_ledger_answers_the_second_run(loopback: Loopback, rubric_file: str, rows: Rows, tmp_path: Path) -> None:
    given = {"rubric": rubric_file, "dataset": rows(*ROWS[:2]), "ledger": str(tmp_path / "ledger.sqlite")}
    logs = [run(judge(**given), model_roles={"grader": loopback.model()}) for _ in range(2)]
    assert len(loopback.bodies) == 4
    assert verdicts(logs[0]) == verdicts(logs[1])


@pytest.mark.parametrize(
    ("judged_by", "candidate"),
    [("openai/gpt-4o", "openai/gpt-4o"), ("azureai/gpt-4o", "openai/GPT-4o"), ("m", "vllm/org/m")],
)
def test_one_model_under_two_names_does_not_grade_itself(judged_by: str, candidate: str) -> None:
    with pytest.raises(UnsupportedError, match="self_grading"):
        refuse_self([judged_by], candidate)
    refuse_self([judged_by], f"{candidate}-mini")


def test_epochs_are_reduced_with_every_judgement_kept() -> None:
    nan = float("nan")
    scores = [
        Score(value={"total": 1.0, "coverage": 1.0, "x": nan}, metadata={"adjudge": {"epoch": 1}}),
        Score(
            value={"total": nan, "coverage": 0.0, "x": nan}, metadata={"adjudge": {"epoch": 2}}, reason="grader_failed"
        ),
        Score(value={"total": 0.0, "coverage": 0.5, "x": nan}, metadata={"adjudge": {"epoch": 3}}),
    ]
    reduced = epochs_mean()(scores)
    assert reduced.value == pytest.approx({"total": 0.5, "coverage": 0.5, "x": nan}, nan_ok=True)
    assert reduced.reason is None
    assert reduced.metadata is not None
    assert [entry["epoch"] for entry in reduced.metadata["adjudge_epochs"]] == [1, 2, 3]


def test_the_reducer_leaves_scores_of_other_scorers_to_the_plain_mean() -> None:
    assert epochs_mean()([Score(value=1.0), Score(value=0.0)]).value == 0.5
    assert epochs_mean()([Score(value="C")]).value == 1.0
    table = Score(value={"total": 0.5})
    assert epochs_mean()([table]) is table


def test_garbage_is_collected_seldom_while_a_judge_sits_and_as_before_after_the_eval(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    before, during = gc.get_threshold(), []

    def noting(body: dict[str, Any]) -> Spoken:
        during.append(gc.get_threshold())
        return by_the_text(body)

    loopback.answer = noting
    run(judge(rubric=rubric_file, dataset=rows(*ROWS), read_out="reasoned"), model_roles={"grader": loopback.model()})
    assert during[-1] == collector.SELDOM != before
    assert gc.get_threshold() == before
