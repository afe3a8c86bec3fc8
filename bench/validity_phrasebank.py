#!/usr/bin/env python3
"""A learned read-out over a small frozen model on the Financial PhraseBank, by how far the annotators agreed.

    bench/validity_phrasebank.py [--asked 400] [--keep FOLDER] [-B threads=1] [--markdown] [--write]

Needs the set `financial_phrasebank` under ADJUDGE_DATA, and what `minilm.py` asks for. The local model judges a
stratified sample; embeddings are of all sentences. `--keep` holds replies and embeddings for the next time. `--write`
puts the table into docs/explanation/learned-read-outs.md, in place of the one that stands there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agreement_sets import sampled
from baseline import Options, ask_model
from baselines_finance import Set, phrasebank
from minilm import MiniLM
from tables import data_set, pair, rewrite, table

from adjudge.metrics import Estimate, clustered_mean
from adjudge.submission import Submission
from adjudge_finance.judges import by_rule
from adjudge_finance.learned import Trained
from adjudge_finance.phrasebank import BANDS
from adjudge_finance.rubrics import pack
from adjudge_validity.learned import fit, folds, recipes
from adjudge_validity.observations import Observations

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "learned-read-outs.md"
SIZES = (32, 128, 512)
DRAWS = 3
"""How often folds and labels are drawn."""


@dataclass(frozen=True)
class Line:
    """A judge on some of the sentences."""

    judge: str
    labels: str
    items: Sequence[Submission]
    right: Any
    """Share of draws in which it was right, shape (n,)."""

    def cells(self) -> list[str]:
        """For the table."""
        bands = [str(item.metadata["band"]) for item in self.items]
        figures = [self._in([band in {"", one} for one in bands]) for band in ("", *BANDS)]
        return [self.judge, self.labels, f"{len(self.items):,}", *map(_cell, figures)]

    def _in(self, mask: Sequence[bool]) -> Estimate:
        chosen = [place for place, there in enumerate(mask) if there]
        clusters = [str(self.items[place].metadata["cluster"]) for place in chosen]
        return clustered_mean([float(self.right[place]) for place in chosen], clusters)


def _cell(found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return found.note
    return f"{found.value:.2f} [{max(0.0, found.low):.2f}, {min(1.0, found.high):.2f}]"


def observations(found: Set, items: Sequence[Submission], said: Any, vectors: Any) -> Observations:
    """One row per sentence; `said` and `vectors` may have no columns."""
    gold = [str(item.labels[0].level) for item in items]
    return Observations(
        given={"sentiment": said} if said.shape[1] else {},
        ordered=frozenset(),
        extra=vectors,
        raters=[""] * len(items),
        clusters=[str(item.metadata["cluster"]) for item in items],
        truth=np.array([[level == one for one in found.labels] for level in gold], float),
        target="sentiment",
    )


def learned(name: str, items: Sequence[Submission], rows: Observations) -> Iterator[Line]:
    """Cross-validation with 32, 128 and 512 labels of the training folds, where there are so many."""
    among = recipes(raters=False, extra=rows.extra.shape[1] > 0)
    for size in SIZES:
        if size > len(rows) * 0.75:
            continue
        hits = np.zeros(len(rows))
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            for held in folds(rows.clusters, seed=seed):
                chosen = rng.choice(np.flatnonzero(~held), size, replace=False)
                shares = fit(rows.part(chosen), among, seed=seed).probabilities(rows.part(held))
                hits[held] += shares.argmax(1) == rows.truth[held].argmax(1)
        line = Line(name, str(size), items, hits / DRAWS)
        print(line.cells(), file=sys.stderr)
        yield line


def fixed(name: str, items: Sequence[Submission], given: Sequence[str | None], labels: str = "0") -> Line:
    """A judge that gives a level."""
    right = [level == item.labels[0].level for level, item in zip(given, items, strict=True)]
    return Line(name, labels, items, np.array(right, float))


def lines(found: Set, options: Options, asked: int, keep: Path) -> Iterator[Line]:
    """All judges, from those without labels to those that learn."""
    items = list(found.items)
    yield fixed("always neutral", items, ["neutral"] * len(items))
    yield fixed("phrase structure, rule table", items, [by_rule(text, found.words).level for text in found.texts])
    tenfold = Trained(found.texts, found.gold, found.words, folds=10, seed=options.seed).cross_validated()
    yield fixed("phrase structure, learned", items, tenfold, f"{len(items) * 9 // 10:,}")

    vectors = _kept(keep / "embeddings.npy", lambda: MiniLM().encode(found.texts))
    yield from learned("embeddings", items, observations(found, items, np.empty((len(items), 0)), vectors))

    sample = [item for item in sampled(items, asked, options.seed) if isinstance(item, Submission)]
    places = {item.id: place for place, item in enumerate(items)}
    own = vectors[[places[item.id] for item in sample]]
    judge, results = ask_model(sample, pack(found.pack), "label", options)
    verdicts = [result.verdicts[0] for result in results]
    yield fixed(f"{judge}, zero-shot", sample, [verdict.level for verdict in verdicts])
    blank = dict.fromkeys(found.labels, np.nan)
    said = np.array([[(one.distribution or blank)[level] for level in found.labels] for one in verdicts])
    yield from learned("log-probabilities", sample, observations(found, sample, said, np.empty((len(sample), 0))))
    if len(sample) < len(items):
        yield from learned("embeddings, same sentences", sample, observations(found, sample, said[:, :0], own))
    yield from learned("log-probabilities and embeddings", sample, observations(found, sample, said, own))
    if len(sample) == len(items):
        return
    there = np.full((len(items), len(found.labels)), np.nan)
    there[[places[item.id] for item in sample]] = said
    name = f"embeddings, with log-probabilities of {len(sample)}"
    yield from learned(name, items, observations(found, items, there, vectors))


def _kept(path: Path, make: Any) -> Any:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, make())
    return np.load(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asked", type=int, default=400, help="sentences that the local model judges")
    parser.add_argument("--keep", type=Path, default=Path("adjudge-phrasebank"))
    parser.add_argument("-B", dest="backend", type=pair, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    folder = data_set("financial_phrasebank")
    if folder is None:
        return 2
    backend = {name: int(value) if value.isdigit() else value for name, value in asked.backend}
    options = Options(ledger=asked.keep / "ledger.sqlite", backend_options=backend)
    rows = [line.cells() for line in lines(phrasebank(str(folder)), options, asked.asked, asked.keep)]
    header = ["read-out", "labels", "sentences", "all", *(f"{band} % agree" for band in BANDS)]
    print(table([header, *rows], markdown=asked.markdown))
    if asked.write:
        rewrite(PAGE, "phrasebank", table([header, *rows], markdown=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
