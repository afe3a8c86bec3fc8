"""Baselines on MoralChoice, low ambiguity: orders drawn with a seed, and both asked."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence

from baseline import Baseline, Options, ask_model
from learned_words import NAME, levels_of_pairs
from tables import data_set

from adjudge.api import load_rubric, make_judge
from adjudge.interfaces import Item
from adjudge.metrics import accuracy
from adjudge.submission import Comparison, as_text
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Result
from adjudge_moral.moralchoice.metrics import favoured_figures
from adjudge_moral.moralchoice.tasks import low_dataset

SET = "MoralChoice, low ambiguity"
ONE_ANSWER = {"ties": False}
FIGURES = {
    "accuracy": "accuracy over both orders",
    "order_consistency": "same choice in both orders",
    "first_shown": "action shown first taken",
}


def rows(options: Options) -> Iterator[Baseline]:
    folder = data_set("moralchoice")
    if folder is None:
        return
    items = low_dataset(source=str(folder / "moralchoice_low_ambiguity.csv.gz"), seed=options.seed)
    gold = [str(item.labels[0].level) for item in items]
    commonest = Counter(gold).most_common(1)[0][0]
    yield Baseline(SET, "majority", "", f"accuracy of always {commonest}", accuracy(gold, [commonest] * len(gold)))
    yield Baseline(SET, NAME, "", "accuracy over both orders", accuracy(gold, _learned(items, gold, options.seed)))
    yield from _figures("always-first", "", items, asyncio.run(_always_first(items)))
    order = list(items)
    random.Random(options.seed).shuffle(order)  # a larger sample begins with the smaller one, whose replies are kept
    for read_out, n in options.sizes(label=100, reasoned=10).items():
        sample = order[:n]
        judge, results = ask_model(
            sample, load_rubric("moral/choice"), read_out, options, judge="compare", settings=ONE_ANSWER
        )
        yield from _figures(judge, read_out, sample, results)


def _learned(items: Sequence[Item], gold: Sequence[str], seed: int) -> list[str]:
    """Choices by the words of the two actions; the same in either order."""
    compared = [item for item in items if isinstance(item, Comparison)]
    pairs = [(as_text(one.submissions[0].output), as_text(one.submissions[1].output)) for one in compared]
    return levels_of_pairs(pairs, gold, [item.id for item in items], seed)


async def _always_first(items: Sequence[Item]) -> list[Result]:
    """What becomes of a judge that takes whatever is shown first, asked like any other."""
    backend = ScriptedBackend({"*": {"A": 0.9}}, name="always-first", keep=False)
    async with make_judge("moral/choice", backend=backend, judge="compare", ties=False) as judge:
        return await judge.many(items)


def _figures(judge: str, read_out: str, items: Sequence[Item], results: Sequence[Result]) -> Iterator[Baseline]:
    found = favoured_figures(items, results)
    for name, told in FIGURES.items():
        yield Baseline(SET, judge, read_out, told, found[name], found["coverage"])
