"""The ledger: every reply and verdict of a run, in one SQLite file, so that nothing is paid twice and nothing is lost.

One transaction per reply, write-ahead log, JSON values. Killing the process at any moment loses at most the calls in
flight. A reply is found again by its question's fingerprint; a failed or discarded one is kept, but never served.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self, TypeAlias

from pydantic import TypeAdapter, ValidationError

from adjudge.claims import Claims
from adjudge.errors import LedgerError
from adjudge.privacy import Store, reply_without_text, verdict_without_text, without_text
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Reply, Verdict

_APPLICATION_ID = 0x61646A67  # "adjg"
_VERSION = 1
_BUSY_MS = 30_000
_INSERT_REPLY = "INSERT INTO replies (fingerprint, at, submission, criterion, usable, reply) VALUES (?, ?, ?, ?, ?, ?)"
_ITEM: TypeAdapter[Submission | Comparison] = TypeAdapter(Submission | Comparison)

Row: TypeAlias = tuple[str, float, str, str, bool, str]
"""A reply as it is stored."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, at REAL NOT NULL, submission TEXT NOT NULL,
    criterion TEXT NOT NULL, usable INTEGER NOT NULL, reply TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS replies_by_fingerprint ON replies (fingerprint);
CREATE TABLE IF NOT EXISTS handles (question TEXT PRIMARY KEY, handle TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS items (run INTEGER NOT NULL, position INTEGER NOT NULL, item TEXT NOT NULL,
    PRIMARY KEY (run, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (run INTEGER NOT NULL, position INTEGER NOT NULL, part INTEGER NOT NULL,
    verdict TEXT NOT NULL, PRIMARY KEY (run, position, part)) WITHOUT ROWID;
"""


LEDGER = "ledger.sqlite"
"""Its name in the folder of a run."""


class Ledger:
    """An open ledger; also usable as a context manager."""

    def __init__(
        self, path: str | Path = ":memory:", *, durable: bool = False, store: Store = "text", reading: bool = False
    ) -> None:
        """Open or create.

        Args:
            path: The SQLite file, or `:memory:`.
            durable: Survive a power cut too, not only the death of the process; slower.
            store: Everything, or `hashes` in place of texts.
            reading: Nothing will be stored, so that a file which may not be written will do.

        Raises:
            LedgerError: The file is torn, is something else, is of another version, or cannot be written.
        """
        self.path = str(path)
        self._store = store
        fixed = reading and not _may_be_written(self.path)
        with self._errors():
            address = _fixed_address(self.path) if fixed else self.path
            self._db = sqlite3.connect(address, timeout=_BUSY_MS / 1000, isolation_level=None, uri=fixed)
        try:
            with self._errors():
                self._prepare(durable=durable, fixed=fixed)
            self.secret = self._secret()
            """Keys the random boundaries of prompts."""
            self._claims = None if fixed or self.path == ":memory:" else Claims(self.path)
        except LedgerError:
            self._db.close()
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: {_explain(error)}") from error
        except ValidationError as error:
            found = error.errors()[0]
            raise LedgerError(
                f"{self.path}: holds a {error.title} that cannot be read ({found['msg']}); move it away and run again"
            ) from error

    def _prepare(self, *, durable: bool, fixed: bool) -> None:
        # Tables first: another process may make the ledger between the two looks.
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application = self._pragma("application_id")
        if application != _APPLICATION_ID and tables:
            raise LedgerError(f"{self.path}: an SQLite file of another program; choose another --out folder")
        if application == _APPLICATION_ID and self._pragma("user_version") != _VERSION:
            found = self._pragma("user_version")
            raise LedgerError(
                f"{self.path}: ledger version {found}, this adjudge reads {_VERSION}; choose another --out"
            )
        if not fixed:
            self._pragma("journal_mode=WAL")
            self._pragma(f"synchronous={'FULL' if durable else 'NORMAL'}")
        if not tables:
            self._create()
        check = self._pragma("quick_check(1)")
        if check != "ok":
            raise LedgerError(f"{self.path}: torn ({' '.join(check.split())}); move it away and run again")

    def _create(self) -> None:
        # One transaction, so that a second process never sees a ledger without its secret.
        secret = f"INSERT OR IGNORE INTO meta VALUES ('secret', x'{secrets.token_hex(16)}');"  # noqa: S608 - digits of our own
        marks = f"PRAGMA application_id={_APPLICATION_ID};PRAGMA user_version={_VERSION};"
        self._db.executescript(f"BEGIN IMMEDIATE;{marks}{_SCHEMA}{secret}COMMIT;")

    def _secret(self) -> bytes:
        with self._errors():
            row = self._db.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
        if row is None:
            raise LedgerError(f"{self.path}: torn (no secret); move it away and run again")
        return bytes(row[0])

    def _pragma(self, text: str) -> Any:
        row = self._db.execute(f"PRAGMA {text}").fetchone()
        return row[0] if row else None

    def find(self, fingerprint: str) -> Reply | None:
        """The latest usable reply to that question, or None."""
        with self._errors():
            row = self._db.execute(
                "SELECT reply FROM replies WHERE fingerprint = ? AND usable ORDER BY id DESC LIMIT 1", (fingerprint,)
            ).fetchone()
            return None if row is None else Reply.model_validate_json(row[0]).model_copy(update={"cached": True})

    def last_reply(self, fingerprint: str) -> Reply | None:
        """What the question came to: its latest usable reply, or else its latest one at all."""
        with self._errors():
            row = self._db.execute(
                "SELECT reply FROM replies WHERE fingerprint = ? ORDER BY usable DESC, id DESC LIMIT 1", (fingerprint,)
            ).fetchone()
            return None if row is None else Reply.model_validate_json(row[0])

    def record(self, fingerprint: str, reply: Reply, *, submission: str = "", criterion: str = "") -> None:
        """Store a reply, failed or not; committed when this returns."""
        self.record_rows([self.row(fingerprint, reply, submission=submission, criterion=criterion)])

    def row(self, fingerprint: str, reply: Reply, *, submission: str = "", criterion: str = "") -> Row:
        """What `record_rows` takes, of one reply."""
        usable = reply.failure is None
        if self._store == "hashes":
            usable = usable and reply.logprobs is not None
            reply = reply_without_text(reply)
        return (fingerprint, time.time(), submission, criterion, usable, reply.model_dump_json())

    def record_rows(self, rows: Sequence[Row]) -> None:
        """Store replies, all in one transaction; committed when this returns."""
        with self._errors(), self._transaction() if len(rows) > 1 else nullcontext():
            for row in rows:
                self._db.execute(_INSERT_REPLY, row)

    def claim(self, fingerprint: str) -> bool:
        """Claim a question for this process; False while another one holds it."""
        return self._claims is None or self._claims.take(fingerprint)

    def release(self, fingerprint: str) -> None:
        """Give a claim back, once the reply is recorded or will not come."""
        if self._claims is not None:
            self._claims.release(fingerprint)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def discard(self, fingerprint: str) -> None:
        """Keep the replies to that question, but never serve them again."""
        with self._errors():
            self._db.execute("UPDATE replies SET usable = 0 WHERE fingerprint = ?", (fingerprint,))

    def keep_handle(self, handle: str, questions: Iterable[str]) -> None:
        """Remember the batch that these questions were submitted in."""
        with self._errors(), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO handles VALUES (?, ?)", [(key, handle) for key in questions])

    def handle_of(self, question: str) -> str | None:
        """The batch that a question was submitted in and not yet collected from."""
        with self._errors():
            row = self._db.execute("SELECT handle FROM handles WHERE question = ?", (question,)).fetchone()
        return None if row is None else str(row[0])

    def drop_handles(self, questions: Iterable[str]) -> None:
        """Forget the batches of these questions: they were collected."""
        with self._errors(), self._transaction():
            self._db.executemany("DELETE FROM handles WHERE question = ?", [(key,) for key in questions])

    def begin_run(self, record: str) -> int:
        """Open a run; `record` is JSON that says what is judged, how and by whom."""
        with self._errors():
            return int(self._db.execute("INSERT INTO runs (record) VALUES (?)", (record,)).lastrowid or 0)

    def update_run(self, run: int, record: str) -> None:
        """Replace the record of a run."""
        with self._errors():
            self._db.execute("UPDATE runs SET record = ? WHERE id = ?", (record, run))

    def record_item(self, run: int, position: int, item: Submission | Comparison, verdicts: Iterable[Verdict]) -> None:
        """Store an item with its verdicts, in one transaction."""
        if self._store == "hashes":
            item, verdicts = without_text(item), map(verdict_without_text, verdicts)
        rows = [(run, position, part, verdict.model_dump_json()) for part, verdict in enumerate(verdicts)]
        with self._errors(), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", (run, position, item.model_dump_json()))
            self._db.execute("DELETE FROM verdicts WHERE run = ? AND position = ?", (run, position))
            self._db.executemany("INSERT INTO verdicts VALUES (?, ?, ?, ?)", rows)

    def last_run(self) -> tuple[int, str]:
        """Number and record of the latest run.

        Raises:
            LedgerError: There is none.
        """
        with self._errors():
            row = self._db.execute("SELECT id, record FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            raise LedgerError(f"{self.path}: holds no run yet")
        return int(row[0]), str(row[1])

    def read_run(self, run: int) -> list[tuple[Submission | Comparison, list[Verdict]]]:
        """Items of a run with their verdicts, in file order."""
        with self._errors():
            items = self._db.execute(
                "SELECT position, item FROM items WHERE run = ? ORDER BY position", (run,)
            ).fetchall()
            rows = self._db.execute(
                "SELECT position, verdict FROM verdicts WHERE run = ? ORDER BY position, part", (run,)
            ).fetchall()
            verdicts: dict[int, list[Verdict]] = {position: [] for position, _ in items}
            for position, text in rows:
                verdicts[position].append(Verdict.model_validate_json(text))
            return [(_ITEM.validate_json(item), verdicts[position]) for position, item in items]

    def purge(self, submission: str) -> int:
        """Remove a submission (or a comparison that it is part of) with its replies and verdicts, beyond recovery.

        Returns:
            Number of rows removed.
        """
        with self._errors():
            self._pragma("secure_delete=ON")
            removed = 0
            with self._transaction():
                for run, position, text in self._db.execute("SELECT run, position, item FROM items").fetchall():
                    item = _ITEM.validate_json(text)
                    if submission in _ids(item):
                        for table in ("items", "verdicts"):
                            change = f"DELETE FROM {table} WHERE run = ? AND position = ?"  # noqa: S608 - our own names
                            removed += self._db.execute(change, (run, position)).rowcount
                        self._db.execute("DELETE FROM replies WHERE submission = ?", (item.id,))
                removed += self._db.execute("DELETE FROM replies WHERE submission = ?", (submission,)).rowcount
            self._db.execute("VACUUM")
            self._pragma("wal_checkpoint(TRUNCATE)")
        return removed

    def counts(self) -> tuple[int, int]:
        """Number of replies stored, and of those that are usable."""
        with self._errors():
            row = self._db.execute("SELECT count(*), coalesce(sum(usable), 0) FROM replies").fetchone()
        return int(row[0]), int(row[1])

    def close(self) -> None:
        """Close; may be called twice."""
        if self._claims is not None:
            self._claims.close()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _ids(item: Submission | Comparison) -> set[str]:
    parts = item.submissions if isinstance(item, Comparison) else ()
    return {item.id, *(part.id for part in parts)}


def _may_be_written(path: str) -> bool:
    """Whether SQLite may write the file, and others beside it."""
    return path == ":memory:" or all(os.access(one, os.W_OK) for one in (path, Path(path).absolute().parent))


def _fixed_address(path: str) -> str:
    """The file as one that nobody changes: SQLite then makes no file beside it.

    Raises:
        LedgerError: A part of it still stands in such a file.
    """
    pending = Path(f"{path}-wal")
    if pending.is_file() and pending.stat().st_size:
        raise LedgerError(f"{path}: was not closed, and may not be written here; copy the folder to where it may be")
    return f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"


def _explain(error: sqlite3.Error) -> str:
    text = str(error)
    hints: Sequence[tuple[str, str]] = (
        ("not a database", "not a ledger; choose another --out folder"),
        ("malformed", "torn; move it away and run again"),
        ("full", "the disk is full; free some space and run again, nothing is lost"),
        ("disk I/O", "the disk cannot be written (full, over a limit, or failing); nothing that was stored is lost"),
        ("readonly", "cannot be written (read-only)"),
        ("unable to open", "cannot be opened; does the folder exist and may it be written?"),
        ("locked", "locked by another process for too long"),
    )
    return next((f"{hint} ({text})" for word, hint in hints if word in text), text)
