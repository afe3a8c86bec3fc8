"""Baselines on the Financial PhraseBank, by how far the annotators agreed, and on the FOMC sentences.

Judges: always the commonest label; the rule table direction × concept; its learned version in tenfold
cross-validation; on the FOMC sentences the replies that the authors stored of their model; the local model with both
read-outs on a stratified sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agreement_sets import sampled
from baseline import Baseline, Options, ask_model
from tables import data_set

from adjudge.submission import Label, Submission
from adjudge_finance.fomc import STANCES, load_statements, read_stance
from adjudge_finance.judges import by_rule
from adjudge_finance.learned import Trained
from adjudge_finance.lexicon import Lexicon, lexicon
from adjudge_finance.metrics import Labelled, part_figures
from adjudge_finance.phrasebank import BANDS, SENTIMENTS, load_sentences
from adjudge_finance.rubrics import pack


@dataclass(frozen=True)
class Set:
    """Sentences with a label each."""

    name: str
    """Name in the table."""
    pack: str
    """Rubric, of one criterion."""
    labels: Sequence[str]
    """The label set."""
    words: Lexicon
    """Of the judges without a model."""
    items: Sequence[Submission]
    """The sentences; `band` and `stratum` in their metadata."""

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(str(item.output) for item in self.items)

    @property
    def gold(self) -> tuple[str, ...]:
        return tuple(str(item.labels[0].level) for item in self.items)


def rows(options: Options) -> Iterator[Baseline]:
    """All judges on both sets."""
    folder = data_set("financial_phrasebank")
    if folder is not None:
        yield from _judged(phrasebank(str(folder)), options)
    folder = data_set("fomc")
    if folder is not None:
        (file,) = folder.glob("*.csv.gz")
        statements = load_statements(file)
        found = fomc(str(file))
        yield from _figures(found, found.items, [read_stance(one.reply) for one in statements], "ChatGPT, as stored")
        yield from _judged(found, options)


def phrasebank(source: str) -> Set:
    """The Financial PhraseBank."""
    items = [
        _item(f"sentence-{one.number}", one.text, "sentiment", one.sentiment, one.band)
        for one in load_sentences(source)
    ]
    return Set("PhraseBank", "investor-sentiment", SENTIMENTS, lexicon("investor"), items)


def fomc(source: str) -> Set:
    """Sentences of the Federal Open Market Committee."""
    items = [_item(f"statement-{one.number}", one.text, "stance", one.stance, "") for one in load_statements(source)]
    return Set("FOMC", "policy-stance", STANCES, lexicon("policy"), items)


def _item(name: str, text: str, criterion: str, level: str, band: str) -> Submission:
    # The strata of agreement_sets, so that both benches draw one sample.
    about = {"band": band, "stratum": f"{band} % {level}", "cluster": text}
    return Submission(id=name, output=text, labels=(Label(criterion=criterion, level=level),), metadata=dict(about))


def _judged(found: Set, options: Options) -> Iterator[Baseline]:
    commonest = max(found.labels, key=found.gold.count)
    yield from _figures(found, found.items, [commonest] * len(found.items), f"always {commonest}")
    rule = [by_rule(text, found.words).level for text in found.texts]
    yield from _figures(found, found.items, rule, "phrase-structure")
    learned = Trained(found.texts, found.gold, found.words, folds=10, seed=options.seed).cross_validated()
    yield from _figures(found, found.items, learned, "phrase-structure-learned, tenfold")
    for read_out, n in options.sizes(label=200, reasoned=20).items():
        sample = [item for item in sampled(found.items, n, options.seed) if isinstance(item, Submission)]
        judge, results = ask_model(sample, pack(found.pack), read_out, options)
        given = [result.verdicts[0].level for result in results]
        yield from _figures(found, sample, given, judge, read_out)


def _figures(
    found: Set, items: Sequence[Submission], given: Sequence[str | None], judge: str, read_out: str = ""
) -> Iterator[Baseline]:
    pairs = [
        Labelled(str(item.metadata["cluster"]), str(item.metadata["band"]), str(item.labels[0].level), level)
        for item, level in zip(items, given, strict=True)
    ]
    for band in ("", *BANDS):
        part = [pair for pair in pairs if band in {"", pair.band}]
        if part:
            name = f"{found.name}, {band} % agree" if band else found.name
            figures = part_figures(part, found.labels)
            for figure, title in (("accuracy", "accuracy"), ("macro_f1", "macro-F1")):
                yield Baseline(name, judge, read_out, title, figures[figure], figures["coverage"])
