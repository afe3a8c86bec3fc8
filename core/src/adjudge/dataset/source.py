"""The user's file as bytes: opened once, hashed while it is read, split at line feeds only."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, cast

from adjudge.errors import InputError

Format = Literal["jsonl", "json", "csv", "tsv", "parquet"]

MAX_ROW = 64 * 2**20
"""Largest row, in bytes."""
MAX_ARRAY = 512 * 2**20
"""Largest file that is one JSON array, in bytes; it is held in memory as a whole."""

_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_UTF8_BOM = b"\xef\xbb\xbf"
_FOREIGN_STARTS = {
    b"\xff\xfe": "is UTF-16; convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW",
    b"\xfe\xff": "is UTF-16; convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW",
    b"\x1f\x8b": "is compressed with gzip; add .gz to its name",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet; unpack it or export it as CSV",
    b"PAR1": "is a Parquet file; name it .parquet",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file."""

    line: int
    """Where it begins, from 1; its number in a Parquet file."""
    name: str
    """Its id if it has none of its own."""
    fields: Mapping[str, Any]
    """Column to JSON value."""
    cells: bool = False
    """All values are text, since the format has no types."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read."""

    line: int
    """Where it begins, from 1."""
    problem: str
    """What is wrong and how to mend it, in one line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without the byte-order mark, its line feed kept."""

    number: int
    """From 1."""
    offset: int
    """Bytes of the (uncompressed) file before it."""
    data: bytes | None
    """None if it is longer than `MAX_ROW`."""


class RowError(Exception):
    """A row cannot be read; its text says why, in one line and without the place."""


class ColumnError(RowError):
    """The columns of a row do not say what is what."""


def brief(value: object) -> str:
    """A short one-line form of a value for messages."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - fits in a message


def decoded(line: Line) -> str:
    """The text of a line.

    Raises:
        RowError: It is too long, is not UTF-8 or holds a NUL.
    """
    if line.data is None:
        raise RowError(f"the row is larger than {MAX_ROW:,} bytes; cut it or leave it out")
    if b"\0" in line.data:
        raise RowError(f"a NUL at byte {line.offset + line.data.index(0)} of the file; take it out")
    return utf8(line.data, line.offset)


def utf8(data: bytes, offset: int) -> str:
    """Decode bytes that begin `offset` bytes into the file.

    Raises:
        RowError: They are not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RowError(not_utf8(error, offset)) from None


def not_utf8(error: UnicodeDecodeError, offset: int = 0) -> str:
    """Say which byte is not UTF-8, and how to convert the file."""
    place = f"byte {offset + error.start} of the file (0x{error.object[error.start]:02x})"
    return f"{place} is not UTF-8; convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"


class _Hashing(io.RawIOBase):
    """Passes a file on and hashes what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        self.sha.update(data)
        return len(data)


class Source:
    """A data file that is being read; a context manager."""

    def __init__(self, path: Path) -> None:
        """Check the name.

        Raises:
            InputError: Its suffix stands for no known format.
        """
        self.path = path
        self.shown = str(path) if str(path).isprintable() else repr(str(path))
        self.format, self._packed = _format_of(path, self.shown)
        self.at = 0
        """Number of the line read last."""

    def __enter__(self) -> Self:
        self._file = self._opened()
        self._hashing = _Hashing(self._file)
        self._raw = io.BufferedReader(self._hashing, 2**18)
        unpacked = gzip.GzipFile(fileobj=self._raw) if self._packed else self._raw
        self._stream = cast("BinaryIO", unpacked)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def file(self) -> BinaryIO:
        """The open file itself, for a reader that seeks."""
        return self._file

    def finish(self) -> str:
        """Read what is left and give the SHA-256 of the bytes on disk, as 64 hexadecimal digits."""
        if self.format == "parquet":
            self._file.seek(0)
        while self._guarded(self._raw.read, 2**20):
            pass
        return self._hashing.sha.hexdigest()

    def lines(self) -> Iterator[Line]:
        """All lines, split at LF only.

        Raises:
            InputError: The file is damaged, or of another kind than its name says.
        """
        offset = 0
        while data := self._guarded(self._stream.readline, MAX_ROW + 1):
            self.at += 1
            size = len(data)
            if self.at == 1:
                data = self._without_mark(data)
            if size > MAX_ROW:
                size += self._rest_of_line(data)
                yield Line(self.at, offset, None)
            else:
                yield Line(self.at, offset + size - len(data), data)
            offset += size

    def whole(self) -> bytes:
        """The whole file.

        Raises:
            InputError: It is damaged, of another kind than its name says, or too large.
        """
        data: bytes = self._guarded(self._stream.read, MAX_ARRAY + 1)
        if len(data) > MAX_ARRAY:
            raise self.error(f"a JSON array of more than {MAX_ARRAY:,} bytes; write one object per line, as .jsonl")
        return self._without_mark(data)

    def peek(self) -> bytes:
        """The first bytes that are no white space, without taking them."""
        stream = cast("io.BufferedReader", self._stream)
        return bytes(self._guarded(stream.peek, 2**12)).removeprefix(_UTF8_BOM).lstrip()

    def error(self, problem: str, line: int | None = None) -> InputError:
        """An error at this file, or at a line of it."""
        return InputError(f"{self.shown}:{line}: {problem}" if line else f"{self.shown}: {problem}")

    def _rest_of_line(self, data: bytes) -> int:
        """Pass over the rest of an over-long line, piece by piece; its size in bytes."""
        size = 0
        while data and not data.endswith(b"\n"):
            data = self._guarded(self._stream.readline, 2**20)
            size += len(data)
        return size

    def _guarded(self, read: Any, size: int) -> Any:
        try:
            return read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self.error(f"damaged gzip file ({error}) after line {self.at}; fetch it again") from None
        except OSError as error:
            raise self.error(f"cannot be read: {error.strerror or error}") from None

    def _without_mark(self, data: bytes) -> bytes:
        for start, advice in _FOREIGN_STARTS.items():
            if data.startswith(start):
                raise self.error(advice)
        return data.removeprefix(_UTF8_BOM)

    def _opened(self) -> BinaryIO:
        try:
            if self.path.is_dir():
                raise self.error("is a folder; name a file in it")
            if not self.path.exists():
                raise self.error(f"no such file{_nearest(self.path)}")
            if not self.path.is_file():
                raise self.error("is no regular file; save the rows in a file first")
            return self.path.open("rb")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise self.error(f"cannot be read: {reason or error}; check the path and its permissions") from None


def _format_of(path: Path, shown: str) -> tuple[Format, bool]:
    name = path.name.lower()
    packed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in _SUFFIXES or (packed and suffix == ".parquet"):
        if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for names that cannot be
            raise InputError(f"{shown}: no such file{_nearest(path)}")
        known = ", ".join(_SUFFIXES)
        raise InputError(f"{shown}: unknown kind of file; known are {known}, and each but .parquet with .gz")
    return _SUFFIXES[suffix], packed


def _nearest(path: Path) -> str:
    """The file in that folder whose name is most like it."""
    if not path.parent.is_dir():
        return f"; the folder {str(path.parent)!r} does not exist either"
    near = get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), n=1)
    return f"; did you mean {str(path.with_name(near[0]))!r}?" if near else "; check the path"
