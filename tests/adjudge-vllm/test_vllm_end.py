"""Engines that do not start, die, are closed, or are left behind by their process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adjudge.errors import BackendError

pytestmark = pytest.mark.vllm

SCRIPT = """
import asyncio, os, signal, sys, threading
from adjudge.testing.backends import question
from adjudge_vllm.plugin import build

if __name__ == "__main__":
    if sys.argv[2] == "impatient":
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts its background jobs without it
        threading.Timer(float(sys.argv[3]), os.kill, (os.getpid(), signal.SIGINT)).start()
    backend = build(sys.argv[1], max_model_len=512, max_num_seqs=8, enforce_eager=True)
    (reply,) = asyncio.run(backend.ask_many([question(labels=("no", "yes"))]))
    print(reply.model_dump_json(), flush=True)
    if sys.argv[2] == "interrupted":
        async def drain():
            task = asyncio.ensure_future(backend.ask(question(labels=("no", "maybe"))))
            await asyncio.sleep(0)
            os.killpg(0, signal.SIGINT)
            return await task
        signal.signal(signal.SIGINT, lambda *_: None)
        print(asyncio.run(drain()).model_dump_json(), flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def left_of(group: int) -> list[int]:
    """Processes of a process group that do not end within half a minute."""
    for _ in range(300):
        if not running(group):
            break
        time.sleep(0.1)
    return running(group)


def running(group: int) -> list[int]:
    """Processes of a process group that run."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            state, _, grp = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(grp) == group and state != "Z":
            found.append(int(folder.name))
    return found


def run(checkpoint: Path, tmp_path: Path, *how: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run the script in a process group of its own; gives what it printed and the group."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "home").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "home")}
    command = [sys.executable, str(script), str(checkpoint), *how]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=environment) as one:
        out, err = one.communicate(timeout=400)
        return subprocess.CompletedProcess(command, one.returncode, out, err), one.pid


def test_a_process_that_ends_leaves_nothing_behind_and_prints_nothing_of_its_own(
    checkpoint, small_machine, tmp_path
) -> None:
    done, group = run(checkpoint, tmp_path, "interrupted")
    replies = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(replies) == len(done.stdout.splitlines()), done.stdout
    # The second reply was in flight when Ctrl-C reached the whole group: it is drained, not lost.
    assert [reply["failure"] for reply in replies] == [None, None]
    assert done.stderr == ""
    assert done.returncode == 0
    assert left_of(group) == []
    assert list((tmp_path / "home").glob("adjudge-vllm-*.log")) == []


def test_a_process_that_is_killed_takes_its_engine_along(checkpoint, small_machine, tmp_path) -> None:
    done, group = run(checkpoint, tmp_path, "killed")
    assert done.returncode == -signal.SIGKILL
    assert left_of(group) == []


@pytest.mark.parametrize("seconds", ["1.5", "25"])
def test_ctrl_c_during_the_start_ends_it_at_once(checkpoint, small_machine, tmp_path, seconds) -> None:
    done, group = run(checkpoint, tmp_path, "impatient", seconds)
    assert done.stdout == ""
    # Where in the start it falls decides whether Python ends by the signal or with 1, and what it says last.
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode in (-signal.SIGINT, 1)
    assert left_of(group) == []
    assert list((tmp_path / "home").glob("adjudge-vllm-*.log")) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_model_len": 1 << 20}, r"max_model_len \(1048576\) is greater"),
        ({"kv_cache_gib": 0.005}, r"the cache does not hold one question .* smaller max_model_len"),
    ],
    ids=["longer than trained", "cache too small"],
)
def test_an_engine_that_cannot_start_says_what_to_change(checkpoint, small_machine, monkeypatch, options, told) -> None:
    from adjudge_vllm.plugin import build

    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE")
    with pytest.raises(BackendError, match=told) as raised:
        build(str(checkpoint), enforce_eager=True, **{"max_model_len": 2048, **options})
    assert len(str(raised.value).splitlines()) == 1
    log = str(raised.value).partition("its log: ")[2].rstrip(")")
    Path(log).unlink()


def test_an_adapter_changes_answers(adapted, backend, question) -> None:
    without = asyncio.run(backend.ask(question(labels=["Yes", "No"])))
    assert adapted.reply.failure is None
    assert abs(adapted.reply.logprobs["Yes"] - without.logprobs["Yes"]) > 0.5
    assert adapted.backend.identity["lora"] != backend.identity["lora"] == ""


def test_an_engine_that_died_is_a_fatal_failure_and_can_still_be_closed(adapted, backend, question) -> None:
    asked = question(labels=["Yes", "No"])
    died = asyncio.run(adapted.backend.ask(asked))
    assert (died.failure.reason, died.failure.fatal, died.logprobs) == ("infra", True, None)
    adapted.backend.close()
    adapted.backend.close()
    closed = asyncio.run(adapted.backend.ask(asked))
    assert "closed" in closed.failure.detail
    # The other engine of this process is none the worse for it.
    assert asyncio.run(backend.ask(asked)).failure is None
