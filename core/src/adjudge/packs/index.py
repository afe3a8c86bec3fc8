"""The rubric packs of all installed distributions, found without reading more than is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path

from adjudge.errors import PackError, PluginError, Problem, UnknownNameError
from adjudge.packs.load import Pack, parse_pack
from adjudge.packs.tree import MAX_BYTES, peek_id

_MAX_FOLDERS_DEEP = 5


@dataclass(frozen=True, slots=True)
class PackEntry:
    """An installed pack that has not been loaded."""

    id: str
    """Id of its rubric, as far as the file's first lines tell."""
    distribution: str
    """Who brings it."""
    file: Traversable
    """Where it is."""
    name: str
    """What the file is called in messages: distribution and path inside the folder."""

    def load(self) -> Pack:
        """Read it.

        Raises:
            PackError: The pack is refused.
        """
        return parse_pack(_read(self.file, self.name), self.name, self.distribution)


class PackIndex:
    """Packs by id, over folders of YAML files.

    A broken pack never hides the others: `ids` and `get` work for the rest, and `broken` says what is wrong.
    Nothing outside the folders is read: links that lead out of them are refused.
    """

    def __init__(self, folders: Sequence[tuple[str, Traversable]]) -> None:
        """Take the folders; nothing is read yet.

        Args:
            folders: Pairs of a distribution's name and a folder of its packs.
        """
        self._folders = tuple(folders)
        self._loaded: dict[str, Pack] = {}

    def ids(self) -> dict[str, PackEntry]:
        """All packs whose id can be read, in order of id.

        Raises:
            PluginError: Two packs have one id.
        """
        entries: dict[str, PackEntry] = {}
        for entry in self._scan[0]:
            other = entries.setdefault(entry.id, entry)
            if other is not entry:
                raise PluginError(
                    f"two packs have the id {entry.id!r}: {other.name} of {other.distribution} and {entry.name} of "
                    f"{entry.distribution}; uninstall one, or switch it off with ADJUDGE_DISABLE={entry.distribution}"
                )
        return dict(sorted(entries.items()))

    def get(self, rubric_id: str) -> Pack:
        """Load the pack of that id, once.

        Raises:
            UnknownNameError: There is none; suggests the nearest.
            PackError: It is refused.
            PluginError: Two packs have this or another id in common.
        """
        entries = self.ids()
        if rubric_id not in entries:
            broken = ", ".join(self._scan[1])
            hint = "(see `adjudge rubrics`" + (f"; these could not be read: {broken})" if broken else ")")
            raise UnknownNameError("rubric", rubric_id, entries, hint)
        return self._load(entries[rubric_id])

    def _load(self, entry: PackEntry) -> Pack:
        if entry.name not in self._loaded:
            self._loaded[entry.name] = entry.load()
        return self._loaded[entry.name]

    def broken(self) -> dict[str, PackError]:
        """Load every pack and give the errors of those that are refused, by file name."""
        errors = dict(self._scan[1])
        for entry in self._scan[0]:
            try:
                self._load(entry)
            except PackError as error:
                errors[entry.name] = error
        return errors

    @cached_property
    def _scan(self) -> tuple[list[PackEntry], dict[str, PackError]]:
        """Entries whose id could be read, and errors of the files whose id could not."""
        entries: list[PackEntry] = []
        errors: dict[str, PackError] = {}
        for distribution, folder in self._folders:
            for name, file in _pack_files(folder):
                label = f"{distribution}/{name}"
                try:
                    entries.append(PackEntry(_id_of(file, folder, label), distribution, file, label))
                except PackError as error:
                    errors[label] = error
        return entries, errors


def _pack_files(folder: Traversable, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Traversable]]:
    """YAML files below a folder with their relative names, in order of name."""
    if depth > _MAX_FOLDERS_DEEP or not folder.is_dir():
        return
    for child in sorted(folder.iterdir(), key=lambda child: child.name):
        name = prefix + child.name
        if child.name.startswith("."):
            continue
        if child.name.endswith((".yaml", ".yml")):
            yield name, child
        elif child.is_dir() and not _is_link(child):
            yield from _pack_files(child, name + "/", depth + 1)


def _is_link(item: Traversable) -> bool:
    return isinstance(item, Path) and item.is_symlink()


def _id_of(file: Traversable, folder: Traversable, label: str) -> str:
    """The id in a pack's first lines.

    Raises:
        PackError: There is none, or the file must not or cannot be read.
    """
    if isinstance(file, Path) and isinstance(folder, Path) and not file.resolve().is_relative_to(folder.resolve()):
        raise _refusal(label, "the link leads out of the pack folder; put the file itself there", "outside")
    found = peek_id(_read(file, label), label)
    if not found:
        parse_pack(_read(file, label), label)
        raise _refusal(label, "the pack has no id; add `id: name`", "missing-field")
    return found


def _read(file: Traversable, label: str) -> bytes:
    if not file.is_file():
        raise _refusal(label, "is no ordinary file", "unreadable")
    try:
        with file.open("rb") as stream:
            data: bytes = stream.read(MAX_BYTES + 1)
            return data
    except OSError as error:
        raise _refusal(label, f"cannot be read: {error.strerror or error}", "unreadable") from None


def _refusal(label: str, message: str, rule: str) -> PackError:
    return PackError([Problem(label, 1, 1, message, rule)])
