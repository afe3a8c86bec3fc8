"""The tasks: data sets as submissions, with their rubrics and figures."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from adjudge.dataset import read_items
from adjudge.errors import InputError
from adjudge.interfaces import Item, Parameter, TaskSpec
from adjudge.metrics import level_agreement
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission
from adjudge.tasks import sampled
from adjudge_finance.breaches import escalate, miss_figures
from adjudge_finance.fomc import STANCES, load_statements
from adjudge_finance.metrics import band_figures
from adjudge_finance.phrasebank import BANDS, SENTIMENTS, load_sentences
from adjudge_finance.rubrics import pack
from adjudge_finance.writing import Answer, Query, load_answers, load_queries
from adjudge_finance.writing_metrics import writing_figures


def phrasebank_dataset(
    *, source: str = "", band: str = "every", n: int = 0, seed: int = 0, **_others: Any
) -> list[Submission]:
    """Sentences of company news with their sentiment.

    Args:
        source: See `load_sentences`; the synthetic sentences if empty.
        band: One of `BANDS`, or `every`.
        n: Size of a random sample; 0 for all.
        seed: Draws it.

    Raises:
        InputError: The source cannot be read, has no sentence of that band, or fewer than `n`.
    """
    sentences = load_sentences(source)
    first: dict[str, int] = {}
    for one in sentences:
        first.setdefault(one.text, one.number)
    found = [
        Submission(
            id=f"sentence-{one.number}",
            output=one.text,
            labels=(Label(criterion="sentiment", level=one.sentiment),),
            metadata={"band": one.band, "cluster": f"sentence-{first[one.text]}"},
        )
        for one in sentences
        if band in {"every", one.band}
    ]
    if not found:
        raise InputError(f"band={band}: no such sentence in {source or 'the synthetic ones; name a source'}")
    return sampled(found, n, seed, "n")


def fomc_dataset(*, source: str = "", n: int = 0, seed: int = 0, **_others: Any) -> list[Submission]:
    """Sentences of the Federal Open Market Committee with their stance; parameters as for `phrasebank_dataset`."""
    statements = load_statements(source)
    first: dict[str, int] = {}
    for one in statements:
        first.setdefault(one.text, one.number)
    found = [
        Submission(
            id=f"statement-{one.number}",
            output=one.text,
            labels=(Label(criterion="stance", level=one.stance),),
            metadata={"cluster": f"statement-{first[one.text]}"},
        )
        for one in statements
    ]
    return sampled(found, n, seed, "n")


def advice_dataset(*, source: str = "", **_others: Any) -> list[Submission]:
    """Answers to clients, each judged on the criteria that its question calls for.

    Args:
        source: A file that `adjudge judge` reads, with labels where people judged the answers; a row without a rubric
            of its own is judged on all criteria. The shipped synthetic answers if empty.

    Raises:
        InputError: The file cannot be read, or holds comparisons.
    """
    if source:
        return [_answer_of(item, source) for item in read_items(Path(source)).items]
    file = files("adjudge_finance") / "data" / "advice_synthetic.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()]
    return [
        Submission(
            id=row["id"],
            input=row["input"],
            output=row["output"],
            labels=tuple(Label(criterion=name, level=level) for name, level in row["labels"].items()),
            rubric=pack("advice").with_criteria(row["labels"]),
            metadata={"synthetic": True},
        )
        for row in rows
    ]


def _answer_of(item: Item, source: str) -> Submission:
    if not isinstance(item, Submission):
        raise InputError(f"{source}: {item.id!r} is a comparison; give one answer a row")
    return item


def writing_dataset(*, source: str = "", n: int = 0, seed: int = 0, **_others: Any) -> list[Submission]:
    """Queries for a candidate to answer, each with its own criteria; parameters as for `phrasebank_dataset`.

    Raises:
        InputError: The source cannot be read.
    """
    return sampled([_to_write(query) for query in load_queries(source)], n, seed, "n")


def _to_write(query: Query) -> Submission:
    about: dict[str, Any] = {"kind": query.kind, "cluster": query.index}
    return Submission(id=query.index, input=query.text, rubric=query.rubric, metadata=about)


def writing_answers_dataset(
    *, source: str = "", answers: str = "", n: int = 0, seed: int = 0, **_others: Any
) -> list[Submission]:
    """Given answers to queries, each with the query's own criteria.

    Args:
        source: Queries, as for `load_queries`.
        answers: Texts, as for `load_answers`; the synthetic ones if both are empty.
        n: Size of a random sample; 0 for all.
        seed: Draws it.

    Raises:
        InputError: A file cannot be read, or an answer is to a query that is not there.
    """
    if bool(source) != bool(answers):
        raise InputError("give both -T source=PATH (the queries) and -T answers=PATH (the texts), or neither")
    queries = {query.index: query for query in load_queries(source)}
    return sampled([_written(queries, answer, answers) for answer in load_answers(answers)], n, seed, "n")


def _written(queries: dict[str, Query], answer: Answer, place: str) -> Submission:
    query = queries.get(answer.index)
    if query is None:
        raise InputError(f"{place}: {answer.id!r} answers the query {answer.index!r}, which the source does not hold")
    wanted = len(query.rubric.criteria)
    if answer.scores and len(answer.scores) != wanted:
        raise InputError(f"{place}: {answer.id!r} has {len(answer.scores)} scores; its query has {wanted} criteria")
    gold = zip(query.rubric.criteria, answer.scores, strict=False)
    labels = tuple(Label(criterion=criterion.id, score=score) for criterion, score in gold)
    return _to_write(query).model_copy(update={"id": answer.id, "output": answer.text, "labels": labels})


def writing_rubric(**_others: Any) -> Rubric:
    """The pack for queries without criteria; the others bring their own."""
    return pack("writing")


_SAMPLE = (
    Parameter(name="n", summary="size of a random sample; 0 for all", default=0),
    Parameter(name="seed", summary="draws the sample", default=0),
)
PHRASEBANK = TaskSpec(
    name="phrasebank",
    summary="does a judge see what company news means to an investor (Financial PhraseBank)",
    kind="meta",
    dataset=phrasebank_dataset,
    rubric="finance/investor-sentiment",
    metrics=(band_figures(SENTIMENTS),),
    parameters=(
        Parameter(name="source", summary="folder of the four files; synthetic sentences if empty", default=""),
        Parameter(name="band", summary="per cent of annotators who agreed", default="every", choices=("every", *BANDS)),
        *_SAMPLE,
    ),
)
FOMC = TaskSpec(
    name="fomc",
    summary="does a judge see whether a sentence of the Federal Reserve is hawkish, dovish or neutral",
    kind="meta",
    dataset=fomc_dataset,
    rubric="finance/policy-stance",
    metrics=(band_figures(STANCES),),
    parameters=(
        Parameter(name="source", summary="CSV, JSONL or Parquet file; synthetic sentences if empty", default=""),
        *_SAMPLE,
    ),
)
ADVICE = TaskSpec(
    name="finance-advice",
    summary="does a judge stop advice that breaks a duty to the client",
    kind="meta",
    dataset=advice_dataset,
    rubric="finance/advice",
    metrics=(miss_figures, escalate, level_agreement),
    parameters=(Parameter(name="source", summary="file as for adjudge judge; synthetic answers if empty", default=""),),
)
WRITING = TaskSpec(
    name="finance-writing",
    summary="a candidate writes business documents, judged by each query's own criteria (WritingBench)",
    kind="candidate",
    dataset=writing_dataset,
    rubric=writing_rubric,
    metrics=(writing_figures,),
    parameters=(
        Parameter(name="source", summary="JSONL file of queries; synthetic ones if empty", default=""),
        *_SAMPLE,
    ),
)
WRITING_ANSWERS = TaskSpec(
    name="finance-writing-answers",
    summary="judges given business documents by each query's own criteria (WritingBench)",
    kind="judge",
    dataset=writing_answers_dataset,
    rubric=writing_rubric,
    metrics=(writing_figures,),
    parameters=(
        Parameter(name="source", summary="JSONL file of queries; synthetic ones if empty", default=""),
        Parameter(name="answers", summary="JSONL file with index and response; synthetic if empty", default=""),
        *_SAMPLE,
    ),
)
