"""Baselines on AnnoMI (is a conversation good motivational interviewing, what does an utterance do), and the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agreement_sets import sampled
from baseline import Baseline, Options, ask_model
from learned_words import NAME, levels_of_texts
from tables import data_set

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, accuracy, cluster_bootstrap, macro_f1
from adjudge.submission import Submission, as_text
from adjudge.verdict import Result
from adjudge_counselling.crisis import LexiconJudge, find_risk
from adjudge_counselling.datasets import annomi_dataset, crisis_dataset
from adjudge_counselling.metrics import crisis_figures
from adjudge_counselling.rubrics import pack


@dataclass(frozen=True)
class Part:
    """One question that AnnoMI's experts answered."""

    name: str
    unit: str
    criterion: str
    rubric: str


OPENING = 30
"""Utterances of a conversation that the model is shown; the longest would not fit its context."""
PARTS = (
    Part("AnnoMI quality, conversations (the model sees 30 utterances)", "dialogue", "quality", "mi-quality"),
    Part("AnnoMI behaviour, therapist's utterances", "therapist", "therapist_behaviour", "mi-utterance"),
    Part("AnnoMI talk, client's utterances", "client", "client_talk", "mi-utterance"),
)


def rows(options: Options) -> Iterator[Baseline]:
    folder = data_set("annomi")
    if folder is not None:
        yield from _annomi(folder / "AnnoMI-simple.csv.gz", options)
    yield from _gate(options)


def _annomi(file: Path, options: Options) -> Iterator[Baseline]:
    for part in PARTS:
        found = annomi_dataset(source=str(file), unit=part.unit, opening=OPENING)
        items = [_with_stratum(item) for item in found]
        yield from _majority(part, items)
        yield from _learned(part, items, options.seed)
        for read_out, n in options.sizes(label=24, reasoned=10).items():
            yield from _model(part, sampled(items, n, options.seed), read_out, options)


def _with_stratum(item: Submission) -> Submission:
    return item.model_copy(update={"metadata": {**item.metadata, "stratum": gold_of(item)}})


def gold_of(item: Item) -> str:
    return str(item.labels[0].level)


def _majority(part: Part, items: Sequence[Item]) -> Iterator[Baseline]:
    gold = [gold_of(item) for item in items]
    commonest = Counter(gold).most_common(1)[0][0]
    yield from _figures(part, items, [commonest] * len(gold), f"always {commonest}", "")


def _learned(part: Part, items: Sequence[Submission], seed: int) -> Iterator[Baseline]:
    gold, clusters = [gold_of(item) for item in items], [str(item.metadata["cluster"]) for item in items]
    given = levels_of_texts([as_text(item.output) for item in items], gold, clusters, seed)
    yield from _figures(part, items, given, NAME, "")


def _model(part: Part, sample: Sequence[Item], read_out: str, options: Options) -> Iterator[Baseline]:
    judge, results = ask_model(sample, pack(part.rubric), read_out, options)
    yield from _figures(part, sample, [_level(result, part.criterion) for result in results], judge, read_out)


def _level(result: Result, criterion: str) -> str | None:
    return result.verdict(criterion).level


def _figures(
    part: Part, items: Sequence[Item], given: Sequence[str | None], judge: str, read_out: str
) -> Iterator[Baseline]:
    """Accuracy and macro-F1 over what was scored, with intervals clustered by conversation."""
    pairs = [(gold_of(item), level, str(item.metadata["cluster"])) for item, level in zip(items, given, strict=True)]
    scored = [(gold, level, cluster) for gold, level, cluster in pairs if level is not None]
    levels = [level.id for level in pack(part.rubric).criterion(part.criterion).scale.levels]
    clusters = [cluster for *_, cluster in scored]
    right = accuracy([gold for gold, *_ in scored], [level for _, level, _ in scored], clusters)

    def f1(some: Sequence[tuple[str, str, str]]) -> Estimate:
        return macro_f1([gold for gold, *_ in some], [level for _, level, _ in some], levels)

    share = len(scored) / len(pairs) if pairs else 0.0
    yield Baseline(part.name, judge, read_out, "accuracy", right, share)
    yield Baseline(part.name, judge, read_out, "macro-F1", cluster_bootstrap(f1, scored, clusters), share)


def _gate(options: Options) -> Iterator[Baseline]:
    """Recall and false alarms of the crisis gate on the synthetic messages that its author did not mend it by."""
    items = crisis_dataset(split="unseen")
    flagged = [find_risk(str(item.output)) is not None for item in items]
    for name, level in (("recall", "met"), ("false alarms", "unmet")):
        of_level = [found for item, found in zip(items, flagged, strict=True) if gold_of(item) == level]
        value = accuracy(["met"] * len(of_level), ["met" if found else "unmet" for found in of_level])
        yield Baseline("crisis messages, unseen half (synthetic)", LexiconJudge().name, "", name, value)
    for read_out in options.samples:
        judge, results = ask_model(items, None, read_out, options, judge="crisis-gate")
        found = crisis_figures(items, results)
        for name, key in (("recall", "recall"), ("false alarms", "false_alarms")):
            yield Baseline(
                "crisis messages, unseen half (synthetic)",
                f"lexicon, then {judge}",
                read_out,
                name,
                found[key],
                found["coverage"],
            )
