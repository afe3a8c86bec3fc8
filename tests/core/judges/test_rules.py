"""Checks without a model, and rubrics shared out between code, people and models."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge import make_judge
from adjudge.api import installed
from adjudge.checks import check_of, level_found
from adjudge.checks.text import numbers, words
from adjudge.errors import UnsupportedError
from adjudge.interfaces import JudgeSpec
from adjudge.judges import SPECS
from adjudge.judges.rules import RulesJudge
from adjudge.rubric import Criterion, Level, Rubric, Scale
from adjudge.submission import Label, Message, Submission
from adjudge.testing import JudgeContract
from adjudge.verdict import Usage, Verdict


def holds(check, output, **fields):
    criterion = Criterion(id="a", text="a", options={"check": check})
    submission = Submission(id="s", output=output, **fields)
    found = check_of(criterion)
    assert found is not None
    return level_found(criterion, found, submission)[0] == "met"


class TestRulesKeepTheContract(JudgeContract):
    asks = False

    def make_judge(self):
        return RulesJudge()

    def rubric(self) -> Rubric:
        colours = Scale(kind="labels", levels=(Level(id="red"), Level(id="blue")))
        return Rubric(
            id="rules",
            version="1",
            draft=True,
            criteria=(
                Criterion(id="blue", text="a", options={"check": {"kind": "contains", "value": "Blue"}}),
                Criterion(id="long", text="a", scale="1-5", options={"check": {"kind": "length", "min": 3}}),
                Criterion(
                    id="colour",
                    text="a",
                    scale=colours,
                    weight=-1,
                    options={"check": {"kind": "regex", "pattern": "[Bb]lue", "levels": ["red", "blue"]}},
                ),
            ),
        )


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ({"kind": "exact", "value": "42"}, " 42\n", "42."),
        ({"kind": "exact", "value": ["A", "a)"]}, "a)", "b)"),
        ({"kind": "exact", "value": "caf\u00e9", "ignore_case": True}, "CAFE\u0301", "cafe"),
        ({"kind": "contains", "value": ["salt", "pepper"]}, "pepper and salt", "salt"),
        ({"kind": "contains", "value": ["salt", "pepper"], "need": "any"}, "salt", "sugar"),
        ({"kind": "contains", "value": "sorry", "negate": True}, "Good day.", "I am sorry."),
        ({"kind": "regex", "pattern": r"\b\d{4}-\d{2}-\d{2}\b"}, "on 2026-11-23.", "on 23 November"),
        ({"kind": "regex", "pattern": "[A-D]", "whole": True}, "B", "B)"),
        ({"kind": "regex", "pattern": "yes", "ignore_case": True}, "YES", "no"),
        ({"kind": "regex", "pattern": "咳嗽"}, "他咳嗽。", "他发烧。"),
        ({"kind": "numeric", "value": 0.3}, "0.1 + 0.2 = 0.3", "0.31"),
        ({"kind": "numeric", "value": 1234.5, "tolerance": 0.5}, "about 1,235", "1,236"),
        ({"kind": "numeric", "value": 200, "tolerance": 0.05, "relative": True}, "210", "211"),
        ({"kind": "numeric", "value": -4}, "\u22124", "4"),
        ({"kind": "numeric", "value": 7, "which": "first"}, "7 of 9", "9 of 7"),
        ({"kind": "numeric", "value": 7, "which": "any"}, "9, 7, 5", "9, 5"),
        ({"kind": "numeric", "value": 7, "which": "only"}, "It is 7.", "7 or 7"),
        ({"kind": "numeric", "value": 0}, "0", "no number at all"),
        ({"kind": "length", "max": 3}, "one two three", "one two three four"),
        ({"kind": "length", "min": 4, "unit": "characters"}, "four", "abc"),
        ({"kind": "length", "min": 3, "max": 3}, "你好吗", "你好"),
        (
            {
                "kind": "json_schema",
                "of": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            },
            '{"a": 1}',
            '{"a": "1"}',
        ),
        ({"kind": "json_schema", "of": {"type": "array"}}, "[1, 2]", "[1, 2"),
        ({"kind": "json_schema", "of": {}}, "{}", '{"a": NaN}'),
        ({"kind": "json_schema", "of": {}}, '{"a": 1}', '{"a": 1, "a": 2}'),
    ],
    ids=lambda value: str(value)[:40],
)
def test_checks_hold_where_they_should(check, good, bad) -> None:
    assert holds(check, good)
    assert not holds(check, bad)
    turned = {**check, "negate": not check.get("negate", False)}
    assert not holds(turned, good)
    assert holds(turned, bad)


@given(st.text(max_size=200))
def test_every_check_decides_on_any_text(text) -> None:
    for check in (
        {"kind": "exact", "value": "a"},
        {"kind": "contains", "value": "a"},
        {"kind": "regex", "pattern": "(a+)+$"},
        {"kind": "numeric", "value": 1},
        {"kind": "json_schema", "of": {"type": "object"}},
        {"kind": "length"},
    ):
        assert holds(check, text) in (True, False)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_is_found_as_it_was_written(value) -> None:
    assert list(numbers(f"so: {value!r} it is")) == [value]


@given(st.lists(st.sampled_from(["one", "zwei", "trois-quatre", "don't", "七", "É"]), max_size=20))
def test_words_are_counted_alike_in_any_language(parts) -> None:
    assert words(" ".join(parts)) == len(parts)


def test_a_pattern_that_would_take_for_ever_elsewhere_is_answered_at_once() -> None:
    """RE2: a backtracking engine needs 2^50,000 steps for this one."""
    assert not holds({"kind": "regex", "pattern": "^(a+)+$"}, "a" * 50_000 + "!")


def test_the_text_of_a_conversation_is_what_the_assistant_says() -> None:
    turns = (
        Message(role="user", content="6 times 7?"),
        Message(role="assistant", kind="thinking", content="41?"),
        Message(role="assistant", content="42"),
    )
    assert holds({"kind": "exact", "value": "42"}, turns)


def test_the_reference_stands_in_for_a_value_and_without_one_there_is_no_verdict(kit) -> None:
    for kind in ("exact", "contains", "numeric"):
        assert holds({"kind": kind}, "42", reference="42")
        assert not holds({"kind": kind}, "43", reference="42")
        rubric = kit.rubric(kit.criterion("a", options={"check": {"kind": kind}}))
        (verdict,) = kit.judged(rubric, kit.submission(), judge="rules").verdicts
        assert (verdict.status, verdict.reason) == ("unscored", "abstain")


def test_levels_of_a_scale_are_named_or_the_lowest_and_the_highest() -> None:
    five = Criterion(id="a", text="a", scale="1-5", options={"check": {"kind": "exact", "value": "x"}})
    assert level_found(five, check_of(five), Submission(id="s", output="x"))[0] == "5"
    named = five.model_copy(update={"options": {"check": {"kind": "exact", "value": "x", "levels": ["2", "4"]}}})
    assert level_found(named, check_of(named), Submission(id="s", output="y"))[0] == "2"


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"kind": "python", "code": "import os"}, "there is contains, exact"),
        ({"kind": "regex", "pattern": "(?=a)b"}, "not RE2 syntax"),
        ({"kind": "regex"}, "pattern"),
        ({"kind": "numeric", "value": 1, "tolerance": -1}, "tolerance"),
        ({"kind": "exact", "value": "a", "levels": ["no", "yes"]}, "level 'no' is not in its scale"),
        ({"kind": "json_schema", "of": {"type": "nonsense"}}, "not a JSON schema"),
        ({"kind": "json_schema", "of": {"$ref": "https://example.org/s"}}, "refers only to itself"),
        ({"kind": "json_schema", "of": {"properties": {"a": {"pattern": "(a+)+$"}}}}, "no 'pattern'"),
        ({"kind": "json_schema", "of": {"allOf": [{"patternProperties": {"(a+)+$": {}}}]}}, "no 'patternProperties'"),
        ("met", "check"),
    ],
    ids=str,
)
def test_a_check_that_cannot_work_is_refused_by_criterion(kit, check, message) -> None:
    rubric = kit.rubric(kit.criterion("mine", options={"check": check}))
    with pytest.raises(UnsupportedError, match="mine") as caught:
        make_judge(rubric, judge="rules")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_without_re2_a_pattern_is_refused_with_the_line_that_brings_it(kit, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    rubric = kit.rubric(kit.criterion("a", options={"check": {"kind": "regex", "pattern": "a"}}))
    with pytest.raises(UnsupportedError, match=r'pip install "adjudge\[re2\]"'):
        make_judge(rubric, judge="rules")


def test_labels_without_named_levels_are_refused() -> None:
    colours = Scale(kind="labels", levels=(Level(id="red"), Level(id="blue")))
    with pytest.raises(UnsupportedError, match="needs levels"):
        check_of(Criterion(id="a", text="a", scale=colours, options={"check": {"kind": "exact", "value": "x"}}))


def test_rules_ask_nobody_start_no_backend_and_cost_nothing(kit) -> None:
    """The default backend, which would load a model, is not touched."""
    rubric = kit.rubric(
        kit.criterion("a", options={"check": {"kind": "contains", "value": "42"}}),
        kit.criterion("b", -1, options={"check": {"kind": "contains", "value": "sorry"}}),
    )

    async def run():
        async with make_judge(rubric, judge="rules") as bound:
            return bound.backend.name, await bound(kit.submission())

    name, result = asyncio.run(run())
    assert name == "none"
    assert [(v.level, v.judge, v.usage) for v in result.verdicts] == [
        ("met", "rules", Usage()),
        ("unmet", "rules", Usage()),
    ]
    assert result.score.value == 1.0
    with pytest.raises(UnsupportedError, match="declares no check"):
        make_judge(kit.rubric(kit.criterion("plain")), judge="rules")


def test_how_a_task_asks_means_nothing_to_rules_and_a_misspelt_option_is_still_refused(kit) -> None:
    rubric = kit.rubric(kit.criterion("a", options={"check": {"kind": "contains", "value": "42"}}))
    assert make_judge(rubric, judge="rules", read_out="label", repeats=3).judge.name == "rules"
    with pytest.raises(UnsupportedError, match=r"does not take these options: .*'tempo'"):
        make_judge(rubric, judge="rules", tempo=3)


def mixed_rubric(kit):
    return kit.rubric(
        kit.criterion("code", options={"check": {"kind": "contains", "value": "42"}}),
        kit.criterion("people", options={"human": True}),
        kit.criterion("model"),
        kit.criterion("then", depends_on=({"criterion": "code"},)),
    )


def test_one_rubric_mixes_code_people_and_models(kit) -> None:
    backend = kit.backend("x", {"*": kit.no})
    labels = tuple(
        Label(criterion="people", level=level, rater=rater)
        for rater, level in zip("xyz", ["met", "unmet", "met"], strict=True)
    )
    result = kit.judged(mixed_rubric(kit), kit.submission(labels=labels), backend=backend, judge="mixed")
    assert [(v.criterion, v.level, v.judge) for v in result.verdicts] == [
        ("code", "met", "rules"),
        ("people", "met", "human"),
        ("model", "unmet", "isolated@x"),
        ("then", "unmet", "isolated@x"),
    ]
    assert result.verdict("people").explanation == "x: met, y: unmet, z: met"
    assert [question.criterion for question in backend.questions] == ["model", "then"]


def test_what_code_rules_out_no_model_is_asked(kit) -> None:
    backend = kit.backend("x")
    result = kit.judged(mixed_rubric(kit), kit.submission(output="no idea"), backend=backend, judge="mixed")
    assert [v.status for v in result.verdicts] == ["scored", "unscored", "scored", "skipped"]
    assert [question.criterion for question in backend.questions] == ["model"]


@pytest.mark.parametrize(
    ("labels", "level", "reason"),
    [
        ([], None, "abstain"),
        ([{"level": "met"}, {"level": "unmet"}], None, "no_quorum"),
        ([{"level": "met"}, {"level": "met"}, {"level": "unmet"}], "met", None),
        ([{"score": 0.7}, {"score": 0.9}], "met", None),
        ([{"score": 0.5}], "unmet", None),
        ([{"level": "superb"}], None, "parse"),
    ],
)
def test_human_verdicts_are_never_made_up(kit, labels, level, reason) -> None:
    given = tuple(Label(criterion="people", **label) for label in labels)
    result = kit.judged(mixed_rubric(kit), kit.submission(labels=given), backend=kit.backend("x"), judge="mixed")
    verdict = result.verdict("people")
    assert (verdict.level, verdict.reason) == (level, reason)


def test_the_user_gives_a_criterion_to_a_judge_that_decides_in_python(kit, monkeypatch) -> None:
    """A pack names no code; a plugin registers it under a name, and the user says which criteria it gets."""

    class Shouting:
        name = "shouting"

        async def judge(self, item, rubric, ask):
            level = "met" if item.output.isupper() else "unmet"
            return [
                Verdict(submission=item.id, criterion=c.id, status="scored", level=level, score=float(level == "met"))
                for c in rubric.criteria
            ]

    plugins = installed()
    spec = JudgeSpec(name="shouting", build=Shouting, summary="upper case", asks=False)
    monkeypatch.setitem(plugins.judges, "shouting", spec)
    rubric = kit.rubric(kit.criterion("loud"), kit.criterion("good"))
    members = [{"judge": "shouting", "criteria": ["loud"]}, {"backend": kit.backend("x"), "judge": "isolated"}]
    result = kit.judged(rubric, kit.submission(output="IT IS 42"), judge="mixed", members=members)
    assert [(v.level, v.judge) for v in result.verdicts] == [("met", "shouting"), ("met", "isolated@x")]
    with pytest.raises(UnsupportedError, match="'quiet', which is no criterion"):
        kit.judged(rubric, kit.submission(), judge="mixed", members=[{"judge": "shouting", "criteria": ["quiet"]}])
    with pytest.raises(UnsupportedError, match="nobody judges 'good'"):
        kit.judged(rubric, kit.submission(), judge="mixed", members=[{"judge": "shouting", "criteria": ["loud"]}])


def test_a_panel_member_can_be_mixed_and_a_mixed_member_a_panel(kit) -> None:
    panel = {"judge": "panel", "members": [kit.backend("x"), kit.backend("y"), kit.backend("z", {"*": kit.no})]}
    result = kit.judged(mixed_rubric(kit), kit.submission(), judge="mixed", members=panel)
    verdict = result.verdict("model")
    assert (verdict.level, len(verdict.members)) == ("met", 3)
    assert verdict.judge.startswith("panel(majority")


def test_a_schema_stays_json(kit) -> None:
    """Options of a criterion come from YAML or JSON and go back to it."""
    check = {"kind": "json_schema", "of": {"type": "object"}}
    criterion = Criterion.model_validate_json(json.dumps({"id": "a", "text": "a", "options": {"check": check}}))
    assert check_of(criterion).validator().is_valid({})
    assert Criterion.model_validate_json(criterion.model_dump_json()).hash == criterion.hash


def test_every_judge_of_core_is_told_in_one_line() -> None:
    assert all(len(spec.summary.splitlines()) == 1 for spec in SPECS)
