"""An elicitation on disk: an append-only file of JSON lines, each bound by a hash to all that stand before it.

The form is that of the rule graph's log. A line counts once its line feed is written; what a crash left behind it is
kept beside the file at the next write.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from adjudge.checks.text import strict_json
from adjudge.errors import InputError
from adjudge.values import Frozen
from adjudge_metacog.elicit.events import Event
from adjudge_metacog.elicit.state import Elicitation
from adjudge_metacog.events import canonical, plain
from adjudge_metacog.lines import chained

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, one process writes to an elicitation
    fcntl = None  # type: ignore[assignment] # the name stands for a module elsewhere

FORMAT = "adjudge-elicitation"
VERSION = 1
HEADER = (canonical({"format": FORMAT, "version": VERSION}) + "\n").encode()
START = hashlib.sha256(HEADER).hexdigest()


class _Line(Frozen):
    n: Annotated[int, Field(ge=1, strict=True)]
    hash: str
    event: Event


_LINE: TypeAdapter[_Line] = TypeAdapter(_Line)


class Store:
    """The file of one elicitation, and what it says as far as it was read."""

    def __init__(self, path: str | Path) -> None:
        """Read the file; one that is not there yet is empty.

        Raises:
            InputError: The file is something else, newer or damaged; names the event.
        """
        self.path = Path(path)
        self.state = Elicitation()
        self._count, self._hash, self._size, self._torn = 0, START, 0, b""
        if self.path.exists():
            with self._errors(), self.path.open("rb") as file:
                self._take(file.read())

    @property
    def torn(self) -> int:
        """Bytes that a crash left behind the last whole event."""
        return len(self._torn)

    def refresh(self) -> None:
        """Take in what others wrote."""
        if self.path.exists():
            with self._errors(), self.path.open("rb") as file:
                file.seek(self._size)
                self._take(file.read())

    def append(self, *events: Event) -> None:
        """Write events, all of them or, after an error, none; others may write too.

        Raises:
            InputError: The file is damaged, or an event does not fit what is there.
        """
        stamped = [event.model_copy(update={"at": event.at or _now()}) for event in events]
        with self._errors(), self._locked() as file:
            file.seek(self._size)
            self._take(file.read())
            trial, lines, chain = self._made(stamped)
            if self._torn:
                self._set_aside()
                file.truncate(self._size)
            file.seek(self._size)
            file.write((b"" if self._size else HEADER) + lines)
            file.flush()
            os.fsync(file.fileno())
            self._size += len(lines) + (0 if self._size else len(HEADER))
        self.state, self._hash, self._count = trial, chain, self._count + len(stamped)

    def _made(self, events: Iterable[Event]) -> tuple[Elicitation, bytes, str]:
        """What the events make of the state, their lines, and the hash of the last; they must fit."""
        trial, lines, chain = self.state.copy(), b"", self._hash
        for number, event in enumerate(events, self._count + 1):
            trial.apply(event)
            value = plain(event)
            chain = chained(chain, canonical(value))
            lines += (canonical({"n": number, "hash": chain, "event": value}) + "\n").encode()
        return trial, lines, chain

    def _take(self, data: bytes) -> None:
        whole, _, self._torn = data.rpartition(b"\n") if b"\n" in data else (b"", b"", data)
        for raw in whole.split(b"\n") if whole else ():
            if self._size:
                self._take_line(raw)
            else:
                self._check_header(raw)
            self._size += len(raw) + 1

    def _check_header(self, raw: bytes) -> None:
        try:
            header = strict_json(raw.decode())
        except (ValueError, RecursionError):
            header = None
        version = header.get("version") if isinstance(header, dict) and header.get("format") == FORMAT else None
        if type(version) is not int or version < 1:
            raise InputError(f"{self.path}: is no elicitation; its first line must be {HEADER.decode().strip()}")
        if version > VERSION:
            raise InputError(f"{self.path}: version {version}, this adjudge-metacog reads {VERSION}; upgrade it")

    def _take_line(self, raw: bytes) -> None:
        number = self._count + 1
        value, line = self._line(raw, number)
        if line.n != number:
            raise self._error(number, f"is numbered {line.n}; a line is missing or stands twice")
        chain = chained(self._hash, canonical(value["event"]))
        if line.hash != chain:
            raise self._error(number, "does not follow from what stands before it; something was changed by hand")
        try:
            self.state.apply(line.event)
        except InputError as error:
            raise self._error(number, str(error)) from None
        self._hash, self._count = chain, number

    def _line(self, raw: bytes, number: int) -> tuple[dict[str, Any], _Line]:
        try:
            value = strict_json(raw.decode())
            return value, _LINE.validate_python(value)
        except ValidationError as error:
            found = error.errors()[0]
            where = ".".join(map(str, found["loc"]))
            raise self._error(number, f"cannot be read: {where}: {found['msg']}") from None
        except (ValueError, RecursionError) as error:
            raise self._error(number, f"is no JSON ({error}); take the file from a copy") from None

    def _error(self, number: int, problem: str) -> InputError:
        return InputError(f"{self.path}: event {number}: {problem}")

    def _set_aside(self) -> None:
        """Keep what a crash left at the end; nothing is thrown away."""
        name = f"{self.path.name}.torn-{hashlib.sha256(self._torn).hexdigest()[:8]}"
        self.path.with_name(name).write_bytes(self._torn)
        self._torn = b""

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """The file, for this process alone; freed when the process ends, however it ends."""
        self.path.touch()
        with self.path.open("r+b") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}; choose another file") from None


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
