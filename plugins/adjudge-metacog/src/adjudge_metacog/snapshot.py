"""A snapshot of the rule graph beside its log, so that a large graph need not be replayed.

Two lines: what it is a snapshot of, with the SHA-256 of the second, and the canonical JSON of the graph. It is only a
short cut: the log is the graph, and a snapshot that does not fit it is passed over.
"""

from __future__ import annotations

import hashlib
import os
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from adjudge.errors import InputError
from adjudge.values import Frozen
from adjudge_metacog.bulk import in_bulk
from adjudge_metacog.events import Event, canonical
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.lines import HEADER, VERSION
from adjudge_metacog.log import Log, read


class _Part(BaseModel):
    """A node or an edge; what is for the reader is passed over."""

    events: dict[str, Event]


class _Body(BaseModel):
    """The second line of a snapshot."""

    nodes: dict[str, _Part]
    edges: list[_Part]


class SnapshotHeader(Frozen):
    """The first line of a snapshot."""

    format: Literal["adjudge-rule-graph-snapshot"]
    """What the file is."""
    version: Annotated[int, Field(ge=1, strict=True)]
    """Version of the format."""
    events: int
    """Number of events in the log when it was taken."""
    size: int
    """Length of the log then."""
    last: int
    """Length of its last line."""
    hash: str
    """Hash in that line."""
    sha256: str
    """Of the second line."""


def snapshot_path(path: Path) -> Path:
    """Where the snapshot of a log stands."""
    return path.with_name(path.name + ".snapshot")


def write_snapshot(log: Log) -> Path:
    """Write the snapshot of a log that was read or changed; it is there complete or not at all.

    Returns:
        The file.
    """
    body = log.graph.canonical()
    header = {
        "format": "adjudge-rule-graph-snapshot",
        "version": VERSION,
        "events": log.count,
        "size": log.size,
        "last": len(log.tail),
        "hash": log.hash,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    path = snapshot_path(log.path)
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    part.write_bytes((canonical(header) + "\n").encode() + body)
    part.replace(path)
    return path


def load(path: str | Path) -> Log:
    """Read a graph from its snapshot and the events after it, or from the whole log if there is no snapshot that fits.

    Raises:
        InputError: There is no such file, or it is something else, newer or damaged.
    """
    log = _from_snapshot(Path(path))
    if log is None:
        return read(path)
    with log.path.open("rb") as file:
        file.seek(log.size)
        if data := file.read():
            log.take(data)
    return log


def _from_snapshot(path: Path) -> Log | None:
    """The log up to its snapshot; None if there is none that fits."""
    try:
        with snapshot_path(path).open("rb") as file:
            first, body = file.readline(), file.read()
        header = SnapshotHeader.model_validate_json(first)
    except (FileNotFoundError, ValidationError):
        return None
    tail = _tail(header, path)
    if header.version != VERSION or header.sha256 != hashlib.sha256(body).hexdigest() or not tail:
        return None
    try:
        graph = _graph(body)
    except ValidationError:
        return None
    return Log(path, graph=graph, count=header.events, hash=header.hash, size=header.size, tail=tail)


def _tail(header: SnapshotHeader, path: Path) -> bytes:
    """The line that the snapshot ends with, as the log holds it; empty if it is not where it was."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, header.size - header.last))
            last = file.read(header.last)
    except FileNotFoundError:
        return b""
    mark = f'"hash":"{header.hash}"'.encode() if header.events else HEADER
    return last if len(last) == header.last and mark in last else b""


def _graph(body: bytes) -> RuleGraph:
    with in_bulk():
        value = _Body.model_validate_json(body)
        # Each is let go once its events are taken over: a large graph is not held twice.
        nodes = (entry for name in list(value.nodes) for entry in value.nodes.pop(name).events.items())
        edges = (entry for edge in value.edges for entry in edge.events.items())
        return RuleGraph(chain(nodes, edges))


def verify(path: str | Path) -> str:
    """Replay the whole log and compare it with the snapshot, byte by byte.

    Returns:
        What was found, in one line.

    Raises:
        InputError: The log is damaged, or its snapshot says something else.
    """
    log = read(path)
    quick = _from_snapshot(log.path)
    if quick is None:
        return f"{log.count} events hold together; no snapshot that fits"
    past = RuleGraph((name, event) for name, event in log.graph.events() if log.numbers[name] <= quick.count)
    if past.canonical() != quick.graph.canonical():
        raise InputError(f"{snapshot_path(log.path)}: is not what the log says; remove it")
    return f"{log.count} events hold together; the snapshot of {quick.count} is the same byte for byte"
