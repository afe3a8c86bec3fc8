"""Stored responses to MoReBench in both layouts, and a candidate's answer split into what it thought and said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from adjudge.engine import Engine
from adjudge.errors import InputError
from adjudge.ledger import Ledger
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure
from adjudge_moral.morebench.responses import load_responses
from adjudge_moral.morebench.scenarios import load_scenarios
from adjudge_moral.morebench.solver import PartSolver, split_thinking
from adjudge_moral.morebench.tasks import labelled_dataset

DECIDES = {"criterion_id": "a", "criterion": "Decides.", "dimension": "helpful outcome", "weight": 3}
RANTS = {"criterion_id": "b", "criterion": "Rants.", "dimension": "harmless outcome", "weight": -3}
SITE = {
    "task_number": 7,
    "task_id": "x",
    "metadata": {
        "dilemma": "Go?",
        "theory": "neutral",
        "dilemma_source": "daily_dilemmas",
        "case_type": "short_case",
        "role_domain": "ai_agent",
        "context": "Work",
    },
    "models": [
        {
            "model_name": "one",
            "model_resp": {
                "response": "I would go.",
                "score": 50.0,
                "rubrics": [{**DECIDES, "judgement": "Yes."}, {**RANTS, "judgement": "not sure"}],
            },
            "thinking_trace": {"response": "", "score": 0.0, "rubrics": [{**DECIDES, "judgement": "no"}]},
        }
    ],
}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def generation(**changes: Any) -> dict[str, Any]:
    scenario = load_scenarios()[0]
    criteria = [
        {"id": c.id, "title": c.text, "weight": c.weight, "annotations": {"rubric_dimension": c.dimension}}
        for c in scenario.rubric.criteria
    ]
    return {
        "TASK_ID": "t1",
        "DILEMMA": "Go?",
        "DILEMMA_SOURCE": "s",
        "DILEMMA_TYPE": "short_case",
        "THEORY": "neutral",
        "ROLE_DOMAIN": "ai_agent",
        "RUBRIC": criteria,
        "model": "m",
        "model_resp": "Yes, go.",
        "thinking_trace": "Let me think.",
        **changes,
    }


def test_response_and_trace_are_judged_by_the_same_rubric() -> None:
    responses, traces = load_responses(part="response"), load_responses(part="trace")
    assert [one.id for one in responses] == [one.id for one in traces]
    assert [one.rubric for one in responses] == [one.rubric for one in traces]
    assert all(one.output != other.output for one, other in zip(responses, traces, strict=True))


def test_rows_of_the_released_scripts_become_submissions(tmp_path: Path) -> None:
    path = lines(tmp_path / "g.jsonl", generation(labels={"allotment-1": "yes", "allotment-6": "No"}))
    (one,) = load_responses(path, "trace")
    assert (one.id, one.input, one.output) == ("t1/m", "Go?", "Let me think.")
    assert [(label.criterion, label.level) for label in one.labels] == [
        ("allotment-1", "met"),
        ("allotment-6", "unmet"),
    ]
    assert one.metadata["cluster"] == "t1"
    assert one.metadata["model"] == "m"


def test_the_site_s_layout_keeps_verdicts_that_say_yes_or_no_as_labels(tmp_path: Path) -> None:
    (one,) = load_responses(lines(tmp_path / "s.jsonl", SITE))
    assert one.id == "7/one"
    assert [(label.criterion, label.level, label.rater) for label in one.labels] == [("a", "met", "stored judge")]
    assert one.metadata["role"] == "ai_agent"


def test_a_text_keeps_its_length(tmp_path: Path) -> None:
    (one,) = load_responses(lines(tmp_path / "g.jsonl", generation(model_resp=" Yes,\n go.\n")))
    assert one.output == " Yes,\n go.\n"


def test_a_missing_trace_has_nothing_to_judge_and_says_so(tmp_path: Path) -> None:
    (one,) = load_responses(lines(tmp_path / "s.jsonl", SITE), "trace")
    assert one.output == ""
    assert one.metadata["solver_failure"] == "abstain: no trace is stored"
    with pytest.raises(InputError, match="no trace carries gold verdicts; add a column labels"):
        labelled_dataset(source=str(tmp_path / "s.jsonl"), part="trace")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"DILEMMA": "Go?"}, "has no DILEMMA_SOURCE"),
        (generation(model_resp=["Yes"]), "model_resp is ['Yes'], which is no text"),
        (generation(labels={"zzz": "yes"}), "'zzz': 'yes' is no criterion"),
        (generation(labels={"allotment-1": "perhaps"}), "'perhaps' is no criterion of the row with yes or no"),
        ({**SITE, "models": [{"model_name": "one"}]}, "not the layout of comparison_data.json"),
        ({**SITE, "models": 5}, "not the layout of comparison_data.json"),
    ],
)
def test_a_row_of_neither_layout_is_named(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=r"g\.jsonl:1: ") as caught:
        load_responses(lines(tmp_path / "g.jsonl", row))
    assert problem in str(caught.value)


def test_two_answers_of_one_model_to_one_scenario_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the id 't1/m' was first seen at"):
        load_responses(lines(tmp_path / "g.jsonl", generation(), generation()))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I say so.", ("", "I say so.")),
        ("<think>hm\n\nhm</think>\n\nI say so.", ("hm\n\nhm", "I say so.")),
        ("  <THINKING>hm</THINKING>So.", ("hm", "So.")),
        ("<think>never closed", ("never closed", "")),
        ("<think></think>So.", ("", "So.")),
        ("Said first. <think>late</think>", ("", "Said first. <think>late</think>")),
    ],
)
def test_a_reply_is_split_into_trace_and_answer(text: str, parts: tuple[str, str]) -> None:
    assert split_thinking(text) == parts


async def solved(reply: Any, part: str) -> Submission:
    with Ledger() as ledger:
        engine = Engine(ScriptedBackend(lambda _question: reply), ledger)
        return await PartSolver().solve(Submission(id="s", input="Go?", metadata={"part": part}), engine)


async def test_the_solver_keeps_the_part_that_is_asked_for() -> None:
    reply = "<think>Let me see.</think>Go."
    assert (await solved(reply, "trace")).output == "Let me see."
    assert (await solved(reply, "response")).output == "Go."


async def test_without_the_part_nothing_is_judged() -> None:
    assert (await solved("Go.", "trace")).metadata["solver_failure"] == "abstain: the reply holds no trace"
    assert (await solved("<think>cut", "response")).metadata["solver_failure"] == "abstain: the reply holds no response"


async def test_a_failed_call_stays_a_failed_call() -> None:
    answered = await solved(Failure(reason="refusal", detail="no"), "response")
    assert str(answered.metadata["solver_failure"]).startswith("refusal: ")


@pytest.mark.data
def test_the_file_behind_the_site_is_read_whole() -> None:
    folder = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[3] / "shared/data"))
    path = folder / "morebench_site" / "comparison_data.jsonl.gz"
    if not path.exists():
        pytest.skip("no MoReBench gradings: set ADJUDGE_DATA")
    read = {part: load_responses(path, part) for part in ("response", "trace")}
    assert [len(some) % 14 for some in read.values()] == [0, 0]
    assert all(one.output for some in read.values() for one in some)
    unread = [one for one in read["trace"] if one.rubric and len(one.labels) < len(one.rubric.criteria)]
    assert {str(one.metadata["model"]).partition("_")[0] for one in unread} == {"gpt-oss-120b", "gpt-oss-20b"}
