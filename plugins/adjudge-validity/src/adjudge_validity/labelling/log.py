"""A file of sealed lines that one process at a time adds to; what was written is never written over."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from adjudge.errors import InputError
from adjudge_validity.labelling.chain import START, Chain, Sealed, seal, unchain

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, one process per file is up to the user
    fcntl = None  # type: ignore[assignment] # the name stands for a module elsewhere


def read_chain(path: Path) -> Chain:
    """Read and check a file of sealed lines.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return unchain(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def refuse_broken(path: Path, chain: Chain, mend: str) -> None:
    """Raise InputError if a line is broken.

    Args:
        path: The file.
        chain: What it holds.
        mend: What to do about it.
    """
    if chain.broken is not None:
        raise InputError(f"{path}:{chain.broken.line}: the line {chain.broken.problem}; {mend}")


class Log:
    """An open file; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the file, which is made if it is not there, and set a torn last line aside in `<path>.torn`.

        Raises:
            InputError: It cannot be opened, another process adds to it, or a line of it is broken.
        """
        self.path = path
        self.torn = b""
        """What was set aside."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab+", buffering=0)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}; choose another --out") from error
        try:
            self._lock()
            self._lines = self._intact()
            self._size = self._file.seek(0, os.SEEK_END)
            if not self._lines:
                _sync_folder(path.parent)
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{self.path}: another page adds to it; end that one, or name another") from error

    def _intact(self) -> list[Sealed]:
        self._file.seek(0)
        data = self._file.read()
        chain = unchain(data)
        refuse_broken(self.path, chain, "nothing was added; keep the file, and name another with --out")
        if chain.torn:
            self._set_aside(chain.torn, len(data) - len(chain.torn))
        elif data and not data.endswith(b"\n"):
            self._write(b"\n")
        return list(chain.lines)

    def _set_aside(self, torn: bytes, end: int) -> None:
        """Move the torn bytes, of which nobody was told that they were saved, to a file of their own."""
        with self.path.with_name(f"{self.path.name}.torn").open("ab") as aside:
            aside.write(torn + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        self._file.truncate(end)
        self.torn = torn

    @property
    def lines(self) -> Sequence[Sealed]:
        """All lines so far."""
        return self._lines

    def append(self, content: Mapping[str, JsonValue]) -> Sealed:
        """Add a line; it is on the disk when this returns.

        Raises:
            OSError: It could not be written, for example since the disk is full; the file is as it was.
            InputError: Another program changed, replaced or removed the file.
        """
        self._refuse_touched()
        line, own = seal(content, self._lines[-1].hash if self._lines else START)
        end = self._file.seek(0, os.SEEK_END)
        try:
            self._write(line)
        except OSError:
            self._file.truncate(end)
            raise
        self._size += len(line)
        self._lines.append(Sealed(len(self._lines) + 1, content, own))
        return self._lines[-1]

    def _refuse_touched(self) -> None:
        mine = os.fstat(self._file.fileno())
        try:
            seen = self.path.stat()
        except FileNotFoundError:
            raise InputError(f"{self.path}: was removed while it was open; nothing more is saved") from None
        if (seen.st_dev, seen.st_ino, seen.st_size) != (mine.st_dev, mine.st_ino, self._size):
            raise InputError(f"{self.path}: another program changed it while it was open; nothing more is saved")

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let others add to it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sync_folder(folder: Path) -> None:
    """Keep the name of a new file through a power cut, where folders can be synced."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
