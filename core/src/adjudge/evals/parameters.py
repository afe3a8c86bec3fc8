"""The `-T` parameters that every task has, besides its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adjudge.interfaces import Parameter, TaskSpec

_TABLE: dict[str, Any] = {}

COMMON = (
    Parameter(name="judge", summary="judge of adjudge: isolated, joint, panel, …; the task's if empty", default=""),
    Parameter(name="judge_options", summary="its options, as JSON", default=_TABLE),
    Parameter(
        name="read_out",
        summary="how a level is read; the task's if empty",
        default="",
        choices=("", "label", "reasoned"),
    ),
    Parameter(name="read_out_options", summary="its options, as JSON", default=_TABLE),
    Parameter(name="template", summary="prompt template; the rubric's if empty", default=""),
    Parameter(name="repeats", summary="votes per criterion; 0 leaves it to the task", default=0),
    Parameter(name="sampling", summary="decoding parameters of the judge, as JSON", default=_TABLE),
    Parameter(name="backend", summary="backend of adjudge, NAME:MODEL, in place of the role grader", default=""),
    Parameter(name="backend_options", summary="its options, as JSON", default=_TABLE),
    Parameter(
        name="judge_engine",
        summary="whose calls: inspect's models, or adjudge's own engine; auto takes the latter for models at home",
        default="auto",
        choices=("auto", "inspect", "adjudge"),
    ),
    Parameter(name="policy", summary="deadline, attempts, rates, budget, as JSON", default=_TABLE),
    Parameter(name="ledger", summary="file that keeps every reply; in memory if empty", default=""),
    Parameter(name="cache", summary="let inspect's cache answer for the grader", default=False),
    Parameter(name="self_grading", summary="allow the model under test to judge itself", default=False),
    Parameter(name="solver", summary="how a candidate answers; the task's if empty", default=""),
    Parameter(name="solver_options", summary="its options, as JSON", default=_TABLE),
)
"""Empty means: as the task or the judge has it."""
_OF_THE_TASK = ("solver", "solver_options")

GENERAL = TaskSpec(
    name="judge",
    summary="judges a data file by any rubric; the model under test answers first where a row has no output",
    kind="judge",
    dataset=lambda **_: (),
    rubric="",
    parameters=(
        Parameter(name="rubric", summary="id of an installed rubric, or path of a YAML file", default=""),
        Parameter(name="dataset", summary="data file: .jsonl, .csv or .parquet", default=""),
        Parameter(name="columns", summary="where a field stands, as JSON: {FIELD: COLUMN}", default=_TABLE),
    ),
)
"""The task of a YAML file with no Python."""


def scorer_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the common parameters those that the scorer takes and that were given."""
    names = [parameter for parameter in COMMON if parameter.name not in _OF_THE_TASK]
    return {one.name: values[one.name] for one in names if values[one.name] != one.default}
