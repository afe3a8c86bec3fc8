"""Financial PhraseBank: counts, nestedness, majority baselines."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from published import Row, holds
from tables import data_set

PUBLISHED = {
    "50Agree": {"neutral": 2879, "negative": 604, "positive": 1363},
    "66Agree": {"neutral": 2535, "negative": 514, "positive": 1168},
    "75Agree": {"neutral": 2146, "negative": 420, "positive": 887},
    "AllAgree": {"neutral": 1391, "negative": 303, "positive": 570},
}


def rows() -> Iterator[Row]:
    folder = data_set("financial_phrasebank")
    if folder is None:
        return
    read = {name: _labels(folder / f"Sentences_{name}.txt.gz") for name in PUBLISHED}
    for name, counts in PUBLISHED.items():
        found, whole = Counter(read[name]), sum(counts.values())
        part = "" if found.total() == whole else f"{found.total():,} of {whole:,} are here"
        agrees = found == counts if not part else all(found[label] <= count for label, count in counts.items())
        yield holds(f"PhraseBank {name}, sentences a label", str(counts), dict(found), agrees=agrees, note=part)


def _labels(path: Path) -> list[str]:
    text = gzip.decompress(path.read_bytes()).decode("iso-8859-1")
    return [line.rpartition("@")[2].strip() for line in text.split("\n") if line.strip()]
