"""Size and load time of the HTML report of a large run, in headless Chromium.

    python bench/report.py [--samples 2000] [--criteria 8] [--opens 5] [--keep FILE]

Builds a run with a scripted judge that reasons (explanation, quote, prompt and reply of every verdict) and two made-up
raters, writes its report as `adjudge report` does, and opens it. The words are drawn from 4,000 made-up ones by Zipf's
law, so that they compress like prose. `usable` is the time from the start of navigation until the list can be filtered
and the first submission is shown; `CPU` is what the page's main thread worked until then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from tables import table

from adjudge.api import BoundJudge, installed, make_judge
from adjudge.report import RunRecord, render_html
from adjudge.report.exchanges import Exchanges
from adjudge.report.rehearsal import Rehearsal, exchanges_of
from adjudge.report.sections import sections_of
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Label, Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Question, Result

CHROMIUM = "/usr/bin/chromium"
WORDS = 4_000
LARGEST, SLOWEST = 15_000_000, 3_000
RATERS = ("nurse A", "nurse B")


class Prose:
    """Made-up words that come as often as those of prose."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        syllables = [c + v for c in "bcdfghjklmnprstvz" for v in ("a", "e", "i", "o", "u", "an", "er", "on")]
        self._words = ["".join(self.random.choices(syllables, k=self.random.randint(1, 4))) for _ in range(WORDS)]
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))

    def words(self, n: int) -> str:
        """So many words as a sentence."""
        return " ".join(self.random.choices(self._words, cum_weights=self._weights, k=n)).capitalize() + "."


def rubric(criteria: int, prose: Prose) -> Rubric:
    """A synthetic rubric of binary criteria."""
    return Rubric(
        id="bench/report",
        version="1",
        title="Synthetic advice",
        criteria=tuple(
            Criterion(id=f"criterion-{n}", text=f"The answer {prose.words(9)}", dimension=f"part {n % 3}")
            for n in range(criteria)
        ),
    )


def submissions(samples: int, judged_by: Rubric, prose: Prose) -> list[Submission]:
    """Synthetic questions and answers, labelled by raters who agree on four of five."""
    made = []
    for n in range(samples):
        shares = [(criterion.id, 0.3 + 0.05 * k) for k, criterion in enumerate(judged_by.criteria)]
        truths = {name: prose.random.random() < share for name, share in shares}
        labels = tuple(
            Label(criterion=name, level="met" if met == (prose.random.random() < 0.9) else "unmet", rater=rater)
            for name, met in truths.items()
            for rater in RATERS
        )
        made.append(
            Submission(
                id=f"case-{n:05}",
                input=prose.words(40),
                output=" ".join(prose.words(12) for _ in range(20)),
                labels=labels,
            )
        )
    return made


def script(prose: Prose, truth: dict[tuple[str, str], bool]) -> Any:
    """A judge that is right three times of four, explains itself, and quotes the answer."""

    def answer(question: Question) -> str:
        met = truth[question.submission, question.criterion] == (prose.random.random() < 0.75)
        quoted = question.prompt.output.split("\n<output-", 1)[1].split("\n")[1][:60]
        return json.dumps({"explanation": prose.words(35), "quotes": [quoted], "level": "Yes" if met else "No"})

    return answer


async def judged(bound: BoundJudge, items: Sequence[Submission]) -> list[Result]:
    return await bound.many(items)


def record_of(samples: int, criteria: int) -> tuple[RunRecord, BoundJudge]:
    """A judged run with its prompts and replies."""
    prose = Prose(0)
    judged_by = rubric(criteria, prose)
    items = submissions(samples, judged_by, prose)
    truth = {(item.id, label.criterion): label.level == "met" for item in items for label in item.labels}
    backend = ScriptedBackend(script(prose, truth), keep=False)
    bound = make_judge(judged_by, backend=backend, read_out="reasoned")
    results = asyncio.run(judged(bound, items))
    ledger = bound.engine.ledger
    again = Rehearsal(bound.judge, bound.backend, ledger.secret, ledger.last_reply)

    def heard(item: Any) -> Exchanges:
        return exchanges_of(again.judge(item, judged_by)[1])

    record = RunRecord(
        title=f"{samples:,} synthetic answers",
        created="2026-01-01T00:00:00+00:00",
        rubric=judged_by,
        items=items,
        results=results,
        provenance={"judge": bound.judge.name, "backend": bound.backend.name, "read-out": "reasoned"},
        exchanges=heard,
    )
    return record, bound


def opened(page: Path, times: int) -> list[dict[str, float]]:
    """Milliseconds until the page was usable and of its main thread's work, each in a fresh browser."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as driver:
        for _ in range(times):
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            tab = browser.new_page()
            session = tab.context.new_cdp_session(tab)
            session.send("Performance.enable")
            tab.goto(page.as_uri())
            tab.wait_for_selector("html[data-ready]", timeout=60_000)
            usable = tab.evaluate("performance.getEntriesByName('usable')[0].startTime")
            metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            found.append({"usable": usable, "cpu": 1000 * metrics["TaskDuration"]})
            browser.close()
    return found


def main() -> int:
    """Build, write, open, print; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--criteria", type=int, default=8)
    parser.add_argument("--opens", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    record, _ = record_of(asked.samples, asked.criteria)
    begin = time.process_time()
    html = render_html(record, sections=sections_of([record], installed())).encode()
    written = time.process_time() - begin
    with tempfile.TemporaryDirectory() as folder:
        path = (asked.keep or Path(folder) / "report.html").resolve()
        path.write_bytes(html)
        times = opened(path, asked.opens)
    usable = median(one["usable"] for one in times)
    rows = [
        ("figure", "measured", "goal"),
        ("verdicts", f"{asked.samples * asked.criteria:,}", ""),
        ("size", f"{len(html) / 1e6:.1f} MB", f"≤ {LARGEST / 1e6:.0f} MB"),
        ("written in", f"{written:.1f} s CPU", ""),
        ("usable after, median", f"{usable:.0f} ms", f"≤ {SLOWEST:,} ms"),
        ("usable after, longest", f"{max(one['usable'] for one in times):.0f} ms", ""),
        ("CPU of the page, median", f"{median(one['cpu'] for one in times):.0f} ms", ""),
    ]
    print(table(rows, markdown=False))
    return int(len(html) > LARGEST or usable > SLOWEST)


if __name__ == "__main__":
    sys.exit(main())
