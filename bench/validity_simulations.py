#!/usr/bin/env python3
"""How often 95 % intervals hold the truth, over many simulated studies.

    bench/validity_simulations.py [--studies 2000] [--write]

`--write` puts the table into docs/plugins/validity.md, in place of the one that stands there.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from adjudge.metrics import Estimate, clustered_mean, clustered_rate, wilson
from adjudge_validity.corrected import corrected_mean, rogan_gladen
from adjudge_validity.drawing import inclusion, pivotal

PAGE = Path(__file__).resolve().parents[1] / "docs" / "plugins" / "validity.md"
MARK = "<!-- simulations -->"
Study = Callable[[np.random.Generator], tuple[float, dict[str, Estimate]]]
"""One study: the truth, and the estimates of it."""


def clustered(rng: np.random.Generator) -> tuple[float, dict[str, Estimate]]:
    """20 clusters of 10 submissions with an intraclass correlation of .3, rate .7."""
    a = 0.7 * (1 / 0.3 - 1)
    hits = (rng.random(200) < np.repeat(rng.beta(a, a * 0.3 / 0.7, 20), 10)).tolist()
    return 0.7, {
        "as if independent": wilson(sum(hits), 200),
        "clustered": clustered_rate(hits, np.repeat(np.arange(20), 10).tolist()),
    }


def biased(rng: np.random.Generator) -> tuple[float, dict[str, Estimate]]:
    """A judge of sensitivity .95 and specificity .70 on a true rate of .60; 100 labels of 2,000."""
    truth = rng.random(2000) < 0.6
    judge = np.where(truth, rng.random(2000) < 0.95, rng.random(2000) > 0.7)
    people = [bool(x) if i < 100 else None for i, x in enumerate(truth)]
    return 0.6, {
        "judge alone": wilson(int(judge.sum()), 2000),
        "labels alone": clustered_mean(truth[:100].astype(float).tolist()),
        "ppi++": corrected_mean(judge.astype(float).tolist(), people).estimate(),
        "rogan–gladen": rogan_gladen(judge.tolist(), people),
    }


def nearly_all(rng: np.random.Generator) -> tuple[float, dict[str, Estimate]]:
    """A true rate of .95 and a judge right on 80 in 100; 30 labels of 300, often all alike."""
    truth = rng.random(300) < 0.95
    judge = np.where(rng.random(300) < 0.8, truth, ~truth).astype(float).tolist()
    people = [float(x) if i < 30 else None for i, x in enumerate(truth)]
    return 0.95, {
        "labels alone, by their spread": clustered_mean(truth[:30].astype(float).tolist()),
        "ppi++, with what is unseen": corrected_mean(judge, people, bounds=(0, 1)).estimate(),
    }


def active(rng: np.random.Generator) -> tuple[float, dict[str, Estimate]]:
    """A judge whose doubt tells how often it is wrong, rate .5; 120 labels of 600, drawn evenly or by doubt."""
    doubt = rng.random(600) ** 2
    truth = rng.random(600) < 0.5
    judge = np.where(rng.random(600) < doubt / 2, ~truth, truth).astype(float).tolist()
    by_doubt = inclusion(doubt.tolist(), 120)
    toss = random.Random(int(rng.integers(2**32)))
    even, chosen = (_in(pivotal(chances, toss)) for chances in ([0.2] * 600, by_doubt))
    return 0.5, {
        "drawn evenly, ppi++": corrected_mean(judge, _some(truth, even)).estimate(),
        "drawn by doubt": corrected_mean(judge, _some(truth, chosen), probabilities=by_doubt).estimate(),
    }


def _in(places: Sequence[int]) -> np.ndarray:
    return np.isin(np.arange(600), places)


def _some(truth: np.ndarray, chosen: np.ndarray) -> list[float | None]:
    return [float(x) if there else None for x, there in zip(truth, chosen, strict=True)]


def table(studies: int, kinds: Sequence[Study] = (clustered, biased, nearly_all, active)) -> str:
    lines = ["| study | interval | covers | mean width |", "| --- | --- | --- | --- |"]
    for kind in kinds:
        rng = np.random.default_rng(0)
        covered: dict[str, int] = {}
        width: dict[str, float] = {}
        for _ in range(studies):
            truth, estimates = kind(rng)
            for name, found in estimates.items():
                low, high = found.low or 0.0, found.high or 0.0
                covered[name] = covered.get(name, 0) + (low <= truth <= high)
                width[name] = width.get(name, 0.0) + high - low
        what = str(kind.__doc__).rstrip(".")
        lines += [
            f"| {what} | {name} | {n / studies:.1%} | {width[name] / studies:.3f} |" for name, n in covered.items()
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = table(asked.studies)
    print(found)
    if asked.write:
        before, _, rest = PAGE.read_text("utf-8").partition(MARK)
        after = rest[rest.index("\n## ") :]
        PAGE.write_text(f"{before}{MARK}\n\n{found}\n{after}", "utf-8")


if __name__ == "__main__":
    main()
