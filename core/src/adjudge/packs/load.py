"""Loads rubric packs: strict YAML, then shape, then meaning."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from adjudge.errors import InputError, PackError, Problem
from adjudge.packs.findings import Findings, Place
from adjudge.packs.meaning import build_rubric
from adjudge.packs.schema import committed
from adjudge.packs.shape import check_shape
from adjudge.packs.tree import MAX_BYTES, Node, parse_tree
from adjudge.packs.typed import typed_value

if TYPE_CHECKING:
    from adjudge.rubric import Rubric


@dataclass(frozen=True, slots=True)
class Pack:
    """A rubric and the file that it came from."""

    rubric: Rubric
    """What it holds."""
    path: str
    """Its file, as it was named."""
    hash: str
    """Content hash of the rubric; comments and layout do not change it."""
    distribution: str | None = None
    """The installed distribution that brings it; None for a file of one's own."""
    tree: Node | None = field(default=None, repr=False, compare=False)
    """Where each part of it stands; None for a rubric built in Python."""

    def place(self, *path: str | int) -> Place:
        """Where a part of the rubric stands in the file; line 1 if it is not written there."""
        return Place(1, 1) if self.tree is None else self.tree.find(path).place


def parse_pack(data: bytes, name: str, distribution: str | None = None) -> Pack:
    """Read a pack from the bytes of its file.

    Args:
        data: The whole file.
        name: What to call it in messages.
        distribution: Who brings it.

    Raises:
        PackError: It is refused; holds every problem found, with its place.
    """
    findings = Findings(name)
    tree = parse_tree(data, findings)
    schema = committed("rubric")
    value = typed_value(tree, schema, findings)
    check_shape(value, tree, findings)
    findings.raise_if_any()
    rubric = build_rubric(value, tree, findings)
    return Pack(rubric, name, rubric.hash, distribution, tree)


@cache
def pack_of(package: str, name: str) -> Rubric:
    """A rubric that a distribution ships below `packs`, for example `pack_of("adjudge_letters", "letters/reply")`.

    Raises:
        PackError: It is refused, or not there.
    """
    file = files(package) / "packs" / f"{name}.yaml"
    if not file.is_file():
        raise PackError([Problem(f"{package}/packs/{name}.yaml", 1, 1, "there is no such file", "unreadable")])
    return parse_pack(file.read_bytes(), name).rubric


def load_pack(path: str | Path) -> Pack:
    """Read a pack from a file.

    Raises:
        InputError: The file cannot be read.
        PackError: The pack is refused; holds every problem found, with its place.
    """
    return parse_pack(_read(Path(path)), str(path))


def load_rubric_file(path: str | Path) -> Rubric:
    """Read the rubric in a file.

    Raises:
        InputError: The file cannot be read.
        PackError: The pack is refused.
    """
    return load_pack(path).rubric


def _read(path: Path) -> bytes:
    """Read an ordinary file, and of a too large one only as much as shows that it is."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: is no file; name a rubric file, for example my-rubric.yaml")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `adjudge new rubric NAME` writes one to start from") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
