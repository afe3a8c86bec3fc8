"""The compare judge: both orders always, and a preference that is not swayed by them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge.engine import Engine
from adjudge.errors import UnsupportedError
from adjudge.judges.compare import OVERALL, CompareJudge
from adjudge.judges.settings import Settings
from adjudge.ledger import Ledger
from adjudge.readout import ReasonedReadOut
from adjudge.rubric import Criterion, Example, Rubric
from adjudge.submission import Comparison, Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Usage

QUIET = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SWAP = {"first": "second", "second": "first", "tie": "tie", "incomparable": "incomparable", None: None}


def criterion_of(name, **fields):
    return Criterion(id=name, text=f"It is {name}.", **fields)


def rubric_with(*criteria, **fields):
    return Rubric(id="test", version="1", draft=True, criteria=criteria, **fields)


def pair_of(*outputs):
    submissions = tuple(Submission(id=f"id-{text}", input="Why?", output=text) for text in outputs)
    return Comparison(id="pair", submissions=submissions)


def compare(script, rubric=None, pair=None, **fields):
    backend = script if isinstance(script, ScriptedBackend) else ScriptedBackend(script)

    async def once():
        with Ledger() as ledger:
            engine = Engine(backend, ledger)
            verdicts = await CompareJudge(**fields).judge(
                pair or pair_of("good one", "bad one"), rubric or rubric_with(criterion_of("a")), engine
            )
            return list(verdicts), engine.tally

    verdicts, tally = asyncio.run(once())
    assert sum((verdict.usage for verdict in verdicts), Usage()) == tally.usage
    return verdicts


def shown_first(question):
    shown = question.prompt.output
    return "good one" if shown.index("good one") < shown.index("bad one") else "bad one"


def prefers(winner, share=0.8):
    """A judge that sees through the order: the winner gets its share wherever it stands."""

    def script(question):
        best, other = ("A", "B") if shown_first(question) == winner else ("B", "A")
        return {best: share, other: (1 - share) * 0.75, "tie": (1 - share) * 0.25}

    return script


def by_place(a, b, tie=0.0):
    return {"A": a, "B": b, "tie": tie}


def test_both_orders_are_always_asked_under_the_name_of_the_comparison():
    backend = ScriptedBackend(prefers("good one"))
    compare(backend, rubric_with(criterion_of("a"), criterion_of("b")))
    asked = [(question.submission, question.criterion, shown_first(question)) for question in backend.questions]
    assert asked == [("pair", name, first) for name in "ab" for first in ("good one", "bad one")]


def test_the_better_one_is_found_and_the_probabilities_are_averaged_in_the_given_order():
    verdict, overall = compare(prefers("good one"))
    assert (verdict.level, overall.level, overall.criterion) == ("first", "first", OVERALL)
    assert verdict.distribution == pytest.approx({"first": 0.8, "second": 0.15, "tie": 0.05})
    assert [dict(order) for order in verdict.orders] == [pytest.approx(verdict.distribution)] * 2
    assert verdict.flags == ()
    assert overall.distribution == verdict.distribution


def test_a_judge_that_only_sees_places_ties_and_is_flagged():
    verdict, overall = compare(by_place(0.9, 0.1))
    assert verdict.level == "tie"
    assert verdict.distribution == pytest.approx({"first": 0.5, "second": 0.5, "tie": 0.0})
    assert "order-inconsistent" in verdict.flags
    assert "order-inconsistent" in overall.flags


def test_a_clear_winner_in_one_order_wins_but_is_flagged():
    def script(question):
        return by_place(0.9, 0.1) if shown_first(question) == "good one" else by_place(0.55, 0.45)

    verdict, _ = compare(script)
    assert verdict.level == "first"
    assert verdict.flags == ("order-inconsistent",)


shares = st.tuples(*[st.floats(0.01, 1)] * 3).map(
    lambda s: dict(zip(("A", "B", "tie"), (x / sum(s) for x in s), strict=True))
)


@QUIET
@given(shares, shares)
def test_swapping_the_submissions_swaps_the_verdict_and_the_probabilities(one, other):
    def script(question):
        return one if shown_first(question) == "good one" else other

    rubric = rubric_with(criterion_of("a"), criterion_of("b", weight=-1))
    given_order = compare(script, rubric)
    swapped = compare(script, rubric, pair_of("bad one", "good one"))
    for verdict, mirrored in zip(given_order, swapped, strict=True):
        assert mirrored.level == SWAP[verdict.level]
        assert mirrored.flags == verdict.flags
        if verdict.distribution is not None and mirrored.distribution is not None:
            assert mirrored.distribution == {SWAP[side]: share for side, share in verdict.distribution.items()}


@pytest.mark.parametrize("order", ["good one", "bad one"])
@pytest.mark.parametrize(
    "fault", [Failure(reason="refusal", detail="no"), {"elsewhere": 1.0}], ids=["refusal", "parse"]
)
def test_one_failed_order_leaves_the_criterion_and_the_whole_unscored(order, fault):
    def script(question):
        return fault if shown_first(question) == order else by_place(0.9, 0.1)

    verdict, overall = compare(script)
    assert {verdict.status, overall.status} == {"unscored"}
    assert verdict.reason == overall.reason == ("refusal" if isinstance(fault, Failure) else "parse")
    assert verdict.level is overall.level is None
    assert overall.detail.startswith("a: ")


def partial_order(**winners):
    """Judge by criterion: who wins it, wherever it stands."""

    def script(question):
        winner = winners[question.criterion]
        return by_place(0.1, 0.1, 0.8) if winner == "tie" else prefers(winner)(question)

    return script


@pytest.mark.parametrize(
    ("a", "b", "weight", "level"),
    [
        ("good one", "good one", 1, "first"),
        ("bad one", "bad one", 1, "second"),
        ("good one", "bad one", 1, "incomparable"),
        ("good one", "tie", 1, "first"),
        ("tie", "bad one", 1, "second"),
        ("tie", "tie", 1, "tie"),
        ("good one", "bad one", -1, "first"),
        ("good one", "good one", -2, "incomparable"),
        ("tie", "good one", -1, "second"),
    ],
)
def test_criteria_make_a_partial_order_in_which_none_is_outvoted(a, b, weight, level):
    rubric = rubric_with(criterion_of("a", weight=100), criterion_of("b", weight=weight))
    assert compare(partial_order(a=a, b=b), rubric)[-1].level == level


def test_a_single_criterion_of_negative_weight_speaks_for_the_other_side():
    verdict, overall = compare(prefers("good one"), rubric_with(criterion_of("rude", weight=-1)))
    assert (verdict.level, overall.level) == ("first", "second")


def test_one_unscored_criterion_leaves_the_whole_unscored():
    rubric = rubric_with(criterion_of("a"), criterion_of("b"))

    def script(question):
        return Failure(reason="overflow") if question.criterion == "b" else prefers("good one")(question)

    verdicts = compare(script, rubric)
    assert [verdict.status for verdict in verdicts] == ["scored", "unscored", "unscored"]
    assert verdicts[-1].reason == "overflow"


@pytest.mark.parametrize(
    ("share", "margin", "level"), [(0.6, 0.0, "first"), (0.6, 0.5, "tie"), (0.9, 0.5, "first"), (0.35, 0.0, "second")]
)
def test_probabilities_within_the_margin_are_a_tie(share, margin, level):
    assert compare(prefers("good one", share), margin=margin)[0].level == level


def test_the_answer_tie_is_offered_unless_switched_off():
    for ties, words in ((True, ("A", "B", "tie")), (False, ("A", "B"))):
        backend = ScriptedBackend(prefers("good one"))
        verdict = compare(backend, ties=ties)[0]
        assert backend.questions[0].labels == words
        assert verdict.distribution["tie"] == pytest.approx(0.05 if ties else 0)
        assert sum(verdict.distribution.values()) == pytest.approx(1)


def test_json_replies_give_levels_without_probabilities_of_their_own():
    def script(question):
        return f'{{"explanation": "so", "level": "{"A" if shown_first(question) == "good one" else "B"}"}}'

    verdict, _ = compare(script, settings=Settings(read_out=ReasonedReadOut()))
    assert verdict.level == "first"
    assert verdict.distribution == {"first": 1.0, "second": 0.0, "tie": 0.0}
    assert verdict.explanation == "so\nso"


def test_the_lower_label_mass_of_both_orders_is_kept():
    def script(question):
        return by_place(0.5, 0.1, 0.1) if shown_first(question) == "good one" else by_place(0.1, 0.2, 0.1)

    verdicts = compare(script)
    assert [verdict.label_mass for verdict in verdicts] == [pytest.approx(0.4)] * 2
    assert all("low-label-mass" in verdict.flags for verdict in verdicts), "as of any other judge of labels"


def test_enough_label_mass_in_both_orders_is_not_flagged():
    assert compare(lambda _: {"A": 0.5, "B": 0.1, "tie": 0.1})[0].flags == ("order-inconsistent",)


def test_examples_of_the_criterions_own_levels_are_left_out():
    rubric = rubric_with(criterion_of("a", examples=(Example(output="EXAMPLE", level="met"),)))
    backend = ScriptedBackend(prefers("good one"))
    compare(backend, rubric)
    assert "EXAMPLE" not in backend.prompts[0]


@pytest.mark.parametrize("template", ["morebench", "nurvalues", "healthbench"])
def test_a_template_without_a_place_for_two_is_refused_before_any_call(template):
    backend = ScriptedBackend()
    with pytest.raises(UnsupportedError, match=template):
        compare(backend, rubric_with(criterion_of("a"), template=template))
    assert backend.asked == 0


def test_flags_of_either_submission_are_on_the_verdict():
    verdict = compare(by_place(0.1, 0.1, 0.8), pair=pair_of("good one", "bad one\u202e"))[0]
    assert "hidden-unicode" in verdict.flags


def test_repeats_are_refused_rather_than_ignored():
    with pytest.raises(UnsupportedError, match="takes no repeats"):
        CompareJudge(Settings(repeats=3))


def test_only_comparisons_of_two_are_taken():
    with pytest.raises(UnsupportedError, match="'x' is a submission; use --judge isolated"):
        compare(None, pair=Submission(id="x", output="x"))
    with pytest.raises(UnsupportedError, match="has 3"):
        compare(None, pair=pair_of("good one", "bad one", "third"))
