"""Core's second plugin: the backend `inspect`, which stands above the layer of the other built-ins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjudge.hookspecs import hookimpl
from adjudge.interfaces import Backend, BackendSpec


def build_inspect(model: str | None = None, **options: Any) -> Backend:
    """The backend `inspect`; see `adjudge.evals.backend.build`."""
    from adjudge.evals.backend import build
    from adjudge.options import refuse_unknown

    refuse_unknown("option of the backend 'inspect'", options, (build.__kwdefaults__ or {}).keys())
    return build(model, **options)


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """Any model of inspect-ai."""
    return [
        BackendSpec(
            name="inspect",
            build=build_inspect,
            summary="any model of inspect-ai: inspect:openai/gpt-4o, inspect:google/…, or a role of the running eval",
            requires=("inspect_ai",),
            install="pip install 'adjudge[inspect]'",
        )
    ]
