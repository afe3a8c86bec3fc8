"""Baselines on the AITA posts of Buhler 2023: one verdict a post, balanced by the author of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agreement_sets import sampled
from baseline import Baseline, Options, ask_model
from learned_words import NAME, levels_of_texts
from tables import data_set

from adjudge.api import load_rubric
from adjudge.metrics import Estimate, accuracy, cluster_bootstrap, cohen_kappa, macro_f1
from adjudge.submission import Submission, as_text
from adjudge.verdict import Result
from adjudge_aita.labels import VERDICTS
from adjudge_aita.metrics import crowd_figures
from adjudge_aita.tasks import verdict_dataset

FIGURES = {"accuracy": "accuracy", "macro_f1": "macro-F1, 4 labels", "kappa": "kappa"}


def rows(options: Options) -> Iterator[Baseline]:
    folder = data_set("aita_buhler")
    if folder is None:
        return
    items = verdict_dataset(source=str(folder / "Data_cleaned.csv.gz"))
    gold = [_gold(item) for item in items]
    commonest = Counter(gold).most_common(1)[0][0]
    yield from _without_model("majority", gold, [commonest] * len(gold))
    told = [as_text(item.output) for item in items]
    yield from _without_model(NAME, gold, levels_of_texts(told, gold, [item.id for item in items], options.seed))
    strata = [item.model_copy(update={"metadata": {**item.metadata, "stratum": _gold(item)}}) for item in items]
    for read_out, n in options.sizes(label=100, reasoned=14).items():
        sample = [item for item in sampled(strata, n, options.seed) if isinstance(item, Submission)]
        judge, results = ask_model(sample, load_rubric("aita/verdict"), read_out, options)
        yield from _model(sample, results, judge, read_out)


def _gold(item: Submission) -> str:
    return str(item.labels[0].level)


def _without_model(judge: str, gold: Sequence[str], given: Sequence[str]) -> Iterator[Baseline]:
    pairs = list(zip(gold, given, strict=True))
    statistics = {
        "macro-F1, 4 labels": lambda part: macro_f1([a for a, _ in part], [b for _, b in part], VERDICTS),
        "kappa": lambda part: cohen_kappa([a for a, _ in part], [b for _, b in part]),
    }
    yield Baseline("AITA", judge, "", "accuracy", accuracy(gold, given))
    for name, statistic in statistics.items():
        yield Baseline("AITA", judge, "", name, cluster_bootstrap(statistic, pairs))


def _model(sample: Sequence[Submission], results: Sequence[Result], judge: str, read_out: str) -> Iterator[Baseline]:
    found = crowd_figures(sample, results)
    for key, name in FIGURES.items():
        value = found[key]
        assert isinstance(value, Estimate)
        yield Baseline("AITA", judge, read_out, name, value, found["coverage"])
