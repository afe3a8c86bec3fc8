"""Fairness between groups: figures, vocabulary, and the identity that sets notions against each other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge_validity.audit.fairness import fairness, implied_false_alarms
from adjudge_validity.audit.notions import NOTIONS
from adjudge_validity.ratings import join


@pytest.mark.parametrize(("base", "implied"), [(0.5, 0.4667), (0.39, 0.2984)])
def test_equal_predictive_value_and_miss_rate_force_other_false_alarms(base, implied):
    assert implied_false_alarms(base, 0.6, 0.3) == pytest.approx(implied, abs=5e-5)


@given(st.lists(st.integers(1, 1000), min_size=4, max_size=4))
def test_the_identity_holds_on_any_confusion_table(counts):
    right_met, missed, false_met, right_unmet = counts
    base = (right_met + missed) / sum(counts)
    value, miss = right_met / (right_met + false_met), missed / (right_met + missed)
    assert implied_false_alarms(base, value, miss) == pytest.approx(false_met / (false_met + right_unmet), abs=1e-12)


@pytest.mark.parametrize(("base", "value"), [(0, 0.5), (1, 0.5), (0.5, 0)])
def test_where_the_identity_is_undefined_it_says_so(base, value):
    with pytest.raises(ValueError, match="undefined at a base rate"):
        implied_false_alarms(base, value, 0.3)


def ratings(record, tables, scale="binary", levels=("unmet", "met")):
    """From {group: counts [people][judge]}."""
    rows, metadata = [], {}
    for group, table in tables.items():
        for human, line in enumerate(table):
            for judge, count in enumerate(line):
                for i in range(count):
                    name = f"{group}{human}{judge}{i}"
                    rows.append((name, levels[judge], [levels[human]]))
                    metadata[name] = {"group": group}
    return join(record(rows, scale, metadata=metadata), group_by="group")


ALIKE = [[30, 10], [12, 28]]
APART = [[38, 6], [24, 12]]


def test_each_notion_has_its_figure_and_its_difference(record):
    (one,) = fairness(ratings(record, {"a": ALIKE, "b": APART}))
    first, other = one.groups
    assert first.figures["demographic parity"].value == pytest.approx(38 / 80)
    assert first.figures["equal opportunity"].value == pytest.approx(28 / 40)
    assert first.figures["equal false alarms"].value == pytest.approx(10 / 40)
    assert first.figures["predictive parity"].value == pytest.approx(28 / 38)
    assert first.figures["base rate"].value == pytest.approx(0.5)
    gap = other.less_first["equal opportunity"]
    assert gap.value == pytest.approx(12 / 36 - 28 / 40)
    assert gap.high < 0
    assert first.less_first == {}
    assert other.figures["calibration"].note == "the judge tells no probabilities"


def test_a_groups_false_alarms_are_those_implied_to_12_digits(record):
    (one,) = fairness(ratings(record, {"a": ALIKE, "b": APART}))
    for group in one.groups:
        assert group.implied == pytest.approx(group.figures["equal false alarms"].value, abs=1e-12)


def test_notions_that_cannot_hold_together_are_named(record):
    (one,) = fairness(ratings(record, {"a": ALIKE, "b": APART}))
    assert "equal predictive parity and equal opportunity, false alarms could not be equal" in one.conflict
    forced = implied_false_alarms(36 / 80, 28 / 38, 12 / 40)
    assert one.groups[1].forced == pytest.approx(forced)
    assert f"b: {forced:.3f}" in one.conflict
    (same,) = fairness(ratings(record, {"a": ALIKE, "b": ALIKE}))
    assert same.conflict == ""
    assert all(gap.value == 0 for name, gap in same.groups[1].less_first.items() if name != "calibration")


def test_intervals_of_differences_hold_none_where_groups_are_alike(record):
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(5):
        tables = {group: rng.multinomial(120, [0.35, 0.15, 0.1, 0.4]).reshape(2, 2).tolist() for group in "ab"}
        (one,) = fairness(ratings(record, tables))
        gap = one.groups[1].less_first["demographic parity"]
        held += gap.low <= 0 <= gap.high
    assert held >= 4


def test_a_graded_criterion_is_cut_in_two(record):
    rated = ratings(record, {"a": ALIKE, "b": APART}, "1-3", ("1", "3"))
    with pytest.raises(InputError, match="--met-from CRITERION=LEVEL"):
        fairness(rated)
    (one,) = fairness(rated, met_from={"good": "2"})
    assert one.groups[0].figures["equal opportunity"].value == pytest.approx(28 / 40)
    with pytest.raises(InputError, match="a level above the lowest is wanted: 2, 3"):
        fairness(rated, met_from={"good": "1"})


def test_one_group_is_nothing_to_compare(record):
    with pytest.raises(InputError, match="one group only"):
        fairness(ratings(record, {"a": ALIKE}))


def test_every_notion_says_what_it_is_about():
    for notion in NOTIONS:
        assert all((notion.discipline, notion.object, notion.unit, notion.comparison, notion.harm))


def test_calibration_is_how_far_probabilities_flatter_a_group(record):
    rated = ratings(record, {"a": ALIKE, "b": APART})
    surely = {"met": {"met": 0.9, "unmet": 0.1}, "unmet": {"met": 0.2, "unmet": 0.8}}
    rows = [
        type(row)(**{**_fields(row), "verdict": row.verdict.model_copy(update={"distribution": surely[row.level]})})
        if row.verdict is not None
        else row
        for row in rated.rows
    ]
    (one,) = fairness(type(rated)(rated.judge, tuple(rows)))
    said = (38 * 0.9 + 42 * 0.2) / 80
    assert one.groups[0].figures["calibration"].value == pytest.approx(said - 0.5)


def _fields(row):
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def test_the_command_shows_figures_and_vocabulary(judged, tmp_path, capsys):
    texts = {f"s{i}": "please come" if i % 3 else "come" for i in range(40)}
    run = judged(texts)
    ledger_free = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    for place, row in enumerate(ledger_free):
        row["group"] = "ab"[place % 2]
    (tmp_path / "grouped.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ledger_free))
    run = tmp_path / "grouped"
    common = ["judge", str(tmp_path / "grouped.jsonl"), "--judge", "rules", "--rubric", str(tmp_path / "letters.yaml")]
    assert main([*common, "--out", str(run)]) == 0
    lines = [f"s{i},polite,{'met' if i % 4 else 'unmet'}" for i in range(40)]
    (tmp_path / "labels.csv").write_text("submission,criterion,level\n" + "\n".join(lines) + "\n")
    capsys.readouterr()
    given = ["fairness", str(run), "--labels", str(tmp_path / "labels.csv"), "--group-by", "group"]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "demographic parity, b less a:" in shown
    assert "what a gap means: one group is judged met more often than another" in shown
    assert main([*given, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [notion["name"] for notion in said["notions"]] == [notion.name for notion in NOTIONS]
    assert said["criteria"][0]["groups"][0]["implied"] is not None
    assert main([*given[:-1], "sex"]) == 2
    assert "has no metadata field 'sex'" in capsys.readouterr().err
