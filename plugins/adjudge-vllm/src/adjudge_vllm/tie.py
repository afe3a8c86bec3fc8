"""Ties the engine's process to ours: if we are killed, it ends too.

vLLM's workers watch the engine, but the engine does not watch who started it. vLLM calls the plugins of the entry-point
group `vllm.general_plugins` in each of its processes; `follow` is one of them. It does nothing in an engine that was
started by anybody else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator

PARENT = "ADJUDGE_VLLM_PARENT"
"""Number of the process that the engine belongs to, while it is being started."""
_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def tied() -> Iterator[None]:
    """Tie the engine that is started meanwhile to this process."""
    os.environ[PARENT] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(PARENT, None)


def follow() -> None:
    """In the engine's process: end when the one that started it has ended. Linux only."""
    parent = os.environ.get(PARENT)
    if not sys.platform.startswith("linux") or parent != str(os.getppid()):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
