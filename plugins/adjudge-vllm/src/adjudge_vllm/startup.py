"""A quiet start: what the engine prints goes to a file, and why it failed is told in one line."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SETTINGS: Mapping[str, str] = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    # A process that already has threads must not be forked.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    # The model is on this disk by now: nothing may be asked of a network.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Environment of the engine's processes, where the user has not set it."""

_MEMORY = (
    r"CUDA out of memory|OutOfMemoryError|DefaultCPUAllocator|MemoryError|Cannot allocate memory"
    r"|cudaErrorMemoryAllocation"
)
_CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"larger than the available KV cache memory|KV cache is needed",
        (
            "the cache does not hold one question of max_model_len tokens; give a smaller max_model_len, or raise "
            "gpu_memory_utilization (or kv_cache_gib)"
        ),
    ),
    (
        r"No available memory for the cache blocks",
        (
            "the weights leave no memory for the cache; raise gpu_memory_utilization, or use a quantised model "
            "or a larger tensor_parallel"
        ),
    ),
    (
        r"is less than (?:desired|requested)",
        "other programs hold too much of the memory; lower gpu_memory_utilization (or kv_cache_gib), or end them",
    ),
    (
        _MEMORY,
        (
            "out of memory; lower gpu_memory_utilization or max_model_len, or use a quantised model "
            "or a larger tensor_parallel"
        ),
    ),
)
_LAST_ERROR = re.compile(r"\b(\w*(?:Error|Exception)): (.+)")
_EMPTY = ("RuntimeError: Engine core initialization failed", "Exception: WorkerProc initialization failed")


class Log:
    """The file that takes what the engine prints. It stays if something went wrong."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="adjudge-vllm-", suffix=".log")
        os.close(handle)
        self.path = Path(name)
        """Where it is."""
        self._saved: list[tuple[int, int]] = []

    @contextlib.contextmanager
    def taking_output(self) -> Iterator[None]:
        """Send standard output and error of this process and of those that it starts there; both come back after.

        What was started keeps writing there.
        """
        with self.path.open("ab") as file:
            for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
                with contextlib.suppress(AttributeError, ValueError, OSError):
                    stream.flush()
                self._saved.append((os.dup(number), number))
                os.dup2(file.fileno(), number)
            try:
                yield
            finally:
                self.give_back()

    def give_back(self) -> None:
        """Give standard output and error back at once, from whichever thread; may be called twice."""
        while self._saved:
            saved, number = self._saved.pop()
            os.dup2(saved, number)
            os.close(saved)

    def cause(self, error: BaseException) -> str:
        """Why the engine did not start, in one line, with what to change."""
        own = f"{type(error).__name__}: {' '.join(str(error).split())}"
        text = f"{self._text()}\n{own}"
        for pattern, advice in _CAUSES:
            if re.search(pattern, text):
                return advice
        found = [match[0] for match in _LAST_ERROR.finditer(text) if not match[0].startswith(_EMPTY)]
        return (found or [own])[-1][:400]

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def discard(self) -> None:
        """Remove it; may be called twice."""
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def settings() -> Iterator[Sequence[str]]:
    """Set what the user has not set, for the processes that start meanwhile; gives the names."""
    added = [name for name in SETTINGS if name not in os.environ]
    os.environ.update({name: SETTINGS[name] for name in added})
    try:
        yield added
    finally:
        for name in added:
            os.environ.pop(name, None)


def quieten(added: Sequence[str]) -> None:
    """Let vLLM's own log speak only of what is fatal, unless the user chose a level."""
    if "VLLM_LOGGING_LEVEL" in added:
        logging.getLogger("vllm").setLevel(logging.CRITICAL)
