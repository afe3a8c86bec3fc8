"""PsyEval: totals of the leaderboard, the slip in one file's labels; MCTSr-Zero: the published arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from published import Row, holds, number
from tables import data_set

from adjudge.errors import InputError
from adjudge_counselling.psyeval import load_cases, load_leaderboard, load_sessions, normalisation
from adjudge_counselling.rubrics import pack
from adjudge_counselling.search.tree import bound, quality
from adjudge_counselling.total import Total, reachable

TOLERANCE = 0.03
SLIPPED = "gpt-4.1.psyeval3-intervent.jsonl.gz"
STRAIGHT = "Qwen3-32B.psyeval3-plus.jsonl.gz"


def rows() -> Iterator[Row]:
    yield number("MCTSr-Zero, Q of the rewards 60, 80, 70", 65, quality([60, 80, 70]))
    yield number("MCTSr-Zero, bound of Q 50, 1 visit of 4", 53.552164, bound(50, 4, 1, 2.8), 5e-7, ".6f")
    yield number("MCTSr-Zero, bound of Q 70, 3 visits of 4", 72.050850, bound(70, 4, 3, 2.8), 5e-7, ".6f")
    yield number("PsyEval, highest total of the sixteen weights", 100, reachable(pack("psyeval")))
    folder = data_set("psyeval")
    if folder is None:
        return
    for one in load_leaderboard(folder / "PsyEval3-plus_leaderboard.tsv.gz"):
        ours = Total()(pack("psyeval"), one.means)
        ours = None if ours is None else round(ours, 6)
        yield number(f"PsyEval leaderboard, {one.model}", one.total, ours, TOLERANCE, ".2f", "labels by a model")
    yield _reached(folder / STRAIGHT, 100)
    yield _reached(folder / SLIPPED, 68.75)
    yield _refused(folder / SLIPPED)


def _reached(path: Path, published: float) -> Row:
    found = normalisation(load_cases(path))
    what = f"PsyEval {path.name.partition('.jsonl')[0]}, highest label that can be reached"
    note = "" if found is None else f"{found.criteria} scores over {found.divisor}"
    return number(what, published, None if found is None else found.reachable, spec=".2f", note=note)


def _refused(path: Path) -> Row:
    what = f"PsyEval {path.name.partition('.jsonl')[0]}, read as sessions with labels"
    try:
        load_sessions(path)
    except InputError as error:
        said = str(error).partition(": ")[2]
        return holds(what, "refused", "refused", agrees="68.75, not 100" in said)
    return holds(what, "refused", "read", agrees=False)
