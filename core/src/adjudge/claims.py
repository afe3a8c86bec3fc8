"""Claims: which process is asking which question, so that several on one ledger ask nothing twice.

A claim ends with the reply, when its time is up, or when the process that made it is gone.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from functools import lru_cache
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (fingerprint TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL)
    WITHOUT ROWID;
"""

_TAKE = """
INSERT INTO claims VALUES (?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE
SET owner = excluded.owner, until = excluded.until WHERE claims.until < ? OR claims.owner = excluded.owner
"""


class Claims:
    """The claims of one process on one ledger; errors of SQLite are the ledger's to tell."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Use the ledger's connection."""
        self._db = database
        self.owner = own_name()
        """Names this process: machine, process number, and when it was started."""

    def take(self, fingerprint: str, seconds: float) -> bool:
        """Claim a question for so many seconds; False if a living process holds it."""
        now = time.time()
        if self._db.execute(_TAKE, (fingerprint, self.owner, now + seconds, now)).rowcount == 1:
            return True
        row = self._db.execute("SELECT owner FROM claims WHERE fingerprint = ?", (fingerprint,)).fetchone()
        if row is None or is_alive(row[0]):
            return False
        change = "UPDATE claims SET owner = ?, until = ? WHERE fingerprint = ? AND owner = ?"
        return self._db.execute(change, (self.owner, now + seconds, fingerprint, row[0])).rowcount == 1

    def release(self, fingerprint: str) -> None:
        """Give a claim of one's own back."""
        self._db.execute("DELETE FROM claims WHERE fingerprint = ? AND owner = ?", (fingerprint, self.owner))


def own_name() -> str:
    """`machine/process/started` of this process."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}"


def is_alive(owner: str) -> bool:
    """Whether the process of that name still runs; one on another machine is taken at its word."""
    machine, process, started = owner.rsplit("/", 2)
    if machine != _machine():
        return True
    number = int(process)
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return _started(number) == started  # else the number was given to another process


@lru_cache(maxsize=1)
def _machine() -> str:
    """Name of this machine since it was booted."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    since = boot.read_text("ascii").strip() if boot.exists() else ""
    return f"{platform.node()}:{since}".replace("/", "_")


def _started(process: int) -> str:
    """When a process was started, in ticks since boot; empty where the system does not tell."""
    try:
        # The name in parentheses may hold anything; the 20th field after it is the start time.
        after_name = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        return after_name.split()[19]
    except (OSError, IndexError):
        return ""
