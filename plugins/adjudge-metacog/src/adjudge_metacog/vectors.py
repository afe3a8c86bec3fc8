"""Vectors of rules, kept beside the graph so that each text is embedded once.

The file is only a short cut: one that is damaged, or of another embedder or version, is passed over. Its first line
says what it is, with the SHA-256 of the rest: 16 bytes of hash for each text, then the vectors as 16-bit floats, one
after another, low byte first.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from adjudge.values import Frozen
from adjudge_metacog.embedding import Embedder
from adjudge_metacog.events import canonical

FORMAT = "adjudge-rule-vectors"
_KEY = 16
_AT_ONCE = 5_000


class VectorsHeader(Frozen):
    """The first line."""

    format: Literal["adjudge-rule-vectors"]
    """What the file is."""
    version: Literal[1]
    """Version of the format."""
    embedder: str
    """Fingerprint of what made the vectors."""
    texts: int
    """Number of texts."""
    dimensions: int
    """Length of each vector."""
    sha256: str
    """Of all that follows the line."""


def vectors_path(graph: Path, embedder: Embedder) -> Path:
    """Where the vectors of a graph's rules stand."""
    return graph.with_name(f"{graph.name}.vectors-{embedder.name}")


@dataclass(frozen=True)
class _Kept:
    """Vectors as they are kept, read a part at a time: a large matrix is not held twice."""

    places: dict[bytes, int]
    """Row of each text, by its key."""
    rows: Callable[[int, int], Any]
    """From first and last row, which is left out, to the vectors, 16-bit floats."""

    def in_full(self, keys: Sequence[bytes]) -> Any:
        """The vectors of these texts as float32."""
        import numpy as np

        places = np.array([self.places[key] for key in keys], dtype=np.int64)
        order = np.argsort(places, kind="stable")
        found = np.empty((len(keys), self.rows(0, 1).shape[1] if self.places else 1), np.float32)
        for start in range(0, len(self.places), _AT_ONCE):
            here = order[slice(*np.searchsorted(places, (start, start + _AT_ONCE), sorter=order))]
            found[here] = self.rows(start, start + _AT_ONCE)[places[here] - start]
        return found


_NOTHING = _Kept({}, lambda *_: None)


def vectors_of(texts: Sequence[str], embedder: Embedder, graph: Path | None = None) -> Any:
    """Vectors of texts; those beside the graph are used, and what is missing there is added.

    Args:
        texts: Texts of rules.
        embedder: What makes the vectors.
        graph: File of the graph; if None, nothing is kept.

    Returns:
        Shape (texts, dimensions), float32, each rounded to 16 bits, so that a vector that was kept is the same.
    """
    path = None if graph is None else vectors_path(graph, embedder)
    keys = [_key(text) for text in texts]
    with _kept(path, embedder) as kept:
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in kept.places}
        if not missing:
            return kept.in_full(keys)
        places, vectors = kept.places, kept.rows(0, len(kept.places))
    return _completed(places, vectors, missing, embedder, path).in_full(keys)


def _completed(
    places: dict[bytes, int], vectors: Any, missing: Mapping[bytes, str], embedder: Embedder, path: Path | None
) -> _Kept:
    """What is kept, with the vectors of more texts; written every so often, so that little is lost by an end."""
    import numpy as np

    for start in range(0, len(missing), _AT_ONCE):
        some = list(missing)[start : start + _AT_ONCE]
        fresh = np.asarray(embedder.rules([missing[key] for key in some])).astype("<f2")
        vectors = fresh if vectors is None else np.concatenate([vectors, fresh])
        places = places | {key: len(places) + n for n, key in enumerate(some)}
        if path is not None:
            _write(path, embedder, places, vectors)
    return _Kept(places, lambda first, last: vectors[first:last])


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_KEY]


@contextmanager
def _kept(path: Path | None, embedder: Embedder) -> Iterator[_Kept]:
    """What is kept in a file, open meanwhile; nothing if there is none, or it is no use."""
    with ExitStack() as stack:
        try:
            file = None if path is None else stack.enter_context(path.open("rb"))
        except OSError:
            file = None
        yield _NOTHING if file is None else _in_file(file, embedder)


def _in_file(file: BufferedReader, embedder: Embedder) -> _Kept:
    import numpy as np

    try:
        header = VectorsHeader.model_validate_json(file.readline())
        start = file.tell()
        whole = hashlib.file_digest(file, "sha256").hexdigest() == header.sha256
        length = file.tell() - start
    except (OSError, ValidationError):
        return _NOTHING
    size = header.texts * (_KEY + 2 * header.dimensions)
    if header.embedder != embedder.fingerprint or length != size or not whole:
        return _NOTHING
    file.seek(start)
    known = file.read(header.texts * _KEY)

    def rows(first: int, last: int) -> Any:
        file.seek(start + len(known) + first * 2 * header.dimensions)
        part = file.read((last - first) * 2 * header.dimensions)
        return np.frombuffer(part, "<f2").reshape(-1, header.dimensions)

    keys = (known[at : at + _KEY] for at in range(0, len(known), _KEY))
    return _Kept({key: place for place, key in enumerate(keys)}, rows)


def _write(path: Path, embedder: Embedder, places: dict[bytes, int], kept: Any) -> None:
    """Keep the vectors; the file is there complete or not at all."""
    body = b"".join(places) + kept.tobytes()
    about = {"format": FORMAT, "version": 1, "embedder": embedder.fingerprint, "sha256": _sha256(body)}
    about |= {"texts": len(places), "dimensions": kept.shape[1]}
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    try:
        part.write_bytes((canonical(about) + "\n").encode() + body)
        part.replace(path)
    except OSError:  # a folder that is read only: next time they are made again
        part.unlink(missing_ok=True)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
