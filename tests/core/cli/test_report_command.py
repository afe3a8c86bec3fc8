"""`adjudge report` in every format, and what stands in the page of a run beside its verdicts."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from pathlib import Path

import pytest

from adjudge import api
from adjudge.report.payload import unpacked

ROWS = [
    {"id": "a", "input": "How?", "output": "Like this, please.", "labels": [{"criterion": "polite", "level": "met"}]},
    {"id": "b", "input": "How?", "output": "=1+2 Find out yourself."},
]
JUDGE = ("judge", "rows.jsonl", "--rubric", "rubric.yaml", "--backend", "scripted")


@pytest.fixture
def run(adjudge, work: Path):
    """Judge the rows into a folder, with further options."""

    def judge(folder: str, *options: str) -> Path:
        (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
        status, _, err = adjudge(*JUDGE, "--out", folder, *options)
        assert (status, err) == (0, "")
        return work / folder

    return judge


def page(path: Path):
    """The text of a page, and what its script unpacks: the index and the blocks."""
    html = path.read_text("utf-8")
    return html, [unpacked(data) for data in re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', html)]


def turns(path: Path):
    """Of each submission, per verdict, the prompts and replies in words."""
    _, (_, block) = page(path)
    strings = block["strings"]
    return [
        [
            [("".join(strings[part] for part in prompt), strings[reply]) for prompt, _, reply in said.get("turns", [])]
            for said in entry["results"][0]["verdicts"]
        ]
        for entry in block["entries"]
    ]


def test_the_page_shows_what_was_asked_and_replied_for_every_verdict(run):
    folder = run("one")
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        before = database.execute("SELECT count(*) FROM replies").fetchone()
    shown = turns(folder / "report.html")
    assert [[len(said) for said in verdicts] for verdicts in shown] == [[1, 1], [1, 1]]
    prompt, reply = shown[0][0][0]
    assert "The text is polite." in prompt
    assert "Like this, please." in prompt
    assert reply == "Yes"
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        assert database.execute("SELECT count(*) FROM replies").fetchone() == before


def test_a_member_of_a_panel_stands_with_its_own_prompt_and_reply(run):
    members = '["scripted:one", {"backend": "scripted:two", "judge": "joint"}]'
    folder = run("panel", "--judge", "panel", "-J", f"members={members}", "--read-out", "reasoned")
    _, (_, block) = page(folder / "report.html")
    for entry in block["entries"]:
        for said in entry["results"][0]["verdicts"]:
            assert [bool(member.get("turns")) for member in said["members"]] == [True, True]


def test_members_that_ask_the_same_keep_their_own_replies(run, work):
    members = '["scripted:one", "scripted:two"]'
    folder = run("panel", "--judge", "panel", "-J", f"members={members}", "--read-out", "reasoned")
    _, (_, block) = page(folder / "report.html")
    for said in block["entries"][0]["results"][0]["verdicts"]:
        assert [len(member["turns"]) for member in said["members"]] == [1, 1]


def test_a_reply_that_was_not_understood_stands_with_what_was_said_to_it(run, monkeypatch):
    monkeypatch.setitem(ROWS[1], "output", "ODD thing")
    shown = turns(run("odd", "--read-out", "reasoned") / "report.html")
    assert [[reply for _, reply in said] for said in shown[1]] == [["well, it depends"] * 2] * 2


def test_a_run_that_keeps_hashes_shows_no_prompt_and_says_why(run):
    folder = run("hashes", "--store", "hashes")
    html, _ = page(folder / "report.html")
    assert "prompts and replies" in html
    assert "not shown: " in html
    assert turns(folder / "report.html") == [[[], []], [[], []]]
    assert "Like this" not in str(page(folder / "report.html"))


def test_a_judge_that_is_no_longer_installed_costs_the_prompts_and_not_the_report(run, adjudge, work):
    folder = run("one")
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        (text,) = database.execute("SELECT record FROM runs").fetchone()
        database.execute("UPDATE runs SET record = ?", (text.replace('"judge": "isolated"', '"judge": "gone"'),))
    assert adjudge("report", "one")[0] == 0
    html, _ = page(folder / "report.html")
    assert "not shown: no judge named" in html


def test_no_option_of_a_backend_is_kept_with_the_run(run):
    secret = '[{"backend": "scripted:one", "backend_options": {}, "name": "first"}, "scripted:two"]'
    folder = run("panel", "--judge", "panel", "-J", f"members={secret}")
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        recipe = json.loads(database.execute("SELECT record FROM runs").fetchone()[0])["recipe"]
    member, _ = recipe["options"]["members"]
    assert set(member["backend_options"]) == {"mark"}
    assert [answerer["name"] for answerer in recipe["answerers"]] == ["one", "two"]


def test_csv_holds_one_row_per_verdict_and_no_formula(run, adjudge):
    folder = run("one")
    assert adjudge("report", "one", "--format", "csv")[0] == 0
    with (folder / "report.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["id"], row["criterion"], row["level"]) for row in rows] == [
        ("a", "polite", "met"),
        ("a", "rude", "met"),
        ("b", "polite", "unmet"),
        ("b", "rude", "unmet"),
    ]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]


def test_a_formula_in_an_id_is_guarded_in_csv(adjudge, work):
    (work / "rows.jsonl").write_text(json.dumps({"id": "=cmd|'/C calc'!A0", "output": "x please"}) + "\n", "utf-8")
    assert adjudge(*JUDGE, "--out", "one")[0] == 0
    assert adjudge("report", "one", "--format", "csv")[0] == 0
    (first, *_) = csv.DictReader((work / "one" / "report.csv").read_text("utf-8").splitlines())
    assert first["id"] == "'=cmd|'/C calc'!A0"


def test_json_holds_runs_figures_scores_and_verdicts(run, adjudge):
    folder = run("one")
    (folder / "audit-order.json").write_text('[{"probe": "order", "flips": 0.25}]', "utf-8")
    assert adjudge("report", "one", "--format", "json")[0] == 0
    (one,) = json.loads((folder / "report.json").read_text("utf-8"))["runs"]
    assert (one["run"]["samples"], one["run"]["mean"], len(one["scores"]), len(one["verdicts"])) == (2, 0.5, 2, 4)
    assert one["audits"] == {"audit-order": [{"probe": "order", "flips": 0.25}]}


def test_parquet_comes_back_as_the_frame_of_verdicts(run, adjudge):
    pandas = pytest.importorskip("pandas")
    from adjudge.report import frames

    folder = run("one")
    assert adjudge("report", "one", "--format", "parquet")[0] == 0
    pandas.testing.assert_frame_equal(pandas.read_parquet(folder / "report.parquet"), frames.verdicts("one"))


def test_several_runs_together_are_one_page_with_the_judges_side_by_side(run, adjudge, work):
    run("one")
    run("two", "--judge", "joint")
    status, out, _ = adjudge("report", "one", "two", "--together", "--out", "both")
    assert (status, out.count("report: both/report.html")) == (0, 1)
    _, (index, block) = page(work / "both" / "report.html")
    assert len(index["runs"]) == 2
    shown = (work / "both" / "report.html").read_text("utf-8")
    assert "· isolated, " in shown
    assert "· joint" in shown
    assert [[result["run"] for result in entry["results"]] for entry in block["entries"]] == [[0, 1], [0, 1]]


def test_two_reports_of_one_name_are_refused(run, adjudge):
    run("one")
    run("two", "--judge", "joint")
    status, _, err = adjudge("report", "one", "two", "--out", "both")
    assert status == 2
    assert "have one name; use --together" in err


def test_an_audit_in_the_folder_is_shown_and_a_broken_one_named(run, adjudge):
    folder = run("one")
    (folder / "audit.json").write_text('{"probes": [{"probe": "order", "verdict": "pass"}]}', "utf-8")
    assert adjudge("report", "one")[0] == 0
    assert "audit: probes" in (folder / "report.html").read_text("utf-8")
    (folder / "audit.json").write_text("{", "utf-8")
    status, _, err = adjudge("report", "one")
    assert status == 2
    assert "audit.json: no JSON that could be shown as an audit" in err


def test_without_a_plugin_that_reads_labels_they_are_refused_with_what_to_install(run, adjudge, work, monkeypatch):
    run("one")
    monkeypatch.setenv("ADJUDGE_DISABLE", "adjudge-validity")
    api.installed.cache_clear()
    (work / "labels.csv").write_text("submission,criterion,level\na,polite,met\n", "utf-8")
    status, _, err = adjudge("report", "one", "--labels", "labels.csv")
    assert status == 2
    assert "labels.csv: files of labels are read by a plugin: pip install adjudge-validity" in err


@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_a_file_that_is_named_is_the_file_that_is_written(run, adjudge, work, form):
    run("one")
    status, out, _ = adjudge("report", "one", "--out", f"some/where.{form}")
    assert (status, out.count(f"report: some/where.{form}")) == (0, 1)
    assert adjudge("report", "one", "--format", form)[0] == 0
    assert (work / "some" / f"where.{form}").read_bytes() == (work / "one" / f"report.{form}").read_bytes()


def test_one_file_for_several_runs_holds_them_together_or_is_refused(run, adjudge, work):
    run("one")
    run("two", "--judge", "joint")
    status, _, err = adjudge("report", "one", "two", "--out", "both.html")
    assert (status, "one file for 2 runs; use --together" in err) == (2, True)
    assert not (work / "both.html").exists()
    assert adjudge("report", "one", "two", "--together", "--out", "both.csv")[0] == 0
    assert len((work / "both.csv").read_text("utf-8").splitlines()) == 9


def test_a_file_of_another_format_than_asked_for_is_refused_and_a_folder_of_that_name_is_a_folder(run, adjudge, work):
    run("one")
    status, _, err = adjudge("report", "one", "--out", "x.csv", "--format", "json")
    assert (status, "a file of another format than --format json" in err) == (2, True)
    (work / "x.csv").mkdir()
    assert adjudge("report", "one", "--out", "x.csv", "--format", "json")[0] == 0
    assert (work / "x.csv" / "one.json").exists() or (work / "x.csv" / "report.json").exists()


def test_a_file_of_no_format_is_refused_with_the_formats_and_makes_no_folder(run, adjudge, work):
    run("one")
    status, _, err = adjudge("report", "one", "--out", "x.pdf")
    assert (status, (work / "x.pdf").exists()) == (2, False)
    assert "a report is no .pdf file; end its name in .html, .json, .csv or .parquet, or name a folder" in err
    assert adjudge("report", "one", "--out", "version-1.2")[0] == 0


def test_a_judge_that_asks_no_model_names_none_in_its_folder(adjudge, work):
    (work / "letters.yaml").write_text(
        "id: letters\nversion: '1'\ndraft: true\ncriteria:\n"
        "  - {id: short, text: It is short., options: {check: {kind: length, max: 6}}}\n",
        "utf-8",
    )
    (work / "texts.jsonl").write_text(json.dumps({"id": "a", "output": "Come."}) + "\n", "utf-8")
    assert adjudge("judge", "texts.jsonl", "--rubric", "letters.yaml", "--judge", "rules")[0] == 0
    assert (work / "adjudge-texts-letters-rules" / "report.html").exists()


@pytest.mark.parametrize("form", ["html", "json", "csv", "parquet"])
def test_a_file_that_is_no_report_is_kept_and_a_report_is_replaced(run, adjudge, work, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    run("one")
    mine = work / f"mine.{form}"
    mine.write_text("eval_id,sample_id,id\n1,1,1\n", "utf-8")
    status, _, err = adjudge("report", "one", "--out", mine.name)
    assert (status, f"{mine.name}: is there and is no report of adjudge" in err) == (2, True)
    assert "name another file or folder with --out" in err
    assert mine.read_text("utf-8") == "eval_id,sample_id,id\n1,1,1\n"
    (work / "one" / f"report.{form}").write_text("", "utf-8")
    assert adjudge("report", "one", "--format", form)[0] == 2
    (work / "one" / f"report.{form}").unlink()
    assert [adjudge("report", "one", "--format", form)[0] for _ in range(2)] == [0, 0]
    mine.unlink()
    assert [adjudge("report", "one", "--out", mine.name)[0] for _ in range(2)] == [0, 0]
