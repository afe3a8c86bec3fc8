"""How fast a large rule graph loads, and how fast rules are found in it.

    python bench/metacog_retrieval.py [--rules 100000]

Writes a graph of made-up rules to a temporary folder, then, in a process of its own, loads it from its snapshot, builds
the index, looks for the ten best rules of 50 cases, by words and then by embeddings too, and appends an event. Cases
are the words of three of the rules each, which are letters drawn at random, and then as many words of English. Prints
CPU seconds of all threads (the best of three processes; a query keeps to one thread) and the peak memory. The rules'
vectors are drawn at random, since how near they are changes nothing of the cost; those of the cases are made. (What
embedding the rules costs, once, is in metacog_embeddings.py.)
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from adjudge_metacog.changes import Author
from adjudge_metacog.embedding import embedder
from adjudge_metacog.events import Added, Moved
from adjudge_metacog.log import change, read, write
from adjudge_metacog.nodes import Rule, Scope
from adjudge_metacog.retrieval import Budget, Query, Retriever, Similarity
from adjudge_metacog.snapshot import load, write_snapshot
from adjudge_metacog.vectors import vectors_of

QUERIES = 50


def made_up(count: int) -> list[str]:
    """Texts of rules, from a vocabulary with few common and many rare words."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(20_000)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    drawn = iter(draw.choices(vocabulary, weights, k=18 * count))
    parts = [" ".join(next(drawn) for _ in range(6)) for _ in range(3 * count)]
    return [f"When {a}, do {b}, because {c}" for a, b, c in zip(*[iter(parts)] * 3, strict=True)]


def write_graph(path: Path, count: int) -> None:
    events: list[Added | Moved] = []
    for n, text in enumerate(made_up(count)):
        node = Rule(kind="rule", id=f"r{n}", text=text, scope=Scope(domain=f"d{n % 5}"))
        events.append(Added(type="added", clock=2 * n + 1, node=node))
        events.append(Moved(type="moved", clock=2 * n + 2, rule=node.id, status="validated", reviewed=True))
    write(path, events)
    write_snapshot(log := read(path))
    vectors_of([rule.text for rule in log.graph.active], Drawn(), path)


class Drawn:
    """In place of the real embedder while the graph is written: vectors drawn at random, of the same size."""

    def __init__(self) -> None:
        real = embedder("use")
        assert real is not None
        self.name, self.fingerprint, self.floor, self.case = real.name, real.fingerprint, real.floor, real.case

    def rules(self, texts: Sequence[str]) -> Any:
        drawn = np.random.default_rng(len(texts)).normal(size=(len(texts), len(self.case("size"))))
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def peak_mib() -> float:
    """Peak memory of this process alone; `ru_maxrss` would count that of the process which started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(path: Path) -> dict[str, float]:

    begin = time.process_time()
    log = load(path)
    loaded = time.process_time()
    after_load = peak_mib()
    rules = log.graph.active
    active = time.process_time()
    retriever = Retriever(rules)
    retriever.find(Query(text="first", domain="d1"))
    indexed = time.process_time()
    by_words = queried(retriever, of_letters(rules))
    without_vectors = peak_mib()
    begun = time.process_time()
    use = embedder("use")
    assert use is not None
    retriever._similarity = Similarity(rules, use, path)  # noqa: SLF001 # the index is that of before
    retriever.find(Query(text="first", domain="d1"))
    embedded = time.process_time()
    by_both = queried(retriever, of_letters(rules))
    in_english = queried(retriever, english())
    in_all = peak_mib()
    start = time.process_time()
    change(log, lambda graph: Author("bench").uses(graph, "r1", f"item {log.count}"))
    appended = time.process_time() - start
    return {
        "load": loaded - begin,
        "active rules": active - loaded,
        "index": indexed - active,
        "query median": statistics.median(by_words),
        "query worst": max(by_words),
        "load model and vectors": embedded - begun,
        "query with embeddings, median": statistics.median(by_both),
        "query with embeddings, worst": max(by_both),
        "the same in English, median": statistics.median(in_english),
        "the same in English, worst": max(in_english),
        "append": appended,
        "MiB to load": after_load,
        "MiB with index": without_vectors,
        "MiB with embeddings": in_all,
    }


def of_letters(rules: Sequence[Rule]) -> list[str]:
    """Cases of the words of three rules each, 54 or so."""
    draw = random.Random(1)
    return [" ".join(draw.choice(rules).text for _ in range(3)) for _ in range(QUERIES)]


def english() -> list[str]:
    """Cases in English, of about as many words."""
    rows = yaml.safe_load((Path(__file__).parent / "data" / "metacog_cases.yaml").read_text("utf-8"))
    draw = random.Random(2)
    return [" ".join(row[kind] for row in draw.sample(rows, 2) for kind in ("near", "far")) for _ in range(QUERIES)]


def queried(retriever: Retriever, cases: Sequence[str]) -> list[float]:
    """CPU seconds of each query for ten rules."""
    times = []
    for text in cases:
        start = time.process_time()
        found = retriever.find(Query(text=text, domain="d1"), Budget(rules=10, characters=10_000))
        times.append(time.process_time() - start)
        assert len(found) == 10
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=100_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.jsonl"
        write_graph(path, given.rules)
        command = [sys.executable, __file__, "--measure", str(path)]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
    for name in runs[0]:
        print(f"{name:<32}{min(run[name] for run in runs):10.3f}")


if __name__ == "__main__":
    main()
