"""A model with open weights, loaded by transformers, and what tells it from every other one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.discovery import is_present
from adjudge.errors import BackendError, UnsupportedError

INSTALL = "pip install 'adjudge-steering[torch]'"
DTYPES = ("float32", "bfloat16", "float16")
_BLOCKS = ("model.layers", "model.language_model.layers", "transformer.h", "gpt_neox.layers", "model.decoder.layers")
_FILES = ("*.safetensors", "*.bin", "config.json", "tokenizer.json", "tokenizer.model", "*.jinja")
_PART = 1 << 20


@dataclass(frozen=True, slots=True)
class Weights:
    """A loaded model."""

    model: Any
    """A causal language model of transformers, in evaluation mode."""
    tokenizer: Any
    """Its tokenizer."""
    name: str
    """Name for people."""
    fingerprint: str
    """SHA-256 over weights, configuration and tokenizer."""

    @property
    def blocks(self) -> list[Any]:
        """The model's blocks, from the first; directions are added to what they give out.

        Raises:
            UnsupportedError: The architecture keeps them somewhere unknown.
        """
        for path in _BLOCKS:
            found: Any = self.model
            for name in path.split("."):
                found = getattr(found, name, None)
            if found is not None:
                return list(found)
        raise UnsupportedError(f"{self.name}: a {type(self.model).__name__} has no blocks where {', '.join(_BLOCKS)}")

    @property
    def width(self) -> int:
        """Length of a hidden state."""
        return int(self.model.get_input_embeddings().weight.shape[1])

    @property
    def context(self) -> int:
        """Longest text, in tokens."""
        return int(getattr(self.model.config, "max_position_embeddings", None) or 2048)


def load_weights(
    path: str | Path, *, dtype: str = "float32", threads: int | None = None, device: str = "cpu"
) -> Weights:
    """Load a model from this machine; nothing is downloaded.

    Args:
        path: Folder of a checkpoint, or a `.gguf` file, whose weights are unpacked.
        dtype: `float32`, `bfloat16` or `float16`.
        threads: Threads that compute; torch's own choice if None. Holds for the whole process.
        device: `cpu`, `cuda`, …

    Raises:
        BackendError: torch or transformers is missing, or the model cannot be loaded.
        UnsupportedError: There is no such dtype.
    """
    place = Path(path).expanduser()
    absent = [name for name in ("torch", "transformers") if not is_present(name)]
    if absent:
        raise BackendError(f"activation steering needs {' and '.join(absent)}: {INSTALL}")
    if dtype not in DTYPES:
        raise UnsupportedError(f"dtype={dtype!r}: one of {', '.join(DTYPES)}")
    if not place.exists():
        raise BackendError(f"{place}: no such model; name the folder of a checkpoint or a .gguf file")
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    try:
        model, tokenizer = _loaded(place, getattr(torch, dtype))
        return Weights(model.to(device).eval(), tokenizer, place.stem, fingerprint_of(place))
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, AssertionError) as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BackendError(f"{place}: cannot be loaded: {why}") from None


def _loaded(place: Path, dtype: Any) -> tuple[Any, Any]:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    given: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
    files: dict[str, Any] = {"local_files_only": True}
    folder = place
    if place.suffix == ".gguf":
        folder, files = place.parent, {**files, "gguf_file": place.name}
        given |= files
        if unpacking := getattr(transformers, "GgufConfig", None):
            given["quantization_config"] = unpacking(dequantize=True)  # packed weights take no hooks in older forms
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, **given)
    return model, transformers.AutoTokenizer.from_pretrained(folder, **files)


def fingerprint_of(place: Path) -> str:
    """SHA-256 over the names and contents of the files that make a model; of a single file over its contents."""
    digest = hashlib.sha256()
    for file in _files(place):
        digest.update(file.name.encode() + b"\0")
        with file.open("rb") as opened:
            while part := opened.read(_PART):
                digest.update(part)
    return digest.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    else:
        yield from sorted({file for pattern in _FILES for file in place.glob(pattern)})
