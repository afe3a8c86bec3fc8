"""Registers this distribution with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjudge.hookspecs import hookimpl
from adjudge.interfaces import Backend, BackendSpec


def build(model: str | None = None, **options: Any) -> Backend:
    """Make the backend; nothing is sent yet.

    Args:
        model: Id of the model.
        options: See `adjudge_anthropic.options.Options`.

    Raises:
        BackendError: No model or no key, or a bad endpoint.
        UnknownNameError: There is no such option.
        UnsupportedError: An option has a value that it cannot take.
    """
    from adjudge_anthropic.backend import AnthropicBackend
    from adjudge_anthropic.options import Options

    return AnthropicBackend(model, Options.parse(options))


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `anthropic`."""
    return [
        BackendSpec(
            name="anthropic",
            summary="Anthropic's models, with a cache breakpoint after the evidence; message batches at half the price",
            build=build,
            requires=("anthropic", "orjson"),
            install="pip install adjudge-anthropic",
        )
    ]
