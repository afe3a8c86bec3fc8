"""A search as JSON: the tree, and pairs of a better and a worse answer; and the analysis that writes them to files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, cast

from adjudge.errors import InputError
from adjudge.interfaces import AnalysisSpec
from adjudge.ledger import Ledger
from adjudge.submission import Submission, as_text
from adjudge_counselling.search.loop import Search
from adjudge_counselling.search.tree import Node

KEY = "mctsr_zero"
"""Where a submission's metadata hold the tree."""
LEDGER = "ledger.sqlite"


def tree_of(search: Search) -> dict[str, Any]:
    """A finished search as JSON values, with everything that it can be read and checked by."""
    best = search.tree.best
    return {
        "version": 1,
        "rubric": f"{search.wording.rubric.id} {search.wording.rubric.version}",
        "seed": search.wording.seed,
        "limits": search.limits.model_dump(mode="json"),
        "strategies": list(search.strategies),
        "strategy": search.strategy,
        "iterations": search.iterations,
        "calls": search.calls,
        "stopped": search.stopped,
        "failures": list(search.failures),
        "best": best.id if best is not None else None,
        "nodes": [_node(node) for node in search.tree.nodes],
        "usage": search.usage.model_dump(mode="json"),
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "parent": node.parent,
        "kind": node.kind,
        "strategy": node.strategy,
        "q": node.q,
        "value": node.value,
        "visits": node.visits,
        "rewards": list(node.rewards),
        "unread": node.unread,
        "cut": node.cut,
        "text": node.text,
        "reviews": [{"critique": r.critique, "suggestions": r.suggestions, "score": r.score} for r in node.reviews],
    }


def pairs_of(tree: Mapping[str, Any], margin: float) -> Iterator[dict[str, Any]]:
    """Pairs of a chosen and a rejected answer of one tree.

    A pair is a node and its child, or two children of one node, whose own values differ by at least `margin`; equal
    texts and equal values make none.

    Args:
        tree: As `tree_of` gives it.
        margin: Least difference of the values, from 0 to 100.
    """
    nodes = {node["id"]: node for node in tree["nodes"] if node["value"] is not None}
    for first, second in combinations(nodes.values(), 2):
        relation = _relation(first, second)
        better, worse = sorted((first, second), key=lambda node: -node["value"])
        gap = better["value"] - worse["value"]
        if relation and gap > 0 and gap >= margin and better["text"] != worse["text"]:
            yield {
                "chosen": better["text"],
                "rejected": worse["text"],
                "chosen_value": better["value"],
                "rejected_value": worse["value"],
                "margin": gap,
                "relation": relation,
                "nodes": [better["id"], worse["id"]],
            }


def _relation(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    if first["id"] == second["parent"] or second["id"] == first["parent"]:
        return "parent and child"
    return "siblings" if first["parent"] == second["parent"] else ""


def searched(items: Iterable[Any]) -> list[tuple[Submission, dict[str, Any]]]:
    """The submissions that a search answered, with their trees."""
    found = [(item, item.metadata.get(KEY)) for item in items if isinstance(item, Submission)]
    return [(item, cast("dict[str, Any]", tree)) for item, tree in found if isinstance(tree, dict)]


def export(folder: Path, trees: str = "", pairs: str = "", margin: float = 0.0) -> list[dict[str, Any]]:
    """Write the trees and pairs of a run's searches as JSONL, and give a row per case.

    Args:
        folder: The `--out` folder of a run with `--solver mctsr-zero`.
        trees: File for the trees; none is written if empty.
        pairs: File for the pairs; none is written if empty.
        margin: Least difference of two answers of a pair, from 0 to 100.

    Raises:
        InputError: The folder holds no run, the run searched nothing, or a file cannot be written.
    """
    found = searched(_items(folder))
    if not found:
        raise InputError(f"{folder}: no case was searched in this run; run a task with --solver mctsr-zero")
    made = [(item, tree, list(pairs_of(tree, margin))) for item, tree in found]
    if trees:
        _write(Path(trees), ({"case": item.id, **_case(item), **tree} for item, tree, _ in made))
    if pairs:
        _write(Path(pairs), ({"case": item.id, **_case(item), **pair} for item, _, some in made for pair in some))
    return [_row(item, tree, len(some)) for item, tree, some in made]


def _case(item: Submission) -> dict[str, str]:
    return {"input": as_text(item.input)}


def _row(item: Submission, tree: Mapping[str, Any], pairs: int) -> dict[str, Any]:
    by_id = {node["id"]: node for node in tree["nodes"]}
    best = by_id.get(tree["best"])
    return {
        "case": item.id,
        "answers": len(by_id) - 1,
        "iterations": tree["iterations"],
        "calls": tree["calls"],
        "best": best["value"] if best else None,
        "made by": best["kind"] if best else "",
        "failures": len(tree["failures"]),
        "pairs": pairs,
        "stopped by": tree["stopped"],
    }


def _items(folder: Path) -> list[Any]:
    if not (folder / LEDGER).is_file():
        raise InputError(f"{folder}: holds no {LEDGER}; give the --out folder of a run")
    with Ledger(folder / LEDGER, reading=True) as ledger:
        run, _ = ledger.last_run()
        return [item for item, _ in ledger.read_run(run)]


def _write(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def _build(trees: str = "", pairs: str = "", margin: float = 0.0) -> Any:
    return lambda folder: export(folder, trees, pairs, float(margin))


SPEC = AnalysisSpec(
    name="search-trees",
    summary="trees and chosen/rejected pairs of mctsr-zero, as JSONL (trees=FILE, pairs=FILE, margin=0)",
    build=_build,
)
"""What the plugin registers."""
