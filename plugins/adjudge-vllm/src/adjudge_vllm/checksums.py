"""One hash for all that a model is made of, so that another model never answers in its name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

_READ = {".json", ".jinja", ".model", ".txt", ".safetensors", ".bin", ".pt", ".pth", ".gguf"}
_REMEMBERED = 64 << 20
"""Files of this size in bytes and more are hashed once and remembered."""


def sha256_of(place: Path) -> str:
    """Hash of a file, or of a folder's files with their names, as hex digits.

    Large files are hashed once and remembered under path, size and time of change, so that starting with tens of
    gigabytes stays quick. A memory that cannot be read or written is no error.

    Raises:
        OSError: Something cannot be read.
    """
    if place.is_file():
        return _of_file(place)
    total = hashlib.sha256()
    for file in sorted(place.iterdir()):
        if file.suffix in _READ and file.is_file():
            total.update(f"{file.name}\0{_of_file(file)}\n".encode())
    return total.hexdigest()


def _of_file(path: Path) -> str:
    status = path.stat()
    if status.st_size < _REMEMBERED:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    known = _load()
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        _store(known)
    return known[key]


def cache_folder() -> Path:
    """Folder of this user's caches of adjudge."""
    given = os.environ.get("XDG_CACHE_HOME")
    return Path(given) / "adjudge" if given else Path("~/.cache/adjudge").expanduser()


def _load() -> dict[str, str]:
    try:
        found = json.loads((cache_folder() / "vllm-sha256.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _store(known: dict[str, str]) -> None:
    folder = cache_folder()
    # Written aside and renamed: another process never reads half a file.
    scratch = folder / f"vllm-sha256.{os.getpid()}.tmp"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(known, indent=0), encoding="utf-8")
        scratch.replace(folder / "vllm-sha256.json")
