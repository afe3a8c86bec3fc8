"""A process that ends while the engine is writing."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.model

START = """
import asyncio, sys
from threading import Event
from adjudge.verdict import Prompt, Question, Sampling
from adjudge_local.plugin import build
backend = build(context=4096)
prompt = Prompt(system="s", input="Tell a story without end.", output="", ask=" Go on.")
question = Question(prompt=prompt, sampling=Sampling(max_tokens=3500, temperature=1.5, seed=1))
"""
CANCELLED = """
async def main():
    task = asyncio.create_task(backend.ask(question))
    await asyncio.sleep(0.5)
    print("leaving", flush=True)
    sys.exit(3)
asyncio.run(main())
"""
INTERRUPTED = """
import os, signal
from threading import Timer
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the tests run in the background
Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
print("leaving", flush=True)
try:
    asyncio.run(backend.ask(question))
except KeyboardInterrupt:
    sys.exit(3)
"""
ABANDONED = """
import time
backend._lanes.submit(lambda slot, stop: backend._answer(question, slot, stop), Event())
time.sleep(0.5)
print("leaving", flush=True)
sys.exit(3)
"""


@pytest.mark.parametrize("end", [CANCELLED, INTERRUPTED, ABANDONED], ids=["cancelled", "interrupted", "abandoned"])
def test_the_process_ends_while_a_reply_is_being_written(end: str) -> None:
    # 3,500 tokens take minutes where cores are busy; a process that waited for them would run into the limit, and one
    # whose thread came back into a dead interpreter would end by a signal.
    done = subprocess.run([sys.executable, "-c", START + end], capture_output=True, text=True, timeout=25, check=False)
    assert done.stdout == "leaving\n"
    assert done.returncode == 3, done.stderr
    assert done.stderr == ""
