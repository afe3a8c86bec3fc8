"""Judge models as small declarative files: which model, how it is asked, how its reply is read."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import field_validator, model_validator

from adjudge.errors import PluginError
from adjudge.rubric import Frozen

SLOTS: Mapping[str, frozenset[str]] = {
    "system": frozenset({"system"}),
    "input": frozenset({"input"}),
    "output": frozenset({"output"}),
    "ask": frozenset({"ask", "choices"}),
}
"""What each segment of a format may hold: the prompt's segment of that name, and for the last one the choices. So
everything before the criterion stays the same for all criteria of a submission."""
_SLOT = re.compile(r"\{([a-z_]+)\}")
_GROUPS = {"explanation", "level", "quotes"}


class Format(Frozen):
    """A prompt format and the read-out that belongs to it."""

    system: str = "{system}"
    """System turn."""
    input: str = "{input}"
    """First part of the user turn."""
    output: str = "{output}"
    """Second part."""
    ask: str
    """Last part; says how to answer."""
    choice: str
    """One line of `{choices}`, with `{number}` and `{word}`."""
    reply: str
    """Pattern of a whole reply, with the group `level` and, where the format has them, `explanation` and `quotes`."""
    lead: str
    """What the model writes right before the level."""
    before: tuple[str, ...] = ("", " ")
    """White space that may stand between the lead and the level."""
    max_tokens: int = 1024
    """Most tokens to write before the level, when only its probability is wanted."""

    @model_validator(mode="after")
    def _closed(self) -> Format:
        for segment, allowed in SLOTS.items():
            for slot in _SLOT.findall(getattr(self, segment)):
                if slot not in allowed:
                    raise ValueError(f"{segment} has the slot {{{slot}}}; allowed: {', '.join(sorted(allowed))}")
        groups = set(re.compile(self.reply).groupindex)
        if not {"level"} <= groups <= _GROUPS:
            raise ValueError(
                f"the pattern needs the group level and may have {sorted(_GROUPS)}; it has {sorted(groups)}"
            )
        return self


class Preset(Frozen):
    """A judge model."""

    name: str
    """Name on the command line: `--backend vllm:name`."""
    model: str
    """Owner and name on the Hugging Face hub."""
    summary: str
    """One line about it."""
    licence: str
    """Licence by its page."""
    sources: tuple[str, ...]
    """Model page and paper."""
    checked: str
    """What of this file was checked against the sources, and what was not."""
    format: Format | None = None
    """The model's own prompt format; None if it is asked like any chat model."""

    @field_validator("sources")
    @classmethod
    def _has_sources(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("a preset names its sources")
        return value

    @property
    def digest(self) -> str:
        """Hash of the format; part of the backend's identity."""
        return hashlib.sha256(self.format.model_dump_json().encode()).hexdigest() if self.format else ""


@cache
def presets() -> Mapping[str, Preset]:
    """The presets that come with this distribution, by name.

    Raises:
        PluginError: One is malformed.
    """
    found = [_load(file.name, file.read_text("utf-8")) for file in (files("adjudge_vllm") / "presets").iterdir()]
    return {preset.name: preset for preset in sorted(found, key=lambda preset: preset.name)}


def _load(file: str, text: str) -> Preset:
    try:
        preset = Preset.model_validate(tomllib.loads(text))
    except ValueError as error:
        raise PluginError(f"preset {file}: {' '.join(str(error).split())}") from error
    if file != f"{preset.name}.toml":
        raise PluginError(f"preset {file} is named {preset.name!r}; both must be the same")
    return preset
