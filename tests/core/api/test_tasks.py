"""Tasks: parameters are typed and checked before anything runs; golden tests become items."""

from __future__ import annotations

import pytest

from adjudge.api import make_judge
from adjudge.errors import InputError, UnknownNameError
from adjudge.interfaces import Parameter, TaskSpec
from adjudge.rubric import Criterion, Dependency, GoldenTest, Group, Rubric
from adjudge.tasks import golden_items, parameters_of, sampled
from adjudge.testing import ScriptedBackend

TASK = TaskSpec(
    name="demo",
    summary="a demo",
    kind="judge",
    dataset=lambda **_: [],
    rubric="demo",
    parameters=(
        Parameter(name="level", summary="which cases", default="easy", choices=("easy", "hard")),
        Parameter(name="shots", summary="examples", default=3),
        Parameter(name="share", summary="part used", default=0.5),
        Parameter(name="shuffle", summary="order", default=False),
        Parameter(name="source", summary="file"),
        Parameter(name="votes", summary="answers", default=5, choices=(1, 5)),
    ),
)


def test_defaults_stand_where_nothing_is_given():
    assert parameters_of(TASK, {}) == {
        "level": "easy",
        "shots": 3,
        "share": 0.5,
        "shuffle": False,
        "source": None,
        "votes": 5,
    }


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("level", "hard", "hard"),
        ("shots", "7", 7),
        ("shots", " -7 ", -7),
        ("shots", 7.0, 7),
        ("share", "0.25", 0.25),
        ("share", 1, 1.0),
        ("shuffle", "Yes", True),
        ("shuffle", "off", False),
        ("shuffle", True, True),
        ("source", "a.csv", "a.csv"),
        ("source", 5, "5"),
        ("votes", "1", 1),
    ],
)
def test_values_take_the_type_of_the_default(name, value, typed):
    found = parameters_of(TASK, {name: value})[name]
    assert found == typed
    assert type(found) is type(typed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shots", "many"),
        ("shots", "2.5"),
        ("shots", 2.5),
        ("shots", float("inf")),
        ("shots", float("nan")),
        ("shots", [1]),
        ("share", "half"),
        ("share", "nan"),
        ("share", "inf"),
        ("shuffle", "perhaps"),
        ("shuffle", 2),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_the_parameter_is_for(name, value):
    with pytest.raises(InputError, match=rf"task 'demo': {name}=.* is no (int|float|bool) \("):
        parameters_of(TASK, {name: value})


@pytest.mark.parametrize(("name", "value"), [("level", "medium"), ("level", "HARD"), ("votes", "2")])
def test_a_value_outside_the_choices_is_refused_with_the_choices(name, value):
    with pytest.raises(InputError, match=r"must be one of (easy, hard|1, 5)"):
        parameters_of(TASK, {name: value})


def test_an_unknown_parameter_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="no parameter of the task 'demo' named 'shot'; did you mean 'shots'"):
        parameters_of(TASK, {"shot": 1})


def criterion_of(name, *needs, **fields):
    return Criterion(
        id=name, text=f"It is {name}.", depends_on=tuple(Dependency(criterion=need) for need in needs), **fields
    )


def golden(name, **expect):
    return GoldenTest(id=name, input="Why?", output="So.", reference="REF", context="CON", expect=expect)


def rubric_of(*criteria, tests, **fields):
    return Rubric(id="test", version="1", draft=True, criteria=criteria, tests=tests, **fields)


def test_golden_tests_become_submissions_with_the_expected_levels_as_labels():
    rubric = rubric_of(criterion_of("a"), criterion_of("b"), tests=(golden("one", a="met", b="unmet"),))
    (item,) = golden_items(rubric)
    assert (item.id, item.input, item.output, item.reference, item.context) == ("one", "Why?", "So.", "REF", "CON")
    assert [(label.criterion, label.level, label.rater) for label in item.labels] == [
        ("a", "met", "golden"),
        ("b", "unmet", "golden"),
    ]
    assert item.metadata == {"synthetic": True}
    assert item.rubric is None


def test_a_test_brings_only_the_criteria_it_speaks_about_and_all_they_depend_on():
    criteria = (
        criterion_of("a"),
        criterion_of("b", "a"),
        criterion_of("c", "b"),
        criterion_of("d"),
        criterion_of("e", "d"),
    )
    tests = (golden("all", c="met", e="met"), golden("deep", c="met"), golden("flat", d="met"))
    items = golden_items(rubric_of(*criteria, tests=tests))
    kept = [None if item.rubric is None else [criterion.id for criterion in item.rubric.criteria] for item in items]
    assert kept == [None, ["a", "b", "c"], ["d"]]


async def test_a_part_of_a_tree_can_still_be_judged():
    rubric = rubric_of(
        criterion_of("a", group="left"),
        criterion_of("b", group="right"),
        tests=(golden("one", a="met"),),
        groups=(Group(id="left"), Group(id="right")),
        scoring="tree",
    )
    async with make_judge(rubric, backend=ScriptedBackend()) as judge:
        result = await judge(golden_items(rubric)[0])
    assert [verdict.criterion for verdict in result.verdicts] == ["a"]


def test_a_rubric_without_golden_tests_is_refused_with_where_to_put_them():
    with pytest.raises(InputError, match=r"'test' has no golden tests; add some under `tests:`"):
        golden_items(rubric_of(criterion_of("a"), tests=()))


def test_a_sample_keeps_the_order_and_depends_on_its_seed_alone():
    items = list(range(100))
    drawn = sampled(items, 10, seed=1)
    assert drawn == sorted(drawn)
    assert len(drawn) == 10
    assert drawn == sampled(items, 10, seed=1)
    assert drawn != sampled(items, 10, seed=2)
    assert sampled(items, 0, seed=1) == sampled(items, 100, seed=1) == items


@pytest.mark.parametrize("size", [-1, 4])
def test_more_than_there_is_cannot_be_drawn(size):
    with pytest.raises(InputError, match=f"^sample={size}: there are 3; ask for 1 to 3, or 0 for all$"):
        sampled("abc", size, seed=1)
    with pytest.raises(InputError, match=f"^n={size}: there are 3"):
        sampled("abc", size, seed=1, parameter="n")
