"""What the plugin brings; heavy imports wait until something is built."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import Backend, BackendSpec, TaskSpec, hookimpl
from adjudge_example.generous import adjudge_judges as adjudge_judges  # noqa: PLC0414 - a hook may live elsewhere


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `keywords`."""
    return [BackendSpec(name="keywords", build=_keywords, summary="looks for the words that a criterion quotes")]


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The pack `example/courtesy`."""
    return [files("adjudge_example") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """The task `example-courtesy`."""
    from adjudge_example.tasks import COURTESY

    return [COURTESY]


def _keywords(model: str | None = None, *, context_tokens: int = 20_000) -> Backend:
    from adjudge_example.keywords import KeywordBackend

    del model  # there is only one
    return KeywordBackend(context_tokens=context_tokens)


__all__ = ["adjudge_backends", "adjudge_judges", "adjudge_rubric_packs", "adjudge_tasks"]
