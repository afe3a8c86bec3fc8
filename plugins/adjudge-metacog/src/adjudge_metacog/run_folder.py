"""The folder of a run of `adjudge reflect`: ledger, report, the graph that was learned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adjudge.ledger import LEDGER, Ledger
from adjudge_metacog.events import Event, identity
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.reflection import Reflection
from adjudge_metacog.running import Plan, carried_out
from adjudge_metacog.using import command, judge_in_figures, told_use

RULES = "rules.jsonl"
"""The graph that was learned, that which was given included."""


def run(plan: Plan, out: Path, start: Path | None, key: Mapping[str, Any]) -> tuple[Reflection, Mapping[str, Any]]:
    """Carry a plan out in a folder, and write what came of it; the graph that was given stays as it is.

    Args:
        plan: What is to be done.
        out: The folder; the same folder resumes the same run.
        start: File of the graph to start from; an empty one if None.
        key: What tells this run from another one.

    Raises:
        InputError: The folder holds something else, or the graph cannot be read.
        AdjudgeError: The run cannot begin; or see the message.
    """
    graph, given = started(start)
    with Ledger(opened(out, key)) as ledger:
        found, notebook, told = asyncio.run(carried_out(plan, graph, ledger))
    where = {
        **told,
        "judge in figures": judge_in_figures(plan, told["judge"]),
        "use": command(plan, out / RULES) if told["rules after"] else "",
    }
    write(out, found, where)
    write_graph(out / RULES, [*given, *notebook.events])
    return found, where


def started(path: Path | None) -> tuple[RuleGraph, list[Event]]:
    """The graph to start from, and its events."""
    from adjudge_metacog.snapshot import load

    graph = load(path).graph if path is not None else RuleGraph()
    return graph, [event for _, event in graph.events()]


def opened(out: Path, key: Mapping[str, Any]) -> Path:
    """The ledger of a folder, which is made if need be.

    Raises:
        InputError: The folder holds something else.
    """
    from adjudge.cli.running import MARKER, open_folder

    open_folder(out, key).close()
    (out / MARKER).write_text(json.dumps(dict(key), indent=2, sort_keys=True) + "\n", "utf-8")
    return out / LEDGER


def write(out: Path, found: Reflection, where: Mapping[str, Any]) -> None:
    """Write `report.md`, `report.json`, and `final.jsonl` with a line for each final case."""
    (out / "report.md").write_text("\n".join([*head(where), str(found), ""]), "utf-8")
    (out / "report.json").write_text(json.dumps(as_json(found, where), indent=2, ensure_ascii=False) + "\n", "utf-8")
    rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in cases(found))
    (out / "final.jsonl").write_text("".join(rows), "utf-8")


def head(where: Mapping[str, Any]) -> Iterator[str]:
    """Where the figures come from, and what to know first."""
    answers = f", answers by {where['candidate']}" if where["candidate"] else ""
    yield f"Judge {where['judge']} on {where['backend']}, {where['rubric']}{answers}; learner {where['learner']}."
    yield where["judge card"]
    yield from (f"warning: {warning}" for warning in where["warnings"])
    yield from told_use(where)
    yield ""


def as_json(found: Reflection, where: Mapping[str, Any]) -> dict[str, Any]:
    """A run as JSON values."""
    return {
        "provenance": dict(where),
        "figures": [asdict(figure) for figure in found.figures],
        "colours": found.colours,
        "cycles": [asdict(turn) for turn in found.turns],
        "rules": dict(found.rules),
    }


def cases(found: Reflection) -> Iterator[dict[str, Any]]:
    """How each final case turned out, before and after."""
    for before, after in zip(found.before, found.after, strict=True):
        case = before.case
        sides = {"before": before, "after": after}
        told = {
            name: {
                "level": one.verdict.level,
                "good": one.good,
                "refused": one.refused,
                "rules": [rule.id for rule in one.shown],
            }
            for name, one in sides.items()
        }
        yield {"id": case.id, "source": case.source, "kind": case.kind, "wanted": before.wanted or case.colour, **told}


def write_graph(path: Path, events: Sequence[Event]) -> None:
    """Write the graph of a run; one that is there with other events (a person reviewed it) is kept beside it."""
    from adjudge_metacog.log import read
    from adjudge_metacog.log import write as write_log

    fresh = {identity(event) for event in events}
    if path.exists() and read(path).numbers.keys() - fresh:
        number = 1 + sum(1 for _ in path.parent.glob(f"{path.stem}.kept-*"))
        path.rename(path.with_name(f"{path.stem}.kept-{number}{path.suffix}"))
    write_log(path, events)
