"""Registers this distribution with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjudge.hookspecs import hookimpl
from adjudge.interfaces import Backend, BackendSpec


def build_openai(model: str | None = None, **options: Any) -> Backend:
    """Make the backend `openai`.

    Args:
        model: Id of the model, or name of the Azure deployment.
        options: See `adjudge_openai.options.OpenAIOptions`.

    Raises:
        BackendError: No model or no key, or a bad endpoint.
        UnknownNameError: There is no such option.
        UnsupportedError: An option has a value that it cannot take.
    """
    from adjudge_openai.official import OpenAIBackend
    from adjudge_openai.options import OpenAIOptions, parsed_options

    return OpenAIBackend(model, parsed_options(OpenAIOptions, "openai", options))


def build_compatible(model: str | None = None, **options: Any) -> Backend:
    """Make the backend `openai-compatible`; nothing is sent yet.

    Args:
        model: Name of the model as the server calls it.
        options: See `adjudge_openai.options.CompatibleOptions`.

    Raises:
        BackendError: No model or no endpoint, or a bad endpoint.
        UnknownNameError: There is no such option or server.
        UnsupportedError: An option has a value that it cannot take.
    """
    from adjudge_openai.compatible import CompatibleBackend
    from adjudge_openai.options import CompatibleOptions, parsed_options

    return CompatibleBackend(model, parsed_options(CompatibleOptions, "openai-compatible", options))


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backends `openai` and `openai-compatible`."""
    return [
        BackendSpec(
            name="openai",
            summary="OpenAI and Azure: chat completions or responses, and the batch API at half the price",
            build=build_openai,
            requires=("openai", "orjson"),
            install="pip install adjudge-openai",
        ),
        BackendSpec(
            name="openai-compatible",
            summary="any server that speaks chat completions: vLLM, llama.cpp, SGLang, Ollama, LM Studio, gateways",
            build=build_compatible,
            requires=("aiohttp", "orjson"),
            install="pip install adjudge-openai",
        ),
    ]
