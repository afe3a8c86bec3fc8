"""Warnings, each seen and each absent from a clean pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from adjudge.packs import Pack, lint, starter_pack
from adjudge.packs.licences import conflict, identifiers, unknown

TODAY = dt.date(2026, 11, 23)
Load = Callable[[str], Pack]


def found(pack: Pack) -> list[tuple[int, int, str]]:
    warnings = lint(pack, TODAY, scorings=["weighted", "mean", "gated", "points"], templates=["default"])
    return [(warning.line, warning.column, warning.rule) for warning in warnings]


def test_a_sound_pack_has_no_warning(good_pack: str, load: Load) -> None:
    assert found(load(good_pack)) == []


def test_the_starter_pack_has_no_warning(load: Load) -> None:
    assert found(load(starter_pack("team/replies", "replies.yaml"))) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("values: [honesty]\n  auth", "values: [honesty, care]\n  auth", (5, 21, "value-without-criterion")),
        ("    values: [honesty]\n  - id: clear", "  - id: clear", (14, 5, "criterion-without-value")),
        (
            "    values: [honesty]\n  - id: clear",
            "    values: [honesty, care]\n  - id: clear",
            (16, 23, "unknown-value"),
        ),
        ("agreed_by: the team", "agreed_by: ' '", (3, 7, "role-without-agreement")),
        ("    text: It is true.\n", "    text: It is true.\n    importance: must\n", (14, 5, "must-without-source")),
        ("It is clear.", "it  is TRUE.", (18, 11, "same-text")),
        ("CC-BY-4.0", "CC-BY-4", (9, 9, "unknown-licence")),
        ("CC-BY-4.0", "CC-BY-4.0\n  data_licences: [CC-BY-NC-4.0]", (10, 19, "licence-conflict")),
        ("CC-BY-4.0", "CC-BY-4.0\n  data_licences: [MIT, Some-Licence]", (10, 24, "unknown-licence")),
        ("It is clear.", '"It is \\u202eclear."', (18, 11, "hidden-character")),
        ("role: adviser\n", "role: adviser\nscoring: weigthed\n", (4, 10, "unknown-scoring")),
        ("role: adviser\n", "role: adviser\ntemplate: deflaut\n", (4, 11, "unknown-template")),
        ("unmet, clear: 1", "unmet, clear: 5", (22, 58, "one-level-tests")),
    ],
)
def test_each_rule_warns_at_its_place(
    old: str, new: str, expected: tuple[int, int, str], good_pack: str, load: Load
) -> None:
    assert old in good_pack
    assert found(load(good_pack.replace(old, new, 1))) == [expected]


def test_a_pack_without_golden_tests_is_told_of(good_pack: str, load: Load) -> None:
    assert found(load(good_pack.partition("tests:")[0])) == [(1, 1, "no-tests")]


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("in_force_to: 2026-11-22", "expired-source"),
        ("in_force_to: 2026-11-23", None),
        ("in_force_from: 2026-11-24", "source-not-in-force"),
        ("in_force_from: 2026-11-23", None),
        ("in_force_from: 2027-01-01, in_force_to: 2026-12-31", "source-dates"),
    ],
)
def test_sources_hold_from_their_first_to_their_last_day(
    source: str, rule: str | None, good_pack: str, load: Load
) -> None:
    text = f"text: It is true.\n    sources: [{{norm: N, {source}}}]"
    rules = [rule for *_, rule in found(load(good_pack.replace("text: It is true.", text)))]
    assert rules == ([rule] if rule else [])


LABELS = "scale: {kind: labels, levels: [{id: a}, {id: b}]}"


@pytest.mark.parametrize(
    ("criteria", "scoring", "lines"),
    [
        ("{id: a, text: x, weight: 2}, {id: b, text: y}", "weighted", []),
        ("{id: a, text: x, weight: 2}, {id: b, text: y, weight: 2}", "weighted", [5, 6]),
        ("{id: a, text: x, weight: 2}, {id: b, text: y, weight: -2}", "points", [5, 6]),
        ("{id: a, text: x, weight: 7}", "weighted", [5]),
        ("{id: a, text: x, weight: 2}, {id: b, text: y}", "mean", [5]),
        ("{id: a, text: x, weight: -1}, {id: b, text: y}", "mean", []),
        ("{id: a, text: x, weight: 2, importance: may}, {id: b, text: y}", "gated", [5]),
        (f"{{id: a, text: x, weight: 2, {LABELS}}}, {{id: b, text: y}}", "weighted", [5]),
        ("{id: a, text: x, weight: 3}, {id: b, text: y}", "somebody-elses", []),
    ],
)
def test_weights_without_effect_are_told_of(criteria: str, scoring: str, lines: list[int], load_draft: Load) -> None:
    items = criteria.replace("}, {id: b", "},\n  {id: b")
    pack = load_draft(f"criteria: [\n  {items}]\nscoring: {scoring}\n")
    assert [warning.line for warning in lint(pack, TODAY) if warning.rule == "idle-weight"] == lines


def test_names_are_checked_only_where_they_are_known(good_pack: str, load: Load) -> None:
    pack = load(good_pack + "scoring: another\ntemplate: other\n")
    assert lint(pack, TODAY) == []


def test_a_rubric_without_a_file_is_linted_too(good_pack: str, load: Load) -> None:
    rubric = load(good_pack.partition("tests:")[0]).rubric
    [warning] = lint(Pack(rubric, "<python>", rubric.hash), TODAY)
    assert str(warning).startswith("<python>:1:1: no golden tests")


@pytest.mark.parametrize(
    ("own", "data", "clash"),
    [
        ("Apache-2.0", "MIT", False),
        ("Apache-2.0", "CC-BY-4.0", False),
        ("Apache-2.0", "CC-BY-NC-4.0", True),
        ("CC-BY-NC-4.0", "CC-BY-NC-4.0", False),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", False),
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", True),
        ("CC-BY-4.0", "CC-BY-SA-4.0", True),
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", False),
        ("GPL-3.0-or-later", "CC-BY-SA-4.0", False),
        ("CC-BY-SA-4.0", "GPL-3.0-only", True),
        ("Apache-2.0", "GPL-3.0-only", True),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", True),
        ("CC-BY-4.0", "NONE", True),
        ("CC-BY-SA-4.0 OR MIT", "CC-BY-SA-4.0", True),
        ("MIT", "GPL-3.0-only OR MIT", False),
        ("MIT", "(GPL-3.0-only AND MIT)", True),
        ("LicenseRef-ours", "CC-BY-SA-4.0", False),
    ],
)
def test_data_terms_are_held_against_the_rubrics_own(own: str, data: str, clash: bool) -> None:
    assert (conflict(own, data) is not None) == clash


def test_licence_expressions_are_taken_apart() -> None:
    assert identifiers("(MIT OR GPL-3.0-only WITH Some-exception) AND X-1") == ["MIT", "GPL-3.0-only", "X-1"]
    assert unknown("MIT OR LicenseRef-ours OR Apache2") == ["Apache2"]
