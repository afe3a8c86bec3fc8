"""Drift between judges on frozen submissions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.report import RunRecord
from adjudge_validity.audit.drift import drift, drift_time, moved, path, total_change

LEVELS = "12345"


def judged(record, levels, metadata=None):
    rows = [(f"s{i}", level, []) for i, level in enumerate(levels)]
    return record(rows, "1-5", metadata=metadata)


def test_toy_series_reaches_most_of_its_change_at_the_third_place():
    assert drift_time([0, 0.5, 0.95, 1]) == 2
    assert drift_time([0, 0.5, 0.94, 1]) == 3
    assert drift_time([1, 0.5, 0.0]) == 2
    assert drift_time([0.3, 0.9, 0.3]) is None
    assert drift_time([]) is None


shares = st.lists(st.floats(0.01, 1), min_size=5, max_size=5).map(
    lambda xs: dict(zip(LEVELS, np.array(xs) / sum(xs), strict=True))
)


@given(before=shares, after=shares, part=st.floats(0, 1))
def test_the_total_lies_from_0_to_1_and_adds_up_along_a_straight_path(before, after, part):
    total = total_change(before, after)
    assert 0 <= total <= 1
    assert total_change(before, before) == 0
    between = {level: before[level] + part * (after[level] - before[level]) for level in before}
    assert total_change(before, between) + total_change(between, after) == pytest.approx(total)


@settings(max_examples=20)
@given(levels=st.lists(st.sampled_from(LEVELS), min_size=2, max_size=30))
def test_equal_logs_have_not_moved(levels):
    record = _maker()
    (one,) = drift(judged(record, levels), judged(record, levels))
    assert one.total.value == 0
    assert one.flips.value == 0
    assert not moved([one], 0.0)


def _maker():
    """The fixture `record`, for tests that hypothesis runs many times."""
    from adjudge.rubric import Criterion, Rubric
    from adjudge.submission import Submission
    from adjudge.verdict import Result, Score, Verdict

    def make(rows, scale, metadata=None):
        criterion = Criterion(id="good", text="It is good.", scale=scale)
        items = [Submission(id=name, output="text", metadata=(metadata or {}).get(name, {})) for name, *_ in rows]
        score = {"rubric": "r 1", "scoring": "none", "value": None, "bounds": None, "coverage": 1, "criteria": {}}
        results = [
            Result(
                submission=name,
                verdicts=(Verdict(submission=name, criterion="good", status="scored", level=level),),
                score=Score(submission=name, **score),
            )
            for name, level, _ in rows
        ]
        rubric = Rubric(id="r", version="1", criteria=(criterion,))
        return RunRecord(title="made", created="2026", rubric=rubric, items=items, results=results)

    return make


def test_the_share_that_moved_is_told_level_by_level(record):
    (one,) = drift(judged(record, "1" * 20 + "3" * 20), judged(record, "1" * 10 + "2" * 10 + "3" * 20))
    assert one.total.value == 0.25
    assert one.levels["1"].value == -0.25
    assert one.levels["2"].value == 0.25
    assert one.flips.value == 0.25
    assert one.total.low > 0.1
    assert moved([one], 0.05)
    assert not moved([one], 0.3)


def test_what_cancels_in_the_mean_is_still_a_flip(record):
    (one,) = drift(judged(record, "12" * 20), judged(record, "21" * 20))
    assert one.total.value == 0
    assert one.flips.value == 1


def test_few_submissions_never_count_as_moved(record):
    (one,) = drift(judged(record, "1" * 9), judged(record, "5" * 9))
    assert one.total.value == 1
    assert not moved([one], 0.1)


def test_two_logs_of_one_source_have_an_interval_that_holds_0():
    rng = np.random.default_rng(0)
    record, held = _maker(), 0
    for _ in range(50):
        first, then = ("".join(rng.choice(list(LEVELS), 80)) for _ in range(2))
        (one,) = drift(judged(record, first), judged(record, then))
        held += one.total.low == 0
    assert held >= 46


def test_the_interval_of_the_total_holds_what_moved():
    rng = np.random.default_rng(1)
    record, held = _maker(), 0
    for _ in range(50):
        first = rng.choice(list(LEVELS), 150)
        then = np.where((first == "1") & (rng.random(150) < 0.75), "5", first)
        (one,) = drift(judged(record, "".join(first)), judged(record, "".join(then)))
        held += one.total.low <= 0.15 <= one.total.high
    assert 44 <= held <= 50


def test_groups_stand_below_their_criterion(record):
    topics = {f"s{i}": {"topic": "fever" if i < 20 else "falls"} for i in range(40)}
    runs = (judged(record, levels, topics) for levels in ("1" * 40, "1" * 20 + "2" * 20))
    whole, falls, fever = drift(*runs, group_by="topic")
    assert [one.group for one in (whole, falls, fever)] == ["", "falls", "fever"]
    assert (whole.total.value, falls.total.value, fever.total.value) == (0.5, 1, 0)


def test_the_path_of_several_versions_tells_when_the_change_came(record):
    versions = [judged(record, "5" * n + "1" * (20 - n)) for n in (0, 10, 19, 20)]
    assert path(versions) == {"good": [0, 0.5, 0.95, 1]}


def test_unscored_submissions_are_left_out_and_counted(record):
    first = record([("a", "met", []), ("b", None, []), ("c", "met", [])])
    (one,) = drift(first, record([("a", "met", []), ("b", "met", []), ("c", "unmet", [])]))
    assert (one.unscored, one.total.n, one.total.value) == (1, 2, 0.5)


def test_other_submissions_are_refused(record):
    first = record([("a", "met", [])])
    with pytest.raises(InputError, match="share no submission"):
        drift(first, record([("b", "met", [])]))
    changed = first.items[0].model_copy(update={"output": "another text"})
    with pytest.raises(InputError, match="'a' is not the same submission in both runs"):
        drift(first, RunRecord(title="x", created="2026", rubric=first.rubric, items=[changed], results=first.results))
    with pytest.raises(InputError, match="no metadata field 'topic'"):
        drift(first, first, group_by="topic")


def test_the_command_gates_on_what_surely_moved(judged_twice, capsys):
    one, other = judged_twice
    assert main(["drift", str(one), str(other)]) == 0
    shown = capsys.readouterr().out
    assert "polite: moved 0.50" in shown
    assert "    met: -0.50" in shown
    assert main(["drift", str(one), str(other), "--at-most", "0.1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["drift"][0]["total"]["value"] == 0.5
    assert main(["drift", str(one), str(one), str(other)]) == 0
    assert "moved from the first run 0.00, 0.00, 0.50; 95% of it by run 3" in capsys.readouterr().out
    assert main(["drift", str(one)]) == 2
    assert "at least two runs" in capsys.readouterr().err


@pytest.fixture
def judged_twice(judged, tmp_path, capsys):
    """The same texts under a rule and under a stricter one."""
    texts = {f"s{i}": f"please come {'soon' if i % 2 else 'now'}" for i in range(40)}
    one = judged(texts)
    stricter = (tmp_path / "letters.yaml").read_text().replace("value: please", "value: please come soon")
    (tmp_path / "strict.yaml").write_text(stricter)
    common = ["judge", str(tmp_path / "run.jsonl"), "--judge", "rules"]
    assert main([*common, "--rubric", str(tmp_path / "strict.yaml"), "--out", str(tmp_path / "strict")]) == 0
    capsys.readouterr()
    return one, tmp_path / "strict"
