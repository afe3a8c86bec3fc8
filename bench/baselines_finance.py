"""Baselines on the Financial PhraseBank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agreement_sets import SOURCES, sampled
from baseline import Baseline, Options, ask_model
from tables import data_set

from adjudge.api import load_rubric
from adjudge.interfaces import Item
from adjudge.metrics import accuracy, level_agreement


def rows(options: Options) -> Iterator[Baseline]:
    folder = data_set("financial_phrasebank")
    if folder is None:
        return
    items = SOURCES["financial_phrasebank"].load(folder)
    gold = [_gold(item) for item in items]
    commonest = Counter(gold).most_common(1)[0][0]
    yield Baseline("PhraseBank", "majority", "", "accuracy", accuracy(gold, [commonest] * len(gold)))
    for read_out, n in options.samples.items():
        yield _model(sampled(items, n, options.seed), read_out, options)


def _gold(item: Item) -> str:
    return str(item.labels[0].level)


def _model(sample: Sequence[Item], read_out: str, options: Options) -> Baseline:
    judge, results = ask_model(sample, load_rubric("general/investor-sentiment"), read_out, options)
    found = level_agreement(sample, results)
    return Baseline(
        "PhraseBank", judge, read_out, "accuracy", found["accuracy[sentiment]"], found["coverage[sentiment]"]
    )
