"""Baselines on the synthetic answers that adjudge-health ships; physicians' grades of answers were not to be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from baseline import Baseline, Options, ask_model

from adjudge.metrics import Estimate, accuracy
from adjudge.submission import Submission
from adjudge.verdict import Result
from adjudge_health.healthbench import answers_dataset
from adjudge_health.points import label_figures

SET = "HealthBench rows, synthetic answers"
FIGURES = {"label_accuracy": "accuracy", "label_macro_f1": "macro-F1", "label_kappa": "kappa"}
CRITERIA = 5
"""Most criteria that an answer has."""


def rows(options: Options) -> Iterator[Baseline]:
    answers = answers_dataset()
    pairs = [(str(label.level), str(item.metadata["cluster"])) for item in answers for label in item.labels]
    gold, clusters = [level for level, _ in pairs], [cluster for _, cluster in pairs]
    commonest = Counter(gold).most_common(1)[0][0]
    yield Baseline(SET, "majority", "", "accuracy", accuracy(gold, [commonest] * len(gold), clusters))
    for read_out, n in options.sizes(label=200, reasoned=20).items():
        # Both answers of a conversation stand side by side.
        some = answers[: max(2, n // CRITERIA // 2 * 2)]
        judge, results = ask_model(some, None, read_out, options)
        yield from _model(some, results, judge, read_out)


def _model(some: Sequence[Submission], results: Sequence[Result], judge: str, read_out: str) -> Iterator[Baseline]:
    found = label_figures(some, results)
    for key, name in FIGURES.items():
        value = found[key]
        assert isinstance(value, Estimate)
        yield Baseline(SET, judge, read_out, name, value, found["label_coverage"])
