"""Writing items as JSON lines that `read_items` reads back unchanged."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from adjudge.dataset.columns import Columns
from adjudge.dataset.items import Builder
from adjudge.dataset.source import MAX_ROW, Row, RowError, brief
from adjudge.dataset.strict_json import Decoder
from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.submission import Comparison, Submission


def write_items(path: str | Path, items: Iterable[Item]) -> None:
    """Write items as `.jsonl` or `.jsonl.gz`, one per line; a file of that name is replaced at the end.

    Args:
        path: Where to write.
        items: Submissions or comparisons with unique ids, of one kind.

    Raises:
        InputError: The file cannot be written, or an item cannot be read back (an infinite number, a NUL, …); the
            file that was there is untouched.
    """
    target = Path(path)
    packed = target.name.endswith((".jsonl.gz", ".ndjson.gz"))
    if not packed and target.suffix not in (".jsonl", ".ndjson"):
        raise InputError(f"{path}: items are written as .jsonl or .jsonl.gz; name the file so")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            _write(file, packed, _lines(items))
        part.replace(target)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}; choose another folder") from None
    finally:
        _remove(part)


def _write(file: BinaryIO, packed: bool, lines: Iterator[bytes]) -> None:
    if not packed:
        file.writelines(lines)
        return
    # No name and no time in the header: equal items give equal bytes.
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream:
        cast("BinaryIO", stream).writelines(lines)


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return


def _lines(items: Iterable[Item]) -> Iterator[bytes]:
    decoder, seen, kind = Decoder(), set[str](), None
    for item in items:
        if not item.id or item.id in seen:
            raise InputError(f"the id {brief(item.id)} is empty or stands twice; ids are unique")
        if kind not in (None, type(item)):
            raise InputError(f"the item {brief(item.id)} is of another kind than those before it; write two files")
        seen.add(item.id)
        kind = type(item)
        yield _line(decoder, item)


def _line(decoder: Decoder, item: Item) -> bytes:
    row = _comparison(item) if isinstance(item, Comparison) else _submission(item)
    try:
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
        line = f"{text}\n".encode()
        if Builder(Columns({})).item(Row(1, "", decoder.decode(text))) != item:
            raise RowError("it would be read back as another one")  # noqa: TRY301 - told like the other reasons
    except (ValueError, RecursionError, RowError) as error:
        raise InputError(f"the item {brief(item.id)} cannot be written: {error}") from None
    if len(line) > MAX_ROW:
        raise InputError(f"the item {brief(item.id)} cannot be written: it is larger than {MAX_ROW:,} bytes")
    return line


def _submission(item: Submission) -> dict[str, Any]:
    """The fields that are set; input and output always, so that a reader finds them."""
    dumped = item.model_dump(mode="json", exclude_defaults=True)
    for turn in (turn for field in ("input", "output") for turn in dumped.get(field, ()) if isinstance(turn, dict)):
        turn.setdefault("kind", "text")  # what a tool says is taken for a result unless it is said that it is none
    return {"id": item.id, "input": "", "output": "", **dumped}


def _comparison(item: Comparison) -> dict[str, Any]:
    dumped = item.model_dump(mode="json", exclude_defaults=True, exclude={"submissions"})
    return {"id": item.id, "submissions": [_submission(one) for one in item.submissions], **dumped}
