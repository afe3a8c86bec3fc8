"""Registers this distribution with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from adjudge.hookspecs import hookimpl
from adjudge.interfaces import Backend, BackendSpec


def build(model: str | None = None, **options: Any) -> Backend:
    """Start the engine and load a model.

    Args:
        model: None for the model that is always there, the path of a `.gguf` file, the name of a preset, or
            `hf:OWNER/REPO/FILE.gguf`.
        options: See `adjudge_local.options.Options`.

    Raises:
        BackendError: The model is missing or damaged, or an option is unknown or out of range.
        UnknownNameError: No preset of that name.
    """
    from adjudge_local.backend import LocalBackend
    from adjudge_local.models import locate
    from adjudge_local.options import Options

    chosen = Options.parse(options)
    return LocalBackend(locate(model, download=chosen.download), chosen)


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `local`."""
    return [
        BackendSpec(
            name="local",
            summary="llama.cpp in this process: no server, no account, nothing leaves the machine",
            build=build,
            requires=("xllamacpp",),
            install="pip install adjudge-local",
            cards=files("adjudge_local") / "cards",
        )
    ]
