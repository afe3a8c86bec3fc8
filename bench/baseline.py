"""A baseline's figure: the row of `bench/baselines.py`, and how its modules ask the local model."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adjudge.api import build_judge, installed, make_judge
from adjudge.interfaces import Item
from adjudge.ledger import Ledger
from adjudge.metrics import Estimate
from adjudge.plugins import build_backend
from adjudge.rubric import Rubric
from adjudge.verdict import Result


@dataclass(frozen=True)
class Baseline:
    """One figure of one judge on one set; its n is that of the estimate."""

    set: str
    """Data set, and the part of it: "PhraseBank, 75-99 % agree"."""
    judge: str
    """Who judged: `majority`, `phrase-structure`, `local:…`."""
    read_out: str
    """`label` or `reasoned`; empty for a judge without a model."""
    figure: str
    """What was measured: "accuracy", "macro-F1"."""
    value: Estimate
    """The figure with its interval."""
    coverage: float = 1.0
    """Scored share of what was asked."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for; every module's `rows(options)` gets it."""

    seed: int = 0
    """Of every sample, fold and order."""
    samples: Mapping[str, int | None] = field(default_factory=lambda: {"label": None, "reasoned": None})
    """Items that the model judges, by read-out; None leaves it to the set; no read-out, no model."""
    backend: str = "local"
    """The model, as for `--backend`."""
    ledger: Path = Path("adjudge-baselines/ledger.sqlite")
    """Keeps the replies, so that the same command again asks nothing twice."""
    backend_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the backend, for example `threads`."""

    def sizes(self, *, label: int, reasoned: int) -> dict[str, int]:
        """Items by read-out: what was asked for, else what the set takes in some minutes on two cores."""
        usual = {"label": label, "reasoned": reasoned}
        return {name: usual[name] if asked is None else asked for name, asked in self.samples.items()}


async def _asked(
    items: Sequence[Item], rubric: Rubric | None, judge: str, settings: Mapping[str, Any], options: Options
) -> tuple[str, list[Result]]:
    backend = build_backend(installed(), options.backend, options.backend_options)
    options.ledger.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Ledger(options.ledger) as ledger:
            built = build_judge(installed(), judge, settings)
            bound = make_judge(rubric, backend=backend, judge=built, ledger=ledger)

            def done(position: int, _result: Result) -> None:
                if position % 20 == 0:
                    print(f"{options.backend} {settings}: {position} of {len(items)}", file=sys.stderr)

            return backend.name, await bound.many(items, done)
    finally:
        await backend.aclose()


def ask_model(
    items: Sequence[Item],
    rubric: Rubric | None,
    read_out: str,
    options: Options,
    *,
    judge: str = "isolated",
    settings: Mapping[str, Any] | None = None,
) -> tuple[str, list[Result]]:
    """Have the model judge a sample.

    Args:
        items: The sample; draw it with `agreement_sets.sampled`, or your own seeded choice.
        rubric: The rubric; None if every submission brings its own.
        read_out: `label` or `reasoned`.
        options: From the command line.
        judge: Name of the judge, for example `compare`.
        settings: Further options of the judge.

    Returns:
        The backend's name, and the results in the order of the items.
    """
    return asyncio.run(_asked(items, rubric, judge, {**(settings or {}), "read_out": read_out}, options))
