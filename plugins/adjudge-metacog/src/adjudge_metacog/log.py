"""The rule graph on disk: an append-only log of events in JSON Lines, each line bound to all before it.

The first line says what the file is. Every further line is `{"n", "hash", "event"}`, where `hash` is the SHA-256 of the
hash before it and the event. A line counts once its line feed is written; what a crash left behind it is no event.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import Field, ValidationError

from adjudge.errors import InputError
from adjudge.judges.check_text import strict_json
from adjudge.values import Frozen
from adjudge_metacog.changes import Change
from adjudge_metacog.events import Event, canonical, event_id, plain
from adjudge_metacog.graph import RuleGraph

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, one process writes to a graph
    fcntl = None  # type: ignore[assignment] # the name stands for a module elsewhere

FORMAT = "adjudge-rule-graph"
VERSION = 1
_MOST_BYTES = 1_000_000


class Header(Frozen):
    """The first line."""

    format: Literal["adjudge-rule-graph"]
    """What the file is."""
    version: Annotated[int, Field(ge=1, strict=True)]
    """Version of the format."""


class Line(Frozen):
    """Every further line."""

    n: Annotated[int, Field(ge=1, strict=True)]
    """Number of the event in this file."""
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the hash before it and the event; before the first stands the hash of the header."""
    event: Event
    """What happened."""


HEADER = (canonical({"format": FORMAT, "version": VERSION}) + "\n").encode()


def chained(before: str, event: str) -> str:
    """The hash of a line, from the hash before it and the event's canonical JSON."""
    return hashlib.sha256(f"{before}\n{event}".encode()).hexdigest()


START = hashlib.sha256(HEADER).hexdigest()


@dataclass
class Log:
    """A log as far as it was read."""

    path: Path
    """Its file."""
    graph: RuleGraph = field(default_factory=RuleGraph)
    """What the events say."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Number of each event in the file, by identity."""
    count: int = 0
    """Number of events."""
    hash: str = START
    """Hash of the last line."""
    size: int = 0
    """Length of what was read."""
    torn: bytes = b""
    """What a crash left behind the last whole line."""

    def take(self, data: bytes) -> None:
        """Read on, from where the reading stopped.

        Raises:
            InputError: The file is something else, newer or damaged; names the event's number.
        """
        whole, _, self.torn = data.rpartition(b"\n") if b"\n" in data else (b"", b"", data)
        for raw in whole.split(b"\n") if whole else ():
            if self.size == 0:
                self._check_header(raw)
            else:
                self._take_line(raw)
            self.size += len(raw) + 1
        self.check()

    def _check_header(self, raw: bytes) -> None:
        try:
            header = Header.model_validate(strict_json(raw.decode()))
        except (ValueError, RecursionError):
            raise self.foreign() from None
        if header.version > VERSION:
            raise InputError(f"{self.path}: version {header.version}, this adjudge-metacog reads {VERSION}; upgrade it")

    def _take_line(self, raw: bytes) -> None:
        number = self.count + 1
        value = self._value(raw, number)
        text = canonical(value.get("event"))
        line = self._line(value, number)
        if line.n != number:
            raise self.error(number, f"is numbered {line.n}; a line is missing or stands twice")
        self.hash = chained(self.hash, text)
        if line.hash != self.hash:
            raise self.error(number, "does not follow from what stands before it; something was changed by hand")
        self.add(event_id(text), line.event)

    def _value(self, raw: bytes, number: int) -> dict[str, Any]:
        try:
            value = strict_json(raw.decode()) if len(raw) <= _MOST_BYTES else None
        except (ValueError, RecursionError) as error:
            raise self.error(number, f"is no JSON ({error}); take the file from a copy") from None
        if not isinstance(value, dict):
            raise self.error(number, "is no JSON object of a readable size")
        return value

    def _line(self, value: dict[str, Any], number: int) -> Line:
        try:
            return Line.model_validate(value)
        except ValidationError as error:
            found = error.errors()[0]
            where = ".".join(str(part) for part in found["loc"])
            raise self.error(number, f"cannot be read: {where}: {found['msg']}") from None

    def add(self, name: str, event: Event) -> None:
        """Count an event in."""
        self.count += 1
        self.numbers.setdefault(name, self.count)
        self.graph.apply(name, event)

    def check(self) -> None:
        """Refuse a graph that does not hold together.

        Raises:
            InputError: Names file and event.
        """
        for name, problem in self.graph.problems():
            raise self.error(self.numbers.get(name, 0), problem)

    def foreign(self) -> InputError:
        """What to raise if the file is no log."""
        return InputError(f"{self.path}: is no rule graph; its first line must be {HEADER.decode().strip()}")

    def error(self, number: int, problem: str) -> InputError:
        """What to raise about an event."""
        return InputError(f"{self.path}: event {number}: {problem}")


def lines_of(events: Iterable[Event], before: str = START, count: int = 0) -> Iterator[tuple[str, str, bytes]]:
    """The lines of events, to follow a line with that hash and number: identity, hash and bytes of each."""
    for number, event in enumerate(events, count + 1):
        value = plain(event)
        text = canonical(value)
        before = chained(before, text)
        yield event_id(text), before, (canonical({"n": number, "hash": before, "event": value}) + "\n").encode()


def read(path: str | Path) -> Log:
    """Read a log from its beginning; what a crash left at its end is kept apart in `torn`.

    Raises:
        InputError: There is no such file, or it is something else, newer or damaged.
    """
    log = Log(Path(path))
    try:
        log.take(log.path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `adjudge graph merge --out {path} TREE.yaml` starts a graph") from None
    if log.size == 0:
        raise log.foreign()
    return log


def change(path: str | Path, *changes: Change) -> Log:
    """Change the graph in a file, which is made if need be; all changes or, after an error, none.

    Another process may write too: each change is made to the graph as it then is. What a crash left at the end is
    moved beside the file first.

    Raises:
        InputError: The file is damaged, or a change does not fit the graph.
    """
    log = Log(Path(path))
    with _locked(log.path) as file:
        log.take(file.read())
        fresh = _made(log, changes)
        if log.torn:
            _set_aside(log)
            file.truncate(log.size)
        file.seek(log.size)
        file.write((b"" if log.size else HEADER) + fresh)
        file.flush()
        os.fsync(file.fileno())
        log.size += len(fresh) + (0 if log.size else len(HEADER))
    return log


def _made(log: Log, changes: Iterable[Change]) -> bytes:
    """Apply changes to the graph in memory; gives the lines to write."""
    fresh = b""
    for make in changes:
        for event in make(log.graph):
            (name, log.hash, data), *_ = lines_of([event], log.hash, log.count)
            fresh += data
            log.add(name, event)
    log.check()
    return fresh


def _set_aside(log: Log) -> None:
    """Keep what a crash left at the end of the log; nothing is thrown away."""
    name = f"{log.path.name}.torn-{hashlib.sha256(log.torn).hexdigest()[:8]}"
    log.path.with_name(name).write_bytes(log.torn)
    log.torn = b""


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The file, for this process alone; freed when the process ends, however it ends."""
    while True:
        path.touch()
        with path.open("r+b") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever had the lock may have put a new file in its place.
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                yield file
                return


def write(path: Path, events: Iterable[Event]) -> None:
    """Write a whole log at once, in place of what is there: it is there complete or not at all.

    Raises:
        InputError: The file holds an event that would be lost.
    """
    lines = list(lines_of(events))
    with _locked(path) as file:
        there = Log(path)
        there.take(file.read())
        lost = there.numbers.keys() - {name for name, _, _ in lines}
        if lost:
            raise InputError(f"{path}: holds {len(lost)} events that would be lost; merge it in again")
        if there.torn:
            _set_aside(there)
        part = path.with_name(f"{path.name}.part-{os.getpid()}")
        part.write_bytes(HEADER + b"".join(data for _, _, data in lines))
        part.replace(path)
