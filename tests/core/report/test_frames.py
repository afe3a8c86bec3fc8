"""Frames: one row per verdict, sample and run, of logs and ledgers alike; what is missing stays missing."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys

import pytest

pytest.importorskip("inspect_ai")

import pandas as pd
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalSample,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score as LogScore

from adjudge.api import installed, result_of
from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.evals.scores import Judged, explanation_of, mark_of, reason_of, value_of
from adjudge.packs import load_pack
from adjudge.report import frames
from adjudge.report.payload import unpacked
from adjudge.report.runs import read_runs
from adjudge.submission import Submission
from adjudge.verdict import Quote, Usage, Verdict

RUBRIC = """\
id: letters
version: "3"
draft: true
criteria:
  - {id: short, text: The letter is short., dimension: form, options: {check: {kind: length, max: 5}}}
  - id: dated
    text: The letter has a date.
    dimension: form
    weight: 2
    options: {check: {kind: contains, value: "1 May"}}
"""
ROWS = {"a": "Come on 1 May.", "b": "Please come whenever it suits you best.", "c": "Come."}


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with a rubric and rows, as the working directory."""
    (tmp_path / "rubric.yaml").write_text(RUBRIC, "utf-8")
    lines = [json.dumps({"id": name, "output": text}) + "\n" for name, text in ROWS.items()]
    (tmp_path / "rows.jsonl").write_text("".join(lines), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADJUDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def folder(work):
    """A run of adjudge itself, by code alone."""
    assert main(["judge", "rows.jsonl", "--rubric", "rubric.yaml", "--judge", "rules", "--out", "run"]) == 0
    return work / "run"


def judged_score(name, verdicts, rubric):
    """What our scorer writes into a log for these verdicts."""
    item = Submission(id=name, output=ROWS.get(name, "text"))
    found = result_of(item, rubric, verdicts, installed())
    judged = Judged(
        result=found,
        rubric=mark_of(rubric),
        dimensions={one.id: one.dimension for one in rubric.criteria if one.dimension},
        judge="isolated",
        read_out="label(x)",
        backend="inspect:grader",
        identity={"backend": "inspect"},
        engine="inspect",
        adjudge="0.1.0",
    )
    return LogScore(
        value=value_of(found),
        explanation=explanation_of(found),
        reason=reason_of(found),
        metadata=judged.as_metadata(),
    )


def verdict(name, criterion, level=None, **fields):
    how = {"status": "scored", "level": level, "score": float(level == "met")}
    lost = {"status": "unscored", "reason": "parse", "detail": "gibberish"}
    known = {"submission": name, "criterion": criterion, "judge": "isolated"}
    return Verdict.model_validate(known | (lost if level is None else how) | fields)


def sample(name, scores, epoch=1, **fields):
    text = ROWS.get(name, "text")
    return EvalSample(
        id=name,
        epoch=epoch,
        input="Write a letter.",
        target="a letter",
        output=ModelOutput.from_content("m/candidate", text),
        scores=scores,
        **{"uuid": f"uuid-{name}-{epoch}", **fields},
    )


def log_of(samples, status="success", **fields):
    scorers = [{"name": "adjudge/rubric", "options": {"rubric": "rubric.yaml"}}]
    spec = EvalSpec(
        eval_id="eval-1",
        run_id="run-1",
        task_id="task-1",
        created="2026-05-01T10:00:00+00:00",
        task="letters",
        dataset=EvalDataset(),
        model="m/candidate",
        config=EvalConfig(),
        scorers=scorers,
        **fields,
    )
    return EvalLog(eval=spec, samples=samples, status=status)


@pytest.fixture
def log(work):
    """A log with our scores, one partly and one wholly unscored, a plain scorer's beside them, and a failed sample."""
    rubric = load_pack("rubric.yaml").rubric
    quotes = (Quote(text="1 May", start=8, end=13),)
    usage = Usage(prompt_tokens=100, cached_tokens=60, completion_tokens=3)
    ours = {
        "a": [verdict("a", "short", "met", usage=usage), verdict("a", "dated", "met", quotes=quotes)],
        "b": [verdict("b", "short", "unmet", distribution={"met": 0.2, "unmet": 0.8}), verdict("b", "dated")],
        "c": [verdict("c", "short"), verdict("c", "dated", reason="infra", detail="no route")],
    }
    plain = {"a": "C", "b": "I", "c": math.nan}
    samples = [
        sample(
            name,
            {
                "rubric": judged_score(name, given, rubric),
                "match": LogScore(value=plain[name], reason="grader_failed" if name == "c" else None),
            },
        )
        for name, given in ours.items()
    ]
    failed = EvalError(message="the tool\nbroke", traceback="", traceback_ansi="")
    samples.append(sample("d", None, error=failed))
    path = work / "letters.eval"
    write_eval_log(log_of(samples), str(path))
    return path


def test_a_verdict_that_failed_is_missing_with_its_reason_and_never_zero(log) -> None:
    table = frames.verdicts(log).query("scorer == 'rubric'").set_index(["id", "criterion"])
    assert list(table["status"]) == ["scored", "scored", "scored", "unscored", "unscored", "unscored"]
    lost = table[table["status"] == "unscored"]
    assert list(lost["reason"]) == ["parse", "parse", "infra"]
    assert list(lost["detail"]) == ["gibberish", "gibberish", "no route"]
    assert lost[["score", "level", "expected"]].isna().all(axis=None)
    assert table.loc[("b", "short"), "score"] == 0.0
    assert table["reason"].isna().sum() == 3


def test_a_verdict_comes_with_all_that_is_known_of_it(log) -> None:
    row = frames.verdicts(log).query("id == 'a' and criterion == 'dated'").iloc[0]
    assert (row["eval_id"], row["sample_id"], row["epoch"]) == ("eval-1", "uuid-a-1", 1)
    assert (row["rubric"], row["rubric_version"], row["dimension"]) == ("letters", "3", "form")
    assert row["rubric_hash"] == load_pack("rubric.yaml").rubric.hash
    assert json.loads(row["quotes"]) == [{"text": "1 May", "start": 8, "end": 13}]
    first = frames.verdicts(log).iloc[0]
    assert (first["prompt_tokens"], first["cached_tokens"], first["completion_tokens"]) == (100, 60, 3)
    distribution = frames.verdicts(log).query("id == 'b' and criterion == 'short'").iloc[0]["distribution"]
    assert json.loads(distribution) == {"met": 0.2, "unmet": 0.8}


def test_a_sample_has_its_score_its_bounds_and_why_something_is_missing(log) -> None:
    table = frames.samples(log).query("scorer == 'rubric'").set_index("id")
    assert table.loc["a", ["score", "low", "high", "coverage"]].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert math.isnan(table.loc["b", "score"])
    assert table.loc["b", ["low", "high", "coverage"]].tolist() == [0.0, pytest.approx(2 / 3), 0.5]
    assert table.loc["b", ["scored", "unscored", "reason"]].tolist() == [1, 1, "parse"]
    assert table.loc["c", "reason"] == "infra parse"
    assert table.loc["d", "error"] == "the tool broke"
    assert math.isnan(table.loc["d", "score"])
    assert table["error"].isna().sum() == 3


def test_a_sample_that_failed_has_no_verdicts(log) -> None:
    assert "d" not in set(frames.verdicts(log)["id"])


def test_a_run_says_what_its_mean_rests_on(log) -> None:
    table = frames.runs(log).set_index("scorer")
    ours = table.loc["rubric"]
    assert (ours["samples"], ours["samples_scored"], ours["samples_unscored"]) == (4, 1, 3)
    assert (ours["mean"], ours["coverage"], ours["reason"]) == (1.0, 0.5, "infra parse")
    assert (ours["judge"], ours["engine"], ours["rubric"], ours["adjudge"]) == (
        "isolated",
        "inspect",
        "letters",
        "0.1.0",
    )
    assert ours["created"].startswith("2026-05-01T10:00:00")
    assert table["status"].tolist() == ["success", "success"]


def test_scores_of_other_scorers_stand_beside_ours(log) -> None:
    table = frames.verdicts(log).query("scorer == 'match'").set_index("id")
    assert table["criterion"].unique().tolist() == ["match"]
    assert table.loc[["a", "b"], "level"].tolist() == ["C", "I"]
    assert table.loc[["a", "b"], "score"].tolist() == [1.0, 0.0]
    assert table.loc["c", ["status", "reason", "detail"]].tolist() == ["unscored", "parse", "grader_failed"]
    assert math.isnan(table.loc["c", "score"])
    assert table["rubric"].isna().all()


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (0.25, [("other", "0.25", 0.25)]),
        (7, [("other", "7", 7.0)]),
        (True, [("other", "True", 1.0)]),
        ("P", [("other", "P", 0.5)]),
        ("no", [("other", "no", 0.0)]),
        ("0.5", [("other", "0.5", 0.5)]),
        ("a refusal", [("other", "a refusal", None)]),
        ("c", [("other", "c", None)]),
        ({"x": 1, "y": math.nan, "z": None}, [("x", "1", 1.0), ("y", None, None), ("z", None, None)]),
        ([0.5, "C"], [("other[0]", "0.5", 0.5), ("other[1]", "C", 1.0)]),
    ],
)
def test_a_plain_score_keeps_what_it_says_and_invents_no_number(value, rows) -> None:
    table = frames.verdicts(log_of([sample("a", {"other": LogScore(value=value)})]))
    assert table["criterion"].tolist() == [name for name, _, _ in rows]
    for row, (_, level, score) in zip(table.to_dict("records"), rows, strict=True):
        assert (pd.isna(row["level"]) and level is None) or row["level"] == level
        assert (math.isnan(row["score"]) and score is None) or row["score"] == score


def test_a_log_that_was_scored_again_has_a_run_for_each_judge(work) -> None:
    rubric = load_pack("rubric.yaml").rubric
    given = {
        "rubric": judged_score("a", [verdict("a", "short", "met"), verdict("a", "dated", "met")], rubric),
        "rubric1": judged_score("a", [verdict("a", "short", "unmet"), verdict("a", "dated")], rubric),
    }
    log = log_of([sample("a", given)])
    assert frames.runs(log)[["scorer", "scored", "unscored"]].to_numpy().tolist() == [
        ["rubric", 2, 0],
        ["rubric1", 1, 1],
    ]
    agreed = frames.verdicts(log).pivot_table(index="criterion", columns="scorer", values="level", aggfunc="first")
    assert agreed.loc["short"].tolist() == ["met", "unmet"]
    assert [run.record.rubric for run in read_runs(log)] == [rubric, rubric]


def test_epochs_are_rows_of_their_own() -> None:
    samples = [sample("a", {"match": LogScore(value=score)}, epoch) for epoch, score in ((1, "C"), (2, "I"))]
    table = frames.samples(log_of(samples))
    assert table[["id", "epoch", "score"]].to_numpy().tolist() == [["a", 1, 1.0], ["a", 2, 0.0]]
    (run,) = read_runs(log_of(samples))
    assert [item.id for item in run.record.items] == ["a (epoch 1)", "a (epoch 2)"]


OLD_PANDAS = pytest.mark.filterwarnings("ignore:The inplace keyword")  # inspect's own frames are made the old way


@OLD_PANDAS
def test_frames_join_those_of_inspect_on_its_ids(log) -> None:
    from inspect_ai.analysis import samples_df

    theirs = samples_df(str(log), quiet=True)
    ours = frames.samples(log).query("scorer == 'rubric'")
    joined = ours.merge(theirs, on=["eval_id", "sample_id", "id", "epoch"], how="outer", indicator=True)
    assert joined["_merge"].tolist() == ["both"] * 4
    assert joined.set_index("id")["target"].tolist() == ["a letter"] * 4


@OLD_PANDAS
def test_samples_of_old_logs_get_the_ids_that_inspect_gives_them(work) -> None:
    from inspect_ai.analysis import samples_df

    path = work / "old.eval"
    write_eval_log(log_of([sample("a", {"match": LogScore(value="C")}, uuid=None)]), str(path))
    assert frames.samples(path)["sample_id"].tolist() == samples_df(str(path), quiet=True)["sample_id"].tolist()


@pytest.mark.parametrize("frame", [frames.verdicts, frames.samples, frames.runs])
def test_ledgers_and_logs_give_one_table(frame, log, folder) -> None:
    one, other, both = frame(log), frame(folder), frame(folder.parent)
    assert one.dtypes.to_dict() == other.dtypes.to_dict()
    assert len(both) == len(one) + len(other) > 0
    assert set(both["source"]) == {"adjudge", "inspect"}
    assert both["eval_id"].nunique() == 2


def test_the_same_judgements_are_the_same_rows_whoever_kept_them(folder, work) -> None:
    (run,) = read_runs(folder)
    rubric = run.record.rubric
    samples = [
        sample(r.submission, {"rubric": judged_score(r.submission, r.verdicts, rubric)}) for r in run.record.results
    ]
    kept = [name for name in frames.VERDICTS if name not in
            ("eval_id", "sample_id", "log", "source", "task", "model", "scorer", "read_out", "backend")]  # fmt: skip
    pd.testing.assert_frame_equal(frames.verdicts(folder)[kept], frames.verdicts(log_of(samples))[kept])


def test_a_run_folder_its_ledger_and_its_copy_are_one_run(folder, work) -> None:
    (work / "copy").mkdir()
    (work / "copy" / "ledger.sqlite").write_bytes((folder / "ledger.sqlite").read_bytes())
    table = frames.runs(folder, folder / "ledger.sqlite", work / "copy")
    assert len(set(table["eval_id"])) == 1
    assert table["rubric"].tolist() == ["letters"] * 3


def test_a_trajectory_in_a_log_is_read_whole() -> None:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageTool, ChatMessageUser, ContentReasoning
    from inspect_ai.tool import ToolCall

    call = ToolCall(id="call_9", function="post", arguments={"to": "Ann"})
    messages = [
        ChatMessageUser(content="Write a letter.", source="input"),
        ChatMessageAssistant(content=[ContentReasoning(reasoning="I need a stamp.")], tool_calls=[call]),
        ChatMessageTool(content="posted", tool_call_id="call_9", function="post"),
        ChatMessageAssistant(content="It is in the post."),
    ]
    (run,) = read_runs(log_of([sample("a", {"match": LogScore(value="C")}, messages=messages)]))
    (item,) = run.record.items
    assert [(step.kind, step.name, step.call, step.content) for step in item.output] == [
        ("thinking", "", "", "I need a stamp."),
        ("tool_call", "post", "1", '{"to": "Ann"}'),
        ("tool_result", "post", "1", "posted"),
        ("text", "", "", "It is in the post."),
    ]


def test_a_log_without_scores_is_a_run_without_scores() -> None:
    table = frames.runs(log_of([sample("a", None)], status="error"))
    assert table[["samples", "scored", "status"]].to_numpy().tolist() == [[1, 0, "error"]]
    assert table[["mean", "coverage", "scorer"]].isna().all(axis=None)
    assert frames.samples(log_of([sample("a", None)]))["error"].tolist() == ["not scored"]
    assert frames.verdicts(log_of([sample("a", None)])).empty
    assert frames.runs(log_of([]))["samples"].tolist() == [0]


def broken(work):
    path = work / "broken.eval"
    path.write_bytes(b"PK\x03\x04 nothing")
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda work: work / "missing.eval", "no such file or folder"),
        (lambda work: work / "rows.jsonl", "is no run folder and no log"),
        (lambda work: work, "holds no ledger.sqlite and no .eval log"),
        (broken, "no log that inspect-ai can read"),
        (lambda work: log_of(None), "read with its header only"),
        (
            lambda work: log_of([sample("a", {"r": LogScore(value=1, metadata={"adjudge": {"layout": 1}})})]),
            "sample 'a'",
        ),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(make, said, work) -> None:
    with pytest.raises(InputError, match=said) as caught:
        frames.verdicts(make(work))
    assert "\n" not in str(caught.value)


def test_frames_import_neither_pandas_nor_inspect_until_they_are_made() -> None:
    code = "import sys, adjudge.report.frames; print(sorted({'pandas', 'inspect_ai'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_log_becomes_a_report_for_each_of_its_scorers(log, work, capsys) -> None:
    assert main(["report", "letters.eval"]) == 0
    said = capsys.readouterr().out
    assert "report: letters.rubric.html" in said
    assert "another scorer gave these scores" in said
    ours = (work / "letters.rubric.html").read_text("utf-8")
    assert "The letter has a date." in ours, "the rubric is found by the scorer's argument and its hash"
    assert "the reply was not understood" in ours
    assert "1 of 4 samples have no score; the tool broke" in ours
    _, block = re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', ours)
    assert "Come on " in str(unpacked(block)["strings"])
    assert "C 2" not in (work / "letters.match.html").read_text("utf-8")
    assert main(["report", "letters.eval", "--out", "elsewhere"]) == 0
    assert (work / "elsewhere" / "letters.match.html").is_file()


def test_a_changed_rubric_is_not_taken_for_the_one_that_judged(log, work) -> None:
    (work / "rubric.yaml").write_text(RUBRIC.replace("is short", "is brief"), "utf-8")
    (run, _) = read_runs(log)
    assert run.record.rubric is None
