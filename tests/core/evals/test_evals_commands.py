"""inspect's own commands over our tasks: eval, score, retry, eval-set, bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import eval_retry, eval_set
from inspect_ai.log import bundle_log_dir, list_eval_logs, read_eval_log

from adjudge import _registry
from adjudge.evals.scores import judged_of

from .conftest import KEY, Loopback, Spoken, by_the_text, run, score_of

judge = _registry.TASKS["judge"]
Rows = Callable[..., str]
GIVEN = {"id": "kind", "input": "say it", "output": "please"}
ASKED = {"id": "a", "input": "ask for salt"}


def inspect(*arguments: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inspect_ai", *arguments]
    environment = {**os.environ, "LOOP_BASE_URL": url, "LOOP_API_KEY": KEY, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def levels(path: str, name: str, scorer: str = "rubric") -> list[str | None]:
    judged = judged_of(score_of(read_eval_log(path), name, scorer).metadata)
    assert judged is not None
    return [verdict.level for verdict in judged.verdicts]


def test_the_command_finds_the_task_by_its_entry_point(
    loopback: Loopback, rubric_file: str, rows: Rows, tmp_path: Path
) -> None:
    done = inspect(
        *("eval", "adjudge/judge", "-T", f"rubric={rubric_file}", "-T", f"dataset={rows(GIVEN)}"),
        *("--model", "none", "--model-role", "grader=openai-api/loop/judge", "--log-dir", "logs", "--display", "none"),
        folder=tmp_path,
        url=loopback.url,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = (tmp_path / "logs").glob("*.eval")
    assert levels(str(log), "kind") == ["met", "met"]
    assert KEY.encode() not in log.read_bytes()


def test_a_judge_that_the_model_cannot_serve_is_refused_before_anything_is_asked(
    loopback: Loopback, rubric_file: str, rows: Rows, tmp_path: Path
) -> None:
    refused = inspect(
        *("eval", "adjudge/judge", "-T", f"rubric={rubric_file}", "-T", f"dataset={rows(ASKED)}", "--display", "plain"),
        *("-T", "judge_engine=inspect", "-T", "read_out=label"),
        *("--model", "openai-api/loop/candidate", "--model-role", "grader=openai-api/loop/judge"),
        folder=tmp_path,
        url=loopback.url,
    )
    told = " ".join((refused.stdout + refused.stderr).split())
    assert "read_out=reasoned" in told
    assert "Traceback" not in told
    assert refused.returncode != 0
    assert loopback.bodies == []


def test_a_judge_that_asks_nobody_needs_no_grader(rows: Rows, tmp_path: Path) -> None:
    checks = [{"id": "polite", "text": "x", "options": {"check": {"kind": "contains", "value": "please"}}}]
    pack = tmp_path / "checks.yaml"
    pack.write_text(json.dumps({"id": "checks", "version": "1", "draft": True, "criteria": checks}), "utf-8")
    done = inspect(
        *("eval", "adjudge/judge", "-T", f"rubric={pack}", "-T", f"dataset={rows(GIVEN)}"),
        *("-T", "judge=rules", "--model", "none", "--log-dir", "logs", "--display", "none"),
        folder=tmp_path,
        url="http://127.0.0.1:9",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = (tmp_path / "logs").glob("*.eval")
    assert levels(str(log), "kind") == ["met"]


@pytest.mark.slow
def test_the_command_refuses_in_one_line_and_scores_again(
    loopback: Loopback, rubric_file: str, rows: Rows, tmp_path: Path
) -> None:
    task = [
        "eval",
        "adjudge/judge",
        "-T",
        f"rubric={rubric_file}",
        "-T",
        f"dataset={rows(ASKED)}",
        "--display",
        "plain",
    ]
    unbound = inspect(*task, "--model", "openai-api/loop/candidate", folder=tmp_path, url=loopback.url)
    told = " ".join((unbound.stdout + unbound.stderr).split())
    assert "--model-role grader=" in told
    assert "Traceback" not in told
    assert loopback.bodies == []
    roles = ["--model", "openai-api/loop/candidate", "--model-role", "grader=openai-api/loop/judge"]
    assert inspect(*task, *roles, "--log-dir", "logs", folder=tmp_path, url=loopback.url).returncode == 0
    (log,) = (tmp_path / "logs").glob("*.eval")
    again = inspect(
        *("score", str(log), "--scorer", "adjudge/rubric", "-S", f"rubric={rubric_file}"),
        *("--action", "append", "--overwrite", "--model-role", "grader=openai-api/loop/other"),
        folder=tmp_path,
        url=loopback.url,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert levels(str(log), "a", "rubric1") == ["met", "met"]


def test_a_run_that_failed_is_retried_under_the_same_arguments(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    loopback.answer = lambda body: Spoken(status=400, raw=b"{}") if body["model"] == "candidate" else by_the_text(body)
    roles = {"model": loopback.model("candidate"), "model_roles": {"grader": loopback.model()}}
    failed = run("adjudge/judge", task_args={"rubric": rubric_file, "dataset": rows(ASKED)}, **roles)
    assert failed.status == "error"
    loopback.answer = by_the_text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        (again,) = eval_retry(failed, display="none")
    assert again.status == "success", again.error
    assert again.eval.task_args["rubric"] == rubric_file
    judged = judged_of(score_of(again, "a").metadata)
    assert judged is not None
    assert [verdict.level for verdict in judged.verdicts] == ["met", "met"]


def test_a_set_of_evals_is_bundled_for_the_viewer(
    loopback: Loopback, rubric_file: str, rows: Rows, tmp_path: Path
) -> None:
    logs, site = tmp_path / "set", tmp_path / "site"
    tasks = [judge(rubric=rubric_file, dataset=rows(GIVEN)), judge(rubric=rubric_file, dataset=rows(GIVEN), repeats=1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        success, _ = eval_set(
            tasks,
            log_dir=str(logs),
            model="none/none",
            model_roles={"grader": loopback.model()},
            display="none",
            log_dir_allow_dirty=True,
        )
    assert success
    assert len(list_eval_logs(str(logs))) == 2
    bundle_log_dir(str(logs), str(site))
    assert (site / "index.html").is_file()
    assert len(json.loads((site / "logs" / "listing.json").read_text("utf-8"))) == 2
