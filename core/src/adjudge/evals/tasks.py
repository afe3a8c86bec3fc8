"""Inspect tasks: one for every installed `TaskSpec`, and `judge` for any rubric and data file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from inspect import Parameter as Argument
from inspect import Signature
from logging import getLogger
from pathlib import Path
from typing import Any

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.log import HeadlineMetric
from inspect_ai.solver import Solver

from adjudge import __version__
from adjudge.api import installed
from adjudge.errors import InputError, PluginError
from adjudge.evals.graders import refuse_now, refuse_unanswered
from adjudge.evals.parameters import COMMON, GENERAL, scorer_arguments
from adjudge.evals.reducers import epochs_mean
from adjudge.evals.refusals import as_prerequisite
from adjudge.evals.scorer import rubric as rubric_scorer
from adjudge.evals.scores import KEY, TOTAL
from adjudge.evals.settings import Asked
from adjudge.evals.solvers import answer, given, require_grader
from adjudge.evals.submissions import sample_of
from adjudge.interfaces import Item, TaskSpec
from adjudge.submission import Submission
from adjudge.tasks import parameters_of

Factory = Callable[..., Task]
_log = getLogger(__name__)


def register_tasks() -> dict[str, Factory]:
    """Make an inspect task of every installed task; what is broken hides no other.

    A plugin that does not load gets a task of its own name that says what is wrong.
    """
    made = {GENERAL.name: _registered(GENERAL, build_general)}
    try:
        plugins = installed()
        specs, failures = plugins.tasks, plugins.failures
    except PluginError as error:
        _log.warning("adjudge: %s", error)
        return made
    for name, why in failures.items():
        _log.warning("adjudge: the plugin %r did not load: %s", name, why)
        made[name] = _placeholder(name, f"the plugin {name!r} did not load: {why}")
    for name, spec in specs.items():
        if name == GENERAL.name:
            name = f"{name}-task"  # noqa: PLW2901 - the name is taken
            made[name] = _placeholder(name, f"a plugin brings a task named {GENERAL.name!r}, which is core's own")
        else:
            made[name] = _registered_or_placeholder(spec)
    return made


def _registered_or_placeholder(spec: TaskSpec) -> Factory:
    taken = {parameter.name for parameter in spec.parameters} & {parameter.name for parameter in COMMON}
    if taken:
        why = f"the task {spec.name!r} has parameters that every task has: {', '.join(sorted(taken))}"
        return _placeholder(spec.name, why)
    return _registered(spec, partial(build_task, spec))


def _registered(spec: TaskSpec, build: Callable[[Mapping[str, Any]], Task]) -> Factory:
    """The registered factory; inspect reads its parameters off the signature, and only warns about others."""
    known = (*spec.parameters, *COMMON)
    whole = replace(spec, parameters=known)

    def factory(**values: Any) -> Task:
        with as_prerequisite():
            return build(parameters_of(whole, values))

    arguments = [Argument(one.name, Argument.KEYWORD_ONLY, default=one.default) for one in known]
    rest = Argument("others", Argument.VAR_KEYWORD)
    factory.__signature__ = Signature([*arguments, rest])  # type: ignore[attr-defined] # read by inspect.signature
    factory.__name__ = factory.__qualname__ = spec.name
    factory.__doc__ = spec.summary
    return task(name=spec.name)(factory)


def _placeholder(name: str, why: str) -> Factory:
    def factory(**values: Any) -> Task:
        del values
        with as_prerequisite():
            raise PluginError(why)

    factory.__name__ = factory.__qualname__ = name
    return task(name=name)(factory)


def build_task(spec: TaskSpec, values: Mapping[str, Any]) -> Task:
    """The inspect task of a spec.

    Args:
        spec: The task.
        values: All its parameters, and the common ones.

    Raises:
        AdjudgeError: The data set is not there, or a name or option cannot be.
    """
    own = {parameter.name: values[parameter.name] for parameter in spec.parameters}
    arguments = {**scorer_arguments(values), "task": spec.name}
    if own:
        arguments["task_args"] = own
    items = list(spec.dataset(**own))
    candidate = spec.kind == "candidate"
    solver = _solver(values, spec.solver) if candidate else None
    return _task(spec.name, items, arguments, solver)


def build_general(values: Mapping[str, Any]) -> Task:
    """The task `judge`: a data file by a rubric; rows without an output are answered by the model under test first.

    Raises:
        AdjudgeError: The file or the rubric cannot be read.
    """
    from adjudge.dataset import read_items

    if not values["dataset"]:
        raise InputError("task 'judge': name a data file: -T dataset=FILE.jsonl (or .csv, .parquet)")
    columns = {field: str(column) for field, column in values["columns"].items()}
    items = read_items(Path(values["dataset"]), columns=columns, needs_output=False).items
    arguments = scorer_arguments(values)
    if values["rubric"]:
        arguments["rubric"] = values["rubric"]
    lacking = [item.id for item in items if isinstance(item, Submission) and not item.output]
    return _task(GENERAL.name, items, arguments, _solver(values, "generate") if lacking else None)


def _solver(values: Mapping[str, Any], default: str) -> Solver:
    """How the model under test answers."""
    return answer(values["solver"] or default, values["solver_options"])


def _task(name: str, items: Sequence[Item], arguments: Mapping[str, Any], solver: Solver | None) -> Task:
    """The task; `solver` is how the model under test answers, None if it does not."""
    if not items:
        raise InputError(f"task {name!r}: the data set is empty")
    asked = Asked(**arguments)
    _refuse_without_rubric(asked, items)
    if solver is not None:
        refuse_unanswered(items)
    refuse_now(asked, answers=solver is not None)
    shared = asked.shared
    return Task(
        dataset=MemoryDataset([sample_of(item) for item in items], name=name),
        # Where outputs are given nothing is paid for before the scorer looks for its judge.
        setup=None if solver is None else require_grader(**arguments),
        solver=given() if solver is None else solver,
        scorer=rubric_scorer(**arguments),
        version=shared[0].version if shared else 0,
        metadata={KEY: provenance(asked)},
        epochs=Epochs(1, epochs_mean()),
        headline_metric=HeadlineMetric(scorer="rubric", score=TOTAL, metric="mean"),
    )


def _refuse_without_rubric(asked: Asked, items: Sequence[Item]) -> None:
    if asked.shared is None:
        lacking = [item.id for item in items if not (isinstance(item, Submission) and item.rubric)]
        if lacking:
            raise InputError(f"{lacking[0]!r} brings no rubric and none was given; use -T rubric=ID or PATH")


def provenance(asked: Asked) -> dict[str, Any]:
    """What goes into the log's header: task, its distribution, rubric with hash, version of adjudge."""
    mark = asked.shared[1] if asked.shared else None
    return {
        "adjudge": __version__,
        **({"task": asked.task} if asked.task else {}),
        **(
            {"rubric": mark.model_dump(mode="json", exclude_defaults=True)} if mark else {"rubric": "each sample's own"}
        ),
    }
