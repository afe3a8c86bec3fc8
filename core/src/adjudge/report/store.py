"""Where judge cards are kept: a folder of the user's own, and folders that come with a backend."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from adjudge.report.cards import JudgeCard
from adjudge.report.export import write_files

LARGEST = 1 << 20
"""Most bytes read of a card."""


class CardStore:
    """Judge cards by backend, read-out and rubric."""

    def __init__(self, folder: Path | None = None, shipped: Sequence[Traversable] = ()) -> None:
        """Name the folders.

        Args:
            folder: The user's own; `default_folder()` if None. Made when the first card is saved.
            shipped: Read-only folders of cards (`BackendSpec.cards`); a card of the user's own goes first.
        """
        self.folder = default_folder() if folder is None else folder
        """Where cards are saved."""
        self.shipped = tuple(shipped)
        """Where else they are looked for."""
        self.warnings: list[str] = []
        """Cards that could not be read, one line each; filled by `find`."""

    def save(self, card: JudgeCard) -> Path:
        """Keep a card in place of an older one of the same backend, read-out, rubric and judge.

        Raises:
            InputError: The folder cannot be written.
        """
        key = _key(card.backend_hash, card.read_out, card.rubric_hash)
        name = f"{key}-{hashlib.sha256(card.judge.encode()).hexdigest()[:8]}.json"
        write_files(self.folder, {name: (card.model_dump_json(indent=2) + "\n").encode()})
        return self.folder / name

    def find(self, backend_hash: str, read_out: str, rubric_hash: str, judge: str | None = None) -> JudgeCard | None:
        """The newest card of this backend, read-out and rubric; None if there is none.

        A file that is no card is passed over and named in `warnings`.

        Args:
            backend_hash: Hash of the backend's identity.
            read_out: `label` or `reasoned`.
            rubric_hash: Content hash of the rubric.
            judge: Name of the judge; any if None.
        """
        self.warnings.clear()
        for file in (self._own(_key(backend_hash, read_out, rubric_hash)), self._shipped()):
            fitting = [
                card
                for card in map(self._read, file)
                if card is not None
                and (card.backend_hash, card.read_out, card.rubric_hash) == (backend_hash, read_out, rubric_hash)
                and judge in (None, card.judge)
            ]
            if fitting:
                return max(fitting, key=lambda card: card.date)
        return None

    def _own(self, key: str) -> Iterator[Traversable]:
        yield from sorted(self.folder.glob(f"{key}-*.json"))

    def _shipped(self) -> Iterator[Traversable]:
        for folder in self.shipped:
            try:
                files = sorted(folder.iterdir(), key=lambda file: file.name)
            except OSError as error:
                self.warnings.append(f"judge cards of {folder} ignored: {error.strerror or error}")
                continue
            yield from (file for file in files if file.name.endswith(".json"))

    def _read(self, file: Traversable) -> JudgeCard | None:
        try:
            with file.open("rb") as stream:
                content = stream.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise ValueError(f"larger than {LARGEST:,} bytes")  # noqa: TRY301 - one place tells of every bad file
            return JudgeCard.model_validate_json(content)
        except (OSError, ValueError) as error:
            self.warnings.append(f"judge card {file} ignored: {_why(error)}; delete it or measure again")
            return None


def default_folder() -> Path:
    """`$ADJUDGE_CACHE/cards`, or `adjudge/cards` in the user's cache folder (`$XDG_CACHE_HOME`, `~/.cache`)."""
    if own := os.environ.get("ADJUDGE_CACHE"):
        return Path(own) / "cards"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adjudge" / "cards"


def _key(backend_hash: str, read_out: str, rubric_hash: str) -> str:
    return hashlib.sha256(f"{backend_hash}\0{read_out}\0{rubric_hash}".encode()).hexdigest()[:24]


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
    return getattr(error, "strerror", None) or str(error)
