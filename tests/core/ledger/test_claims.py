"""Several processes on one ledger ask nothing twice; a claim never outlives its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from adjudge.ledger import Ledger

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


def other_process(path: Path, code: str) -> str:
    """Run code in another process, with the ledger open as `ledger`; what it prints."""
    begin = "import os, sys; from adjudge.ledger import Ledger; ledger = Ledger(sys.argv[1]);"
    done = subprocess.run([sys.executable, "-c", begin + code, str(path)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def test_a_claim_is_held_against_another_process_until_it_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with Ledger(path) as ledger:
        assert ledger.claim("ab12")
        assert ledger.claim("ab12")
        assert other_process(path, "print(ledger.claim('ab12'), ledger.claim('cd34'))") == "False True"
        ledger.release("ab12")
        assert other_process(path, "print(ledger.claim('ab12'))") == "True"
    assert other_process(path, "print(ledger.claim('ab12'))") == "True"


def test_a_claim_of_a_process_that_died_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    assert other_process(path, "print(ledger.claim('ab12'), flush=True); os.kill(os.getpid(), 9)") == "True"
    with Ledger(path) as ledger:
        assert ledger.claim("ab12")


def test_a_ledger_in_memory_needs_no_claims() -> None:
    with Ledger() as ledger:
        assert ledger.claim("ab12")
        ledger.release("ab12")
