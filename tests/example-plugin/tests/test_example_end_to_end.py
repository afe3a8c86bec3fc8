"""The plugin is found, and its parts work together through adjudge's own front doors."""

from __future__ import annotations

import json

import pytest

import adjudge
from adjudge.cli import main

WARM = adjudge.Submission(
    id="1", input="When do you open?", output="Hello, and thanks. We gladly open at nine, please come."
)


def levels(result):
    return {verdict.criterion: verdict.level for verdict in result.verdicts}


@pytest.mark.parametrize(("judge", "read_out"), [("isolated", "label"), ("isolated", "reasoned"), ("joint", "label")])
def test_its_backend_judges_its_pack_in_every_read_out(judge, read_out) -> None:
    result = adjudge.judge(WARM, "example/courtesy", backend="keywords", judge=judge, read_out=read_out)
    assert levels(result) == {"greets": "met", "thanks": "met", "tone": "warm"}
    assert result.score.value == 1


def test_its_judge_is_generous() -> None:
    result = adjudge.judge("A silly question.", "example/courtesy", backend="keywords", judge="generous")
    assert levels(result) == {"greets": "met", "thanks": "met", "tone": "warm"}


def test_its_task_runs_from_the_command_line(tmp_path, capsys) -> None:
    assert main(["run", "example-courtesy", "--backend", "keywords", "--out", str(tmp_path / "out")]) == 0
    assert "example/courtesy" in capsys.readouterr().out
    lines = (tmp_path / "out" / "verdicts.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 8 * 3
    assert all(json.loads(line) for line in lines)


def test_its_golden_tests_pass_with_its_backend(tmp_path, capsys) -> None:
    command = ["test", "example/courtesy", "--backend", "keywords", "--out", str(tmp_path / "out")]
    status = main(command)
    out = capsys.readouterr().out
    assert status == 0, out
