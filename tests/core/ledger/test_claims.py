"""Several processes on one ledger ask nothing twice; a claim never outlives its process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adjudge.claims import is_alive, own_name
from adjudge.ledger import Ledger
from adjudge.verdict import Reply

WORKER = """
import asyncio, os, sys
from adjudge import Criterion, Rubric, Submission, make_judge
from adjudge.testing import ScriptedBackend

ledger, log = sys.argv[1:]

class Counting(ScriptedBackend):
    async def ask(self, question):
        with open(log, "a") as file:
            file.write(f"{question.submission} {question.criterion}\\n")
        return await super().ask(question)

async def main():
    rubric = Rubric(id="r", version="1", criteria=[Criterion(id=f"c{n}", text=f"criterion {n}") for n in range(4)])
    items = [Submission(id=str(n), input=f"input {n}", output=f"output {n}") for n in range(40)]
    backend = Counting({"*": {"Yes": 0.7, "No": 0.3}}, latency=0.004)
    async with make_judge(rubric, backend=backend, ledger=ledger) as judge:
        results = await judge.many(items)
    assert all(verdict.level == "met" for result in results for verdict in result.verdicts)

asyncio.run(main())
"""


def test_four_processes_on_one_ledger_ask_nothing_twice_and_all_finish(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", WORKER, str(tmp_path / "ledger.sqlite"), str(tmp_path / "log")]
    workers = [subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, errors
    asked = (tmp_path / "log").read_text("utf-8").splitlines()
    assert len(asked) == len(set(asked)) == 160


def test_a_claim_is_held_against_another_process_and_ends_with_the_reply(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as first, Ledger(tmp_path / "l.sqlite") as second:
        # Another living process: our parent.
        second._claims.owner = own_name().replace(f"/{os.getpid()}/", f"/{os.getppid()}/").rpartition("/")[0] + (
            "/" + _started_of(os.getppid())
        )
        assert first.claim("f", 60)
        assert first.claim("f", 60)
        assert not second.claim("f", 60)
        first.record("f", Reply(text="x"))
        assert second.claim("f", 60)
        assert not first.claim("f", 60)
        second.release("f")
        assert first.claim("f", 60)


def _started_of(process: int) -> str:
    from adjudge.claims import _started

    return _started(process)


def test_a_claim_of_a_process_that_died_is_taken_over_at_once(tmp_path: Path) -> None:
    code = "import os, sys; from adjudge.ledger import Ledger; assert Ledger(sys.argv[1]).claim('f', 3600); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "l.sqlite")], check=False)
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.claim("f", 60)


def test_a_claim_whose_time_is_up_is_free(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger._claims.owner = "another-machine:1/1/1"
        assert ledger.claim("f", 0.01)
        ledger._claims.owner = own_name()
        time.sleep(0.02)
        assert ledger.claim("f", 60)


@pytest.mark.parametrize(
    ("owner", "alive"),
    [
        (own_name(), True),
        (own_name().rpartition("/")[0] + "/123", False),
        ("elsewhere:boot/1/1", True),
        (own_name().rsplit("/", 2)[0] + "/4194305/1", False),
    ],
    ids=["this process", "its number, started at another time", "another machine", "no such process"],
)
def test_who_counts_as_alive(owner: str, alive: bool) -> None:
    assert is_alive(owner) is alive
