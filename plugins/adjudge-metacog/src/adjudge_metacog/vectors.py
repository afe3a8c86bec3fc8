"""Vectors of rules, kept beside the graph so that each text is embedded once.

The file is only a short cut: one that is damaged, or of another embedder or version, is passed over. Its first line
says what it is, with the SHA-256 of the rest: 16 bytes of hash for each text, then the vectors as 16-bit floats, one
after another, low byte first.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
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


def vectors_of(texts: Sequence[str], embedder: Embedder, graph: Path | None = None) -> Any:
    """Vectors of texts; those beside the graph are used, and what is missing there is added.

    Args:
        texts: Texts of rules.
        embedder: What makes the vectors.
        graph: File of the graph; if None, nothing is kept.

    Returns:
        Shape (texts, dimensions), float32, each rounded to 16 bits, so that a vector that was kept is the same.
    """
    import numpy as np

    path = None if graph is None else vectors_path(graph, embedder)
    keys = [_key(text) for text in texts]
    places, kept = ({}, None) if path is None else _read(path, embedder)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in places}
    for start in range(0, len(missing), _AT_ONCE):
        some = list(missing)[start : start + _AT_ONCE]
        fresh = np.asarray(embedder.rules([missing[key] for key in some])).astype("<f2")
        kept = fresh if kept is None else np.concatenate([kept, fresh])
        places |= {key: len(places) + n for n, key in enumerate(some)}
        if path is not None:
            _write(path, embedder, places, kept)
    return np.zeros((0, 1), np.float32) if kept is None else _in_full(kept, [places[key] for key in keys])


def _in_full(kept: Any, rows: Sequence[int]) -> Any:
    """These rows as float32, a part at a time: a large matrix is not held three times."""
    import numpy as np

    found = np.empty((len(rows), kept.shape[1]), np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        found[start : start + _AT_ONCE] = kept[rows[start : start + _AT_ONCE]]
    return found


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_KEY]


def _read(path: Path, embedder: Embedder) -> tuple[dict[bytes, int], Any]:
    """Place of each text by its key, and the vectors; nothing if the file is no use."""
    import numpy as np

    try:
        with path.open("rb") as file:
            first, body = file.readline(), file.read()
        header = VectorsHeader.model_validate_json(first)
    except (OSError, ValidationError):
        return {}, None
    size = header.texts * (_KEY + 2 * header.dimensions)
    if header.embedder != embedder.fingerprint or len(body) != size or _sha256(body) != header.sha256:
        return {}, None
    keys = (body[start : start + _KEY] for start in range(0, header.texts * _KEY, _KEY))
    found = np.frombuffer(body, "<f2", offset=header.texts * _KEY).reshape(header.texts, header.dimensions)
    return {key: place for place, key in enumerate(keys)}, found


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
