"""Lexicons are data: read strictly, from the package or from a file of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudge.errors import InputError
from adjudge_finance.fomc import STANCES
from adjudge_finance.lexicon import SHIPPED, fits, lexicon, parse
from adjudge_finance.phrasebank import SENTIMENTS

SMALL = """
name = "small"
version = "1"
summary = "for tests"
[outcomes]
plus = "good"
minus = "bad"
neither = "none"
[concepts]
plus = ["profit*", "operating profit"]
minus = ["cost*"]
[directions]
up = ["rose", "went up"]
down = ["fell"]
[events]
plus = ["won"]
minus = ["strike"]
[negation]
words = ["not", "n't"]
"""


def test_shipped_lexicons_decide_between_the_labels_of_their_data_sets() -> None:
    assert set(lexicon("investor").outcomes.values()) == set(SENTIMENTS)
    assert set(lexicon("policy").outcomes.values()) == set(STANCES)
    for name in SHIPPED:
        one = lexicon(name)
        assert (one.name, one.version) == (name, "1")
        assert one.summary
        assert sum(map(len, one.entries.values())) > 300


def test_entries_are_found_by_their_first_word_and_by_a_beginning_of_it() -> None:
    small = parse(SMALL, "small.toml")
    assert [entry.words for entry in small.starting_with("operating")] == [("operating", "profit")]
    assert [entry.sign for entry in small.starting_with("costs")] == [-1]
    assert [entry.words for entry in small.starting_with("profitable")] == [("profit*",)]
    assert list(small.starting_with("roses")) == []
    assert list(small.starting_with("x")) == []


@pytest.mark.parametrize(
    ("pattern", "word", "fit"),
    [("cost*", "costs", True), ("cost*", "cost", True), ("cost*", "cos", False), ("rose", "roses", False)],
)
def test_a_star_stands_for_any_ending(pattern: str, word: str, fit: bool) -> None:
    assert fits(pattern, word) == fit


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[negation]", "[negations]", r"small\.toml: has no \[negation\]"),
        ('up = ["rose", "went up"]', 'up = "rose"', r"\[directions\] up must be a list of words"),
        ('up = ["rose", "went up"]', 'up = ["rose", "*"]', r"\[directions\] up must be a list of words"),
        ('["fell"]', '["fell", "rose"]', "'rose' stands twice"),
        ('neither = "none"', "", r"\[outcomes\] must name the levels of plus, minus, neither"),
        ('plus = "good"', "plus = 1", r"\[outcomes\] must name"),
        ('version = "1"', "version = ", "no readable TOML"),
    ],
)
def test_a_lexicon_with_a_fault_is_refused_by_name(old: str, new: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse(SMALL.replace(old, new, 1), "small.toml")


def test_a_file_of_ones_own_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL, "utf-8")
    assert lexicon(str(path)).outcomes["plus"] == "good"
    with pytest.raises(InputError, match=r"gone\.toml: cannot be read .*shipped lexicons are investor, policy"):
        lexicon(str(tmp_path / "gone.toml"))
