"""Financial PhraseBank: counts, majority baselines and nestedness of the four files, and the rule table.

The folder at hand may hold a part of the rows. Then a count must not exceed the published one, and the published
majority share must lie inside the 95 % interval of the share found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from published import Row, holds, number
from tables import data_set

from adjudge_finance.judges import by_rule
from adjudge_finance.lexicon import lexicon
from adjudge_finance.metrics import majority
from adjudge_finance.phrasebank import FILES, SENTIMENTS, read_file

PUBLISHED = {
    "50Agree": {"positive": 1363, "neutral": 2879, "negative": 604},
    "66Agree": {"positive": 1168, "neutral": 2535, "negative": 514},
    "75Agree": {"positive": 887, "neutral": 2146, "negative": 420},
    "AllAgree": {"positive": 570, "neutral": 1391, "negative": 303},
}
"""Rows of each file (Malo et al. 2014, release 1.0)."""
UNIQUE = {"50Agree": 4840, "66Agree": 4211, "75Agree": 3448, "AllAgree": 2259}
"""Different rows of each file."""
TRUTH_TABLE = {
    "Profit rose.": "positive",
    "Profit fell.": "negative",
    "Costs rose.": "negative",
    "Costs fell.": "positive",
    "The debt is held by two banks.": "neutral",
}
"""Direction × concept, and a concept without a direction."""

_Key = tuple[str, str]


def rows() -> Iterator[Row]:
    """Everything that can be checked without a model."""
    words = lexicon("investor")
    right = sum(by_rule(text, words).level == level for text, level in TRUTH_TABLE.items())
    yield number("PhraseBank rule table, direction × concept, cells right", len(TRUTH_TABLE), right)
    folder = data_set("financial_phrasebank")
    if folder is None:
        return
    read = {name: [key for _, key in read_file(folder, name)] for name in FILES}
    for name, keys in read.items():
        yield from _counts(name, keys)
    for narrow, wide in pairwise(FILES):
        stray = Counter(read[narrow]) - Counter(read[wide])
        what = f"PhraseBank {narrow} lies inside {wide}, rows outside"
        yield number(what, 0, stray.total())


def _counts(name: str, keys: Sequence[_Key]) -> Iterator[Row]:
    published, found = PUBLISHED[name], Counter(sentiment for _, sentiment in keys)
    whole = sum(published.values())
    part = "" if len(keys) == whole else f"a part: {len(keys):,} of {whole:,} rows are here"
    fits = found == published if not part else all(found[label] <= count for label, count in published.items())
    shown = (" / ".join(f"{counts[label]:,}" for label in SENTIMENTS) for counts in (published, found))
    yield holds(f"PhraseBank {name}, rows {' / '.join(SENTIMENTS)}", *shown, agrees=fits, note=part)
    different = len(set(keys))
    fits = different == UNIQUE[name] if not part else different <= UNIQUE[name]
    yield holds(f"PhraseBank {name}, different rows", f"{UNIQUE[name]:,}", f"{different:,}", agrees=fits, note=part)
    yield _majority(name, [sentiment for _, sentiment in keys], max(published.values()) / whole, part)


def _majority(name: str, labels: Sequence[str], share: float, part: str) -> Row:
    ours = majority(labels)
    what = f"PhraseBank {name}, accuracy of always neutral"
    if not part:
        return number(what, share, ours.value, 0.0005, ".3f")
    assert ours.value is not None
    assert ours.low is not None
    assert ours.high is not None
    return holds(what, f"{share:.3f}", f"{ours:.3f}", agrees=ours.low <= share <= ours.high, note=part)
