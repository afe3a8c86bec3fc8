"""Has a candidate answer before it is judged; its replies go to the same ledger."""

from __future__ import annotations

from adjudge.api import installed
from adjudge.cli.dry import DryBackend
from adjudge.cli.job import Job
from adjudge.engine import Engine, run_each
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Item
from adjudge.ledger import LEDGER, Ledger
from adjudge.plugins import build_backend, lookup
from adjudge.submission import Comparison, Submission

SAMPLE_WORDS = 150
"""Length of the answer that a dry run takes a candidate to give."""


async def answer_all(job: Job, engine: Engine) -> list[Item]:
    """Answer every submission that has no output yet.

    Args:
        job: Names the candidate, its solver and their options.
        engine: The judge's; the candidate spends from the same budget, and its replies go to the same ledger.

    Raises:
        UnknownNameError: There is no such backend or solver, or it has no such option.
        UnsupportedError: There is a comparison among them, or the candidate is not on this machine though it must be.
    """
    backend = _backend(job)
    try:
        return await _solved(job, engine.to(backend), backend.name)
    finally:
        await backend.aclose()


async def answer_dry(job: Job) -> tuple[list[Item], DryBackend]:
    """Count what the candidate would be asked; in place of answers stand texts of a usual length."""
    backend = _backend(job)
    dry = DryBackend(backend)
    path = job.out / LEDGER
    try:
        with Ledger(path if path.is_file() else ":memory:") as ledger:
            items = await _solved(job, Engine(dry, ledger), backend.name)
    finally:
        await backend.aclose()
    sample = "word " * SAMPLE_WORDS
    return [_submission(item).model_copy(update={"output": _submission(item).output or sample}) for item in items], dry


def _backend(job: Job) -> Backend:
    assert job.candidate is not None
    backend: Backend = build_backend(installed(), job.candidate, job.candidate_options)
    if job.how.local_only and not backend.capabilities.local:
        raise UnsupportedError(f"{backend.name} is not on this machine and --local-only is set")
    return backend


async def _solved(job: Job, engine: Engine, name: str) -> list[Item]:
    plugins = installed()
    solver = lookup(plugins, plugins.solvers, "solver", job.solver).build(**job.solver_options)
    answered: dict[int, Item] = {}

    async def answer(position: int) -> None:
        item = _submission(job.items[position])
        answered[position] = item if item.output else _signed(await solver.solve(item, engine), name)

    await run_each(engine, range(len(job.items)), answer)
    return [answered[position] for position in range(len(job.items))]


def _signed(submission: Submission, model: str) -> Submission:
    """Say who answered, so that a panel can tell its kin."""
    return submission.model_copy(update={"metadata": {**submission.metadata, "model": model}})


def _submission(item: Item) -> Submission:
    if isinstance(item, Comparison):
        raise UnsupportedError(f"a candidate answers submissions, {item.id!r} is a comparison")
    return item
