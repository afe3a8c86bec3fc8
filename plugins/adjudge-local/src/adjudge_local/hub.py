"""Judge models on the Hugging Face hub: a small table, and the fetching of one file."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from adjudge.errors import BackendError

_INSTALL = "pip install 'adjudge-local[hub]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One file on the hub."""

    name: str
    """Name on the command line: `--backend local:name`."""
    repo: str
    """Owner and repository."""
    file: str
    """Path of the file in it."""
    gigabytes: float | None = None
    """Size in 10⁹ bytes by the model page; None if not known before the download."""
    licence: str = "see its page"
    """Licence by the model page."""
    origin: str = "chosen by you"
    """Who made the file."""
    summary: str = ""
    """One line about the model."""

    @classmethod
    def of_hub(cls, text: str) -> Preset:
        """Read `hf:OWNER/REPO/FILE.gguf`.

        Raises:
            BackendError: It does not have that form.
        """
        parts = text.removeprefix("hf:").split("/", 2)
        if len(parts) != 3 or not all(parts) or not parts[2].endswith(".gguf"):  # noqa: PLR2004 (owner, repo, file)
            raise BackendError(f"{text!r} names no file on the hub; write hf:OWNER/REPO/FILE.gguf")
        return cls(name=text, repo=f"{parts[0]}/{parts[1]}", file=parts[2])

    @property
    def notice(self) -> str:
        """What the user should know before the download."""
        size = f"{self.gigabytes:.2f} GB" if self.gigabytes else "size: see its page"
        return f"{self.repo}/{self.file}: {size}, licence: {self.licence}, {self.origin}"


def presets() -> dict[str, Preset]:
    """The table that comes with this distribution, by name."""
    table = tomllib.loads((files("adjudge_local") / "presets.toml").read_text(encoding="utf-8"))
    return {name: Preset(name=name, **row) for name, row in table.items()}


def fetch(preset: Preset, *, download: bool, say: Callable[[str], object] | None = None) -> Path:
    """The preset's file on this machine, downloaded first if that was asked for.

    Args:
        preset: What to fetch.
        download: Whether the hub may be asked; if not, only its cache on this machine is looked at.
        say: Takes the notice with size and licence before a download; by default it goes to standard error.

    Raises:
        BackendError: It is not here and may not or cannot be fetched; says what to do.
    """
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        raise BackendError(f"local:{preset.name} is fetched by huggingface_hub; run `{_INSTALL}`") from None
    try:
        return Path(hf_hub_download(preset.repo, preset.file, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    if not download:
        raise BackendError(
            f"local:{preset.name} is not on this machine ({preset.notice}); to download it, "
            "set ADJUDGE_DOWNLOAD=1 or the option download=true"
        )
    (say or _to_stderr)(f"downloading {preset.notice}")
    try:
        return Path(hf_hub_download(preset.repo, preset.file))
    # Whatever the hub's client or the network raises, the user needs one line and the way round it.
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackendError(
            f"cannot download {preset.repo}/{preset.file}: {reason}; download it by other means and give its path"
        ) from error


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress for people
