"""The progress line: items, rate, coverage, tokens, cost, time left; quiet when the error stream is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from adjudge.engine import Tally
from adjudge.verdict import Result

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Progress:
    """Shows how a run goes."""

    def __init__(self, total: int, tally: Tally) -> None:
        """Prepare; nothing is shown before the `with` block."""
        self._total = total
        self._tally = tally
        self._due = 0
        self._scored = 0
        self._bar: RichProgress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._bar.add_task("judging", total=self._total)
        return self

    def advance(self, result: Result) -> None:
        """Count a finished item."""
        due = [verdict for verdict in result.verdicts if verdict.status != "skipped"]
        self._due += len(due)
        self._scored += sum(verdict.status == "scored" for verdict in due)
        if self._bar is not None:
            task = self._bar.tasks[0]
            self._bar.update(task.id, advance=1, description=self._describe(task.speed))

    def _describe(self, speed: float | None) -> str:
        usage = self._tally.usage
        coverage = self._scored / self._due if self._due else 1.0
        cost = f" ${usage.cost:.2f}" if usage.cost else ""
        tokens = f"{usage.cached_tokens:,} of {usage.prompt_tokens:,} prompt tokens cached"
        return f"{speed or 0:.1f}/s  coverage {coverage:.0%}  {tokens}{cost}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
