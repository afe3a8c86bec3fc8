"""Commits replies that come at the same time together: one write to the disk, and each waits until it is there."""

from __future__ import annotations

import asyncio

from adjudge.ledger import Ledger, Row
from adjudge.verdict import Question, Reply


class Commits:
    """Writes an engine's replies to its ledger, all those of one turn of the event loop in one transaction."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to that ledger."""
        self._ledger = ledger
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []

    async def record(self, key: str, reply: Reply, question: Question) -> None:
        """Store a reply; committed when this returns. Whoever waits may be cancelled, the reply is stored all the same.

        Raises:
            LedgerError: The ledger cannot be written; none of the replies of this turn are stored.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._commit)
        row = self._ledger.row(key, reply, submission=question.submission, criterion=question.criterion)
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((row, done))
        await done

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            self._ledger.record_rows([row for row, _ in waiting])
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            for _, done in waiting:
                if not done.done():
                    done.set_exception(error)
            return
        for _, done in waiting:
            if not done.done():
                done.set_result(None)
