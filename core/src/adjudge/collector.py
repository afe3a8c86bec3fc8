"""Python's garbage collector in long runs, whose kept results it would look through again and again."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 20, 100)
"""Net allocations before a young, a middle and a full collection; Python's own are 700, 10 and 10."""

_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []
_runs = 0


@contextmanager
def seldom() -> Iterator[None]:
    """Collect seldom while a run goes on; the last run that ends restores what was set before the first.

    Results hold no cycles, so little waits to be collected. A collector that was switched off stays off.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _runs  # noqa: PLW0603 - the collector is the process's own, and so is the count of runs
    with _lock:
        if _runs == 0:
            _before.append(gc.get_threshold())
            if gc.get_threshold()[0] > 0:
                gc.set_threshold(*map(max, SELDOM, gc.get_threshold()))
        _runs += 1


def _leave() -> None:
    global _runs  # noqa: PLW0603 - as above
    with _lock:
        _runs -= 1
        if _runs == 0:
            gc.set_threshold(*_before.pop())
