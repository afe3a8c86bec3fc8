"""Bad input: one line that names the place and the fix, exit status 2, nothing half-written, the ledger intact."""

from __future__ import annotations

import gzip
import json
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = b'{"id": "a", "input": "How?", "output": "Like this, please."}\n'
JUDGE = ("judge", "rows.jsonl", "--rubric", "rubric.yaml", "--backend", "scripted", "--out", "run")


def put(work: Path, content: bytes, name: str = "rows.jsonl") -> None:
    (work / name).write_bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no rows"),
        (b'{"id": "a", "input": "How?"}\n', "output"),
        (GOOD + b'{"id": "b", "output": "\xff\xfe"}\n', "rows.jsonl:2"),
        (GOOD + b'{"id": "b", "output": "x\x00y"}\n', "rows.jsonl:2"),
        (GOOD + GOOD, "rows.jsonl:2"),
        (GOOD + b'{"id": "b", "output": "cut', "rows.jsonl:2"),
        (GOOD + b'{"id": "b", "output": NaN}\n', "rows.jsonl:2"),
        (GOOD + b"[1, 2]\n", "rows.jsonl:2"),
        (gzip.compress(GOOD, mtime=0)[:20], "rows.jsonl"),
    ],
    ids=["empty", "no output", "not UTF-8", "NUL", "same id", "cut row", "NaN", "no object", "binary"],
)
def test_a_bad_file_is_refused_before_anything_is_written(adjudge, work, content, message):
    put(work, content)
    status, _, err = adjudge(*JUDGE)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert not (work / "run").exists()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (b'{"polite": 5}', "rows.jsonl:2: the score 5 on 'polite' lies outside its scale, 0 to 1"),
        (b'[{"criterion": "rude", "level": "met", "score": 0}]', "rows.jsonl:2: the level 'met' on 'rude' is worth 1"),
    ],
)
def test_a_label_whose_number_does_not_fit_is_refused_before_anything_is_written(adjudge, work, labels, message):
    put(work, GOOD + b'{"id": "b", "output": "x", "labels": ' + labels + b"}\n")
    status, _, err = adjudge(*JUDGE)
    assert (status, message in err, "Traceback" in err) == (2, True, False)
    assert not (work / "run").exists()


def test_a_label_between_levels_on_overall_or_beside_its_own_level_is_fine(adjudge, work):
    labels = [{"polite": 0.5, "overall": 7}, [{"criterion": "rude", "level": "met", "score": 1.0}]]
    rows = [{"id": str(i), "output": "x", "labels": one} for i, one in enumerate(labels)]
    put(work, "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert adjudge(*JUDGE)[0] == 0


def test_a_byte_order_mark_and_crlf_are_fine(adjudge, work):
    put(work, b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"))
    assert adjudge(*JUDGE)[0] == 0


def test_a_line_of_50_megabytes_is_read(adjudge, work):
    row = {"id": "long", "input": "x" * 50_000_000, "output": "please"}
    put(work, json.dumps(row).encode() + b"\n")
    assert adjudge(*JUDGE)[0] == 0


def test_bad_rows_are_skipped_only_when_asked_for_and_then_named(adjudge, work):
    put(work, GOOD + b'{"id": "b"}\n' + GOOD.replace(b'"a"', b'"c"'))
    assert adjudge(*JUDGE)[0] == 2
    status, out, _ = adjudge(*JUDGE, "--skip-bad-rows")
    assert status == 0
    assert "rows.jsonl:2" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rubric", "general/helpful-honst"), "did you mean 'general/helpful-honest'?"),
        (("--rubric", "gone.yaml"), "gone.yaml: no such file"),
        (("--backend", "scriptd"), "did you mean 'scripted'?"),
        (("--backend", "absent"), "pip install xyz"),
        (("--backend", "scripted", "-B", "speed=9"), "no option 'speed'"),
        (("--backend", "local:gone.gguf"), "gone.gguf"),
        (("--judge", "isolatd"), "did you mean 'isolated'?"),
        (("--judge", "compare"), "use --judge isolated"),
        (("--template", "defalt"), "did you mean 'default'?"),
        (("-R", "mass=1"), "min_mass"),
        (("--column", "output=reply"), "'reply'"),
    ],
)
def test_wrong_settings_are_refused_with_the_fix(adjudge, work, arguments, message):
    put(work, GOOD)
    status, _, err = adjudge(*JUDGE, *arguments)
    assert status == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not (work / "run" / "report.html").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--backend", "scriptd"),
        ("--backend", "absent"),
        ("--backend", "scripted", "-B", "speed=9"),
        ("--judge", "isolatd"),
        ("--backend", "remote", "--local-only"),
        ("--judge", "rules"),
        ("--backend", "scripted", "--batch"),
    ],
)
def test_a_judge_that_cannot_be_made_or_does_not_fit_the_rubric_leaves_no_folder_behind(adjudge, work, arguments):
    put(work, GOOD)
    assert adjudge(*JUDGE, *arguments)[0] == 2
    assert not (work / "run").exists()


def test_rows_without_a_rubric_are_refused_before_anything_is_written(adjudge, work):
    put(work, GOOD)
    status, _, err = adjudge("judge", "rows.jsonl", "--backend", "scripted", "--out", "run")
    assert status == 2
    assert "'a' brings no rubric and none was given" in err
    assert not (work / "run").exists()


def test_a_damaged_model_file_is_named(adjudge, work):
    put(work, GOOD)
    (work / "damaged.gguf").write_bytes(b"GGUF" + bytes(1000))
    status, _, err = adjudge(*JUDGE, "--backend", "local:damaged.gguf")
    assert status == 2
    assert "damaged.gguf" in err


def test_the_folder_of_another_run_is_left_alone(adjudge, work):
    put(work, GOOD)
    adjudge(*JUDGE)
    before = (work / "run" / "report.html").read_bytes()
    status, _, err = adjudge(*JUDGE, "--read-out", "reasoned")
    assert status == 2
    assert "run: holds another run" in err
    assert "--out" in err
    assert (work / "run" / "report.html").read_bytes() == before


def test_a_folder_with_other_files_is_left_alone(adjudge, work):
    put(work, GOOD)
    (work / "run").mkdir()
    (work / "run" / "thesis.doc").write_text("precious", "utf-8")
    status, _, err = adjudge(*JUDGE)
    assert status == 2
    assert "holds other files" in err
    assert [path.name for path in (work / "run").iterdir()] == ["thesis.doc"]


@pytest.mark.parametrize("damage", [b"not a database, not at all, really not", b""], ids=["foreign", "emptied"])
def test_a_foreign_ledger_is_a_clear_error_and_stays_as_it_is(adjudge, work, damage):
    put(work, GOOD)
    adjudge(*JUDGE)
    for extra in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (work / "run" / extra).unlink(missing_ok=True)
    (work / "run" / "ledger.sqlite").write_bytes(damage * 100)
    status, _, err = adjudge(*JUDGE)
    if damage:
        assert status == 2
        assert "run/ledger.sqlite" in err
        assert (work / "run" / "ledger.sqlite").read_bytes() == damage * 100
    else:  # an empty file is a ledger that holds nothing yet
        assert status == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(adjudge, work):
    put(work, GOOD)
    (work / "run").mkdir(mode=0o555)
    status, _, err = adjudge(*JUDGE)
    assert status == 2
    assert "run" in err


def test_a_folder_that_cannot_be_made_is_named(adjudge, work):
    put(work, GOOD)
    status, _, err = adjudge(*JUDGE[:-1], "/proc/adjudge-run")
    assert status == 2
    assert "/proc/adjudge-run" in err


def test_a_full_disk_is_one_line_and_the_ledger_is_whole_afterwards(work):
    """The limit on file size makes writing fail as a full disk does; it holds for a process of its own."""
    rows = b"".join(GOOD.replace(b'"a"', f'"{n}"'.encode()).replace(b"How?", b"How? " * 400) for n in range(60))
    put(work, rows)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, {resource.RLIM_INFINITY}));"
        "from adjudge.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(work.parent / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code, *JUDGE], capture_output=True, text=True, check=False, env=environment, cwd=work
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("adjudge: ")
    assert "Traceback" not in done.stderr
    assert not (work / "run" / "verdicts.jsonl").exists()
    with sqlite3.connect(work / "run" / "ledger.sqlite") as database:
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM replies").fetchone()[0] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--judge", "rules", "-J", "foo=1"], "the judge 'rules' does not take these options: 'foo'; it takes none"),
        (["--temperature", "x"], "Invalid value for '--temperature': 'x' is no number; see adjudge judge --help"),
        (["--limit", "x"], "Invalid value for '--limit': 'x' is no whole number; see adjudge judge --help"),
    ],
)
def test_an_option_that_cannot_be_is_told_in_the_words_of_a_user(adjudge, work, options, message):
    put(work, GOOD)
    status, _, err = adjudge(*JUDGE, *options)
    assert (status, (work / "run").exists()) == (2, False)
    assert message in err
