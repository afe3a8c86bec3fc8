"""Threads for calls that block.

They are daemons, so that an interpreter never waits for a reply that takes minutes; what runs when it ends is stopped
first, because a thread inside the engine must not come back into an interpreter that is gone.
"""

from __future__ import annotations

import atexit
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, TypeAlias

from adjudge_local.prefix import Slot

Work: TypeAlias = Callable[[Slot, Event], Any]
_EXIT_SECONDS = 30.0


class Lanes:
    """One thread per slot, taking work from one queue."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._queue: SimpleQueue[tuple[Work, Event, Future[Any]] | None] = SimpleQueue()
        self._lock = Lock()
        self._events: set[Event] = set()
        self._closed = False
        self._threads = [Thread(target=self._run, args=(slot,), daemon=True) for slot in slots]
        for thread in self._threads:
            thread.start()
        _OPEN.add(self)

    def submit(self, work: Work, stop: Event) -> Future[Any]:
        """Run `work(slot, stop)` in the next free slot.

        Args:
            work: What to run.
            stop: Set by the caller who no longer wants it, or by `close`.

        Raises:
            RuntimeError: The lanes are closed.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            self._events.add(stop)
            self._queue.put((work, stop, future))
        return future

    def close(self, timeout: float | None = None) -> bool:
        """Stop what runs, drop what waits, and end the threads; may be called again.

        Returns:
            Whether all threads ended within the timeout in seconds (None: wait as long as it takes).
        """
        with self._lock:
            first, self._closed = not self._closed, True
            for event in self._events:
                event.set()
        for _ in self._threads if first else ():
            self._queue.put(None)
        end = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, slot: Slot) -> None:
        while (item := self._queue.get()) is not None:
            work, stop, future = item
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(slot, stop))
                # The thread must outlive whatever goes wrong; the caller gets the error.
                except BaseException as error:  # noqa: BLE001 - told to whoever waits
                    future.set_exception(error)
            with self._lock:
                self._events.discard(stop)


_OPEN: weakref.WeakSet[Lanes] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for lanes in list(_OPEN):
        lanes.close(_EXIT_SECONDS)
