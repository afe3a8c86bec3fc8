"""An eval that is run here and now, read back into frames."""

from __future__ import annotations

import json
import math

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

from adjudge.evals.scorer import rubric
from adjudge.report import frames
from adjudge.report.runs import read_runs

RUBRIC = """\
id: letters
version: "3"
draft: true
criteria:
  - {id: short, text: The letter is short.}
  - {id: dated, text: The letter has a date.}
"""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Unclosed <MemoryObject")
def test_an_eval_of_today_is_read_as_it_was_judged(tmp_path) -> None:
    rubric_file = tmp_path / "letters.yaml"
    rubric_file.write_text(RUBRIC, "utf-8")
    tokens = ModelUsage(input_tokens=10, output_tokens=2, total_tokens=12)

    def saying(text):
        return ModelOutput.from_content("mockllm/model", text).model_copy(update={"usage": tokens})

    def grade(messages, *_):
        shown = messages[1].text
        return saying("hm" if "ODD" in shown else json.dumps({"explanation": "so it is", "level": "yes"}))

    def answer(messages, *_):
        return saying(f"you said {messages[-1].text}")

    task = Task(
        dataset=MemoryDataset(
            [Sample(id="fine", input="hello", target="hello"), Sample(id="odd", input="ODD", target="x")]
        ),
        solver=generate(),
        scorer=[rubric(rubric=str(rubric_file), self_grading=True), match()],
    )
    grader = get_model("mockllm/model", custom_outputs=grade, memoize=False)
    candidate = get_model("mockllm/model", custom_outputs=answer, memoize=False)
    (log,) = inspect_eval(task, model=candidate, model_roles={"grader": grader}, display="none", log_level="warning")
    assert log.status == "success", log.error
    table = frames.samples(tmp_path / "logs").set_index(["scorer", "id"])
    assert table.loc[("rubric", "fine"), ["score", "scored"]].tolist() == [1.0, 2]
    assert table.loc[("rubric", "odd"), ["scored", "unscored", "reason"]].tolist() == [0, 2, "parse"]
    assert math.isnan(table.loc[("rubric", "odd"), "score"])
    assert table.loc[("match", "fine"), "score"] == 1.0
    (run, _) = read_runs(read_eval_log(log.location))
    assert [item.output for item in run.record.items] == ["you said hello", "you said ODD"]
    assert frames.verdicts(log)["judge"].unique().tolist() == ["isolated", "match"]
