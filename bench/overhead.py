"""What a verdict costs in adjudge itself: a backend that answers at once, real prompts, a ledger on disk.

    python bench/overhead.py SAMPLES [--profile]

Prints one JSON line; `bench/run` calls it in a process of its own for each number of samples. Other jobs on the same
cores make CPU time itself go up, so a fixed loop of Python is timed every 100 samples: `loop_ms` is its mean, by
which two processes can be compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from adjudge.api import make_judge
from adjudge.interfaces import Capabilities
from adjudge.ledger import Ledger
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission
from adjudge.verdict import Question, Reply, Result, Usage

CRITERIA = 8
WORDS = 220
VOCABULARY = (
    "patient ward nurse record dose measure pulse safe plan call senior review clear reason risk family consent note"
    " evidence answer question before after because should would often rarely morning night care team pressure oxygen"
)
LOOP_EVERY = 100


class InstantBackend:
    """Answers every question at once, by the digest of its prompt: deterministic, and different for each."""

    name = "instant"
    identity = {"backend": "instant", "version": 1}  # noqa: RUF012 - a constant
    capabilities = Capabilities(label_logprobs="raw", local=True, concurrency=64)

    async def ask(self, question: Question) -> Reply:
        """Favour one label; the prompt's digest says which."""
        favoured = question.prompt.digest[0] % len(question.labels)
        logprobs = {label: -0.2 if place == favoured else -1.8 for place, label in enumerate(question.labels)}
        usage = Usage(prompt_tokens=500, cached_tokens=400, completion_tokens=1)
        return Reply(text=question.labels[favoured], logprobs=logprobs, logprobs_are="raw", usage=usage)

    async def aclose(self) -> None:
        """Nothing to release."""


def rubric() -> Rubric:
    """A synthetic rubric of weighted binary criteria."""
    return Rubric(
        id="bench/overhead",
        version="1",
        role="registered nurse",
        instructions="Judge the advice as it stands; what it does not say does not count.",
        criteria=tuple(
            Criterion(
                id=f"quality-{number}",
                text=f"The advice names measure {number}, says who takes it and by when, and gives a reason for it.",
                weight=number,
            )
            for number in range(1, CRITERIA + 1)
        ),
    )


def samples(count: int, seed: int = 0) -> list[Submission]:
    """Synthetic outputs of about 220 words."""
    draw, words = random.Random(seed), VOCABULARY.split()
    return [
        Submission(
            id=f"sample-{number}",
            input=f"Case {number}: {' '.join(draw.choices(words, k=30))}?",
            output=" ".join(draw.choices(words, k=WORDS)),
        )
        for number in range(count)
    ]


def loop_ms() -> float:
    """CPU milliseconds of a fixed loop, about 3 on a quiet core."""
    start, known = time.process_time(), {}
    for number in range(30_000):
        known[number % 1000] = str(number)
    return 1000 * (time.process_time() - start)


class Clock:
    """CPU time of a run, the loops that are timed in between left out."""

    def __init__(self) -> None:
        self.loops = [loop_ms()]
        self._start = time.process_time()
        self._apart = 0.0
        self._count = 0

    def tick(self) -> None:
        """A sample is done."""
        self._count += 1
        if self._count % LOOP_EVERY == 0:
            self.loops.append(loop_ms())
            self._apart += self.loops[-1]

    @property
    def milliseconds(self) -> float:
        """So far."""
        return 1000 * (time.process_time() - self._start) - self._apart


def recording(ledger: Ledger, items: Sequence[Submission], clock: Clock) -> Callable[[int, Result], None]:
    """What the command line does with each finished sample: its verdicts go to the ledger."""
    run = ledger.begin_run("{}")

    def done(position: int, result: Result) -> None:
        ledger.record_item(run, position, items[position], result.verdicts)
        clock.tick()

    return done


async def measure(count: int, path: Path) -> dict[str, float]:
    """CPU time per verdict: asked of the backend, and then again, served from the ledger."""
    items, verdicts = samples(count), count * CRITERIA
    found: dict[str, float] = {"samples": count}
    loops: list[float] = []
    for name in ("asked", "served"):
        judge = make_judge(rubric(), backend=InstantBackend(), ledger=path)
        clock = Clock()
        await judge.many(items, recording(judge.engine.ledger, items, clock))
        found[f"{name}_ms"] = clock.milliseconds / verdicts
        assert getattr(judge.engine.tally, name) == verdicts, judge.engine.tally
        loops += clock.loops
        await judge.aclose()
    found["loop_ms"] = fmean(loops)
    found["ledger_kib"] = path.stat().st_size / verdicts / 1024  # noqa: ASYNC240 - nothing else runs here
    found["rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def profiled(count: int, path: Path) -> dict[str, float]:
    """Measure under cProfile and print where the time goes to the error stream."""
    import cProfile
    import pstats

    with cProfile.Profile() as profile:
        found = asyncio.run(measure(count, path))
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", type=int)
    parser.add_argument("--profile", action="store_true", help="print where the time goes, to the error stream")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        found = profiled(options.samples, path) if options.profile else asyncio.run(measure(options.samples, path))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
