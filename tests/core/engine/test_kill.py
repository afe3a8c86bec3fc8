"""Killed, interrupted and torn runs: `adjudge judge` as a real process, with a backend that keeps its own books."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from adjudge.errors import LedgerError
from adjudge.ledger import Ledger
from adjudge.verdict import Reply

# The backend writes a line before and after each call into a file of its own, outside of the ledger: what it wrote is
# still there after kill -9. What it says depends on the prompt alone.
PLUGIN = """
import asyncio, os
from adjudge import BackendSpec, Capabilities, Reply, Usage, hookimpl

LATENCY = float(os.environ["LATENCY"])
BOOKS = os.open(os.environ["BOOKS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


class Counted:
    name = "counted"
    identity = {"backend": "counted"}
    capabilities = Capabilities(label_logprobs="raw", concurrency=4)

    async def ask(self, question):
        call = f"{question.submission} {question.criterion} {question.prompt.digest.hex()}"
        tokens = 100 + question.prompt.digest[1]
        os.write(BOOKS, f"begun {os.getpid()} {tokens} {call}\\n".encode())
        await asyncio.sleep(LATENCY * (0.5 + question.prompt.digest[2] / 256))
        os.write(BOOKS, f"ended {os.getpid()} {tokens} {call}\\n".encode())
        met = question.prompt.digest[0] / 256
        logprobs = {"Yes": -0.05 - met, "No": -3.0 + met}
        return Reply(text="Yes", logprobs=logprobs, logprobs_are="raw", usage=Usage(prompt_tokens=tokens))

    async def aclose(self):
        pass


@hookimpl
def adjudge_backends():
    return [BackendSpec(name="counted", build=lambda model=None: Counted(), summary="keeps its own books")]
"""
CRITERIA = 8
ITEMS = 15
QUESTIONS = CRITERIA * ITEMS
IN_FLIGHT = 4
PATIENCE = 120.0
"""Seconds after which a test gives up; nothing is asserted about time."""


@dataclass(frozen=True)
class Call:
    """A line of the backend's books."""

    event: str
    process: int
    tokens: int
    question: str


@dataclass
class Bench:
    """A folder with a data file, a rubric and the plugin; starts runs and reads what they left."""

    folder: Path

    def start(self, out: str = "run", *, latency: float = 0.004) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "adjudge", "judge", "rows.jsonl", "--rubric", "rubric.yaml"]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self.folder / "site"), os.environ.get("PYTHONPATH", "")]),
            "BOOKS": str(self.folder / f"{out}.books"),
            "LATENCY": str(latency),
            "ADJUDGE_CACHE": str(self.folder / "cache"),
            "PYTHONUNBUFFERED": "1",
        }
        return subprocess.Popen(
            [*command, "--backend", "counted", "--out", out],
            cwd=self.folder,
            env=env,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def finish(self, out: str = "run") -> None:
        process = self.start(out)
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error

    def books(self, out: str = "run") -> list[Call]:
        path = self.folder / f"{out}.books"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        parts = [line.split(" ", 3) for line in lines]
        return [Call(event, int(process), int(tokens), question) for event, process, tokens, question in parts]

    def ledger(self, out: str = "run") -> list[dict[str, object]]:
        with sqlite3.connect(self.folder / out / "ledger.sqlite") as database:
            return [json.loads(reply) for (reply,) in database.execute("SELECT reply FROM replies")]

    def results(self, out: str = "run") -> list[bytes]:
        return [(self.folder / out / name).read_bytes() for name in ("verdicts.jsonl", "scores.jsonl")]

    def wait(self, process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
        """Look again and again until something was reached or the process has ended."""
        end = time.monotonic() + PATIENCE
        while process.poll() is None and not reached():
            assert time.monotonic() < end, "the run got stuck"
            time.sleep(0.0005)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    info = tmp_path / "site" / "counted_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counted-plugin\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[adjudge]\ncounted = counted_plugin\n", "utf-8")
    (tmp_path / "site" / "counted_plugin.py").write_text(PLUGIN, "utf-8")
    criteria = "".join(f"  - {{id: c{n}, text: The text keeps promise {n}.}}\n" for n in range(CRITERIA))
    (tmp_path / "rubric.yaml").write_text(f'id: kill\nversion: "1"\ndraft: true\ncriteria:\n{criteria}', "utf-8")
    rows = [json.dumps({"id": f"s{n}", "input": f"promise {n % 3}", "output": f"kept {n}"}) for n in range(ITEMS)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    return Bench(tmp_path)


def begun(calls: list[Call]) -> list[str]:
    return [call.question for call in calls if call.event == "begun"]


def ended(calls: list[Call]) -> list[str]:
    return [call.question for call in calls if call.event == "ended"]


def test_after_kill_9_at_ten_random_moments_only_what_was_in_flight_is_asked_again(bench: Bench):
    draw = random.Random(20)
    bench.finish("undisturbed")
    moments = sorted(draw.sample(range(1, QUESTIONS - 10), 10))
    bound = 0
    for moment in moments:
        before = len(bench.books())
        process = bench.start()
        bench.wait(process, lambda moment=moment: len(set(ended(bench.books()))) >= moment)
        time.sleep(draw.random() * 0.004)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        mine = bench.books()[before:]
        # A reply that was just ended and not yet committed is in flight, too: there is one of these at most.
        in_flight = len(begun(mine)) - len(ended(mine)) + 1
        assert in_flight <= IN_FLIGHT + 1
        bound += in_flight
    bench.finish()

    asked = Counter(begun(bench.books()))
    repeated = sum(asked.values()) - len(asked)
    assert len(asked) == QUESTIONS
    assert repeated <= bound
    assert bench.results() == bench.results("undisturbed")
    replies = bench.ledger()
    assert len(replies) == QUESTIONS
    tokens = {call.question: call.tokens for call in bench.books()}
    assert sum(reply["usage"]["prompt_tokens"] for reply in replies) == sum(tokens.values())
    # The backend's own count: what it was asked for is in the ledger, or was in flight at a kill.
    assert len(replies) <= len(ended(bench.books())) <= len(replies) + len(moments)


def test_a_run_killed_before_its_first_question_goes_on(bench: Bench):
    process = bench.start()
    bench.wait(process, (bench.folder / "run" / "ledger.sqlite").exists)
    process.kill()
    process.communicate()
    bench.finish()
    assert len(bench.ledger()) == QUESTIONS


def test_the_first_ctrl_c_finishes_what_is_in_flight_and_asks_nothing_new(bench: Bench):
    process = bench.start(latency=0.05)
    bench.wait(process, lambda: len(begun(bench.books())) >= 20)
    process.send_signal(signal.SIGINT)
    at_signal = len(begun(bench.books()))
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "run the same command to go on" in error
    assert "Traceback" not in error
    calls = bench.books()
    assert sorted(begun(calls)) == sorted(ended(calls))
    assert len(begun(calls)) <= at_signal + IN_FLIGHT < QUESTIONS
    assert len(bench.ledger()) == len(ended(calls))

    bench.finish()
    assert max(Counter(begun(bench.books())).values()) == 1
    assert len(bench.ledger()) == QUESTIONS


def test_the_second_ctrl_c_does_not_wait_for_replies(bench: Bench):
    process = bench.start(latency=100 * PATIENCE)
    assert process.stderr is not None
    bench.wait(process, lambda: len(begun(bench.books())) >= 1)
    process.send_signal(signal.SIGINT)
    said = process.stderr.readline() + process.stderr.readline()
    assert "press Ctrl-C again" in said
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert ended(bench.books()) == []
    assert bench.ledger() == []


@pytest.fixture(scope="module")
def whole_ledger(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a ledger that holds a few hundred replies."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    with Ledger(path) as ledger:
        for number in range(300):
            ledger.record(f"{number:064x}", Reply(text=f"reply {number}"), submission="s", criterion="c")
    return path.read_bytes()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99])
def test_a_truncated_ledger_is_refused(whole_ledger: bytes, tmp_path: Path, share: float):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole_ledger[: int(len(whole_ledger) * share)])
    with pytest.raises(LedgerError, match=r"ledger\.sqlite: "):
        Ledger(path)


@pytest.mark.parametrize("page", [0, 1, 2, 8, 9, 10])
def test_a_ledger_with_an_overwritten_page_is_refused(whole_ledger: bytes, tmp_path: Path, page: int):
    path = tmp_path / "ledger.sqlite"
    start = page * 4096
    path.write_bytes(whole_ledger[:start] + b"\xa5" * 100 + whole_ledger[start + 100 :])
    with pytest.raises(LedgerError, match=r"ledger\.sqlite: .*(torn|not a ledger)"):
        Ledger(path)


def test_judging_into_a_torn_ledger_says_so_in_one_line_and_asks_nothing(bench: Bench):
    bench.finish()
    path = bench.folder / "run" / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[:20_000])
    asked = len(bench.books())
    process = bench.start()
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert error.startswith("adjudge: ")
    assert "torn" in error
    assert error.count("\n") == 1
    assert len(bench.books()) == asked
