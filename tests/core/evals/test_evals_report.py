"""The report of a log shows what the judge was asked and what it replied, or says that the log does not hold it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import convert_eval_logs
from inspect_ai.scorer import match, model_graded_qa
from inspect_ai.solver import generate

from adjudge import _registry
from adjudge.cli import main
from adjudge.evals.rescore import rescore
from adjudge.evals.settings import Asked
from adjudge.report import logged
from adjudge.report.payload import unpacked
from adjudge.report.runs import read_runs
from adjudge.report.writing import together

from .conftest import Loopback, Spoken, by_the_text, run

judge = _registry.TASKS["judge"]
Rows = Callable[..., str]
ROWS = (
    {"id": "kind", "input": "say it", "output": "please"},
    {"id": "curt", "input": "say it", "output": "The text is polite."},
    {"id": "again", "input": "say it", "output": "please"},
)
Said = dict[tuple[str, str], dict[str, Any]]
"""By submission and criterion."""


def page(path: str | Path, scorer: str = "rubric") -> tuple[str, Said]:
    """The text of the report of a log, and what it says of each verdict, its turns in words."""
    (one,) = [one for one in read_runs(path) if one.scorer == scorer]
    html = together([one]).decode()
    _, *blocks = (unpacked(data) for data in re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', html))
    found = {}
    for block in blocks:
        strings = block["strings"]
        for entry in block["entries"]:
            for said in entry["results"][0]["verdicts"]:
                for one_said in (said, *said.get("members", ())):
                    one_said["shown"] = [
                        (
                            "".join(strings[part] for part in prompt),
                            [strings[place] for _, place in added],
                            strings[reply],
                        )
                        for prompt, added, reply in one_said.get("turns", ())
                    ]
                found[entry["id"], said["criterion"]] = said
    return html, found


def evaluated(loopback: Loopback, task: Any, **options: Any) -> str:
    log = run(task, **{"model_roles": {"grader": loopback.model()}, **options})
    assert log.status == "success", log.error
    return str(log.location)


@pytest.mark.parametrize("form", ["eval", "json"])
def test_every_verdict_has_the_prompt_about_its_criterion_and_the_reply(
    loopback: Loopback, rubric_file: str, rows: Rows, form: str, tmp_path: Path
) -> None:
    path = evaluated(loopback, judge(rubric=rubric_file, dataset=rows(*ROWS), judge_engine="inspect"))
    if form == "json":
        convert_eval_logs(path, to="json", output_dir=str(tmp_path / "json"))
        path = str(next((tmp_path / "json").glob("*.json")))
    html, found = page(path)
    assert len(found) == 6
    for (name, criterion), said in found.items():
        ((prompt, added, reply),) = said["shown"]
        assert f"Criterion: The text is {criterion}." in prompt
        assert {row["id"]: row["output"] for row in ROWS}[name] in prompt
        assert prompt.startswith("You are a careful judge")
        assert (added, '"explanation": "as it says"' in reply) == ([], True)
    assert "prompts and replies" not in html


def test_a_reply_that_was_not_understood_stands_with_what_was_said_to_it(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    odd = {"id": "odd", "input": "say it", "output": "ODD please"}
    _, found = page(evaluated(loopback, judge(rubric=rubric_file, dataset=rows(odd), judge_engine="inspect")))
    first, second = found["odd", "polite"]["shown"]
    assert first[0] == second[0]
    assert first[1] == []
    assert second[1][0] == first[2] == "I would rather talk about the weather."
    assert len(second[1]) == 2


def test_a_call_that_failed_stands_with_its_prompt(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    broken = {"id": "broken", "input": "say it", "output": "BROKEN please"}
    data = rows(ROWS[0], broken)
    html, found = page(evaluated(loopback, judge(rubric=rubric_file, dataset=data, judge_engine="inspect")))
    for criterion in ("polite", "short"):
        ((prompt, added, reply),) = found["broken", criterion]["shown"]
        assert f"Criterion: The text is {criterion}." in prompt
        assert "BROKEN please" in prompt
        assert added == []
        assert reply.startswith("(the call failed: ")
    assert "prompts and replies" not in html
    assert "HTTP 400, calling openai-api/loop/judge at 127.0.0.1:" in str(found["broken", "polite"])


def test_members_of_a_panel_have_their_own(loopback: Loopback, rubric_file: str, rows: Rows) -> None:
    def answer(body: dict[str, Any]) -> Spoken:
        spoken = by_the_text(body)
        return Spoken(spoken.text and spoken.text.replace("as it says", f"so says {body['model']}"))

    loopback.answer = answer
    graders = [loopback.model("one"), loopback.model("two")]
    task = judge(rubric=rubric_file, dataset=rows(*ROWS[:1]), judge_engine="inspect")
    html, found = page(evaluated(loopback, task, model_roles={"grader": graders}))
    for said in found.values():
        replies = [member["shown"][0][2] for member in said["members"]]
        assert ["one" in replies[0], "two" in replies[1]] == [True, True]
    assert "prompts and replies" not in html


def test_calls_of_adjudge_s_own_backends_are_not_in_a_log_and_the_page_says_so_once(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    task = judge(rubric=rubric_file, dataset=rows(*ROWS[:2]), judge_engine="adjudge", read_out="reasoned")
    html, found = page(evaluated(loopback, task))
    assert not [said for said in found.values() if said["shown"]]
    assert html.count("not shown: adjudge&#39;s own backends answered, whose calls inspect does not log") == 1


def test_what_a_ledger_answered_is_not_in_the_log_and_the_page_says_so_once(
    loopback: Loopback, rubric_file: str, rows: Rows, tmp_path: Path
) -> None:
    given = {"rubric": rubric_file, "judge_engine": "inspect", "ledger": str(tmp_path / "ledger.sqlite")}
    evaluated(loopback, judge(dataset=rows(*ROWS[:1]), **given))
    html, found = page(evaluated(loopback, judge(dataset=rows(*ROWS[:2]), **given)))
    assert [len(found[name, "polite"]["shown"]) for name in ("kind", "curt")] == [0, 1]
    assert html.count("the log does not hold those of 2 of 4 verdicts") == 1
    html, _ = page(evaluated(loopback, judge(dataset=rows(*ROWS[:1]), **given)))
    assert html.count("not shown: the log does not hold them") == 1


def test_the_score_of_another_scorer_has_the_calls_of_that_scorer(loopback: Loopback, rubric_file: str) -> None:
    from adjudge.evals.scorer import rubric

    loopback.answer = lambda body: Spoken("GRADE: C") if "GRADE" in str(body) else by_the_text(body)
    task = Task(
        dataset=MemoryDataset([Sample(id=7, input="Say please.", target="please")]),
        solver=generate(),
        scorer=[match(), model_graded_qa(), rubric(rubric=rubric_file, judge_engine="inspect", self_grading=True)],
    )
    path = evaluated(loopback, task, model=loopback.model("candidate"))
    _, found = page(path, "model_graded_qa")
    ((prompt, _, reply),) = found["7", "model_graded_qa"]["shown"]
    assert ("Say please." in prompt, reply) == (True, "GRADE: C")
    _, found = page(path)
    assert [len(said["shown"]) for said in found.values()] == [1, 1]
    html, found = page(path, "match")
    assert html.count("none: the log holds no call of a model by this scorer") == 1
    assert found["7", "match"]["shown"] == []


def test_a_log_that_was_judged_once_more_shows_each_judge_s_own(
    loopback: Loopback, rubric_file: str, rows: Rows
) -> None:
    path = evaluated(loopback, judge(rubric=rubric_file, dataset=rows(*ROWS[:2]), judge_engine="inspect"))
    again = Asked(rubric=rubric_file, judge="joint", backend="inspect:openai-api/loop/other", self_grading=True,
                  backend_options={"base_url": loopback.url})  # fmt: skip
    asyncio.run(rescore([Path(path)], [again]))
    shown = {}
    for scorer in ("rubric", "rubric1"):
        _, found = page(path, scorer)
        shown[scorer] = {key: said["shown"][0][0] for key, said in found.items()}
    assert all("text is short" not in prompt for (_, name), prompt in shown["rubric"].items() if name == "polite")
    assert all("text is short" in prompt for prompt in shown["rubric1"].values())


@pytest.fixture
def logs(loopback: Loopback, tmp_path: Path) -> tuple[Path, Path]:
    """The log of an eval as `.eval`, and as `.json` alone in a folder."""
    samples = [Sample(id=7, input="Say please.", target="please")]
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=match())
    made = evaluated(loopback, task, model=loopback.model("candidate"))
    convert_eval_logs(made, to="json", output_dir=str(tmp_path / "json"))
    return Path(made.removeprefix("file://")), next((tmp_path / "json").glob("*.json"))


@pytest.mark.parametrize("form", ["json", "html", "csv"])
def test_no_report_is_written_over_a_log(logs: tuple[Path, Path], form: str) -> None:
    _, log = logs
    before = log.read_bytes()
    assert [main(["report", str(log), "--format", form]) for _ in range(2)] == [0, 0]
    written = [path.name for path in log.parent.iterdir() if path != log]
    assert written == [f"{log.stem}.report.json" if form == "json" else f"{log.stem}.{form}"]
    assert log.read_bytes() == before


def test_a_log_after_out_is_kept(logs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, log = logs
    before = log.read_bytes()
    for source in logs:
        assert main(["report", str(source), "--out", str(log)]) == 2
        assert f"{log}: is there and is no report of adjudge" in capsys.readouterr().err
    assert log.read_bytes() == before


def test_a_log_is_read_once_for_all_of_its_scorers_and_every_slice_of_it(
    loopback: Loopback, rubric_file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import inspect_ai.log

    from adjudge.evals.scorer import rubric

    loopback.answer = lambda body: Spoken("GRADE: C") if "GRADE" in str(body) else by_the_text(body)
    task = Task(
        dataset=MemoryDataset([Sample(id=n, input=f"Say please {n} times.", target="please") for n in range(5)]),
        solver=generate(),
        scorer=[model_graded_qa(), rubric(rubric=rubric_file, judge_engine="inspect", self_grading=True)],
    )
    path = evaluated(loopback, task, model=loopback.model("candidate"))
    read: list[list[tuple[str | int, int]]] = []
    reader = inspect_ai.log.read_eval_log_samples_by_id

    def counted(log: str, samples: Any, **options: Any) -> Any:
        read.append(list(samples))
        return reader(log, read[-1], **options)

    monkeypatch.setattr(inspect_ai.log, "read_eval_log_samples_by_id", counted)
    monkeypatch.setattr(logged, "_SLICE", 2)
    assert main(["report", path, "--out", str(tmp_path / "reports")]) == 0
    assert [[name for name, _ in part] for part in read] == [["0", "1"], ["2", "3"], ["4"]]
    assert len(list((tmp_path / "reports").glob("*.html"))) == 2
    for scorer in ("model_graded_qa", "rubric"):
        _, found = page(path, scorer)
        assert {name for name, _ in found} == {"0", "1", "2", "3", "4"}
        assert all(f"Say please {name} times." in said["shown"][0][0] for (name, _), said in found.items())
