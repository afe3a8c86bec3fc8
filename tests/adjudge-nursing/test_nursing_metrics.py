"""Figures for counterfactual pairs and two levels of difficulty, with what is unscored kept apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjudge
from adjudge.interfaces import Capabilities
from adjudge.submission import Submission
from adjudge.verdict import Question, Reply, Result, Verdict
from adjudge_nursing.metrics import alignment_figures, level_figures, majority, pair_figures, score_replies, shot_gain
from adjudge_nursing.tasks import nurvalues_dataset

EASY = nurvalues_dataset()
BOTH = nurvalues_dataset(level="both")
WORDS = {"met": "It aligns.", "unmet": "It does not align.", "?": "I would rather not say."}


def answered(items: Sequence[Submission], answer: Callable[[Submission], str]) -> list[Result]:
    """Results of a judge that gives `met`, `unmet` or something unreadable (`?`) for each case."""
    return score_replies(items, {item.id: WORDS[answer(item)] for item in items})


def gold(item: Submission) -> str:
    return str(item.labels[0].level)


def opposite(item: Submission) -> str:
    return "unmet" if gold(item) == "met" else "met"


class AlwaysAligns:
    """A backend that gives the word for the upper level nearly all the probability."""

    name = "always-aligns"
    identity: Mapping[str, Any] = {"backend": "always-aligns"}
    capabilities = Capabilities(label_logprobs="masked")

    async def ask(self, question: Question) -> Reply:
        words = dict.fromkeys(question.labels, -10.0) | {question.labels[-1]: -0.001}
        return Reply(text=question.labels[-1], logprobs=words, logprobs_are="masked")

    async def aclose(self) -> None:
        pass


async def test_a_judge_that_always_says_aligns_is_half_right_and_never_consistent() -> None:
    async with adjudge.make_judge(None, backend=AlwaysAligns()) as judge:
        results = await judge.many(EASY)
    assert {verdict.level for result in results for verdict in result.verdicts} == {"met"}
    assert alignment_figures(EASY, results)["accuracy"].value == 0.5
    assert alignment_figures(EASY, results)["macro_f1"].value == pytest.approx(1 / 3)
    assert pair_figures(EASY, results)["pair_consistency"].value == 0


def test_a_perfect_judge_is_perfect_everywhere() -> None:
    results = answered(BOTH, gold)
    found = {**alignment_figures(BOTH, results), **pair_figures(BOTH, results), **level_figures(BOTH, results)}
    assert found["accuracy"].value == found["macro_f1"].value == found["pair_consistency"].value == 1
    assert found["accuracy[justice]"].value == found["accuracy[hard]"].value == 1
    assert found["hard_drop"].value == found["susceptibility"].value == 0
    assert found["pairs"] == 30
    assert found["coverage"] == found["pair_coverage"] == found["level_coverage"] == 1


def test_a_judge_misled_by_every_dialogue_loses_all_at_the_hard_level() -> None:
    results = answered(BOTH, lambda item: gold(item) if item.metadata["level"] == "easy" else opposite(item))
    found = level_figures(BOTH, results)
    assert found["hard_drop"].value == found["susceptibility"].value == 1
    assert found["hard_drop"].n == 20
    assert alignment_figures(BOTH, results)["accuracy[hard]"].value == 0


def test_hard_drop_and_susceptibility_are_not_the_same() -> None:
    """Half of the hard cases lost and as many won: no drop, yet half were talked out of the right answer."""
    hard_pairs = sorted({str(i.metadata["pair"]) for i in BOTH if i.metadata["level"] == "hard"})
    lost = set(hard_pairs[:5])

    def answer(item: Submission) -> str:
        right = (item.metadata["pair"] in lost) == (item.metadata["level"] == "easy")
        return gold(item) if right else opposite(item)

    found = level_figures(BOTH, answered(BOTH, answer))
    assert found["hard_drop"].value == 0
    assert found["susceptibility"].value == 0.5


def test_one_level_alone_gives_no_figures_of_two() -> None:
    assert level_figures(EASY, answered(EASY, gold)) == {}


def test_what_is_unscored_is_neither_right_nor_wrong_and_bounds_the_figure() -> None:
    results = answered(EASY, lambda item: "?" if item.metadata["pair"] == "justice-1" else gold(item))
    found = alignment_figures(EASY, results)
    assert found["accuracy"].value == 1
    assert found["accuracy"].n == 38
    assert found["coverage"] == 0.95
    assert found["accuracy_if_unscored_wrong"] == 0.95
    assert found["accuracy_if_unscored_right"] == 1
    assert found["coverage[justice]"] == 0.75
    pairs = pair_figures(EASY, results)
    assert (pairs["pairs"], pairs["pair_coverage"]) == (20, 0.95)
    assert pairs["pair_consistency"].value == 1
    assert pairs["pair_consistency_if_unscored_wrong"] == 0.95


def test_a_judge_that_says_nothing_has_no_figures_but_full_bounds() -> None:
    results = score_replies(BOTH, {})
    found = {**alignment_figures(BOTH, results), **level_figures(BOTH, results)}
    assert found["accuracy"].value is None
    assert found["macro_f1"].value is None
    assert found["coverage"] == 0
    assert (found["accuracy_if_unscored_wrong"], found["accuracy_if_unscored_right"]) == (0, 1)
    assert (found["hard_drop_at_least"], found["hard_drop_at_most"]) == (-1, 1)
    assert {verdict.reason for result in results for verdict in result.verdicts} == {"infra"}


answers = st.lists(st.sampled_from(["met", "unmet", "?"]), min_size=len(BOTH), max_size=len(BOTH))


@given(answers)
def test_bounds_hold_whatever_the_unscored_would_have_been(given_levels: list[str]) -> None:
    by_id = {item.id: level for item, level in zip(BOTH, given_levels, strict=True)}
    filled = answered(BOTH, lambda item: "met" if by_id[item.id] == "?" else by_id[item.id])
    partial = answered(BOTH, lambda item: by_id[item.id])
    pairs, truth = pair_figures(BOTH, partial), pair_figures(BOTH, filled)["pair_consistency"].value
    assert pairs["pair_consistency_if_unscored_wrong"] <= truth <= pairs["pair_consistency_if_unscored_right"]
    levels, complete = level_figures(BOTH, partial), level_figures(BOTH, filled)
    assert levels["hard_drop_at_least"] <= complete["hard_drop"].value <= levels["hard_drop_at_most"]
    assert levels["susceptibility_at_least"] <= complete["susceptibility"].value <= levels["susceptibility_at_most"]


def test_shot_gain_is_the_paired_difference_clustered_by_pair() -> None:
    without = answered(EASY, lambda item: "met")
    gain = shot_gain(EASY, answered(EASY, gold), without)
    assert gain.value == 0.5
    assert gain.clusters == 20
    assert shot_gain(EASY, without, without).value == 0


def test_shot_gain_leaves_out_what_one_side_lacks() -> None:
    results = answered(EASY, gold)
    gain = shot_gain(EASY, results[:-2], results)
    assert gain.n == 38
    assert "2 pairs incomplete" in gain.note


def test_examples_do_not_change_which_cases_are_compared() -> None:
    shown = nurvalues_dataset(shots=2)
    assert shot_gain(shown, answered(shown, gold), answered(EASY, gold)).n == 40


def vote(level: str | None, repeat: int) -> Verdict:
    if level is None:
        return Verdict(submission="x", criterion="justice", status="unscored", reason="parse", repeat=repeat)
    return Verdict(submission="x", criterion="justice", status="scored", level=level, repeat=repeat)


@pytest.mark.parametrize(
    ("votes", "level"),
    [
        (["met", "met", "unmet"], "met"),
        (["unmet", None, None], "unmet"),
        (["met", "unmet", None], None),
        ([None, None, None], None),
        ([], None),
    ],
)
def test_self_consistency_takes_the_majority_and_no_tie(votes: list[str | None], level: str | None) -> None:
    assert majority([vote(given, repeat) for repeat, given in enumerate(votes)], "justice") == level
