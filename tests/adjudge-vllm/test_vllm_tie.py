"""An engine's process ends with the one that started it, and with no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adjudge_vllm.tie import PARENT, tied

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can tie processes so")

CHILD = "from adjudge_vllm.tie import follow; follow(); print('ready', flush=True); import time; time.sleep(60)"
STARTER = f"""
import os, subprocess, sys
from adjudge_vllm.tie import PARENT
os.environ[PARENT] = {{owner}}
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
import time; time.sleep(60)
"""


def runs(number: int) -> bool:
    try:
        return (Path("/proc") / str(number) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def child_after_its_starter_was_killed(owner: str) -> int:
    """Number of the child, some time after."""
    script = STARTER.format(owner=owner)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        number = int(starter.stdout.readline())
        starter.kill()
    for _ in range(50):
        if not runs(number):
            break
        time.sleep(0.02)
    return number


def test_it_ends_when_its_starter_was_killed() -> None:
    number = child_after_its_starter_was_killed("str(os.getpid())")
    for _ in range(500):
        if not runs(number):
            break
        time.sleep(0.02)
    assert not runs(number)


def test_an_engine_of_somebody_else_is_left_alone() -> None:
    number = child_after_its_starter_was_killed("'1'")
    try:
        assert runs(number)
    finally:
        os.kill(number, signal.SIGKILL)


def test_the_tie_is_set_for_what_starts_meanwhile_only() -> None:
    with tied():
        assert os.environ[PARENT] == str(os.getpid())
    assert PARENT not in os.environ
