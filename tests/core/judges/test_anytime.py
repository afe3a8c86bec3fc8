"""Anytime: the same pass or fail as a full run, for fewer questions."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adjudge.errors import UnsupportedError
from adjudge.judges.anytime import cannot_flip, passes, sprt
from adjudge.rubric import Criterion, ScoringChoice
from adjudge.testing import JudgeContract
from adjudge.verdict import Failure, Score

NAMES = "abcdef"


class TestAnytimeKeepsTheContract(JudgeContract):
    def make_judge(self):
        from adjudge.interfaces import Member
        from adjudge.judges import SPECS
        from adjudge.judges.anytime import AnytimeJudge

        spec = next(spec for spec in SPECS if spec.name == "isolated")
        return AnytimeJudge((Member(judge=spec.build(), name="isolated"),))


@settings(max_examples=60, deadline=None)
@example(
    levels=["yes"] * 6,
    weights=[1.0] * 6,
    musts=["may"] * 6,
    threshold=0.0,
    scoring="gated",
    gate=False,
    batch=1,
)
@given(
    levels=st.lists(st.sampled_from(["yes", "no", "dead"]), min_size=6, max_size=6),
    weights=st.lists(st.sampled_from([1.0, 3.0, -2.0, -5.0]), min_size=6, max_size=6),
    musts=st.lists(st.sampled_from(["must", "should", "may"]), min_size=6, max_size=6),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.0]),
    scoring=st.sampled_from(["weighted", "gated", "points", "mean"]),
    gate=st.booleans(),
    batch=st.integers(1, 3),
)
def test_pass_or_fail_is_that_of_the_full_run(  # noqa: PLR0917 - drawn by name
    kit, levels, weights, musts, threshold, scoring, gate, batch
) -> None:
    if scoring == "points":
        weights[0] = abs(weights[0])
    criteria = [
        kit.criterion(name, weight, importance=must, depends_on=({"criterion": "a"},) if gate and name > "c" else ())
        for name, weight, must in zip(NAMES, weights, musts, strict=True)
    ]
    rubric = kit.rubric(*criteria, scoring=ScoringChoice(name=scoring))
    answers = {"yes": kit.yes, "no": kit.no, "dead": Failure(reason="infra")}
    script = {name: answers[level] for name, level in zip(NAMES, levels, strict=True)}
    whole, some = kit.backend("x", script), kit.backend("x", script)
    full = kit.judged(rubric, kit.submission(), backend=whole)
    early = kit.judged(rubric, kit.submission(), backend=some, judge="anytime", threshold=threshold, batch=batch)
    assert passes(early.score, threshold) == passes(full.score, threshold)
    assert (early.score.bounds is None) == (full.score.bounds is None)  # `gated` is undefined without must and should
    if full.score.bounds is not None:
        assert early.score.bounds[0] <= full.score.bounds[0] <= full.score.bounds[1] <= early.score.bounds[1]
    assert some.asked <= whole.asked
    assert {q.criterion for q in some.questions} <= {q.criterion for q in whole.questions}


def test_what_is_not_needed_is_not_asked_and_says_so(kit) -> None:
    rubric = kit.rubric(kit.criterion("small"), kit.criterion("large", 8), kit.criterion("next", 4))
    backend = kit.backend("x", {"*": kit.yes})
    result = kit.judged(rubric, kit.submission(), backend=backend, judge="anytime", threshold=0.6)
    assert [q.criterion for q in backend.questions] == ["large"]
    assert [(v.criterion, v.status) for v in result.verdicts] == [
        ("small", "skipped"),
        ("large", "scored"),
        ("next", "skipped"),
    ]
    assert result.verdict("small").flags == ("decided",)
    assert result.score.value is None
    assert result.score.bounds == pytest.approx((8 / 13, 1.0))
    assert passes(result.score, 0.6) is True
    assert result.score.coverage == pytest.approx(1 / 3)
    assert "small (not needed: passes at 0.6 whatever it is)" in result.score.note


def test_a_missed_must_ends_it_at_once(kit) -> None:
    gate = kit.criterion("gate", importance="must")
    rubric = kit.rubric(*(kit.criterion(name) for name in "abcd"), gate, scoring=ScoringChoice(name="gated"))
    backend = kit.backend("x", {"gate": kit.no})
    result = kit.judged(rubric, kit.submission(), backend=backend, judge="anytime", threshold=0.5)
    assert backend.asked == 1
    assert passes(result.score, 0.5) is False


def test_what_hangs_from_something_not_needed_is_not_needed_either(kit) -> None:
    rubric = kit.rubric(
        kit.criterion("large", 9), kit.criterion("gate"), kit.criterion("then", depends_on=({"criterion": "gate"},))
    )
    result = kit.judged(rubric, kit.submission(), backend=kit.backend("x"), judge="anytime", threshold=0.5)
    assert [v.flags for v in result.verdicts] == [(), ("decided",), ("decided",)]


@settings(max_examples=40, deadline=None)
@given(votes=st.lists(st.sampled_from(["yes", "no", "dead"]), min_size=7, max_size=7))
def test_repeats_end_when_the_majority_cannot_flip_and_give_the_level_of_all(kit, votes) -> None:
    rubric = kit.rubric(kit.criterion("a"))
    answers = {"yes": kit.yes, "no": kit.no, "dead": Failure(reason="infra")}

    def script(asked):
        return answers[votes[asked.repeat]]

    full = kit.judged(rubric, kit.submission(), backend=kit.backend("x", script), repeats=7)
    some = kit.backend("x", script)
    early = kit.judged(rubric, kit.submission(), backend=some, judge="anytime", repeats=7)
    assert early.score.value == full.score.value
    count, asked = Counter(), 0
    for vote in votes:
        asked += 1
        count[vote] += vote != "dead"
        if abs(count["yes"] - count["no"]) > 7 - asked:
            break
    assert some.asked == asked
    assert [v.repeat for v in early.verdicts] == list(range(asked))


def test_its_repeats_are_those_of_a_plain_run(kit, tmp_path) -> None:
    """One ledger serves both: what the plain run asked is not asked again."""
    rubric, ledger = kit.rubric(kit.criterion("a"), kit.criterion("b")), tmp_path / "ledger.sqlite"
    kit.judged(rubric, kit.submission(), backend=kit.backend("x"), repeats=5, ledger=ledger)
    again = kit.backend("x")
    kit.judged(rubric, kit.submission(), backend=again, judge="anytime", repeats=5, ledger=ledger)
    assert again.asked == 0


def test_resume_asks_nothing_and_gives_the_same(kit, tmp_path) -> None:
    rubric = kit.rubric(*(kit.criterion(name, weight) for name, weight in zip(NAMES, range(1, 7), strict=True)))

    def once():
        backend = kit.backend("x", {"a": kit.no, "*": kit.yes})
        result = kit.judged(
            rubric, kit.submission(), backend=backend, judge="anytime", threshold=0.5, ledger=tmp_path / "l.sqlite"
        )
        return backend.asked, result

    (asked, first), (again, second) = once(), once()
    assert (asked, again) == (2, 0)
    assert first == second


@pytest.mark.parametrize(
    ("bounds", "decided"),
    [((0.6, 0.9), True), ((0.2, 0.59), False), ((0.2, 0.6), None), ((0.6, 0.6), True), (None, None)],
)
def test_a_score_passes_if_its_lower_bound_reaches_the_threshold(bounds, decided) -> None:
    given = Score(submission="s", rubric="r 1", scoring="x", value=None, bounds=bounds, coverage=0, criteria={})
    assert passes(given, 0.6) is decided


def test_a_majority_is_safe_only_beyond_what_is_left() -> None:
    assert not cannot_flip(Counter(), 3)
    assert not cannot_flip(Counter(a=2), 2)
    assert cannot_flip(Counter(a=2), 1)
    assert cannot_flip(Counter(a=3, b=1), 1)
    assert not cannot_flip(Counter(a=3, b=1), 2)
    assert not cannot_flip(Counter(), 0)


def drawn(chance, rng, most, **errors):
    """Votes until the test ends, at most so many; the votes and whether it ended."""
    votes, criterion = Counter(), Criterion(id="a", text="a")
    for _ in range(most):
        votes["met" if rng.random() < chance else "unmet"] += 1
        if sprt(criterion, votes, **errors):
            return votes, True
    return votes, False


@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 0.05), (0.01, 0.1)])
def test_the_sequential_test_errs_no_more_often_than_it_says(alpha, beta) -> None:
    """Simulated at the edge, where the errors are largest: 4,000 runs of each kind, three standard errors of room."""
    rng, runs = random.Random(7), 4000
    errors = {"alpha": alpha, "beta": beta, "edge": 0.2}
    for chance, limit, wrong in ((0.3, alpha, "met"), (0.7, beta, "unmet")):
        ended = [drawn(chance, rng, 500, **errors) for _ in range(runs)]
        assert all(done for _, done in ended)
        lost = sum(votes[wrong] > sum(votes.values()) / 2 for votes, _ in ended) / runs
        assert lost <= limit + 3 * (limit / runs) ** 0.5
        assert sum(sum(votes.values()) for votes, _ in ended) / runs < 15


def test_repeats_that_run_out_are_flagged(kit) -> None:
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))

    def script(asked):
        return kit.yes if asked.criterion == "a" or asked.repeat % 2 else kit.no

    backend = kit.backend("x", script)
    result = kit.judged(rubric, kit.submission(), backend=backend, judge="anytime", repeats=8, stop="sprt")
    found = {name: [v for v in result.verdicts if v.criterion == name] for name in "ab"}
    assert (len(found["a"]), found["a"][0].flags) == (4, ())
    assert (len(found["b"]), found["b"][0].flags) == (8, ("sprt-undecided",))


def test_it_stops_on_five_levels_when_the_leader_is_far_ahead() -> None:
    five = Criterion(id="a", text="a", scale="1-5")
    errors = {"alpha": 0.05, "beta": 0.05, "edge": 0.2}
    assert not sprt(five, Counter({"3": 4, "4": 1}), **errors)
    assert sprt(five, Counter({"3": 5, "4": 1}), **errors)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": [{}, {}]}, "wraps one judge"),
        ({"members": {"repeats": 3}}, "repeats by itself"),
        ({"stop": "never"}, "stop"),
        ({"alpha": 0.7, "repeats": 3}, "alpha"),
        ({"batch": 0}, "batch"),
    ],
)
def test_options_that_cannot_be_are_refused(kit, options, message) -> None:
    with pytest.raises(UnsupportedError, match=message):
        kit.judged(
            kit.rubric(kit.criterion("a")), kit.submission(), backend=kit.backend("x"), judge="anytime", **options
        )


def test_expected_scores_and_sequential_repeats_do_not_go_together(kit) -> None:
    rubric = kit.rubric(kit.criterion("a"), scoring=ScoringChoice(name="weighted", use="expected"))
    backend = kit.backend("x")
    with pytest.raises(UnsupportedError, match="every repeat moves"):
        kit.judged(rubric, kit.submission(), backend=backend, judge="anytime", repeats=3)
    assert backend.asked == 0
