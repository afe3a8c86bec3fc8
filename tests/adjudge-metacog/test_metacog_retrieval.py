"""Retrieval: what is found, in which order, within which budget, and why."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_metacog.nodes import Scope
from adjudge_metacog.retrieval import K1, B, Budget, Query, Retriever, words

from .conftest import rule

RULES = [
    rule("loan", "a loan", scope=Scope(domain="finance", scenarios=("lending",), tags=("fees",))),
    rule("dose", "a dose of medicine", severity=3, scope=Scope(domain="nursing", criteria=("safe",))),
    rule("essay", "help with an essay", severity=1),
]


def ids(query: Query, among=RULES, **budget) -> list[str]:
    return [found.rule.id for found in Retriever(among).find(query, Budget(**budget))]


def test_words_in_common_find_a_rule_and_tell_why():
    (found,) = Retriever(RULES).find(Query(text="Is this dose of medicine right?"), Budget(rules=1))
    assert found.rule.id == "dose"
    assert [why.split()[1] for why in found.why[:2]] == ["dose", "medicine"]


def test_the_words_of_the_form_find_nothing():
    assert ids(Query(text="When, do, not, because")) == []


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (Query(text="risk", domain="finance"), ["loan", "essay"]),
        (Query(text="risk", criterion="brief"), ["loan", "essay"]),
        (Query(text="risk", criterion="safe"), ["dose", "loan", "essay"]),
        (Query(text="risk", scenario="saving"), ["dose", "essay"]),
    ],
)
def test_a_scope_that_names_others_leaves_a_rule_out(query, wanted):
    assert ids(query) == wanted


def test_scenario_and_tags_find_a_rule_without_a_word_in_common():
    (found,) = Retriever(RULES).find(Query(text="xyz", scenario="lending", tags=("fees",)))
    assert (found.rule.id, found.why) == ("loan", ("scenario lending", "tag fees"))


def test_the_most_severe_comes_first_and_the_budget_holds():
    assert ids(Query(text="risk money loan")) == ["dose", "loan", "essay"]
    assert ids(Query(text="risk money loan"), rules=1) == ["loan"]
    assert ids(Query(text="risk money loan"), characters=100) == ["loan"]
    assert ids(Query(text="risk money loan"), rules=0) == []


def test_no_rules_find_nothing():
    assert ids(Query(text="loan"), []) == []


def test_chinese_is_found_by_pairs_of_characters():
    assert list(words("贷款风险")) == ["贷款", "款风", "风险"]
    chinese = rule("zh", text="When 有人问贷款, do 说明风险, because 会亏钱")
    assert ids(Query(text="我想贷款"), [*RULES, chinese]) == ["zh"]


def plainly(texts: list[str], query: str) -> list[float]:
    """BM25 as it is written down."""
    counts = [Counter(words(text)) for text in texts]
    mean = max(1.0, sum(sum(count.values()) for count in counts) / len(counts))
    scores = []
    for count in counts:
        score = 0.0
        for word in set(words(query)):
            n = sum(word in other for other in counts)
            idf = math.log(1 + (len(counts) - n + 0.5) / (n + 0.5))
            tf, norm = count[word], K1 * (1 - B + B * sum(count.values()) / mean)
            score += idf * tf * (K1 + 1) / (tf + norm) if tf else 0.0
        scores.append(score)
    return scores


@given(st.lists(st.text("abc ", max_size=30), min_size=1, max_size=8), st.text("abc ", max_size=20))
def test_scores_are_those_of_the_formula(abouts, query):
    rules = [rule(f"r{n}", f"it{about}") for n, about in enumerate(abouts)]
    scores = plainly([r.text for r in rules], query)
    found = {f.rule.id: f.score for f in Retriever(rules).find(Query(text=query), Budget(100, 100_000))}
    assert found == pytest.approx({f"r{n}": score for n, score in enumerate(scores) if score > 0}, rel=1e-4)


@given(st.permutations(RULES))
def test_the_order_of_the_rules_changes_nothing(rules):
    query = Query(text="a loan, a dose, an essay; the risk")
    assert Retriever(rules).find(query) == Retriever(RULES).find(query)
