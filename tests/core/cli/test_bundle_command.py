"""A run as one file: it is checked, replayed without a model, and refused where it was changed."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from adjudge.ledger import Ledger
from adjudge.report.archive import MANIFEST, lines_of, packed, unpacked
from adjudge.verdict import Reply

ROWS = [
    {"id": "a", "input": "How?", "output": "Like this, please."},
    {"id": "b", "input": "How?", "output": "ODD thing."},
    {"id": "c", "input": "How?", "output": "BROKEN line."},
]
JUDGE = ("judge", "rows.jsonl", "--rubric", "rubric.yaml", "--backend", "scripted", "--attempts", "1")
JUDGES = {
    "label": (),
    "reasoned": ("--read-out", "reasoned"),
    "joint": ("--judge", "joint", "--repeats", "2"),
    "panel": ("--judge", "panel", "-J", 'members=["scripted:one", {"backend": "scripted:two", "judge": "joint"}]'),
    "cascade": ("--judge", "cascade", "-J", 'members=["scripted:one", "scripted:two"]'),
    "windows": ("--judge", "windows", "-J", "tokens=300", "-J", "rule=any"),
}


@pytest.fixture
def bundled(adjudge, work: Path):
    """Judge the rows and bundle the run; the statuses must be 0."""

    def make(*options: str) -> Path:
        (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
        assert adjudge(*JUDGE, "--out", "run", *options)[0] == 0
        status, out, err = adjudge("bundle", "make", "run", "run.zip")
        assert (status, err) == (0, "")
        assert "replayed with equal scores" in out
        return work / "run.zip"

    return make


@pytest.mark.parametrize("judge", JUDGES)
def test_a_replay_asks_nobody_and_gives_equal_scores(bundled, adjudge, work, monkeypatch, judge):
    bundled(*JUDGES[judge])
    (work / "run" / "ledger.sqlite").unlink()

    def refuse(*_args, **_options):
        raise AssertionError("a replay starts no backend")

    monkeypatch.setattr("adjudge.plugins.build_backend", refuse)
    monkeypatch.setattr("adjudge.assembly.build_backend", refuse)
    monkeypatch.setattr("adjudge.recipe.build_backend", refuse)
    status, out, err = adjudge("bundle", "replay", "run.zip")
    assert (status, err) == (0, "")
    assert "all verdicts and scores are equal" in out


def test_a_run_of_comparisons_replays_too(adjudge, work):
    pair = {"id": "p", "input": "How?", "submissions": [{"id": "1", "output": "please"}, {"id": "2", "output": "now"}]}
    (work / "rows.jsonl").write_text(json.dumps(pair) + "\n", "utf-8")
    assert adjudge(*JUDGE, "--out", "pairs")[0] == 0
    assert adjudge("bundle", "make", "pairs", "pairs.zip")[0] == 0
    assert adjudge("bundle", "replay", "pairs.zip")[0] == 0


def test_failures_are_replayed_as_failures(bundled):
    _, files = unpacked(bundled("--read-out", "reasoned"))
    verdicts = [json.loads(line) for line in files["verdicts.jsonl"].splitlines()]
    assert {(row["submission"], row["reason"]) for row in verdicts if row["status"] == "unscored"} == {
        ("b", "parse"),
        ("c", "infra"),
    }


def test_a_bundle_holds_what_was_asked_and_no_option_of_a_backend(bundled):
    path = bundled()
    manifest, files = unpacked(path)
    assert {"rubric.json", "items.jsonl", "prompts.jsonl", "replies.jsonl", "run.json"} <= files.keys()
    assert manifest["distributions"]["adjudge"]
    prompts = [json.loads(line) for line in files["prompts.jsonl"].splitlines()]
    replies = [json.loads(line) for line in files["replies.jsonl"].splitlines()]
    assert {row["fingerprint"] for row in prompts} == {row["fingerprint"] for row in replies}
    assert any("Like this, please." in row["prompt"]["output"] for row in prompts)
    assert "backend_options" not in files["run.json"].decode()


def test_equal_runs_give_equal_bytes(bundled, adjudge, work):
    first = bundled().read_bytes()
    assert adjudge("bundle", "make", "run", "again.zip")[0] == 0
    assert (work / "again.zip").read_bytes() == first


def test_only_this_run_s_replies_are_taken_from_a_ledger_with_more(bundled, adjudge, work):
    before = bundled().read_bytes()
    with Ledger(work / "run" / "ledger.sqlite") as ledger:
        ledger.record("0" * 64, Reply(text="of another run"), submission="a", criterion="polite")
    assert adjudge("bundle", "make", "run", "run.zip")[0] == 0
    assert (work / "run.zip").read_bytes() == before


@pytest.mark.parametrize("name", ["replies.jsonl", "items.jsonl", "rubric.json", "run.json", "scores.jsonl"])
def test_a_changed_file_is_named(bundled, adjudge, name):
    path = bundled()
    with zipfile.ZipFile(path) as archive:
        files = {one: archive.read(one) for one in archive.namelist()}
    files[name] = files[name].replace(b"0", b"1", 1) + b" "
    with zipfile.ZipFile(path, "w") as archive:
        for one, data in files.items():
            archive.writestr(one, data)
    for command in ("verify", "replay"):
        status, _, err = adjudge("bundle", command, "run.zip")
        assert status == 2
        assert f"{name} was changed" in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files.pop("items.jsonl"), "items.jsonl is missing"),
        (lambda files: files.update(more=b"x"), "more was added"),
        (lambda files: files.update({MANIFEST: b"{}"}), "holds no manifest.json"),
        (lambda files: files.update({MANIFEST: b'{"format": 9, "files": {}}'}), "bundle format 9"),
    ],
)
def test_a_file_too_few_or_too_many_is_named(bundled, adjudge, change, said):
    path = bundled()
    with zipfile.ZipFile(path) as archive:
        files = {one: archive.read(one) for one in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for one, data in files.items():
            archive.writestr(one, data)
    status, _, err = adjudge("bundle", "verify", "run.zip")
    assert status == 2
    assert said in err
    assert "Traceback" not in err


def test_what_is_no_bundle_is_refused_in_one_line(adjudge, work):
    (work / "no.zip").write_bytes(b"PK no")
    (work / "empty.zip").write_bytes(packed({"items.jsonl": b"{}\n"}, {"title": "t", "created": "c"}))
    for name, command, said in (
        ("no.zip", "verify", "no bundle that can be read"),
        ("gone.zip", "replay", "gone.zip: no such file"),
        ("empty.zip", "replay", "not written by this adjudge"),
    ):
        status, _, err = adjudge("bundle", command, name)
        assert status == 2
        assert said in err
        assert err.count("\n") == 1


def test_a_reply_that_says_something_else_is_told_with_the_verdict_that_it_changes(bundled, adjudge, work):
    manifest, files = unpacked(bundled())
    replies = [json.loads(line) for line in files["replies.jsonl"].splitlines()]
    first = json.loads(files["verdicts.jsonl"].splitlines()[0])
    (reply,) = [row["reply"] for row in replies if row["fingerprint"] == first["fingerprint"]]
    reply["logprobs"] = {"Yes": -3.0, "No": -0.1}
    files["replies.jsonl"] = "".join(json.dumps(row) + "\n" for row in replies).encode()
    (work / "forged.zip").write_bytes(packed(files, {key: manifest[key] for key in ("title", "created")}))
    status, out, _ = adjudge("bundle", "replay", "forged.zip")
    assert status == 1
    assert "a: polite: was" in out
    assert "a: score: was" in out


def test_a_reply_that_is_missing_makes_a_verdict_unscored_and_is_counted(bundled, adjudge, work):
    manifest, files = unpacked(bundled())
    files["replies.jsonl"] = b"\n".join(files["replies.jsonl"].splitlines()[1:])
    (work / "less.zip").write_bytes(packed(files, {key: manifest[key] for key in ("title", "created")}))
    status, out, _ = adjudge("bundle", "replay", "less.zip")
    assert status == 1
    assert "1 questions have no reply in the bundle" in out
    assert "unscored" in out


def test_another_version_by_now_is_told(bundled, adjudge, work):
    manifest, files = unpacked(bundled())
    about = {"title": "t", "created": "c", "distributions": {**manifest["distributions"], "scripted-plugin": "0.9"}}
    (work / "old.zip").write_bytes(packed(files, about))
    status, _, err = adjudge("bundle", "replay", "old.zip")
    assert status == 0
    assert "warning: scripted-plugin was 0.9, is 1.0" in err


def test_a_run_that_would_not_replay_is_not_bundled(bundled, adjudge, work):
    bundled()
    (work / "run.zip").unlink()
    with sqlite3.connect(work / "run" / "ledger.sqlite") as database:
        database.execute("DELETE FROM replies WHERE submission = 'a'")
    status, _, err = adjudge("bundle", "make", "run", "run.zip")
    assert status == 2
    assert "a replay gives 3 other verdicts and scores, the first 'polite' of 'a'" in err
    assert not (work / "run.zip").exists()


def test_a_run_that_keeps_hashes_is_not_bundled(adjudge, work):
    (work / "rows.jsonl").write_text(json.dumps(ROWS[0]) + "\n", "utf-8")
    assert adjudge(*JUDGE, "--out", "run", "--store", "hashes")[0] == 0
    status, _, err = adjudge("bundle", "make", "run", "run.zip")
    assert status == 2
    assert "does not keep how its judge was made" in err


def test_a_manifest_lists_every_file_with_its_hash():
    content = packed({"one": b"1"}, {"title": "t"})
    assert lines_of({"b": 1, "a": 2}).startswith(b'{\n  "a"')
    assert content == packed({"one": b"1"}, {"title": "t"})
