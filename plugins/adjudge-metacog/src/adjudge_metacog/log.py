"""The rule graph on disk: an append-only log of events in JSON Lines, each line bound to all before it.

The first line says what the file is. Every further line is `{"n", "hash", "event"}`, where `hash` is the SHA-256 of the
hash before it and the event. A line counts once its line feed is written; what a crash left behind it is no event.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from adjudge.checks.text import strict_json
from adjudge.errors import InputError
from adjudge_metacog.changes import Change
from adjudge_metacog.events import Event, canonical, event_id
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.lines import HEADER, START, VERSION, Header, Line, chained, lines_of

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, one process writes to a graph
    fcntl = None  # type: ignore[assignment] # the name stands for a module elsewhere

_MOST_BYTES = 1_000_000


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
    tail: bytes = b""
    """Its last line, by which the file is known again."""
    torn: bytes = b""
    """What a crash left behind the last whole line."""
    sound: bool = True
    """Whether all that was read holds together; if not, the log is of no use."""

    def take(self, data: bytes) -> None:
        """Read on, from where the reading stopped.

        Raises:
            InputError: The file is something else, newer or damaged; names the event's number.
        """
        self.sound = False
        whole, _, self.torn = data.rpartition(b"\n") if b"\n" in data else (b"", b"", data)
        fresh = []
        for raw in whole.split(b"\n") if whole else ():
            if self.size == 0:
                self._check_header(raw)
            else:
                fresh.append(self._take_line(raw))
            self.size += len(raw) + 1
            self.tail = raw + b"\n"
        self.check(fresh)
        self.sound = True

    def _check_header(self, raw: bytes) -> None:
        try:
            header = Header.model_validate(strict_json(raw.decode()))
        except (ValueError, RecursionError):
            raise self.foreign() from None
        if header.version > VERSION:
            raise InputError(f"{self.path}: version {header.version}, this adjudge-metacog reads {VERSION}; upgrade it")

    def _take_line(self, raw: bytes) -> Event:
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
        return line.event

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

    def add(self, name: str, event: Event) -> bool:
        """Count an event in; tells whether it was new."""
        self.count += 1
        new = self.graph.apply(name, event)
        if new:
            self.numbers[name] = self.count
        return new

    def check(self, fresh: Collection[Event]) -> None:
        """Refuse a graph that does not hold together since these events came in.

        Raises:
            InputError: Names file and event.
        """
        for name, problem in self.graph.problems(fresh):
            raise self.error(self.numbers.get(name, 0), problem)

    def foreign(self) -> InputError:
        """What to raise if the file is no log."""
        return InputError(f"{self.path}: is no rule graph; its first line must be {HEADER.decode().strip()}")

    def error(self, number: int, problem: str) -> InputError:
        """What to raise about an event."""
        return InputError(f"{self.path}: event {number}: {problem}")


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


def change(where: str | Path | Log, *changes: Change) -> Log:
    """Change the graph in a file, which is made if need be; all changes or, after an error, none.

    Another process may write too: each change is made to the graph as it then is. What a crash left at the end is
    moved beside the file first.

    Args:
        where: The file, which is read from its beginning; or the log as it was last read or changed, in which case only
            what came in since is read, so that an append costs the same however long the log is.
        changes: What to do.

    Returns:
        The log as it now is; the one given, unless another file stands in its place.

    Raises:
        InputError: The file is damaged, or a change does not fit the graph.
    """
    log = where if isinstance(where, Log) else Log(Path(where))
    with _locked(log.path) as file:
        log = _caught_up(log, file)
        with _all_or_nothing(log) as fresh:
            lines = _made(log, changes, fresh)
            if log.torn:
                _set_aside(log)
                file.truncate(log.size)
            _append(log, file, lines)
    return log


def _caught_up(log: Log, file: IO[bytes]) -> Log:
    """The log with what came in since it was read; a new one if its last line is no longer where it was."""
    file.seek(log.size - len(log.tail))
    if not log.sound or file.read(len(log.tail)) != log.tail:
        file.seek(0)
        log = Log(log.path)
    log.take(file.read())
    return log


def _made(log: Log, changes: Iterable[Change], fresh: dict[str, Event]) -> list[bytes]:
    """Apply changes to the graph in memory; gives the lines to write, and in `fresh` the events that are new."""
    lines = []
    for make in changes:
        for event in make(log.graph):
            (name, log.hash, data), *_ = lines_of([event], log.hash, log.count)
            lines.append(data)
            if log.add(name, event):
                fresh[name] = event
    log.check(fresh.values())
    return lines


@contextmanager
def _all_or_nothing(log: Log) -> Iterator[dict[str, Event]]:
    """New events, to be filled in; after an error they are taken back, so that the log is again what the file says."""
    log_hash, count, clock = log.hash, log.count, log.graph.clock
    fresh: dict[str, Event] = {}
    try:
        yield fresh
    except BaseException:
        for name, event in fresh.items():
            del log.numbers[name]
            log.graph.withdraw(name, event)
        log.hash, log.count, log.graph.clock = log_hash, count, clock
        raise


def _append(log: Log, file: IO[bytes], lines: Sequence[bytes]) -> None:
    written = lines if log.size else [HEADER, *lines]
    file.seek(log.size)
    file.writelines(written)
    file.flush()
    os.fsync(file.fileno())
    log.size += sum(map(len, written))
    log.tail = [log.tail, *written][-1]


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
