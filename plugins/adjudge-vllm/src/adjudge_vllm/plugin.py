"""Registers this distribution with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from adjudge.hookspecs import hookimpl
from adjudge.interfaces import Backend, BackendSpec

INSTALL = "pip install 'adjudge-vllm[vllm]'"


def build(model: str | None = None, **options: Any) -> Backend:
    """Start the engine and load a model.

    Args:
        model: The folder of a checkpoint, the path of a `.gguf` file, the name of a preset, or `OWNER/NAME` of the
            Hugging Face hub.
        options: See `adjudge_vllm.options.Options`.

    Raises:
        BackendError: The model is missing, or the engine cannot start; the text says what to change.
        UnknownNameError: No such option or preset.
        UnsupportedError: An option has a value that it cannot take.
    """
    from adjudge_vllm.backend import VllmBackend
    from adjudge_vllm.models import locate
    from adjudge_vllm.options import Options

    chosen = Options.parse(options)
    return VllmBackend(locate(model, chosen), chosen)


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `vllm`."""
    return [
        BackendSpec(
            name="vllm",
            summary="vLLM in this process: many verdicts on a machine of your own, judge models as presets",
            build=build,
            requires=("vllm",),
            install=INSTALL,
            cards=files("adjudge_vllm") / "cards",
        )
    ]
