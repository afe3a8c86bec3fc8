"""Has a candidate answer before it is judged; its replies go to the same ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adjudge.api import installed
from adjudge.engine import Engine, run_each
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Item
from adjudge.ledger import Ledger
from adjudge.plugins import build_backend, lookup
from adjudge.submission import Comparison, Submission


async def answer_all(
    items: Sequence[Item],
    candidate: str,
    solver_name: str,
    ledger: Ledger,
    *,
    local_only: bool = False,
    solver_options: Mapping[str, Any] | None = None,
) -> list[Item]:
    """Answer every submission that has no output yet.

    Raises:
        UnknownNameError: There is no such solver, or it has no such option.
        UnsupportedError: There is a comparison among them, or the candidate is not on this machine though it must be.
    """
    plugins = installed()
    solver = lookup(plugins, plugins.solvers, "solver", solver_name).build(**(solver_options or {}))
    backend: Backend = build_backend(plugins, candidate)
    answered: dict[int, Item] = {}
    try:
        if local_only and not backend.capabilities.local:
            raise UnsupportedError(f"{backend.name} is not on this machine and --local-only is set")
        engine = Engine(backend, ledger)

        async def answer(position: int) -> None:
            item = _submission(items[position])
            answered[position] = item if item.output else _signed(await solver.solve(item, engine), backend.name)

        await run_each(engine, range(len(items)), answer)
    finally:
        await backend.aclose()
    return [answered[position] for position in range(len(items))]


def _signed(submission: Submission, model: str) -> Submission:
    """Say who answered, so that a panel can tell its kin."""
    return submission.model_copy(update={"metadata": {**submission.metadata, "model": model}})


def _submission(item: Item) -> Submission:
    if isinstance(item, Comparison):
        raise UnsupportedError(f"a candidate answers submissions, {item.id!r} is a comparison")
    return item
