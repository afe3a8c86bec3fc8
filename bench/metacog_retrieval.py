"""How fast a large rule graph loads, and how fast rules are found in it.

    python bench/metacog_retrieval.py [--rules 100000]

Writes a graph of made-up rules to a temporary folder, then, in a process of its own, loads it from its snapshot, builds
the index, looks for the ten best rules of 50 made-up cases and appends an event. Prints CPU seconds (the best of three
processes) and the peak memory.
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
from pathlib import Path


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
    from adjudge_metacog.events import Added, Moved
    from adjudge_metacog.log import read, write
    from adjudge_metacog.nodes import Rule, Scope
    from adjudge_metacog.snapshot import write_snapshot

    events: list[Added | Moved] = []
    for n, text in enumerate(made_up(count)):
        node = Rule(kind="rule", id=f"r{n}", text=text, scope=Scope(domain=f"d{n % 5}"))
        events.append(Added(type="added", clock=2 * n + 1, node=node))
        events.append(Moved(type="moved", clock=2 * n + 2, rule=node.id, status="validated", reviewed=True))
    write(path, events)
    write_snapshot(read(path))


def peak_mib() -> float:
    """Peak memory of this process alone; `ru_maxrss` would count that of the process which started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(path: Path) -> dict[str, float]:
    from adjudge_metacog.changes import Author
    from adjudge_metacog.log import change
    from adjudge_metacog.retrieval import Budget, Query, Retriever
    from adjudge_metacog.snapshot import load

    begin = time.process_time()
    log = load(path)
    loaded = time.process_time()
    after_load = peak_mib()
    rules = log.graph.active
    active = time.process_time()
    retriever = Retriever(rules)
    retriever.find(Query(text="first", domain="d1"))
    indexed = time.process_time()
    draw, times = random.Random(1), []
    for _ in range(50):
        text = " ".join(draw.choice(rules).text for _ in range(3))
        start = time.process_time()
        found = retriever.find(Query(text=text, domain="d1"), Budget(rules=10, characters=10_000))
        times.append(time.process_time() - start)
        assert len(found) == 10
    in_all = peak_mib()
    start = time.process_time()
    change(log, lambda graph: Author("bench").uses(graph, "r1", f"item {log.count}"))
    appended = time.process_time() - start
    return {
        "load": loaded - begin,
        "active rules": active - loaded,
        "index": indexed - active,
        "query median": statistics.median(times),
        "query worst": max(times),
        "MiB to load": after_load,
        "append": appended,
        "MiB in all": in_all,
    }


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
        print(f"{name:<14}{min(run[name] for run in runs):10.3f}")


if __name__ == "__main__":
    main()
