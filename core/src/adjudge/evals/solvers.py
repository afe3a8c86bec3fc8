"""Solvers of our tasks: take what was given or have the model under test answer; refuse a missing grader first."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from inspect_ai.model import ChatMessageAssistant, ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver

from adjudge.api import installed
from adjudge.engine import Engine
from adjudge.errors import UnsupportedError
from adjudge.evals.backend import InspectBackend
from adjudge.evals.bench import bench_of
from adjudge.evals.refusals import as_prerequisite
from adjudge.evals.submissions import GIVEN, given_output, item_of, item_of_sample
from adjudge.ledger import Ledger
from adjudge.options import refuse_options
from adjudge.plugins import lookup
from adjudge.submission import Comparison, Submission, as_text
from adjudge.unanswered import FAILURE


@solver
def require_grader(**scorer: Any) -> Solver:
    """Refuse before anything is generated: no grader, a judge that cannot start, a model that would grade itself.

    For the `setup` of a task; takes the arguments of the scorer `adjudge/rubric` that follows.
    """
    with as_prerequisite():
        bench = bench_of(scorer)

    async def check(state: TaskState, generate: Generate) -> TaskState:
        del generate
        with as_prerequisite():
            item, written = item_of(state)
            await bench.seat(item, str(state.model) if written else "")
        return state

    return check


@solver
def answer(solver: str = "generate", options: Mapping[str, Any] | None = None) -> Solver:
    """Take the output that the sample brings; have the model under test answer if it brings none.

    Args:
        solver: Name of a solver of adjudge; `generate` without options is inspect's own generation, with tools and
            limits.
        options: Options of the solver.
    """
    with as_prerequisite():
        chosen = _built(solver, options or {})

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        given = given_output(state.metadata)
        if given:
            return _given(state, as_text(given))
        if solver == "generate" and not options:
            return await generate(state)
        return await _solved(state, chosen)

    return solve


def _built(name: str, options: Mapping[str, Any]) -> Any:
    """The solver of adjudge with that name.

    Raises:
        UnknownNameError: There is none.
        UnsupportedError: It has no such option.
    """
    spec = lookup(installed(), installed().solvers, "solver", name)
    refuse_options(f"the solver {name!r}", spec.build, options)
    try:
        signature(spec.build).bind(**options)
    except TypeError as error:
        raise UnsupportedError(f"the solver {name!r} does not take these options: {error}") from error
    return spec.build(**options)


@solver
def given() -> Solver:
    """Take the output that the sample brings, an empty one too; no model is asked."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        return _given(state, as_text(given_output(state.metadata)))

    return solve


def _given(state: TaskState, text: str) -> TaskState:
    carried = item_of_sample(state.sample_id, state.metadata)
    if isinstance(carried, Comparison):
        text = "\n\n".join(as_text(one.output) for one in carried.submissions)
    state.output = ModelOutput.from_content(model=GIVEN, content=text)
    state.messages.append(ChatMessageAssistant(content=text, model=GIVEN))
    state.completed = True
    return state


async def _solved(state: TaskState, chosen: Any) -> TaskState:
    """Run a solver of adjudge over the model under test."""
    from inspect_ai.model import get_model

    item, _ = item_of(state)
    assert isinstance(item, Submission)  # a comparison brings its outputs
    metadata = {name: value for name, value in item.metadata.items() if name != FAILURE}
    asking = item.model_copy(update={"output": "", "metadata": metadata})
    with Ledger() as ledger:
        solved: Submission = await chosen.solve(asking, Engine(InspectBackend(get_model()), ledger))
    text = as_text(solved.output)
    state.metadata |= {name: value for name, value in solved.metadata.items() if name not in (*metadata, FAILURE)}
    state.output = ModelOutput.from_content(str(state.model), text, stop_reason="stop" if text else "unknown")
    state.messages.append(state.output.message)
    return state
