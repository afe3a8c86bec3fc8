"""`adjudge judge`, `test`, `report`, `run`, `tasks`, from the command line to the files."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from adjudge.report.payload import unpacked

ROWS = [
    {"id": "a", "input": "How?", "output": "Like this, please."},
    {"id": "b", "input": "How?", "output": "Find out yourself."},
]
JUDGE = ("judge", "rows.jsonl", "--rubric", "rubric.yaml", "--backend", "scripted", "--out", "run")


def write_rows(work: Path, rows: list[dict[str, str]]) -> None:
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture
def rows(work: Path) -> None:
    write_rows(work, ROWS)


def replies(work: Path) -> int:
    with sqlite3.connect(work / "run" / "ledger.sqlite") as database:
        return database.execute("SELECT count(*) FROM replies").fetchone()[0]


def levels(work: Path) -> list[tuple[str, str, str]]:
    lines = (work / "run" / "verdicts.jsonl").read_text("utf-8").splitlines()
    return [(row["submission"], row["criterion"], row["level"]) for row in map(json.loads, lines)]


def packed(page: Path) -> str:
    """The page with all that its script unpacks."""
    html = page.read_text("utf-8")
    blocks = re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', html)
    return html + "\n".join(map(str, map(unpacked, blocks)))


@pytest.mark.usefixtures("rows")
def test_judging_a_file_prints_a_table_and_writes_verdicts_scores_ledger_and_report(adjudge, work):
    status, out, _ = adjudge(*JUDGE)
    assert status == 0
    assert "polite" in out
    assert "report: run/report.html" in out
    assert levels(work) == [
        ("a", "polite", "met"),
        ("a", "rude", "met"),
        ("b", "polite", "unmet"),
        ("b", "rude", "unmet"),
    ]
    scores = [json.loads(line) for line in (work / "run" / "scores.jsonl").read_text("utf-8").splitlines()]
    assert [score["value"] for score in scores] == [0.5, 0.5]
    assert {path.name for path in (work / "run").iterdir()} >= {"ledger.sqlite", "report.html", "run.json"}


@pytest.mark.usefixtures("rows")
def test_the_same_command_again_asks_nothing(adjudge, work):
    adjudge(*JUDGE)
    first = (work / "run" / "verdicts.jsonl").read_bytes()
    asked = replies(work)
    assert adjudge(*JUDGE)[0] == 0
    assert replies(work) == asked == 4
    assert (work / "run" / "verdicts.jsonl").read_bytes() == first


@pytest.mark.usefixtures("rows")
def test_a_changed_criterion_is_judged_again_alone_and_a_changed_weight_asks_nothing(adjudge, work):
    adjudge(*JUDGE)
    rubric = work / "rubric.yaml"
    rubric.write_text(rubric.read_text("utf-8").replace("weight: -1", "weight: -2"), "utf-8")
    adjudge(*JUDGE)
    assert replies(work) == 4
    rubric.write_text(rubric.read_text("utf-8").replace("is rude", "is very rude"), "utf-8")
    adjudge(*JUDGE)
    assert replies(work) == 6


def test_failed_questions_stay_unscored_and_are_asked_again(adjudge, work):
    write_rows(work, [*ROWS, {"id": "c", "input": "How?", "output": "BROKEN"}])
    status, out, _ = adjudge(*JUDGE)
    assert status == 0
    assert levels(work)[-2:] == [("c", "polite", None), ("c", "rude", None)]
    assert "66.7 %" in out or "67 %" in out
    assert adjudge(*JUDGE, "--min-coverage", "0.9")[0] == 1
    assert replies(work) == 4 + 2 + 2


def test_nothing_scored_at_all_exits_with_1(adjudge, work):
    write_rows(work, [{"id": "c", "input": "How?", "output": "BROKEN"}])
    assert adjudge(*JUDGE)[0] == 1


@pytest.mark.usefixtures("rows")
def test_reasoned_replies_that_are_not_json_are_asked_once_more_and_then_unscored(adjudge, work):
    write_rows(work, [{"id": "o", "input": "How?", "output": "ODD"}])
    status, _, _ = adjudge(*JUDGE, "--read-out", "reasoned")
    assert status == 1
    assert replies(work) == 4
    assert {row[2] for row in levels(work)} == {None}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("judge", ["isolated", "joint"])
def test_each_judge_and_read_out_runs_from_the_command_line(adjudge, judge):
    for read_out in ("label", "reasoned"):
        status, out, err = adjudge(*JUDGE[:-1], f"{judge}-{read_out}", "--judge", judge, "--read-out", read_out)
        assert (status, err) == (0, ""), out


def test_comparisons_are_judged_in_both_orders_without_being_told(adjudge, work):
    row = {"id": "p", "input": "How?", "output_1": "Like this, please.", "output_2": "Find out yourself."}
    write_rows(work, [row])
    status, _, _ = adjudge(*JUDGE)
    assert status == 0
    # The script calls the first one better on both criteria, and rude weighs against it.
    assert [row[1:] for row in levels(work)] == [("polite", "first"), ("rude", "first"), ("overall", "incomparable")]
    assert replies(work) == 4


@pytest.mark.usefixtures("rows")
def test_the_report_can_be_written_again_from_the_ledger(adjudge, work):
    adjudge(*JUDGE)
    first = (work / "run" / "report.html").read_bytes()
    (work / "run" / "report.html").unlink()
    status, out, _ = adjudge("report", "run")
    assert status == 0
    assert "report: run/report.html" in out
    assert (work / "run" / "report.html").read_bytes() == first


def test_golden_tests_give_a_confusion_table_and_a_card_that_later_reports_show(adjudge, work):
    status, out, _ = adjudge("test", "rubric.yaml", "--backend", "scripted")
    assert status == 0
    assert "expected" in out
    write_rows(work, ROWS)
    _, out, _ = adjudge(*JUDGE)
    assert "agrees with 2 of 2 golden verdicts" in " ".join(out.split())


def test_a_judge_under_the_asked_agreement_fails_the_test_command(adjudge, work):
    text = (work / "rubric.yaml").read_text("utf-8")
    (work / "rubric.yaml").write_text(text.replace("expect: {polite: unmet}", "expect: {polite: met}"), "utf-8")
    assert adjudge("test", "rubric.yaml", "--backend", "scripted", "--fail-under", "0.9")[0] == 1
    assert adjudge("test", "rubric.yaml", "--backend", "scripted", "--fail-under", "0.5")[0] == 0


def test_tasks_are_listed_with_the_lines_to_run_them(adjudge):
    status, out, _ = adjudge("tasks")
    assert status == 0
    assert "adjudge run polite --backend local" in out
    assert "-T kind=short: which (short, long)" in out
    assert "adjudge run answers --candidate BACKEND" in out


def test_a_task_that_measures_the_judge_prints_its_agreement(adjudge):
    status, out, _ = adjudge("run", "polite", "--backend", "scripted", "-T", "size=4")
    assert status == 0
    assert "accuracy" in out


def test_a_candidate_answers_first_and_its_replies_are_in_the_ledger_too(adjudge, work):
    line = ("run", "answers", "--candidate", "scripted:writer", "--backend", "scripted", "--out", "run")
    assert adjudge(*line)[0] == 0
    assert levels(work) == [("0", "polite", "met"), ("1", "polite", "met")]
    assert replies(work) == 4
    adjudge(*line)
    assert replies(work) == 4


def test_a_candidate_spends_from_the_same_budget_and_a_dry_run_counts_it(adjudge, work):
    line = ("run", "answers", "--candidate", "scripted:writer", "--backend", "scripted", "--out", "run")
    status, out, _ = adjudge(*line, "--dry-run")
    assert status == 0
    assert "dry run: 2 questions to writer" in out
    assert out.count("dry run: 2 questions to") == 2
    assert adjudge(*line, "--max-calls", "0")[0] == 1
    assert replies(work) == 0


def test_a_candidates_backend_takes_options(adjudge, work):
    line = ("run", "answers", "--candidate", "scripted:writer", "--backend", "scripted", "--out", "run")
    status, _, err = adjudge(*line, "-C", "colour=red")
    assert status == 2
    assert "no option 'colour'" in err
    status, _, err = adjudge("run", "polite", "--backend", "scripted", "-C", "colour=red")
    assert (status, "there is no candidate; leave -C out" in err) == (2, True)


def test_a_solver_takes_its_options_and_a_run_with_others_is_another_run(adjudge, work):
    line = ("run", "answers", "--candidate", "scripted:writer", "--backend", "scripted", "--out", "run")
    assert adjudge(*line, "-S", "system=Be brief.")[0] == 0
    assert json.loads((work / "run" / "run.json").read_text("utf-8"))["solver"] == "generate system=Be brief."
    status, _, err = adjudge(*line, "-S", "system=Be long.")
    assert status == 2
    assert "holds another run" in err


def test_fewer_rows_never_replace_the_results_of_more(adjudge, work):
    write_rows(work, [*ROWS, {**ROWS[0], "id": "c"}])
    assert adjudge(*JUDGE, "--limit", "2")[0] == 0
    assert adjudge(*JUDGE)[0] == 0
    held = (work / "run" / "scores.jsonl").read_bytes()
    status, _, err = adjudge(*JUDGE, "--limit", "1")
    assert (status, len(held.splitlines())) == (2, 3)
    assert "holds the results of 3 rows, and --limit 1 would replace them by 1; choose another --out" in err
    assert (work / "run" / "scores.jsonl").read_bytes() == held
    assert adjudge(*JUDGE, "--limit", "1", "--dry-run")[0] == 0, "it would replace nothing"


def test_a_task_goes_on_from_a_few_items_and_never_back(adjudge, work):
    line = ("run", "polite", "--backend", "scripted", "-T", "size=4", "--out", "run")
    assert adjudge(*line, "--limit", "2")[0] == 0
    assert len(levels(work)) == 2
    assert adjudge(*line)[0] == 0
    assert len(levels(work)) == 4
    status, _, err = adjudge(*line, "--limit", "2")
    assert status == 2
    assert "holds the results of 4 rows, and --limit 2 would replace them by 2" in err


def test_a_folder_that_says_its_limit_is_gone_on_with(adjudge, work):
    line = ("run", "polite", "--backend", "scripted", "-T", "size=4", "--out", "run")
    assert adjudge(*line, "--limit", "2")[0] == 0
    marker = work / "run" / "run.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text("utf-8")), "limit": 2}), "utf-8")
    assert adjudge(*line, "--limit", "2")[0] == 0
    marker.write_text(json.dumps({**json.loads(marker.read_text("utf-8")), "limit": 2}), "utf-8")
    assert adjudge(*line)[0] == 0
    assert len(levels(work)) == 4


@pytest.mark.usefixtures("rows")
def test_a_run_with_other_options_of_the_judge_is_another_run(adjudge, work):
    assert adjudge(*JUDGE, "--repeats", "2")[0] == 0
    status, _, err = adjudge(*JUDGE, "--repeats", "3")
    assert status == 2
    assert "run: holds another run (repeats 2, here 3); choose another --out" in err
    status, _, err = adjudge(*JUDGE, "--judge", "joint", "-J", "size=1")
    assert status == 2
    assert "(judge not given, here joint; repeats 2, here not given; judge options not given, here {'size': 1})" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "polite", "--backend", "scripted", "-S", "a=1"), "the task 'polite' has no solver; leave -S out"),
        (
            ("run", "answers", "--backend", "scripted", "--candidate", "scripted", "-S", "temprature=1"),
            "did you mean 'temperature'?",
        ),
        (("run", "polite", "--backend", "scripted", "-T", "siez=1"), "did you mean 'size'?"),
        (("run", "polite", "--backend", "scripted", "-T", "size=many"), "is no int"),
        (("run", "polite", "--backend", "scripted", "-T", "kind=odd"), "must be one of short, long"),
        (("run", "answers", "--backend", "scripted"), "needs a candidate"),
        (("run", "polite", "--candidate", "scripted", "--backend", "scripted"), "leave --candidate out"),
        (("run", "polit"), "did you mean 'polite'?"),
        (("jugde",), "did you mean 'judge'?"),
        (("report",), "Missing argument 'SOURCE…'; see adjudge report --help"),
        (("run", "polite", "--backend", "scriptd"), "for example: pip install adjudge-local)"),
        (("report", "nowhere"), "no such file or folder"),
        (("test", "nowhere.yaml"), "no such file"),
        (("test", "general/sumary"), "did you mean 'general/summary'?"),
    ],
)
def test_wrong_words_are_one_line_errors_that_say_the_fix(adjudge, arguments, message):
    status, _, err = adjudge(*arguments)
    assert status == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.usefixtures("rows")
def test_a_budget_leaves_the_rest_unscored_and_the_next_run_goes_on(adjudge, work):
    status, out, _ = adjudge(*JUDGE, "--max-calls", "3")
    assert status == 0
    assert "budget 1" in " ".join(out.split())
    assert replies(work) == 3
    adjudge(*JUDGE)
    assert replies(work) == 4
    assert None not in {row[2] for row in levels(work)}


@pytest.mark.usefixtures("rows")
def test_local_only_refuses_a_judge_or_candidate_that_is_elsewhere(adjudge, monkeypatch):
    line = [word if word != "scripted" else "remote" for word in JUDGE]
    status, _, err = adjudge(*line, "--local-only")
    assert status == 2
    assert "is not on this machine" in err
    monkeypatch.setenv("ADJUDGE_LOCAL_ONLY", "1")
    assert adjudge("run", "answers", "--candidate", "remote", "--backend", "scripted")[0] == 2
    monkeypatch.delenv("ADJUDGE_LOCAL_ONLY")
    assert adjudge(*line)[0] == 0


@pytest.mark.usefixtures("rows")
def test_a_purged_submission_is_gone_from_every_file_of_the_run(adjudge, work):
    adjudge(*JUDGE)
    status, out, _ = adjudge("purge", "run", "--submission", "b")
    assert status == 0
    assert "rows removed" in out
    assert {row[0] for row in levels(work)} == {"a"}
    assert b"Find out yourself" not in b"".join(file.read_bytes() for file in (work / "run").iterdir())
    assert adjudge("purge", "run", "--submission", "b")[0] == 1
    assert adjudge("purge", "nowhere", "--submission", "b")[0] == 2


@pytest.mark.usefixtures("rows")
def test_with_hashes_no_text_of_a_submission_is_in_any_file_of_the_run(adjudge, work):
    assert adjudge(*JUDGE, "--store", "hashes")[0] == 0
    assert b"Find out yourself" not in b"".join(file.read_bytes() for file in (work / "run").iterdir())
    assert b"Find out yourself" in (work / "rows.jsonl").read_bytes()


@pytest.mark.usefixtures("rows")
def test_a_dry_run_counts_what_is_not_in_the_ledger_and_writes_nothing(adjudge, work):
    status, out, _ = adjudge(*JUDGE, "--dry-run")
    assert status == 0
    assert "4 questions to scripted" in out
    assert not (work / "run").exists()
    adjudge(*JUDGE)
    assert "0 questions" in adjudge(*JUDGE, "--dry-run")[1]
    remote = [word if word != "scripted" else "remote" for word in JUDGE[:-1]]
    assert "price unknown" in adjudge(*remote, "dry", "--dry-run")[1]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("options", "counts"),
    [
        (["windows", "-J", "rule=any", "-J", "tokens=300"], ["4 questions to scripted"]),
        (["panel", "-J", 'members=["scripted", "remote"]'], ["4 questions to scripted", "4 questions to remote"]),
    ],
)
def test_a_dry_run_asks_no_member_of_a_judge_made_of_judges(options, counts, adjudge, work):
    status, out, err = adjudge(*JUDGE, "--judge", *options, "--dry-run")
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == len(counts)
    assert all(count in out for count in counts)


@pytest.mark.usefixtures("rows")
def test_redaction_runs_before_anything_is_rendered_or_stored(adjudge, work):
    code = "def hide(one):\n    return one.model_copy(update={'output': one.output.replace('yourself', '[name]')})\n"
    (work / "hiding.py").write_text(code, "utf-8")
    assert adjudge(*JUDGE, "--redact", "hiding:hide")[0] == 0
    assert b"yourself" not in b"".join(file.read_bytes() for file in (work / "run").iterdir())
    for wrong, message in (("hiding", "MODULE:FUNCTION"), ("hiding:nope", "nope"), ("builtins:str", "Submission")):
        status, _, err = adjudge(*JUDGE, "--redact", wrong)
        assert status == 2
        assert message in err


@pytest.mark.usefixtures("rows")
def test_batch_is_refused_for_a_backend_that_has_none(adjudge):
    status, _, err = adjudge(*JUDGE, "--batch")
    assert status == 2
    assert "leave --batch out" in err


def test_analyses_are_listed_and_run_over_a_finished_run(adjudge, work):
    status, out, _ = adjudge("analyse")
    assert status == 0
    assert "adjudge analyse cascade-replay FOLDER" in out
    members = '[{"judge": "isolated"}, {"judge": "isolated", "backend": "scripted:dear"}]'
    line = ("run", "polite", "--backend", "scripted", "--judge", "cascade", "-J", f"members={members}")
    assert adjudge(*line, "-J", "threshold=1", "--out", "run")[0] == 0
    status, out, _ = adjudge("analyse", "cascade-replay", "run", "--json")
    assert status == 0
    assert json.loads(out)
    assert adjudge("analyse", "cascade-replay", "run")[0] == 0
    assert adjudge("analyse", "cascade-replay", "nowhere")[0] == 2
    assert adjudge("analyse", "cascade-replay", "run", "-O", "nope=1")[0] == 2
    assert "did you mean" in adjudge("analyse", "cascade-repla", "run")[2]


@pytest.mark.usefixtures("rows")
def test_a_misspelt_name_does_not_make_the_folder_another_runs(adjudge):
    assert adjudge(*JUDGE, "--judge", "isolatd")[0] == 2
    assert adjudge(*JUDGE)[0] == 0


def test_human_labels_that_name_nothing_are_told(adjudge, work):
    labels = {"polte": "met", "rude": "met"}
    write_rows(work, [{**ROWS[0], "labels": labels}, {**ROWS[1], "labels": {"polite": "mett"}}])
    out = " ".join(adjudge(*JUDGE)[1].split())
    assert "human labels name 'polte', which is no criterion; did you mean 'polite'?" in out
    assert "human labels name 'mett', which is no level of polite; did you mean 'met'?" in out


@pytest.mark.usefixtures("rows")
def test_what_was_asked_now_and_the_way_to_a_card_are_told(adjudge):
    _, out, _ = adjudge(*JUDGE)
    assert "4 questions asked now, 0 answered from the ledger" in out
    assert "run `adjudge test rubric.yaml --backend scripted`" in " ".join(out.split())
    assert "0 questions asked now, 4 answered from the ledger" in adjudge(*JUDGE)[1]


TRAJECTORY = [
    {"role": "user", "content": "Book a bed."},
    {
        "role": "assistant",
        "content": None,
        "reasoning_content": "I ask first.",
        "tool_calls": [{"id": "x", "function": {"name": "ask", "arguments": '{"text": "please?"}'}}],
    },
    {"role": "tool", "tool_call_id": "x", "content": "yes"},
    {"role": "assistant", "content": [{"type": "text", "text": "Done."}, {"type": "image_url", "image_url": "x.png"}]},
]


def test_trajectories_with_tool_calls_are_judged_and_long_ones_in_windows(adjudge, work):
    long = [*TRAJECTORY, *({"role": "assistant", "content": f"note {number} " * 40} for number in range(9))]
    write_rows(work, [{"id": "short", "output": TRAJECTORY}, {"id": "long", "output": long}])
    status, _, err = adjudge(*JUDGE, "--judge", "windows", "-J", "tokens=300", "-J", "rule=any")
    assert (status, err) == (0, "")
    assert levels(work) == [(name, criterion, "met") for name in ("short", "long") for criterion in ("polite", "rude")]
    lines = [json.loads(line) for line in (work / "run" / "verdicts.jsonl").read_text("utf-8").splitlines()]
    assert [len(line["members"]) for line in lines] == [0, 0, 9, 9]
    assert adjudge("report", "run")[0] == 0
    report = packed(work / "run" / "report.html")
    assert "assistant (tool call #1): ask(" in report
    assert "[image omitted: x.png]" in report
    assert "windows of at most 300 tokens" in report


def test_evidence_over_its_budget_is_unscored_and_said(adjudge, work):
    write_rows(work, [{"id": "a", "output": "please " * 2000}, {"id": "b", "output": "please"}])
    status, out, _ = adjudge(*JUDGE, "-J", "evidence_tokens=1000", "--min-coverage", "0.9")
    assert status == 1
    assert "overflow" in out
    assert [level for _, _, level in levels(work)] == [None, None, "met", "met"]
    assert replies(work) == 2
