"""Agreement of a judge with human labels on LLMBar, SummEval and the Financial PhraseBank.

    python bench/agreement.py [--model PATH] [--backend NAME] [--n 200] [--all] [--sets …] [--read-outs label,reasoned]

Reads the folder named by ADJUDGE_DATA. Replies are kept in a ledger, so the same command again goes on where it
stopped and asks nothing twice. Prints two tables: agreement with 95 % intervals clustered by article (SummEval) or
item, and how the run went.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from agreement_sets import BANDS, SENTIMENTS, SOURCES, Source, data_folder, sampled
from tables import pair, table

from adjudge.api import build_judge, installed, load_rubric, make_judge
from adjudge.errors import AdjudgeError
from adjudge.interfaces import Backend, Item
from adjudge.ledger import Ledger
from adjudge.metrics import Estimate, clustered_mean, level_agreement, preference_agreement, score_correlation
from adjudge.plugins import build_backend
from adjudge.rubric import Rubric
from adjudge.verdict import Result

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Figure:
    """One line of the agreement table."""

    name: str
    value: Estimate
    chance: float | None
    """What guessing reaches; None where the figure has no such level."""

    @property
    def reading(self) -> str:
        if self.value.value is None:
            # Where one side never changes, the judge tells as much as a constant.
            return f"{'at chance' if self.value.n > 1 else 'undefined'}: {self.value.note}"
        if self.chance is None or self.value.low is None or self.value.high is None:
            return ""
        if self.value.high < self.chance - TOLERANCE:
            return "below chance"
        return "above chance" if self.value.low > self.chance + TOLERANCE else "at chance"


@dataclass(frozen=True)
class Run:
    """One set judged with one read-out."""

    set: str
    read_out: str
    items: Sequence[Item]
    results: Sequence[Result]
    asked: int
    seconds: float

    @property
    def figures(self) -> list[Figure]:
        return FIGURES[self.set](self.items, self.results)

    @property
    def running(self) -> dict[str, Any]:
        """How the run went: coverage, label mass, order of presentation, speed."""
        verdicts = [v for result in self.results for v in result.verdicts if v.criterion != "overall"]
        scored = [v for v in verdicts if v.status == "scored"]
        masses = [v.label_mass for v in scored if v.label_mass is not None]
        orders = preference_agreement(self.items, self.results) if any(v.orders for v in scored) else {}
        reasons = [v.reason or "" for v in verdicts if v.status == "unscored"]
        return {
            "verdicts": len(verdicts),
            "coverage": len(scored) / len(verdicts),
            "unscored": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
            "label_mass": fmean(masses) if masses else None,
            "order_consistency": orders.get("order_consistency"),
            "first_shown": orders.get("first_shown"),
            "verdicts_per_second": self.asked / self.seconds if self.asked else None,
        }


def _llmbar(items: Sequence[Item], results: Sequence[Result]) -> list[Figure]:
    found = preference_agreement(items, results)
    return [
        Figure("accuracy where a side was chosen", found["accuracy_decided"], 1 / 2),
        Figure("accuracy, a draw counted as half", _halved(items, results), 1 / 2),
    ]


def _halved(items: Sequence[Item], results: Sequence[Result]) -> Estimate:
    """Accuracy where a tie earns half a point, so that a judge that only follows the order earns half in all."""
    points = []
    for item, result in zip(items, results, strict=True):
        level = result.verdict("overall").level
        if level is not None:
            points.append(0.5 if level == "tie" else float(level == item.labels[0].level))
    return clustered_mean(points)


def _summeval(items: Sequence[Item], results: Sequence[Result]) -> list[Figure]:
    found = score_correlation(items, results)
    return [Figure(name, value, 0.0) for name, value in found.items() if name.startswith("spearman")]


def _phrasebank(items: Sequence[Item], results: Sequence[Result]) -> list[Figure]:
    found = level_agreement(items, results, levels=SENTIMENTS)
    share = max(found["prevalence[sentiment]"][0].values())
    figures = [
        Figure("accuracy", found["accuracy[sentiment]"], share),
        Figure("macro-F1", found["macro_f1[sentiment]"], 1 / 3),
        Figure("kappa", found["kappa[sentiment]"], 0.0),
    ]
    for _, band in BANDS:
        part = [position for position, item in enumerate(items) if item.metadata["band"] == band]
        if part:
            some = level_agreement([items[i] for i in part], [results[i] for i in part], levels=SENTIMENTS, resamples=1)
            share = max(some["prevalence[sentiment]"][0].values())
            figures.append(Figure(f"accuracy, {band} agree", some["accuracy[sentiment]"], share))
    return figures


FIGURES: Mapping[str, Callable[[Sequence[Item], Sequence[Result]], list[Figure]]] = {
    "llmbar": _llmbar,
    "summeval": _summeval,
    "financial_phrasebank": _phrasebank,
}


def rubric_for(source: Source) -> Rubric:
    """The pack's rubric, with scores from the expected level where the distribution is known: ranks need few ties."""
    rubric = load_rubric(source.rubric)
    return rubric.model_copy(update={"scoring": rubric.scoring.model_copy(update={"use": "expected"})})


async def judged(name: str, read_out: str, items: Sequence[Item], backend: Backend, ledger: Ledger) -> Run:
    """Judge one sample with one read-out."""
    source = SOURCES[name]
    judge = build_judge(installed(), source.judge, {**source.options, "read_out": read_out})
    bound = make_judge(rubric_for(source), backend=backend, judge=judge, ledger=ledger)
    start, finished = time.monotonic(), 0

    def done(_position: int, _result: Result) -> None:
        nonlocal finished
        finished += 1
        if finished % 20 == 0 or finished == len(items):
            print(f"{name} {read_out}: {finished} of {len(items)}, {time.monotonic() - start:.0f} s", file=sys.stderr)

    results = await bound.many(items, done)
    asked = bound.engine.tally.asked
    return Run(name, read_out, items, results, asked, time.monotonic() - start)


async def run_all(options: argparse.Namespace) -> tuple[str, list[Run]]:
    """Judge every set that is there with every read-out."""
    name = f"{options.backend}:{options.model}" if options.model else options.backend
    backend = build_backend(installed(), name, dict(options.backend_options))
    options.ledger.parent.mkdir(parents=True, exist_ok=True)
    runs: list[Run] = []
    try:
        with Ledger(options.ledger) as ledger:
            for read_out in options.read_outs:
                for source in options.sets:
                    folder = data_folder() / source
                    if not folder.is_dir():
                        print(f"{source}: not under ADJUDGE_DATA, left out", file=sys.stderr)
                        continue
                    items = sampled(SOURCES[source].load(folder), None if options.all else options.n, options.seed)
                    runs.append(await judged(source, read_out, items, backend, ledger))
    finally:
        await backend.aclose()
    return backend.name, runs


def agreement_rows(runs: Sequence[Run]) -> list[list[str]]:
    """The agreement table, its header first."""
    rows = [["set", "read-out", "n", "figure", "value [95 %]", "chance", "reading"]]
    for run in runs:
        for figure in run.figures:
            shown = "undefined" if figure.value.value is None else _interval(figure.value)
            chance = "" if figure.chance is None else f"{figure.chance:.2f}"
            rows.append([run.set, run.read_out, str(figure.value.n), figure.name, shown, chance, figure.reading])
    return rows


def running_rows(runs: Sequence[Run]) -> list[list[str]]:
    """The table of how it went, its header first."""
    rows = [["set", "read-out", "items", "verdicts", "coverage", "label mass", "same winner in both orders"]]
    rows[0] += ["first shown wins", "questions/s"]
    for run in runs:
        found = run.running
        row = [run.set, run.read_out, str(len(run.items)), str(found["verdicts"]), f"{found['coverage']:.1%}"]
        row += [_number(found["label_mass"]), _interval(found["order_consistency"]), _interval(found["first_shown"])]
        rows.append([*row, _number(found["verdicts_per_second"])])
    return rows


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _interval(value: Estimate | None) -> str:
    if value is None or value.value is None:
        return ""
    ends = "" if value.low is None or value.high is None else f" [{value.low:.2f}, {value.high:.2f}]"
    return f"{value.value:.2f}{ends}"


def as_json(backend: str, options: argparse.Namespace, runs: Iterable[Run]) -> str:
    """Everything that was measured."""
    found = [
        {
            "set": run.set,
            "read_out": run.read_out,
            "items": len(run.items),
            "figures": [{**asdict(f), "reading": f.reading} for f in run.figures],
            "running": run.running,
        }
        for run in runs
    ]
    whole = {"backend": backend, "seed": options.seed, "runs": found}
    return json.dumps(whole, indent=2, default=lambda value: asdict(value) if is_dataclass(value) else str(value))  # type: ignore[arg-type] # it is an instance here


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        strangers = set(chosen) - set(known)
        if strangers:
            raise argparse.ArgumentTypeError(f"{min(strangers)!r} is none of {', '.join(known)}")
        return chosen

    return names


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", default="local", help="name of an installed backend")
    parser.add_argument("--model", help="the backend's model, for local the path of a GGUF file")
    parser.add_argument("-B", dest="backend_options", action="append", default=[], type=pair, metavar="NAME=VALUE")
    parser.add_argument("--n", type=int, default=200, help="items of each set, stratified (default 200)")
    parser.add_argument("--all", action="store_true", help="every item")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample (default 0)")
    parser.add_argument("--sets", type=_names(SOURCES), default=list(SOURCES), metavar="NAME,…")
    read_outs = ("label", "reasoned")
    parser.add_argument("--read-outs", type=_names(read_outs), default=list(read_outs), metavar="NAME,…")
    parser.add_argument("--ledger", type=Path, default=Path("adjudge-agreement/ledger.sqlite"))
    parser.add_argument("--out", type=Path, help="write everything as JSON too")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, print, write."""
    options = parsed(arguments)
    try:
        backend, runs = asyncio.run(run_all(options))
    except AdjudgeError as error:
        print(f"agreement: {error}", file=sys.stderr)
        return 2
    if not runs:
        print("agreement: no data set found; set ADJUDGE_DATA to the folder that holds them", file=sys.stderr)
        return 2
    print(f"Judge: {backend}\n")
    print(table(agreement_rows(runs), markdown=options.markdown), "\n")
    print(table(running_rows(runs), markdown=options.markdown))
    if options.out:
        options.out.write_text(as_json(backend, options, runs) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
