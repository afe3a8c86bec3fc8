"""Zip files with a manifest: every file is listed with its size and SHA-256, and equal contents give equal bytes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adjudge.errors import InputError

MANIFEST = "manifest.json"
FORMAT = 1
LARGEST = 4 << 30
"""Most bytes that a bundle may unpack to."""
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def packed(files: Mapping[str, bytes], about: Mapping[str, Any]) -> bytes:
    """A zip file of these files, with a manifest that says `about` and what every file holds."""
    listed = {name: {"bytes": len(data), "sha256": sha256(data)} for name, data in sorted(files.items())}
    manifest = {"format": FORMAT, **about, "files": listed}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [(MANIFEST, lines_of(manifest)), *sorted(files.items())]:
            archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def lines_of(value: Any) -> bytes:
    """A JSON value for people."""
    return (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8", "replace")


def sha256(data: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def unpacked(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the files of a zip file, each checked against the manifest.

    Raises:
        InputError: It is no such file, or a file was changed, is missing, or was added.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            found = _read(path, archive)
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: no bundle that can be read ({error}); make it again") from error
    manifest = _manifest(path, found.pop(MANIFEST, b""))
    _check(path, manifest["files"], found)
    return manifest, found


def _read(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    size = sum(info.file_size for info in archive.infolist())
    if size > LARGEST:
        raise InputError(f"{path}: unpacks to {size:,} bytes, more than the {LARGEST:,} that a bundle may hold")
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise InputError(f"{path}: holds one name twice; it was not written by adjudge")
    return {name: archive.read(name) for name in names}


def _manifest(path: Path, data: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
        known = manifest["format"] == FORMAT and isinstance(manifest["files"], dict)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: holds no {MANIFEST} of a bundle; make it with adjudge bundle make") from error
    if not known:
        raise InputError(f"{path}: bundle format {manifest['format']!r}, this adjudge reads {FORMAT}")
    return dict(manifest)


def _check(path: Path, listed: Mapping[str, Any], found: Mapping[str, bytes]) -> None:
    missing, added = sorted(listed.keys() - found.keys()), sorted(found.keys() - listed.keys())
    if missing or added:
        what = f"{missing[0]} is missing" if missing else f"{added[0]} was added"
        raise InputError(f"{path}: {what}; it is not the bundle that was made")
    for name, data in found.items():
        if listed[name] != {"bytes": len(data), "sha256": sha256(data)}:
            raise InputError(f"{path}: {name} was changed; its SHA-256 is not the manifest's")
