#!/usr/bin/env python3
"""What a verdict costs inside inspect-ai: our scorer in both its engines, beside inspect's own `model_graded_qa`.

    python bench/inspect_overhead.py [--samples 400] [--rounds 3] [--json]

All judge the same given answers on the same mock (`mock_server.py`, 50 ms ± 30 % a reply), 64 samples and 64 calls in
flight, 8 criteria a sample; `model_graded_qa` stands once for each criterion, since it judges one thing. Each figure is
CPU time of an eval in a process of its own, less that of the same eval with a scorer that does nothing (the harness),
over the number of verdicts; rounds alternate, and the least counts, since neighbours on the same cores only ever add.
What an eval pays once, such as drawing its table of results, is spread over its samples.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mock_truth import MET, truth
from overhead import CRITERIA, rubric, samples
from servers import serving

BENCH = Path(__file__).resolve().parent
IN_FLIGHT = 64
HARNESS = "the harness alone"
QA = f"model_graded_qa × {CRITERIA}"
THROUGH = "adjudge/rubric, judge_engine=inspect"
OWN = "adjudge/rubric, judge_engine=adjudge"
LABELS = f"{OWN}, read_out=label"
VARIANTS = (HARNESS, QA, THROUGH, OWN, LABELS)
GOAL_OWN = 1.0
"""CPU milliseconds a verdict."""


def write_inputs(folder: Path, count: int) -> dict[str, str]:
    """The rubric and the answers, as files."""
    plain = {**rubric().model_dump(mode="json", exclude_defaults=True), "draft": True}
    (folder / "rubric.yaml").write_text(json.dumps(plain), "utf-8")
    lines = [json.dumps({"id": one.id, "input": one.input, "output": one.output}) for one in samples(count)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return {"rubric": str(folder / "rubric.yaml"), "dataset": str(folder / "rows.jsonl")}


def nothing() -> Any:
    """A scorer that does nothing."""
    from inspect_ai.scorer import Score, mean, scorer

    @scorer(metrics=[mean()])
    def harness() -> Any:
        async def score(state: Any, target: Any) -> Score:
            del state, target
            return Score(value=1.0)

        return score

    return harness()


def graded() -> list[Any]:
    """inspect's own scorer, once for each criterion; the mock answers Yes or No."""
    from inspect_ai.scorer import model_graded_qa

    role = "You are a registered nurse. Judge the advice as it stands.\n\n{question}\n\n{answer}\n\n"
    return [
        model_graded_qa(
            template=f"{role}{one.text}\n\nDoes the submission meet this? {{instructions}}",
            instructions="Answer Yes or No.",
            grade_pattern=rf"({MET}|No)",
        )
        for one in rubric().criteria
    ]


def make_task(variant: str, inputs: Mapping[str, str]) -> Any:
    """The same task with one scorer or another."""
    from adjudge._registry import TASKS

    read_out = "label" if variant == LABELS else "reasoned"
    engine = "inspect" if variant == THROUGH else "adjudge"
    task = TASKS["judge"](**inputs, judge_engine=engine, read_out=read_out)
    if variant in (HARNESS, QA):
        task.setup = None
        task.scorer = [nothing()] if variant == HARNESS else graded()
    return task


def measure(variant: str, url: str, count: int) -> dict[str, Any]:
    """One eval, after a small one that pays for imports."""
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import GenerateConfig, get_model

    os.environ["MOCK_API_KEY"] = "none"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = (write_inputs(_made(folder / str(n)), n) for n in (4, count))

        def run(inputs: Mapping[str, str]) -> Any:
            config = GenerateConfig(max_connections=IN_FLIGHT)
            grader = get_model("openai-api/mock/judge", base_url=url, config=config, memoize=False)
            (log,) = inspect_eval(
                make_task(variant, inputs),
                model="none/none",
                model_roles={"grader": grader},
                max_samples=IN_FLIGHT,
                log_dir=str(folder / "logs"),
                display="none",
            )
            return log

        run(few)
        begin, wall = time.process_time(), time.perf_counter()
        log = run(many)
        spent, took = time.process_time() - begin, time.perf_counter() - wall
        size = Path(log.location).stat().st_size / 1024
        right = scored(variant, log)  # reads the samples from the file
    return {"cpu": spent, "wall": took, "log_kib": size, "scored": right, "status": log.status}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def scored(variant: str, log: Any) -> int:
    """Verdicts that are there and right."""
    if variant == HARNESS:
        return 0
    right = 0
    for sample in log.samples:
        number = int(str(sample.id).rpartition("-")[2])
        for place in range(1, CRITERIA + 1):
            wanted = truth(number, place)
            right += _given(variant, sample.scores, place) == wanted
    return right


def _given(variant: str, scores: Mapping[str, Any], place: int) -> str:
    if variant == QA:
        name = "model_graded_qa" + (str(place - 1) if place > 1 else "")
        return str(scores[name].value)
    value = scores["rubric"].value[f"criterion:quality-{place}"]
    return {1.0: "Yes", 0.0: "No"}.get(value, "unscored")


def rounds(url: str, count: int, times: int) -> dict[str, dict[str, Any]]:
    """The cheapest run of each variant."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(times):
        for variant in VARIANTS:
            command = [sys.executable, __file__, "--one", variant, "--url", url, "--samples", str(count)]
            done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
            found = json.loads(done.stdout.splitlines()[-1])
            print(f"{variant}: {found['cpu']:.2f} CPU s", file=sys.stderr, flush=True)
            if variant not in best or found["cpu"] < best[variant]["cpu"]:
                best[variant] = found
    return best


def table(best: Mapping[str, Mapping[str, Any]], count: int) -> list[dict[str, Any]]:
    """Rows with figures per verdict."""
    verdicts, harness = count * CRITERIA, best[HARNESS]["cpu"]
    return [
        {
            "scorer": name,
            "net_ms": 1000 * (found["cpu"] - harness) / verdicts,
            "verdicts_per_s": verdicts / found["wall"],
            "log_kib": found["log_kib"],
            "right": found["scored"],
            "of": verdicts,
        }
        for name, found in best.items()
        if name != HARNESS
    ]


def shown(rows: Sequence[Mapping[str, Any]], best: Mapping[str, Mapping[str, Any]], count: int) -> str:
    """The table as Markdown, and the goals."""
    lines = [
        "| scorer | CPU ms a verdict, net | verdicts a second | log, KiB | right |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['scorer']} | {row['net_ms']:.2f} | {row['verdicts_per_s']:.0f} | {row['log_kib']:.0f} "
        f"| {row['right']} of {row['of']} |"
        for row in rows
    ]
    net = {row["scorer"]: row["net_ms"] for row in rows}
    harness = 1000 * best[HARNESS]["cpu"] / count
    goals: Sequence[tuple[str, bool]] = (
        (
            f"through inspect's models not above {QA}: {net[THROUGH]:.2f} against {net[QA]:.2f} ms",
            net[THROUGH] <= net[QA],
        ),
        (f"our engine at most {GOAL_OWN} ms: {net[OWN]:.2f}, with labels {net[LABELS]:.2f} ms", net[OWN] <= GOAL_OWN),
    )
    lines += ["", f"the harness alone: {harness:.1f} CPU ms a sample"]
    return "\n".join([*lines, *(f"{'ok' if met else 'missed'}: {what}" for what, met in goals)])


def main() -> None:
    """Run the rounds, or one variant for them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.url, options.samples)))
        return
    with serving() as server:
        best = rounds(f"{server.url}/v1", options.samples, options.rounds)
    rows = table(best, options.samples)
    print(json.dumps(rows, indent=2) if options.json else shown(rows, best, options.samples))


if __name__ == "__main__":
    main()
