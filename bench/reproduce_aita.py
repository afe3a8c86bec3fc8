"""AITA: the divergence of disjoint crowds, kappa of equal and of independent raters, counts of the public file."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator

from published import Row, holds, number
from tables import data_set

from adjudge.metrics import cohen_kappa
from adjudge_aita.labels import VERDICTS
from adjudge_aita.loader import load_posts
from adjudge_aita.soft import js_divergence

PUBLISHED = {"YTA": 310, "NTA": 256, "NAH": 243, "ESH": 217}
"""Posts of each flair in the whole file, by its author (Buhler 2023)."""
RATINGS = 20_000


def rows() -> Iterator[Row]:
    disjoint = js_divergence({"NTA": 1.0}, {"YTA": 0.25, "ESH": 0.75})
    yield number("AITA, divergence of disjoint crowds: ln 2", math.log(2), disjoint, 1e-9, ".6f")
    first, second = (_raters(seed) for seed in (0, 1))
    yield number("AITA, kappa of equal raters", 1.0, cohen_kappa(first, first).value, 1e-12)
    yield number(
        "AITA, kappa of independent raters", 0.0, cohen_kappa(first, second).value, 0.02, ".3f", "seeded draws"
    )
    whole = sum(PUBLISHED.values())
    yield number("AITA, share of the commonest verdict", 0.302, max(PUBLISHED.values()) / whole, 0.0005, ".3f")
    folder = data_set("aita_buhler")
    if folder is not None:
        found = Counter(post.verdicts[0] for post in load_posts(folder / "Data_cleaned.csv.gz"))
        part = "" if found.total() == whole else f"{found.total():,} of {whole:,} are here"
        agrees = found == PUBLISHED if not part else all(found[label] <= n for label, n in PUBLISHED.items())
        yield holds("AITA, posts a verdict", str(PUBLISHED), dict(found), agrees=agrees, note=part)


def _raters(seed: int) -> list[str]:
    return random.Random(seed).choices(VERDICTS, k=RATINGS)
