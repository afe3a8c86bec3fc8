"""Rules of counting: invariants over all ballots, sign symmetry, ties, disagreement."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.judges.votes import TIE, VETO, Vote, decide, disagreement, prefer, shares, worst_first
from adjudge.rubric import Criterion, Level, Scale
from adjudge.verdict import Verdict

RULES = ("majority", "weighted", "unanimous", "minority-veto", "mean")
BINARY = Criterion(id="a", text="a")
HARMFUL = Criterion(id="a", text="a", weight=-1)
FIVE = Criterion(id="a", text="a", scale="1-5")
COLOURS = Criterion(
    id="a", text="a", scale=Scale(kind="labels", levels=(Level(id="red"), Level(id="green"), Level(id="blue")))
)
votes_on_five = st.lists(
    st.builds(Vote, st.sampled_from([level.id for level in FIVE.scale.levels]), st.sampled_from([0.5, 1.0, 2.0])),
    min_size=1,
    max_size=9,
)


def of(*levels):
    return [Vote(level) for level in levels]


def mirrored(criterion: Criterion, votes):
    """The same question of the other sign: the lowest level is the highest, and the weight has the other sign."""
    ids = [level.id for level in criterion.scale.levels]
    swap = dict(zip(ids, reversed(ids), strict=True))
    return (
        criterion.model_copy(update={"weight": -criterion.weight}),
        [Vote(swap[v.level], v.weight) for v in votes],
        swap,
    )


@given(votes=votes_on_five, rule=st.sampled_from(RULES), seed=st.randoms(use_true_random=False))
def test_the_order_of_the_voters_does_not_matter(votes, rule, seed) -> None:
    mixed = list(votes)
    seed.shuffle(mixed)
    assert decide(rule, votes, FIVE, 0.25) == decide(rule, mixed, FIVE, 0.25)
    assert shares(votes) == pytest.approx(shares(mixed))


@given(
    level=st.sampled_from([level.id for level in FIVE.scale.levels]), n=st.integers(1, 7), rule=st.sampled_from(RULES)
)
def test_voters_who_agree_get_what_they_say(level, n, rule) -> None:
    outcome = decide(rule, of(*[level] * n), FIVE, 0.25)
    assert (outcome.level, outcome.flags) == (level, ())


@given(votes=votes_on_five, rule=st.sampled_from(RULES))
def test_a_criterion_of_negative_weight_is_the_mirror_image(votes, rule) -> None:
    criterion, other, swap = mirrored(FIVE, votes)
    here, there = decide(rule, votes, FIVE, 0.25), decide(rule, other, criterion, 0.25)
    assert there.level == swap[here.level]
    assert there.flags == here.flags


@given(votes=votes_on_five, rule=st.sampled_from(RULES))
def test_the_outcome_lies_between_the_worst_and_the_best_vote(votes, rule) -> None:
    order = worst_first(FIVE)
    places = [order.index(vote.level) for vote in votes]
    assert min(places) <= order.index(decide(rule, votes, FIVE, 0.25).level) <= max(places)


@given(votes=votes_on_five, better=st.sampled_from(["1", "2", "3", "4", "5"]))
def test_a_further_vote_never_lifts_what_is_not_unanimous(votes, better) -> None:
    order = worst_first(FIVE)
    before = order.index(decide("unanimous", votes, FIVE, 0.25).level)
    assert order.index(decide("unanimous", [*votes, Vote(better)], FIVE, 0.25).level) <= before


@pytest.mark.parametrize(
    ("rule", "levels", "level", "flags"),
    [
        ("majority", ["met", "met", "unmet"], "met", ()),
        ("majority", ["met", "unmet"], "unmet", (TIE,)),
        ("unanimous", ["met", "met", "unmet"], "unmet", (VETO,)),
        ("minority-veto", ["met"] * 4 + ["unmet"], "met", ()),
        ("minority-veto", ["met"] * 3 + ["unmet"] * 2, "unmet", (VETO,)),
        ("mean", ["met", "unmet"], "unmet", (TIE,)),
        ("mean", ["met", "met", "unmet"], "met", ()),
    ],
)
def test_rules_on_a_criterion_of_positive_weight(rule, levels, level, flags) -> None:
    outcome = decide(rule, of(*levels), BINARY, 0.25)
    assert (outcome.level, outcome.flags) == (level, flags)


def test_one_voter_who_sees_the_harm_is_enough_for_unanimous_and_veto() -> None:
    seen_by_one = of("unmet", "unmet", "met")
    assert decide("unanimous", seen_by_one, HARMFUL, 0.25).level == "met"
    assert decide("minority-veto", seen_by_one, HARMFUL, 0.25).level == "met"
    assert decide("majority", seen_by_one, HARMFUL, 0.25).level == "unmet"
    assert decide("majority", of("met", "unmet"), HARMFUL, 0.25).level == "met"


def test_weights_decide_only_where_the_rule_says_so() -> None:
    votes = [Vote("met", 3.0), Vote("unmet"), Vote("unmet")]
    assert decide("weighted", votes, BINARY, 0.25).level == "met"
    assert decide("majority", votes, BINARY, 0.25).level == "unmet"


def test_mean_gives_the_nearest_level_and_the_worse_of_two() -> None:
    assert decide("mean", of("1", "5", "5"), FIVE, 0.25).level == "4"
    assert decide("mean", of("3", "4"), FIVE, 0.25).level == "3"
    assert decide("mean", of("3", "4"), FIVE.model_copy(update={"weight": -1.0}), 0.25).level == "4"


def test_votes_that_are_split_over_levels_without_order_come_to_nothing() -> None:
    assert decide("majority", of("red", "blue"), COLOURS, 0.25).level is None
    assert decide("unanimous", of("red", "red", "blue"), COLOURS, 0.25).level is None
    assert decide("majority", of("red", "red", "blue"), COLOURS, 0.25).level == "red"


def test_a_split_over_preferences_is_a_tie() -> None:
    assert prefer("majority", of("first", "second")).level == "tie"
    assert prefer("unanimous", of("first", "first", "second")).level == "tie"
    assert prefer("majority", of("first", "first", "second")).level == "first"
    assert prefer("weighted", [Vote("first"), Vote("second", 2.0)]).level == "second"


def verdict(level=None):
    fields = {"status": "scored", "level": level} if level else {"status": "unscored", "reason": "infra"}
    return Verdict.model_validate({"submission": "s", "criterion": "a", **fields})


def test_disagreement_counts_only_who_gave_a_level() -> None:
    found = disagreement([verdict("met"), verdict("unmet"), verdict(), verdict("met"), verdict("unmet")])
    assert (found.voters, found.agreement, found.entropy) == (4, 0.5, 1.0)
    assert disagreement([verdict()]).entropy is None
    assert disagreement([verdict("met")] * 3).entropy == 0.0


@given(st.lists(st.sampled_from(["met", "unmet"]), min_size=1, max_size=12))
def test_entropy_lies_between_0_and_the_logarithm_of_the_levels(levels) -> None:
    found = disagreement(map(verdict, levels))
    assert 0 <= found.entropy <= math.log2(2) + 1e-12
    assert found.agreement >= 0.5
