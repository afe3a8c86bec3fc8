"""From what the user asked for to a model on this disk."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from adjudge.errors import BackendError, UnknownNameError
from adjudge_vllm.checksums import sha256_of
from adjudge_vllm.options import Options
from adjudge_vllm.presets import Preset, presets

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt", "tokenizer*"]
_DUMMY = "dummy"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was found and looks like one."""

    name: str
    """Name for people."""
    path: Path
    """Folder of the checkpoint, or a GGUF file."""
    sha256: str
    """Hash of all its files, as hex digits."""
    preset: Preset | None = None
    """The preset that it is asked through."""
    adapter: str = ""
    """Hash of the LoRA adapter's files; empty without one."""


def locate(model: str | None, options: Options) -> Model:
    """Find a model.

    Args:
        model: A folder, the path of a GGUF file, a preset, or `OWNER/NAME` of the hub.
        options: `download` says whether the hub may be asked; `preset`, `lora` and `tokenizer` are looked up here.

    Raises:
        BackendError: It is missing, is no model, or would have to be downloaded and `download` is not set.
        UnknownNameError: No preset of that name.
    """
    known = presets()
    if model is None:
        raise BackendError(f"vllm: name a model: vllm:/path/of/a/checkpoint, or a preset: {', '.join(known)}")
    preset = _preset(options.preset) if options.preset else known.get(model)
    adapter = _adapter(Path(options.lora).expanduser()) if options.lora else ""
    path = _path(known[model].model if model in known else model, options, known.get(model))
    try:
        # A model of the hub lies in a folder that is named by its revision.
        name = path.name if Path(model).expanduser().exists() else model
        return Model(name, path, sha256_of(path), preset, adapter)
    except OSError as error:
        raise BackendError(f"model {path} cannot be read: {error.strerror or error}; check the path") from None


def _preset(name: str) -> Preset:
    known = presets()
    if name not in known:
        raise UnknownNameError("preset", name, known)
    return known[name]


def _path(model: str, options: Options, preset: Preset | None) -> Path:
    path = Path(model).expanduser()
    if path.is_dir() or path.suffix == ".gguf":
        return _checked(path, options)
    if _HUB_ID.fullmatch(model):
        return _fetched(model, options, preset)
    if "/" in model or "\\" in model or path.exists():
        raise BackendError(f"model {path} is no folder of a checkpoint and no .gguf file; check the path")
    hint = "(or give the folder of a checkpoint, or OWNER/NAME of the Hugging Face hub)"
    raise UnknownNameError("preset of the backend vllm", model, presets(), hint=hint)


def _checked(path: Path, options: Options) -> Path:
    """A folder with a configuration and weights, or a GGUF file with a tokenizer beside it."""
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BackendError(f"model file {path} is not there; check the path")
        if options.tokenizer is None:
            raise BackendError(f"vllm: {path.name} needs the option tokenizer: the folder of the original checkpoint")
        return path
    if not (path / "config.json").is_file():
        raise BackendError(f"{path} holds no config.json; give the folder of a checkpoint")
    if not _has_weights(path, options):
        raise BackendError(
            f"{path} holds no weights (*.safetensors); download them, or try speed with load_format=dummy"
        )
    return path


def _has_weights(folder: Path, options: Options) -> bool:
    return options.load_format == _DUMMY or any((*folder.glob("*.safetensors"), *folder.glob("*.bin")))


def _adapter(folder: Path) -> str:
    if not (folder / "adapter_config.json").is_file():
        raise BackendError(f"vllm: {folder} holds no adapter_config.json; give the folder of a LoRA adapter")
    return sha256_of(folder)


def _fetched(repo: str, options: Options, preset: Preset | None) -> Path:
    """The model's folder in the hub's cache on this machine, downloaded first if that was asked for."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        raise BackendError(f"{repo} is fetched by huggingface_hub, which comes with vllm; give a folder") from None
    try:
        found = Path(snapshot_download(repo, local_files_only=True))
        # A download that was broken off leaves a folder too.
        if _has_weights(found, options):
            return found
    except LocalEntryNotFoundError:
        pass
    about = f" (licence: {preset.licence})" if preset else ""
    if not options.download:
        raise BackendError(
            f"{repo}{about} is not on this machine; to download it, set ADJUDGE_DOWNLOAD=1 or the option download=true"
        )
    print(f"downloading {repo}{about}", file=sys.stderr, flush=True)  # noqa: T201 - progress for people
    try:
        return Path(snapshot_download(repo, allow_patterns=_FILES))
    # Whatever the hub's client or the network raises, the user needs one line and the way round it.
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackendError(
            f"cannot download {repo}: {reason}; download it by other means and give its folder"
        ) from error
