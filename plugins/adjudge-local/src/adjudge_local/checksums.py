"""SHA-256 of model files, computed once per file and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hash of a file as hex digits.

    It is computed once and kept under the file's path, size and time of change, so that starting with a model of
    several gigabytes stays quick. A cache that cannot be read or written is no error.

    Raises:
        OSError: The file cannot be read.
    """
    status = path.stat()
    key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    known = _load()
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        _store(known)
    return known[key]


def cache_folder() -> Path:
    """Folder of this user's caches of adjudge."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "adjudge"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "adjudge" / "cache"
    return Path(os.path.expanduser("~")) / ".cache" / "adjudge"  # noqa: PTH111 (Path.home raises without a home)


def _load() -> dict[str, str]:
    try:
        found = json.loads((cache_folder() / "sha256.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _store(known: dict[str, str]) -> None:
    folder = cache_folder()
    # Written aside and renamed: another process never reads half a file.
    scratch = folder / f"sha256.{os.getpid()}.tmp"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(known, indent=0), encoding="utf-8")
        scratch.replace(folder / "sha256.json")
