"""Score stored gradings of published benchmarks again and compare with their stored scores.

    python bench/reproduce_scorings.py

Reads the folder named by ADJUDGE_DATA (by default ../shared/data beside the repository) and prints tables in full;
`bench/reproduce.py` prints the figures alone. No model is called: only the arithmetic and the reading of stored
replies are checked.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudge.compat import official_morebench_reading, read_yes_no
from adjudge.rubric import Criterion, Group, Rubric, ScoringChoice
from adjudge.scoring import Points, clipped_mean, hard_score, score
from adjudge.verdict import Score, Verdict

if TYPE_CHECKING:
    from published import Row

PAPERBENCH = ("rice", "semantic-self-consistency")


def data_folder() -> Path | None:
    """The folder of public data sets, None if it is absent."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("ADJUDGE_DATA", root / "../shared/data"))
    return folder if (folder / "morebench_site").is_dir() else None


@dataclass(frozen=True)
class Grading:
    """One stored grading of MoReBench: a text of a model, judged on the criteria of a dilemma."""

    dilemma: int
    model: str
    part: str
    rubric: Rubric
    replies: dict[str, str]
    length: int
    stored: float

    @property
    def bare(self) -> bool:
        return all(reply.casefold() in {"yes", "no"} for reply in self.replies.values())

    def score(self) -> Score:
        return score(self.rubric, [_read(self.name, *pair) for pair in self.replies.items()])

    @property
    def name(self) -> str:
        return f"dilemma {self.dilemma}, {self.model}, {self.part}"

    def unread(self) -> Counter[str]:
        """Why replies are not read, and how many for each reason."""
        verdicts = [_read(self.name, *pair) for pair in self.replies.items()]
        return Counter(verdict.reason for verdict in verdicts if verdict.reason is not None)

    def official(self) -> float:
        """The score under the substring reading of the official script, from 0 to 100."""
        criteria = self.rubric.criteria
        earned = sum(abs(c.weight) for c in criteria if official_morebench_reading(self.replies[c.id], c.weight))
        return 100 * earned / sum(abs(c.weight) for c in criteria)


def _read(submission: str, criterion: str, reply: str) -> Verdict:
    word = read_yes_no(reply)
    if word is not None:
        level = "met" if word == "yes" else "unmet"
        return Verdict(submission=submission, criterion=criterion, status="scored", level=level, score=word == "yes")
    refused = reply.replace("’", "'").startswith("I'm sorry")
    return Verdict(
        submission=submission, criterion=criterion, status="unscored", reason="refusal" if refused else "parse"
    )


def morebench(folder: Path) -> Iterator[Grading]:
    with gzip.open(folder / "morebench_site/comparison_data.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for model in row["models"]:
                for part in ("thinking_trace", "model_resp"):
                    yield _grading(row["task_number"], model["model_name"], part, model[part])


def _grading(dilemma: int, model: str, part: str, stored: dict[str, Any]) -> Grading:
    criteria = [
        Criterion(id=c["criterion_id"], text=c["criterion"], weight=c["weight"], dimension=c["dimension"])
        for c in stored["rubrics"]
    ]
    return Grading(
        dilemma=dilemma,
        model=model,
        part=part,
        rubric=Rubric(id=f"morebench/{dilemma}", version="1", draft=True, criteria=tuple(criteria)),
        replies={c["criterion_id"]: c["judgement"] for c in stored["rubrics"]},
        length=len(stored["response"]),
        stored=stored["score"],
    )


def paperbench(folder: Path, paper: str) -> tuple[Score, float, int]:
    """Our score of a hand-graded tree, the stored root score, and the number of leaves."""
    with gzip.open(folder / f"paperbench_judgeeval/{paper}.expected_result.json.gz", "rt", encoding="utf-8") as file:
        root = json.load(file)
    groups: list[Group] = []
    leaves: list[tuple[Criterion, float]] = []
    ahead: list[tuple[dict[str, Any], str | None]] = [(child, None) for child in root["sub_tasks"]]
    while ahead:
        node, parent = ahead.pop()
        if node["sub_tasks"]:
            groups.append(Group(id=node["id"], text=node["requirements"], weight=node["weight"], group=parent))
            ahead += [(child, node["id"]) for child in node["sub_tasks"]]
        else:
            leaf = Criterion(id=node["id"], text=node["requirements"], weight=node["weight"], group=parent)
            leaves.append((leaf, node["score"]))
    rubric = Rubric(
        id=f"paperbench/{paper}",
        version="1",
        draft=True,
        groups=tuple(groups),
        criteria=tuple(leaf for leaf, _ in leaves),
        scoring=ScoringChoice(name="tree"),
    )
    verdicts = [
        Verdict(submission=paper, criterion=leaf.id, status="scored", level="met" if s else "unmet", score=s)
        for leaf, s in leaves
    ]
    return score(rubric, verdicts), root["score"], len(leaves)


def healthbench(folder: Path) -> list[Rubric]:
    """The rubrics of the stored sample; it holds no graded answers."""
    with gzip.open(folder / "healthbench_sample/sample_oss_eval.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Rubric(
            id="healthbench/sample",
            version="1",
            draft=True,
            criteria=tuple(
                Criterion(id=str(place), text=item["criterion"], weight=item["points"])
                for place, item in enumerate(row["rubrics"])
            ),
            scoring=ScoringChoice(name="points"),
        )
        for row in rows
    ]


def profile(rubric: Rubric, submission: str, met: str) -> Score:
    """The score if `all`, `none`, only the `good` or only the `bad` criteria are met."""
    taken = {"all": (True, True), "none": (False, False), "good": (True, False), "bad": (False, True)}
    good, bad = taken[met]
    verdicts = [
        Verdict(
            submission=submission,
            criterion=c.id,
            status="scored",
            level="met" if (good if c.weight > 0 else bad) else "unmet",
        )
        for c in rubric.criteria
    ]
    return score(rubric, verdicts, Points())


def rows() -> Iterator[Row]:
    """Every stored score beside ours, for `bench/reproduce.py`."""
    from published import number

    folder = data_folder()
    if folder is None:
        print("morebench_site: not under ADJUDGE_DATA, left out", file=sys.stderr)
        return
    gradings = list(morebench(folder))
    bare = [g for g in gradings if g.bare]
    exact = sum((v := g.score().value) is not None and abs(100 * v - g.stored) <= 0.01 for g in bare)
    official = sum(abs(g.official() - g.stored) <= 0.01 for g in gradings)
    yield number("MoReBench, gradings with bare replies, stored score met to 0.01", len(bare), exact)
    yield number("MoReBench, all gradings read as the official script does", len(gradings), official)
    for paper in PAPERBENCH:
        ours, stored, leaves = paperbench(folder, paper)
        yield number(f"PaperBench {paper}, root score of {leaves} leaves", stored, ours.value, 5e-7, ".6f")


def _show_morebench(folder: Path) -> None:
    gradings = list(morebench(folder))
    bare = [g for g in gradings if g.bare]
    exact = [g for g in bare if (v := g.score().value) is not None and abs(100 * v - g.stored) <= 0.01]
    official = [g for g in gradings if abs(g.official() - g.stored) <= 0.01]
    print(f"MoReBench: {len(gradings)} stored gradings, {len(bare)} with bare yes / no replies")
    print(f"  weighted x 100 equals the stored score to 0.01: {len(exact)} of {len(bare)}")
    print(f"  the official substring reading gives the stored score: {len(official)} of {len(gradings)}")
    print("  the others, strictly read (a score needs every reply):")
    print(f"    {'grading':60} {'ours':>6} {'bounds':>15} {'coverage':>8} {'official':>8} {'stored':>7}  not read")
    for g in gradings:
        if not g.bare:
            print(f"    {_row(g)}")
    done = [g for g in gradings if g.part == "model_resp" and g.model == gradings[0].model]
    hard = hard_score([g.stored for g in done], [g.length for g in done])
    print(f"  hard score of {gradings[0].model} over the {len(done)} dilemmas here: {hard:.2f}")


def _row(g: Grading) -> str:
    ours = g.score()
    value = "none" if ours.value is None else f"{100 * ours.value:.2f}"
    bounds = "" if ours.bounds is None else f"{100 * ours.bounds[0]:.2f}..{100 * ours.bounds[1]:.2f}"
    shown = ", ".join(f"{count} {reason}" for reason, count in sorted(g.unread().items())) or "all read"
    unread = [c for c in g.rubric.criteria if read_yes_no(g.replies[c.id]) is None]
    by_accident = sum(official_morebench_reading(g.replies[c.id], c.weight) for c in unread)
    shown += f" (the official reading credits {by_accident})" if unread else ""
    return f"{g.name:60} {value:>6} {bounds:>15} {ours.coverage:8.2f} {g.official():8.2f} {g.stored:7.2f}  {shown}"


def _show_paperbench(folder: Path) -> None:
    print("\nPaperBench: hand-graded trees, scoring `tree`")
    for paper in PAPERBENCH:
        ours, stored, leaves = paperbench(folder, paper)
        print(f"  {paper:28} {leaves:4} leaves  ours {ours.value:.6f}  stored {stored:.6f}")


def _show_healthbench(folder: Path) -> None:
    rubrics = healthbench(folder)
    print(f"\nHealthBench: {len(rubrics)} rubrics without graded answers, so only the ends of `points` can be checked")
    for met in ("good", "none", "all", "bad"):
        scores = [profile(rubric, str(place), met) for place, rubric in enumerate(rubrics)]
        values = [s.value for s in scores if s.value is not None]
        total = clipped_mean(scores)
        print(
            f"  criteria met: {met:5} lowest {min(values):6.3f}  highest {max(values):6.3f}"
            f"  clipped mean {total['value']:.3f}, deviation {total['deviation']:.3f}"
        )


def main() -> int:
    folder = data_folder()
    if folder is None:
        print("no data: set ADJUDGE_DATA to the folder of public data sets", file=sys.stderr)
        return 0
    _show_morebench(folder)
    _show_paperbench(folder)
    _show_healthbench(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
