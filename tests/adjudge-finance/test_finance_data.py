"""Published counts, nested files and baselines on the real data, where they are there."""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from adjudge_finance.fomc import load_statements, read_stance
from adjudge_finance.learned import Trained
from adjudge_finance.lexicon import lexicon
from adjudge_finance.phrasebank import BANDS, FILES, load_sentences, read_file
from adjudge_finance.phrases import findings, parsed, polarity
from adjudge_finance.writing import load_queries

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
PHRASEBANK = DATA / "financial_phrasebank"
STATEMENTS = DATA / "fomc" / "chatgpt_lab-manual-combine_5768.csv.gz"
QUERIES = DATA / "writingbench_finance" / "finance_business.jsonl.gz"
WHOLE = {"50Agree": 4846, "66Agree": 4217, "75Agree": 3453, "AllAgree": 2264}

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not PHRASEBANK.is_dir(), reason="the data sets are not under ADJUDGE_DATA"),
]


def test_files_hold_no_more_than_was_published_and_are_nested() -> None:
    rows = {name: [key for _, key in read_file(PHRASEBANK, name)] for name in FILES}
    assert all(len(rows[name]) <= count for name, count in WHOLE.items())
    for narrow, wide in pairwise(FILES):
        assert set(rows[narrow]) < set(rows[wide])
        assert not Counter(rows[narrow]) - Counter(rows[wide])


def test_bands_share_out_the_widest_file() -> None:
    sentences = load_sentences(PHRASEBANK)
    assert len(sentences) == len({key for _, key in read_file(PHRASEBANK, "50Agree")})
    assert set(Counter(one.band for one in sentences)) == set(BANDS)
    surest = sum(one.band == "100" for one in sentences)
    assert surest == len({key for _, key in read_file(PHRASEBANK, "AllAgree")})


def test_the_rule_judge_is_far_above_the_majority_where_all_annotators_agree() -> None:
    words = lexicon("investor")
    sure = [one for one in load_sentences(PHRASEBANK) if one.band == "100"]
    level = {1: "positive", -1: "negative", 0: "neutral"}
    right = sum(level[polarity(findings(parsed(s.text, words).entities))] == s.sentiment for s in sure)
    assert right / len(sure) > 0.85


def test_the_learned_judge_reaches_its_floor_in_cross_validation() -> None:
    sentences = load_sentences(PHRASEBANK)
    texts, levels = zip(*((one.text, one.sentiment) for one in sentences), strict=True)
    given = Trained(texts, levels, lexicon("investor"), folds=5).cross_validated()
    sure = [a == one.sentiment for a, one in zip(given, sentences, strict=True) if one.band == "100"]
    assert sum(sure) / len(sure) >= 0.80


def test_statements_are_read_with_the_replies_of_the_authors_model() -> None:
    statements = load_statements(STATEMENTS)
    assert set(Counter(one.stance for one in statements)) == {"dovish", "hawkish", "neutral"}
    assert all(read_stance(one.reply) is not None for one in statements)


def test_every_query_has_five_criteria_of_ten_levels() -> None:
    queries = load_queries(QUERIES)
    assert len({query.index for query in queries}) == len(queries) > 50
    assert {len(query.rubric.criteria) for query in queries} == {5}
    assert {len(criterion.scale.levels) for query in queries for criterion in query.rubric.criteria} == {10}
