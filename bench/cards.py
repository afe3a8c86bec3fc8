"""Measures the judge cards that a backend's plugin ships: golden tests of every installed rubric, both read-outs.

    python bench/cards.py FOLDER [--backend local] [--read-outs label,reasoned] [--rubrics ID …]

Writes one JSON file per rubric and read-out into FOLDER, and prints each card's line.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from pathlib import Path

from adjudge.api import installed, make_judge
from adjudge.plugins import build_backend
from adjudge.report import CardStore, JudgeCard, identity_hash, line, measure
from adjudge.rubric import Rubric
from adjudge.tasks import golden_items


async def card_of(rubric: Rubric, backend_name: str, read_out: str) -> JudgeCard:
    backend = build_backend(installed(), backend_name)
    async with make_judge(rubric, backend=backend, read_out=read_out) as judge:
        results = await judge.many(golden_items(rubric))
        return measure(
            rubric,
            results,
            backend=backend.name,
            backend_hash=identity_hash(backend.identity),
            read_out=judge.judge.settings.read_out.name,  # type: ignore[attr-defined] # the isolated judge has them
            judge=judge.judge.name,
            date=dt.datetime.now(dt.UTC).date().isoformat(),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backend", default="local")
    parser.add_argument("--read-outs", default="label,reasoned")
    parser.add_argument("--rubrics", nargs="*")
    asked = parser.parse_args()
    for name in asked.rubrics or installed().packs.ids():
        rubric = installed().packs.get(name).rubric
        for read_out in asked.read_outs.split(",") if rubric.tests else ():
            card = asyncio.run(card_of(rubric, asked.backend, read_out))
            saved = CardStore(asked.folder).save(card)
            saved.replace(asked.folder / f"{name.replace('/', '-')}-{read_out}.json")
            print(line(card), flush=True)


if __name__ == "__main__":
    main()
