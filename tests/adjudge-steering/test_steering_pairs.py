"""Pairs: reading, shipped ones, splits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_steering.pairs import LEAST, by_rule, load_pairs, neutral_texts, parted, shipped

from .conftest import pair, write_pairs


def test_the_shipped_pairs_are_two_rules_of_36_and_can_be_parted():
    found = by_rule(load_pairs(shipped()))
    assert {rule: len(pairs) for rule, pairs in found.items()} == {"name-the-risk": 36, "no-deception": 36}
    for pairs in found.values():
        assert {split: len(some) for split, some in parted(pairs).items()} == {"fit": 14, "choose": 11, "final": 11}
    assert len(neutral_texts()) == len(set(neutral_texts())) == 20


@given(st.lists(st.integers(0, 40), min_size=LEAST * 5, max_size=80))
def test_splits_are_disjoint_by_source_and_do_not_depend_on_the_order(sources):
    pairs = [pair(n, source=f"s{source}") for n, source in enumerate(sources)]
    if len(set(sources)) < LEAST * 4:
        return
    splits = parted(pairs)
    groups = [{one.group for one in some} for some in splits.values()]
    assert sum(map(len, groups)) == len(set().union(*groups)) == len(set(sources))
    assert sum(map(len, splits.values())) == len(pairs)
    turned = parted(pairs[::-1])
    assert {split: {one.id for one in some} for split, some in turned.items()} == {
        split: {one.id for one in some} for split, some in splits.items()
    }


def test_too_few_sources_are_refused_with_the_rule():
    with pytest.raises(InputError, match=r"'warm' has pairs of 5 sources; give at least 12"):
        parted([pair(n) for n in range(5)])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", r"x\.jsonl:2: is no JSON"),
        ("[]", r"x\.jsonl:2: the pair"),
        ('{"id": "a", "rule": "r", "input": "i", "follows": "x"}', r"x\.jsonl:2: breaks: Field required"),
        ('{"id": "a", "rule": "r", "input": "i", "follows": "x", "breaks": "x "}', "are the same text"),
        ('{"id": "warm-1", "rule": "r", "input": "i", "follows": "x", "breaks": "y"}', "'warm-1' stands there twice"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path, line, what):
    path = write_pairs(tmp_path / "x.jsonl", pair(1))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=what):
        load_pairs(path)


def test_missing_and_empty_files_are_refused(tmp_path):
    (tmp_path / "x").write_text("\n\n")
    with pytest.raises(InputError, match="holds no pairs"):
        load_pairs(tmp_path / "x")
    with pytest.raises(InputError, match="No such file"):
        load_pairs(tmp_path / "none")
    with pytest.raises(InputError, match="holds 0 texts"):
        neutral_texts(tmp_path / "x")
    with pytest.raises(InputError, match="No such file"):
        neutral_texts(tmp_path / "none")
