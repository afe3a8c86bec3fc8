"""Files are whole or not there, and a spreadsheet runs nothing."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from adjudge.errors import InputError
from adjudge.report import write_csv, write_verdicts
from adjudge.report.export import COLUMNS, guard, write_files
from adjudge.report.writing import report_folder
from adjudge.verdict import Score, Verdict


def test_the_report_alone_is_written_into_a_new_folder(run, tmp_path):
    path = report_folder(tmp_path / "new" / "folder", run)
    assert run.title in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_rendered_leaves_the_old_one_alone(run, tmp_path):
    report_folder(tmp_path, run)
    before = (tmp_path / "report.html").read_bytes()

    class Broken:
        @property
        def value(self):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        report_folder(tmp_path, replace(run, figures={"broken": Broken()}))
    assert not list(tmp_path.glob(".*"))
    assert (tmp_path / "report.html").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_left(run, tmp_path):
    file = tmp_path / "file"
    file.write_text("here")
    with pytest.raises(InputError, match=r"file: cannot write scores.jsonl: .*; choose another folder"):
        write_files(file, {"scores.jsonl": b""})
    blocked = tmp_path / "blocked"
    (blocked / "scores.jsonl").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot write"):
        write_verdicts(blocked, run.results)
    assert not list(blocked.glob(".*"))


def test_verdicts_and_scores_come_back_from_their_lines(run, tmp_path):
    paths = write_verdicts(tmp_path, run.results)
    assert [path.name for path in paths] == ["verdicts.jsonl", "scores.jsonl"]
    verdicts = [Verdict.model_validate_json(row) for row in paths[0].read_bytes().split(b"\n")[:-1]]
    assert verdicts == [one for result in run.results for one in result.verdicts]
    scores = [json.loads(row) for row in paths[1].read_bytes().split(b"\n")[:-1]]
    assert [score["value"] for score in scores] == [0.75, None, 0.25]
    assert [Score.model_validate(score) for score in scores] == [result.score for result in run.results]


def test_equal_results_give_equal_bytes(run, tmp_path):
    first, second = (write_verdicts(tmp_path / name, run.results) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_parquet_is_written_only_when_asked_for(run, tmp_path):
    pandas = pytest.importorskip("pandas")
    path = write_verdicts(tmp_path, run.results, parquet=True)[-1]
    frame = pandas.read_parquet(path)
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 9
    assert frame["level"].isna().sum() == 2
    assert frame["prompt_tokens"].sum() == 300


def test_without_pandas_the_pip_line_is_named_and_nothing_is_written(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r'pip install "adjudge\[parquet\]"'):
        write_verdicts(tmp_path / "out", run.results, parquet=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded(start):
    assert guard(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("cell", [-1.5, 0, None, "plain", "a=b", "'=x"])
def test_numbers_and_plain_text_stay_as_they_are(cell):
    assert guard(cell) == cell


def test_csv_holds_every_verdict_with_unscored_ones_empty(run, make, tmp_path):
    verdict, result = make
    evil = '=HYPERLINK("https://evil.example","x")'
    extra = result(evil, verdict(evil, "depth", "expert", explanation=evil, flags=(evil,), score=-1.0), value=1.0)
    path = write_csv(tmp_path / "verdicts.csv", [*run.results, extra])
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 10
    assert [row["score"] for row in rows if row["status"] == "unscored"] == [""]
    assert [rows[-1][name] for name in ("submission", "explanation", "flags", "score")] == [*["'" + evil] * 3, "-1.0"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith("=")]


def test_a_write_that_fails_half_way_leaves_no_file(tmp_path):
    code = (
        "import resource, sys, pathlib; from adjudge.errors import InputError\n"
        "from adjudge.report.export import write_files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_files(pathlib.Path(sys.argv[1]), {'small': b'x', 'large': b'x' * 100_000})\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot write small, large: File too large; choose another folder" in done.stdout
    assert list(tmp_path.iterdir()) == []
