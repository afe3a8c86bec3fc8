"""A ledger that cannot be used is an error of one line, and what it held is still there."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from adjudge.errors import LedgerError
from adjudge.ledger import Ledger
from adjudge.submission import Submission
from adjudge.verdict import Reply, Verdict


@pytest.fixture
def path(tmp_path):
    """A ledger with fifty replies."""
    place = tmp_path / "ledger.sqlite"
    with Ledger(place) as ledger:
        for number in range(50):
            ledger.record(f"key-{number}", Reply(text="x" * 400))
    return place


def refusal(place):
    with pytest.raises(LedgerError) as caught:
        Ledger(place)
    text = str(caught.value)
    assert text.startswith(f"{place}: ")
    assert len(text.splitlines()) == 1
    return text


def test_an_sqlite_file_of_another_program_is_refused_and_untouched(tmp_path):
    place = tmp_path / "theirs.sqlite"
    connection = sqlite3.connect(place)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = place.read_bytes()
    assert "another program" in refusal(place)
    assert place.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [place.name]


@pytest.mark.parametrize("version", [0, 2, 99])
def test_a_ledger_of_another_version_is_refused(path, version):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    assert re.search(rf"ledger version {version}, this adjudge reads 1; choose another --out", refusal(path))


@pytest.mark.parametrize("content", [b"id,text\n1,hello\n" * 100, b"\x00" * 5000, b"PK\x03\x04" + b"x" * 4000, b"{}"])
def test_a_file_that_is_no_database_is_refused_and_untouched(tmp_path, content):
    place = tmp_path / "ledger.sqlite"
    place.write_bytes(content)
    assert "not a ledger" in refusal(place)
    assert place.read_bytes() == content


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_truncated_ledger_is_called_torn(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "torn" in refusal(path)


def test_a_ledger_with_overwritten_pages_is_called_torn(path):
    data = bytearray(path.read_bytes())
    data[4096 : 4096 * 4] = b"\xa5" * 4096 * 3
    path.write_bytes(data)
    assert "torn" in refusal(path)


def test_a_ledger_without_its_secret_is_called_torn(path):
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM meta")
    connection.commit()
    connection.close()
    assert "no secret" in refusal(path)


def test_an_empty_file_becomes_a_ledger(tmp_path):
    place = tmp_path / "ledger.sqlite"
    place.touch()
    with Ledger(place) as ledger:
        ledger.record("key", Reply(text="x"))
        assert ledger.find("key").text == "x"


@pytest.mark.parametrize(("column", "value"), [("reply", "{"), ("reply", '{"text": 5}'), ("reply", '{"new": 1}')])
def test_a_reply_that_cannot_be_read_is_an_error_of_one_line(path, column, value):
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE replies SET {column} = ?", (value,))
    connection.commit()
    connection.close()
    with Ledger(path) as ledger, pytest.raises(LedgerError, match="cannot be read") as caught:
        ledger.find("key-1")
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_folder_is_named(tmp_path):
    assert "does the folder exist" in refusal(tmp_path / "absent" / "ledger.sqlite")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    assert "cannot be opened" in refusal(tmp_path)


NOBODY = """
import os, sys
from adjudge.errors import LedgerError
from adjudge.ledger import Ledger
from adjudge.verdict import Reply
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with Ledger(sys.argv[1]) as ledger:
        ledger.record("key", Reply(text="x"))
except LedgerError as error:
    print(error)
"""


@pytest.fixture
def shared_folder():
    """A folder that another user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize(("existing", "said"), [(True, "read-only"), (False, "cannot be opened")])
def test_a_read_only_place_is_an_error_of_one_line(shared_folder, existing, said):
    place = shared_folder / "ledger.sqlite"
    if existing:
        Ledger(place).close()
        place.chmod(0o444)
    shared_folder.chmod(0o555)
    command = [sys.executable, "-c", NOBODY, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert said in done.stdout


def verdicts():
    return [Verdict(submission="s", criterion=f"c{n}", status="scored", level="met") for n in range(50)]


def test_a_full_database_loses_nothing_that_was_stored(path):
    with Ledger(path) as ledger:
        run = ledger.begin_run("{}")
        ledger._db.execute(f"PRAGMA max_page_count = {ledger._pragma('page_count')}")
        with pytest.raises(LedgerError, match="the disk is full"):
            ledger.record("big", Reply(text="x" * 100_000))
        with pytest.raises(LedgerError, match="the disk is full"):
            ledger.record_item(run, 0, Submission(id="s", output="x" * 100_000), verdicts())
        assert ledger.counts() == (50, 50)
        assert ledger.read_run(run) == []
        ledger._db.execute("PRAGMA max_page_count = 100000")
        ledger.record_item(run, 0, Submission(id="s"), verdicts())
    with Ledger(path) as ledger:
        assert ledger.counts() == (50, 50)
        assert len(ledger.read_run(run)[0][1]) == 50


FILLS_UP = """
import resource, signal, sys
from adjudge.errors import LedgerError
from adjudge.ledger import Ledger
from adjudge.verdict import Reply
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stored = 0
ledger = Ledger(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    while True:
        ledger.record(f"new-{stored}", Reply(text="y" * 5000))
        stored += 1
except LedgerError as error:
    print(stored, error)
"""


def test_a_limit_on_the_file_loses_nothing_that_was_committed(path):
    done = subprocess.run(
        [sys.executable, "-c", FILLS_UP, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    stored, _, message = done.stdout.partition(" ")
    assert len(message.splitlines()) == 1
    assert re.search("disk is full|disk cannot be written", message), message
    with Ledger(path) as ledger:
        assert ledger.counts() == (50 + int(stored), 50 + int(stored))


def test_a_process_killed_while_it_writes_leaves_a_ledger_with_all_it_had_committed(path):
    endless = FILLS_UP.replace("stored += 1", "stored += 1; print(stored, flush=True)").replace("200_000", "10**9")
    writer = subprocess.Popen([sys.executable, "-c", endless, str(path)], stdout=subprocess.PIPE, text=True)
    for _ in range(5):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    stored = 5 + len(writer.stdout.read().splitlines())
    writer.stdout.close()
    writer.wait(timeout=60)
    with Ledger(path) as ledger:
        assert ledger.counts()[0] in (50 + stored, 51 + stored)


def test_a_ledger_locked_for_too_long_is_named(path, monkeypatch):
    monkeypatch.setattr("adjudge.ledger._BUSY_MS", 1)
    other = sqlite3.connect(path, isolation_level=None)
    with Ledger(path) as ledger:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked by another process"):
            ledger.record("key", Reply(text="x"))
        other.execute("ROLLBACK")
        ledger.record("key", Reply(text="x"))
        assert ledger.counts() == (51, 51)
    other.close()


def test_a_copy_of_a_closed_ledger_is_a_ledger(path, tmp_path):
    copy = shutil.copy(path, tmp_path / "copy.sqlite")
    with Ledger(copy) as ledger:
        assert ledger.counts() == (50, 50)


@pytest.fixture
def closed_to_writing(path, monkeypatch):
    """The ledger, in a folder that may not be written; whoever runs the tests may be allowed everything."""
    files = {file: file.read_bytes() for file in path.parent.iterdir()}
    monkeypatch.setattr("adjudge.ledger.os.access", lambda *_: False)
    yield path
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == files


def test_a_ledger_that_may_not_be_written_can_be_read_and_nothing_is_made_beside_it(closed_to_writing):
    with Ledger(closed_to_writing, reading=True) as ledger:
        assert ledger.find("key-7") == Reply(text="x" * 400, cached=True)
        with pytest.raises(LedgerError, match="read-only"):
            ledger.record("new", Reply(text="y"))


def test_a_ledger_whose_log_was_not_taken_in_is_not_read_as_if_it_had_been(path, monkeypatch):
    with Ledger(path) as writer:
        writer.record("late", Reply(text="y"))
        monkeypatch.setattr("adjudge.ledger.os.access", lambda *_: False)
        with pytest.raises(LedgerError, match="was not closed"):
            Ledger(path, reading=True)
