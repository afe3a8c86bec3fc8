"""Writes a rubric pack to start from."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from adjudge.errors import InputError
from adjudge.packs.schema import as_text, committed, file_name

_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]*(/[a-z0-9][a-z0-9_\-]*)?")


def starter_pack(rubric_id: str, file: str) -> str:
    """The text of a complete pack that loads and has no lint warning.

    Args:
        rubric_id: Its id.
        file: Name of its file, for the comments.
    """
    text = (files("adjudge") / "packs" / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("{id}", rubric_id, 1).replace("{file}", file)


def new_rubric(rubric_id: str, folder: Path) -> tuple[Path, Path]:
    """Write a starter pack, and the schema that editors check it with beside it.

    Args:
        rubric_id: `name` or `domain/name`; the last part is the name of the file.
        folder: Where to; made if it does not exist.

    Returns:
        The pack and the schema; a schema that is there already stays as it is.

    Raises:
        InputError: The name cannot be an id, the pack's file exists already, or the folder cannot be written.
    """
    if not _NAME.fullmatch(rubric_id):
        raise InputError(
            f"{rubric_id!r} cannot be a rubric's id; write `name` or `domain/name` in small letters, digits, `_`, `-`"
        )
    pack = folder / f"{rubric_id.rpartition('/')[2]}.yaml"
    schema = folder / file_name("rubric")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with pack.open("x", encoding="utf-8") as stream:
            stream.write(starter_pack(rubric_id, pack.name))
        if not schema.exists():
            schema.write_text(as_text(committed("rubric")), encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{error.filename}: exists already; choose another name or remove it") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}; choose another folder with --dir") from None
    return pack, schema
