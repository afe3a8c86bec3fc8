"""Ctrl-C during a run."""

from __future__ import annotations

import asyncio
import signal

import click

from adjudge.engine import Engine
from adjudge.sending import StoppedError

DRAIN_SECONDS = 10.0


class stopping:  # noqa: N801 - used like a function in a with statement
    """First Ctrl-C: ask nothing new and finish what is in flight within 10 s. Second: stop at once."""

    def __init__(self, engine: Engine) -> None:
        """Stop this engine."""
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # made inside a running loop
        self._task = task

    def __enter__(self) -> None:
        self._loop.add_signal_handler(signal.SIGINT, self._interrupt)

    def _interrupt(self) -> None:
        if self._engine.stopping:
            self._task.cancel()
            return
        self._engine.stop()
        self._loop.call_later(DRAIN_SECONDS, self._task.cancel)
        click.echo("\nfinishing what is in flight; press Ctrl-C again to stop at once", err=True)

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._loop.remove_signal_handler(signal.SIGINT)
        if kind is not None and issubclass(kind, StoppedError | asyncio.CancelledError) and self._engine.stopping:
            click.echo("stopped; run the same command to go on, nothing is asked twice", err=True)
            raise click.exceptions.Exit(130)
