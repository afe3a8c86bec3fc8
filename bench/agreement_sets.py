"""Public data sets with human labels, as items to judge: LLMBar, SummEval, Financial PhraseBank.

    python bench/agreement_sets.py SET FILE.jsonl [--n N]

writes a set as a file that `adjudge judge` reads. The rows come from the folder named by ADJUDGE_DATA and are never
copied into the repository.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adjudge.dataset import write_items
from adjudge.interfaces import Item
from adjudge.submission import Comparison, Label, Submission

DIMENSIONS = ("coherence", "consistency", "fluency", "relevance")
SENTIMENTS = ("positive", "neutral", "negative")
BANDS = (("AllAgree", "100 %"), ("75Agree", "75-99 %"), ("66Agree", "66-74 %"), ("50Agree", "50-65 %"))
"""Files of the Financial PhraseBank from the strictest, each contained in the next, and what a band is called."""


@dataclass(frozen=True)
class Source:
    """A data set and how it is judged."""

    rubric: str
    """Id of an installed pack."""
    judge: str
    """Name of the judge."""
    load: Callable[[Path], list[Item]]
    """Reads the folder of the set; every item has `metadata["stratum"]`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the judge."""


def data_folder() -> Path:
    """The folder of public data sets."""
    return Path(os.environ.get("ADJUDGE_DATA", Path(__file__).resolve().parents[1] / "../shared/data"))


def sampled(items: Sequence[Item], n: int | None, seed: int) -> list[Item]:
    """Draw n items, each stratum in proportion (largest remainder); all of them if n is None.

    With one seed, a stratum's share of a larger sample begins with its share of a smaller one, so that a run on more
    items finds almost all earlier replies in its ledger.
    """
    if n is None or n >= len(items):
        return list(items)
    strata: defaultdict[str, list[int]] = defaultdict(list)
    for position, item in enumerate(items):
        strata[str(item.metadata["stratum"])].append(position)
    shares = {name: n * len(part) / len(items) for name, part in strata.items()}
    counts = {name: int(share) for name, share in shares.items()}
    for name in sorted(shares, key=lambda name: (counts[name] - shares[name], name))[: n - sum(counts.values())]:
        counts[name] += 1
    for name, part in strata.items():
        random.Random(f"{seed} {name}").shuffle(part)
    drawn = [position for name, part in strata.items() for position in part[: counts[name]]]
    return [items[position] for position in sorted(drawn)]


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _llmbar(folder: Path) -> list[Item]:
    """One instruction, two outputs, and which of them follows the instruction."""
    items: list[Item] = []
    for number, row in enumerate(_json_lines(folder / "natural.jsonl.gz"), 1):
        name, better = f"natural-{number}", {"1": "first", "2": "second"}[str(row["label"])]
        pair = [Submission(id=f"{name}-{side}", input=row["input"], output=row[f"output_{side}"]) for side in (1, 2)]
        labels = (Label(criterion="overall", level=better),)
        items.append(Comparison(id=name, submissions=tuple(pair), labels=labels, metadata={"stratum": better}))
    return items


def _summeval(folder: Path) -> list[Item]:
    """Summaries of 100 articles by 12 systems; the cluster is the article, the stratum the system."""
    items: list[Item] = []
    for path in sorted(folder.glob("*_outputs_annotations.jsonl.gz")):
        for row in _json_lines(path):
            labels = [
                Label(criterion=dimension, score=float(rating[dimension]), rater=f"expert {number}")
                for number, rating in enumerate(row["expert_annotations"], 1)
                for dimension in DIMENSIONS
            ]
            overall = sum(label.score or 0.0 for label in labels) / len(labels)
            items.append(
                Submission(
                    id=f"{row['model_id']}-{row['id']}",
                    input=row["text"],
                    output=row["decoded"],
                    labels=(*labels, Label(criterion="overall", score=overall)),
                    metadata={"stratum": row["model_id"], "cluster": row["id"]},
                )
            )
    return items


def _phrasebank(folder: Path) -> list[Item]:
    """Sentences with the majority's sentiment; the band says how many annotators agreed."""
    bands: dict[str, tuple[str, str]] = {}
    for file, band in BANDS:
        for line in (
            gzip.decompress((folder / f"Sentences_{file}.txt.gz").read_bytes()).decode("iso-8859-1").split("\n")
        ):
            sentence, _, sentiment = line.strip().rpartition("@")
            if sentence:
                bands.setdefault(sentence, (sentiment, band))
    return [
        Submission(
            id=f"sentence-{number}",
            output=sentence,
            labels=(Label(criterion="sentiment", level=sentiment),),
            metadata={"stratum": f"{band} {sentiment}", "band": band},
        )
        for number, (sentence, (sentiment, band)) in enumerate(bands.items(), 1)
    ]


SOURCES: Mapping[str, Source] = {
    "llmbar": Source("general/instruction-following", "compare", _llmbar, {"ties": False}),
    "summeval": Source("general/summary", "isolated", _summeval),
    "financial_phrasebank": Source("finance/investor-sentiment", "isolated", _phrasebank),
}
"""Sets by the name of their folder."""


def main() -> int:
    """Write one set as JSON lines."""
    parser = argparse.ArgumentParser(description="Write a data set as a file that `adjudge judge` reads.")
    parser.add_argument("set", choices=SOURCES)
    parser.add_argument("file", type=Path, help="ends in .jsonl or .jsonl.gz")
    parser.add_argument("--n", type=int, help="items, stratified; all if not given")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = data_folder() / options.set
    if not folder.is_dir():
        print(f"{options.set}: not under ADJUDGE_DATA", file=sys.stderr)
        return 2
    write_items(options.file, sampled(SOURCES[options.set].load(folder), options.n, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
