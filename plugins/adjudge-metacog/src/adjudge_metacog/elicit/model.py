"""The model that a command of `adjudge elicit` asks: its options, and the way to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adjudge.cli.options import pairs

if TYPE_CHECKING:
    from adjudge.interfaces import Ask, Backend

F = TypeVar("F", bound=Callable[..., Any])


def model_options(command: F) -> F:
    """Add the options that name the model."""
    for option in reversed(
        (
            click.option("--backend", default="local", show_default=True, help="NAME or NAME:MODEL."),
            click.option(
                "-B", "options", multiple=True, callback=pairs, metavar="NAME=VALUE", help="Option of the backend."
            ),
            click.option(
                "--local-only", is_flag=True, envvar="ADJUDGE_LOCAL_ONLY", help="Refuse backends beyond this machine."
            ),
        )
    ):
        command = option(command)
    return command


def with_model(
    path: Path,
    work: Callable[[Ask, Backend], Awaitable[None]],
    *,
    backend: str,
    options: dict[str, Any],
    local_only: bool,
) -> None:
    """Work with the model, whose replies are kept beside the store, so that nothing is asked twice."""
    from adjudge.api import installed
    from adjudge.engine import Engine
    from adjudge.errors import UnsupportedError
    from adjudge.ledger import Ledger
    from adjudge.plugins import build_backend

    built: Backend = build_backend(installed(), backend, options)

    async def run() -> None:
        try:
            if local_only and not built.capabilities.local:
                raise UnsupportedError(f"{built.name} is not on this machine and --local-only is set")
            with Ledger(path.with_name(f"{path.name}.ledger.sqlite")) as ledger:
                await work(Engine(built, ledger), built)
        finally:
            await built.aclose()

    asyncio.run(run())
