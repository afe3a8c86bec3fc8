"""A sentence becomes entities, findings and a polarity: the rule table direction times concept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge_finance.lexicon import lexicon
from adjudge_finance.phrases import findings, parsed, polarity

INVESTOR, POLICY = lexicon("investor"), lexicon("policy")
QUIET = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SIGNS = {1: "plus", -1: "minus", 0: "neither"}


def level(text: str, words=INVESTOR) -> str:
    return words.outcomes[SIGNS[polarity(findings(parsed(text, words).entities))]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Profit rose.", "positive"),
        ("Profit fell.", "negative"),
        ("Costs rose.", "negative"),
        ("Costs fell.", "positive"),
        ("The debt of the company is held by two banks.", "neutral"),
        ("The company rose to fame.", "neutral"),
        ("Debt increased.", "negative"),
        ("Debt was reduced.", "positive"),
        ("The company was founded in 1921.", "neutral"),
        ("", "neutral"),
    ],
)
def test_the_truth_table_of_direction_and_concept(text: str, wanted: str) -> None:
    assert level(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Inflation rose.", "hawkish"),
        ("Inflation fell.", "dovish"),
        ("The unemployment rate rose.", "dovish"),
        ("The unemployment rate declined.", "hawkish"),
        ("Inflation was discussed.", "neutral"),
        ("We will restore price stability.", "hawkish"),
        ("Policy remains accommodative.", "dovish"),
    ],
)
def test_the_same_table_with_the_words_of_a_central_bank(text: str, wanted: str) -> None:
    assert level(text, POLICY) == wanted


def test_each_direction_goes_with_the_concept_nearest_to_it() -> None:
    told = findings(parsed("Net sales rose by 5 %, but operating profit fell to EUR 1.2 mn.", INVESTOR).entities)
    assert [[entity.text for entity in finding.entities] for finding in told] == [
        ["Net sales", "rose"],
        ["operating profit", "fell"],
    ]
    assert [finding.sign for finding in told] == [1, -1]
    assert level("Net sales rose by 5 %, but operating profit fell to EUR 1.2 mn.") == "neutral"


def test_at_one_distance_the_concept_before_the_direction_is_meant() -> None:
    (told,) = findings(parsed("Profit rose costs", INVESTOR).entities)
    assert told.entities[0].text == "Profit"


def test_the_longest_phrase_wins_so_that_a_lesser_loss_is_no_gain_of_sales() -> None:
    told = findings(parsed("The net loss narrowed, compared with a net loss of 3 million.", INVESTOR).entities)
    assert [entity.text for finding in told for entity in finding.entities] == [
        "net loss",
        "narrowed",
        "compared with a net loss",
    ]


@pytest.mark.parametrize(
    "text", ["Sales did not rise.", "Sales didn't rise.", "Sales didn’t rise.", "Sales did n't rise.", "No layoffs."]
)
def test_a_negated_direction_or_event_says_nothing(text: str) -> None:
    assert level(text) == "neutral"


def test_a_negation_far_away_changes_nothing() -> None:
    assert level("It was not a surprise to most of us that sales rose.") == "positive"


def test_a_linearised_sentence_keeps_other_words_and_hides_numbers() -> None:
    sentence = parsed("Operating profit rose to 3.5 million in Oulu, costs did not.", INVESTOR)
    assert sentence.linearised == ["C+", "UP", "to", "#", "million", "in", "oulu", "C-", "did", "NOT"]
    assert sentence.symbols == ["C+", "UP", "C-", "NOT"]


WORDS = st.sampled_from(
    ["operating", "profit", "loss", "from", "a", "net", "rose", "fell", "not", "won", "5", ".", "ä", "İ", "n't", "to"]
)


@QUIET
@given(st.one_of(st.lists(WORDS, max_size=20).map(" ".join), st.text(max_size=60)))
def test_entities_stand_in_the_text_in_order_and_never_overlap(text: str) -> None:
    found = parsed(text, INVESTOR).entities
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
    for one, other in pairwise(found):
        assert one.end <= other.start
        assert one.place + one.size <= other.place


@QUIET
@given(st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=12).map(" ".join))
def test_the_balance_of_a_text_lies_between_those_of_its_findings(first: str, second: str) -> None:
    told = findings(parsed(f"{first} {second}", INVESTOR).entities)
    assert {finding.sign for finding in told} <= {1, -1}
    if {finding.sign for finding in told} == {1}:
        assert polarity(told) == 1
    if {finding.sign for finding in told} == {-1}:
        assert polarity(told) == -1
