from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import ScoringError
from adjudge.scoring import SPECS, Pareto, pareto, score, vectors_of

rows = st.lists(st.tuples(*[st.floats(0, 1, width=16)] * 3), min_size=1, max_size=8)
EXAMPLE = {"s1": (1, 0), "s2": (0, 1), "s3": (0.5, 0.5), "s4": (0.4, 0.4)}


def vectors(rows):
    named = rows if isinstance(rows, dict) else {f"s{i}": row for i, row in enumerate(rows)}
    return {name: dict(zip("abc", row, strict=False)) for name, row in named.items()}


def test_the_example_keeps_three_and_says_who_dominates_the_fourth():
    found = pareto(vectors(EXAMPLE))
    assert found.front == ("s1", "s2", "s3")
    assert found.dominated_by == {"s1": (), "s2": (), "s3": (), "s4": ("s3",)}
    assert found.ideal == {"a": 1, "b": 1}
    assert found.gap["s1"] == 1
    assert found.gap["s3"] == pytest.approx(0.5**0.5)


def test_contradictory_criteria_are_found_by_tau():
    (conflict,) = pareto(vectors([(0, 2), (1, 1), (2, 0)])).conflicts
    assert (conflict.first, conflict.second, conflict.tau, conflict.n, conflict.contradictory) == (
        "a",
        "b",
        -1,
        3,
        True,
    )
    (mild,) = pareto(vectors([(0, 1), (1, 2), (2, 0)]), threshold=0.5).conflicts
    assert mild.tau == pytest.approx(-1 / 3)
    assert not mild.contradictory


def test_a_constant_criterion_has_no_tau_and_says_why():
    (conflict,) = pareto(vectors([(0, 1), (1, 1)])).conflicts
    assert (conflict.tau, conflict.contradictory, conflict.note) == (None, False, "one side is constant")


def test_an_unscored_criterion_compares_with_nothing():
    found = pareto(vectors({"s1": (1, None), "s2": (0.5, 0.5), "s3": (0.1, 0.1)}), tolerance=0.2)
    assert (found.front, found.unplaced) == (("s2",), ("s1",))
    assert found.dominated_by["s1"] == ()
    assert found.gap["s1"] is None
    assert found.acceptable == {"s1": None, "s2": False, "s3": False}
    assert found.ideal == {"a": 1, "b": 0.5}


def test_acceptable_needs_every_criterion_within_its_tolerance():
    found = pareto(vectors(EXAMPLE), tolerance={"a": 0.5, "b": 0.5})
    assert found.acceptable == {"s1": False, "s2": False, "s3": True, "s4": False}
    assert set(pareto(vectors(EXAMPLE)).acceptable.values()) == {None}


def test_a_margin_makes_small_differences_not_count():
    close = vectors({"s1": (0.5, 0.5), "s2": (0.48, 0.5)})
    assert pareto(close).front == ("s1",)
    assert pareto(close, eps=0.1).front == ("s1", "s2")
    assert pareto(close, eps={"b": 0.1}).front == ("s1",)


def test_with_a_margin_dominance_need_not_be_transitive_and_the_report_says_so():
    found = pareto(vectors([(0, 0.6), (0.6, 0.2), (1.2, -0.2)]), eps=0.5)
    assert found.dominated_by == {"s0": ("s1",), "s1": ("s2",), "s2": ()}
    assert not found.transitive
    assert "not transitive" in found.note
    assert pareto(vectors([(0, 0.6), (0.6, 0.2), (1.2, -0.2)])).transitive


def test_dominance_in_a_circle_gives_an_empty_front_and_an_end():
    found = pareto(vectors([(0, 0, 0), (0.9, -0.45, -0.45), (0.45, 0.45, -0.9)]), eps=0.5)
    assert found.dominated_by == {"s0": ("s1",), "s1": ("s2",), "s2": ("s0",)}
    assert (found.front, found.transitive) == ((), False)


@given(rows=rows)
def test_the_front_is_never_empty_and_has_no_dominated_pair(rows):
    found = pareto(vectors(rows))
    assert found.front
    assert found.transitive
    for name in found.front:
        assert not set(found.dominated_by[name])
    for name, above in found.dominated_by.items():
        assert (name in found.front) == (not above)
        assert not above or set(above) & set(found.front)


@given(rows=rows)
def test_a_monotone_rescaling_of_a_criterion_does_not_move_the_front(rows):
    bent = [(a**3, b * 7 - 2, c) for a, b, c in rows]
    exact = [(a**3, b, c) for a, b, c in rows]
    if len({a for a, _, _ in rows}) == len({a for a, _, _ in exact}):
        assert pareto(vectors(rows)).front == pareto(vectors(bent)).front


@given(rows=rows, place=st.integers(0, 7))
def test_a_duplicate_row_does_not_move_the_front(rows, place):
    before, copied = pareto(vectors(rows)).front, place % len(rows)
    after = pareto(vectors([*rows, rows[copied]])).front
    assert after[: len(before)] == before
    assert (f"s{len(rows)}" in after) == (f"s{copied}" in before)


@given(rows=rows)
def test_adding_a_criterion_removes_nobody_from_the_front_without_ties(rows):
    if all(len(set(column)) == len(rows) for column in zip(*rows, strict=True)):
        fewer = pareto({name: dict(list(row.items())[:2]) for name, row in vectors(rows).items()})
        assert set(fewer.front) <= set(pareto(vectors(rows)).front)


def test_bad_parameters_and_uneven_vectors_are_refused():
    with pytest.raises(ScoringError, match="'s2' is not scored on the same criteria"):
        pareto({"s1": {"a": 1}, "s2": {"b": 1}})
    with pytest.raises(ScoringError, match="'eps' names 'z', which is no criterion; known: a, b"):
        pareto(vectors(EXAMPLE), eps={"z": 1})
    with pytest.raises(ScoringError, match="'eps of a' must be a number"):
        pareto(vectors(EXAMPLE), eps=-1)
    with pytest.raises(ScoringError, match="'tolerance of a' must be a number"):
        pareto(vectors(EXAMPLE), tolerance="wide")
    with pytest.raises(ScoringError, match="'threshold' must be a number from 0 to 1"):
        pareto(vectors(EXAMPLE), threshold=3)


def test_nothing_to_compare_gives_an_empty_report():
    found = pareto({})
    assert (found.front, found.conflicts, found.ideal) == ((), (), {})


def test_scores_of_submissions_are_compared_with_signs_counted_in(rubric_of, criterion_of, verdict_of):
    rubric = rubric_of(criterion_of("good", scale="1-5"), criterion_of("bad", -3), scoring="pareto")
    judged = {"x": ("5", "met"), "y": ("1", "unmet"), "z": ("1", "met")}
    scores = [
        score(rubric, [verdict_of("good", g, submission=s), verdict_of("bad", b, submission=s)])
        for s, (g, b) in judged.items()
    ]
    assert scores[0].value is None
    assert "compares submissions" in scores[0].note
    assert vectors_of(rubric, scores)["x"] == {"good": 1.0, "bad": 0.0}
    spec = next(spec for spec in SPECS if spec.name == "pareto")
    assert spec.over == "submissions"
    scoring = spec.build(eps=0.0)
    assert isinstance(scoring, Pareto)
    found = scoring.compare(rubric, scores)
    assert found.front == ("x", "y")
    assert found.dominated_by["z"] == ("x", "y")
