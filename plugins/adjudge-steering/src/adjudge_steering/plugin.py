"""Registers this distribution with adjudge; torch waits until a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adjudge import BackendSpec, hookimpl
from adjudge.errors import BackendError
from adjudge.interfaces import Backend

if TYPE_CHECKING:
    import click

INSTALL = "pip install 'adjudge-steering[torch]'"


def build(model: str | None = None, **options: Any) -> Backend:
    """Load a model and the vectors that it is steered by.

    Args:
        model: Folder of a checkpoint, or path of a `.gguf` file.
        options: See `adjudge_steering.options.Options`.

    Raises:
        BackendError: The model is missing or cannot be loaded.
        InputError: The vectors cannot be read or belong to another model.
        UnknownNameError: There is no such option.
        UnsupportedError: An option has a value that it cannot take.
    """
    from adjudge_steering.backend import SteeringBackend
    from adjudge_steering.options import Options
    from adjudge_steering.vectors import load_vectors
    from adjudge_steering.weights import load_weights

    chosen = Options.parse(options)
    if model is None:
        raise BackendError("the backend steering needs a model: --backend steering:FOLDER")
    weights = load_weights(model, dtype=chosen.dtype, threads=chosen.threads, device=chosen.device)
    if chosen.vectors is None:
        return SteeringBackend(weights, {}, chosen)
    vectors = load_vectors(chosen.vectors, weights.fingerprint)
    return SteeringBackend(weights, vectors.additions(chosen.rules, chosen.strength), chosen)


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `steering`."""
    return [
        BackendSpec(
            name="steering",
            summary="open weights in this process, steered towards rules by directions in their hidden states",
            build=build,
            requires=("torch", "transformers"),
            install=INSTALL,
        )
    ]


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The command `steer`."""
    from adjudge_steering.commands import steer

    return [steer]
