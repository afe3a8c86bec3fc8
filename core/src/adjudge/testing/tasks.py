"""What every task must keep, as tests to inherit."""
# ruff: noqa: D102 - the names of the tests say what they hold

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar

import pytest

from adjudge.api import build_judge, installed, load_rubric, result_of
from adjudge.errors import InputError
from adjudge.interfaces import Item, TaskSpec
from adjudge.readout import READ_OUTS
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Label
from adjudge.tasks import parameters_of
from adjudge.verdict import Result, Verdict

_OVERALL = "overall"
_FROM_WHERE = r"https?://|\bfrom\b|\bon [\w-]+(\.[\w-]+)+"
_PREFERENCES = {"first", "second", "tie", "incomparable"}


class TaskContract:
    """Inherit it, name the class `Test…` and give the task; the plugin must be installed for its packs to be found."""

    GIVEN: ClassVar[Mapping[str, Any]] = {}
    """Parameters with which the data set is there; the defaults if empty."""
    MISSING: ClassVar[Mapping[str, Any] | None] = None
    """Parameters with which the data set is not there, for example a folder that does not exist; None if the data are
    shipped with the plugin."""

    def task(self) -> TaskSpec:
        """The task to test."""
        raise NotImplementedError("give the task: override task")

    def items(self) -> list[Item]:
        """The data set."""
        return list(self.task().dataset(**self._values()))

    def rubric(self) -> Rubric:
        """The task's rubric."""
        named = self.task().rubric
        return load_rubric(named) if isinstance(named, str) else named(**self._values())

    def test_it_says_in_one_line_what_it_is(self) -> None:
        assert self.task().name.strip()
        assert len(self.task().summary.splitlines()) == 1

    def test_parameters_have_unique_names_and_allowed_defaults(self) -> None:
        names = [parameter.name for parameter in self.task().parameters]
        assert len(set(names)) == len(names)
        assert parameters_of(self.task(), {}).keys() == set(names)
        for parameter in self.task().parameters:
            assert parameter.name.isidentifier(), f"{parameter.name!r} cannot be a keyword of dataset()"
            assert not parameter.choices or parameter.default in parameter.choices, parameter.name

    def test_every_item_has_an_id_of_its_own(self) -> None:
        ids = [item.id for item in self.items()]
        assert ids, "the data set is empty"
        repeated = {name for name in ids if ids.count(name) > 1} if len(set(ids)) < len(ids) else set()
        assert not repeated, f"ids that occur twice: {sorted(repeated)[:5]}"

    def test_the_data_set_is_the_same_twice(self) -> None:
        assert self.items() == self.items()

    def test_its_rubric_is_found(self) -> None:
        assert self.rubric().criteria

    def test_gold_labels_are_on_the_scale(self) -> None:
        rubric = self.rubric()
        faults = [fault for item in self.items() for fault in _label_faults(item, rubric)]
        assert not faults, "; ".join(faults[:5])

    def test_a_task_that_measures_the_judge_has_gold_labels(self) -> None:
        if self.task().kind != "meta":
            pytest.skip("measures no judge")
        bare = [item.id for item in self.items() if not item.labels]
        assert not bare, f"items without a gold label: {bare[:5]}"

    def test_answers_are_there_to_judge_or_left_to_the_candidate(self) -> None:
        answered = [bool(one.output) for item in self.items() for one in _submissions(item)]
        if self.task().kind == "candidate":
            assert not all(answered), "every item has an answer already, so no candidate would be asked"
        else:
            assert all(answered), "an item has nothing to judge"

    def test_what_it_asks_for_is_installed(self) -> None:
        task, plugins = self.task(), installed()
        asked = {"read_out": task.read_out, **task.judge_options}
        asked |= task.options(**self._values()) if task.options else {}
        judge = str(asked.pop("judge", task.judge))
        assert judge in plugins.judges, f"no judge named {judge!r}"
        assert asked["read_out"] in READ_OUTS, f"no read-out named {asked['read_out']!r}"
        assert task.solver in plugins.solvers, f"no solver named {task.solver!r}"
        build_judge(plugins, judge, asked)

    def test_metrics_cope_with_no_items_and_with_nothing_scored(self) -> None:
        items = self.items()
        results = [_unscored(item, self.rubric()) for item in items]
        for metric in self.task().metrics:
            for given in ((), ()), (items, results):
                figures = metric(*given)
                assert isinstance(figures, Mapping), f"{metric} gives a {type(figures).__name__}, not figures by name"
                nan = [name for name, figure in figures.items() if _has_nan(figure)]
                assert not nan, f"not a number, where None is meant: {nan}"

    def test_missing_data_say_what_to_get_from_where_under_which_licence_and_where_to_put_it(self) -> None:
        if self.MISSING is None:
            pytest.skip("the data are shipped")
        values = parameters_of(self.task(), self.MISSING)
        with pytest.raises(InputError) as caught:
            list(self.task().dataset(**values))
        said = str(caught.value)
        assert re.search(_FROM_WHERE, said), f"says not from where: {said}"
        assert re.search(r"licen[cs]e|public domain", said, re.IGNORECASE), f"says no licence: {said}"
        assert re.search(r"\b(put|place|save|copy|unpack|set)\b|-T ", said), f"says not where to put it: {said}"

    def _values(self) -> dict[str, Any]:
        return parameters_of(self.task(), self.GIVEN)


def _submissions(item: Item) -> Sequence[Any]:
    return item.submissions if isinstance(item, Comparison) else (item,)


def _label_faults(item: Item, rubric: Rubric) -> list[str]:
    own = item.rubric or rubric
    return [f"{item.id}: {fault}" for label in item.labels if (fault := _label_fault(item, label, own))]


def _label_fault(item: Item, label: Label, rubric: Rubric) -> str:
    criteria = {criterion.id: criterion for criterion in rubric.criteria}
    if label.criterion not in criteria:
        return "" if label.criterion == _OVERALL else f"{label.criterion!r} is no criterion"
    if isinstance(item, Comparison):
        return "" if label.level is None or label.level in _PREFERENCES else f"{label.level!r} is no preference"
    scale = criteria[label.criterion].scale
    if label.level is not None and label.level not in scale:
        return f"{label.level!r} is no level of {label.criterion!r}"
    if label.score is not None and (scale.range is None or not scale.range[0] <= label.score <= scale.range[1]):
        return f"{label.score} is not on the scale of {label.criterion!r}"
    return ""


def _unscored(item: Item, rubric: Rubric) -> Result:
    own = item.rubric or rubric
    names = [criterion.id for criterion in own.criteria] + ([_OVERALL] if isinstance(item, Comparison) else [])
    verdicts = [Verdict(submission=item.id, criterion=name, status="unscored", reason="infra") for name in names]
    return result_of(item, own, verdicts, installed())


def _has_nan(figure: Any) -> bool:
    if is_dataclass(figure) and not isinstance(figure, type):
        return _has_nan(asdict(figure))
    if isinstance(figure, Mapping):
        return any(map(_has_nan, figure.values()))
    if isinstance(figure, list | tuple):
        return any(map(_has_nan, figure))
    return isinstance(figure, float) and math.isnan(figure)
