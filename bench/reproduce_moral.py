"""MoReBench, DailyDilemmas, CLASH and MoralChoice: published arithmetic, counts and layouts.

The 112 stored gradings of MoReBench are those of `bench/reproduce_scorings.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from published import Row, holds, number
from tables import data_set

from adjudge.rubric import Criterion, Rubric
from adjudge.scoring import hard_score, score
from adjudge.verdict import Verdict
from adjudge_moral.clash.situations import PROFILES, load_situations
from adjudge_moral.clash.steering import steerability
from adjudge_moral.daily_dilemmas.dilemmas import load_dilemmas, theory_counts
from adjudge_moral.daily_dilemmas.principles import expected_count
from adjudge_moral.daily_dilemmas.profile import preference
from adjudge_moral.moralchoice.tasks import high_dataset, low_dataset
from adjudge_moral.morebench.responses import load_responses
from adjudge_moral.morebench.scenarios import load_scenarios

WEIGHTS, ANSWERS = (3, 2, -3, -1), ("met", "unmet", "unmet", "met")
SCORES, LENGTHS = (79.59, 62.96, 48.65, 75.76), (2931, 1950, 1811, 1981)
THEORIES: Mapping[str, Mapping[str, int]] = {
    "WVS": {"Survival": 74, "Self-expression": 80, "Traditional": 36, "Secular-rational": 35, "none": 76},
    "MFT": {"Fairness": 79, "Authority": 59, "Care": 51, "Loyalty": 17, "Purity": 11, "none": 84},
    "Virtue": {
        "Truthfulness": 14,
        "Courage": 12,
        "Friendliness": 6,
        "Ambition": 5,
        "Liberality": 4,
        "Temperance": 3,
        "Modesty": 2,
        "Righteous Indignation": 2,
        "Patience": 1,
        "none": 252,
    },
    "Maslow": {
        "safety": 94,
        "self-esteem": 89,
        "love and belonging": 44,
        "self-actualization": 36,
        "physiological": 5,
        "none": 33,
    },
}
SUPPORT = ((7, 0.8), (1, 0.5), (27, 1), (1, 0.2), (4, 0.2))
OPPOSE = ((2, 1), (3, 0.4), (2, 0.5), (1, 0.4), (14, 0.5), (2, 0.5), (2, 0.2), (16, 0.2))
DIFFERENCES = {(12.6, 15.3): -2.7, (6.0, 7.5): -1.5, (2.1, 1.2): 0.9}


def rows() -> Iterator[Row]:
    yield from _morebench()
    yield from _daily_dilemmas()
    yield from _clash()
    yield from _moralchoice()


def _morebench() -> Iterator[Row]:
    yield number("MoReBench, score of weights 3, 2, -3, -1 answered y, n, n, y", 66.67, _signed(), 0.005, ".2f")
    regular = sum(SCORES) / len(SCORES)
    yield number("MoReBench, regular score of four samples", 66.74, regular, 0.005, ".2f")
    yield number("MoReBench, their mean length in characters", 2168.25, sum(LENGTHS) / len(LENGTHS), 0, ".2f")
    yield number("MoReBench, their hard score", 30.78, hard_score(SCORES, LENGTHS), 0.005, ".2f")
    sample = data_set("morebench_csv_sample")
    if sample is not None:
        yield from _layout(sample)
    site = data_set("morebench_site")
    if site is not None:
        found = [one for part in ("response", "trace") for one in load_responses(_only(site), part)]
        yield holds(
            "MoReBench site, gradings read with their rubrics",
            "112 (14 models, 4 dilemmas, 2 parts)",
            len(found),
            agrees=len(found) % 28 == 0 and 0 < len(found) <= 112,
            note="" if len(found) == 112 else f"{len(found) // 28} of 4 dilemmas are here",
        )


def _signed() -> float | None:
    criteria = [Criterion(id=f"c{n}", text="A criterion.", weight=w) for n, w in enumerate(WEIGHTS)]
    rubric = Rubric(id="moral/hand-case", version="1", draft=True, criteria=tuple(criteria))
    verdicts = [
        Verdict(submission="s", criterion=c.id, status="scored", level=level)
        for c, level in zip(criteria, ANSWERS, strict=True)
    ]
    found = score(rubric, verdicts).value
    return None if found is None else 100 * found


def _only(folder: Path) -> Path:
    (file,) = folder.glob("*.gz")
    return file


def _layout(folder: Path) -> Iterator[Row]:
    """One row of each published file: the RUBRIC column is a Python literal."""
    for part, file, criteria, weight in (
        ("public", "morebench_public.row1.csv.gz", 20, 42),
        ("theory", "morebench_theory.row0.csv.gz", 23, 60),
    ):
        (scenario,) = load_scenarios(folder / file, part)
        found = scenario.rubric.criteria
        yield number(f"MoReBench {part}, criteria of the row at hand", criteria, len(found))
        yield number(f"MoReBench {part}, sum of |weight| of that row", weight, sum(abs(c.weight) for c in found))


def _daily_dilemmas() -> Iterator[Row]:
    terms = expected_count(SUPPORT), expected_count(OPPOSE)
    for side, published, ours in zip(("support", "oppose"), (34.1, 16.2), terms, strict=True):
        yield number(f"DailyDilemmas, principle, expected count of values that {side}", published, ours, 0.05, ".1f")
    yield number("DailyDilemmas, principle score", 17.9, terms[0] - terms[1], 0.05, ".1f")
    for (support, oppose), published in DIFFERENCES.items():
        yield number(f"DailyDilemmas, {support} - {oppose}", published, support - oppose, 0.05, ".1f")
    yield number("DailyDilemmas, preference of a dimension always neglected", -100, preference(0, 7))
    folder = data_set("daily_dilemmas")
    if folder is None:
        return
    counts = theory_counts(folder / "values.csv.gz")
    yield number("DailyDilemmas, values in the table", 301, counts["WVS"].total())
    for theory, published_counts in THEORIES.items():
        yield _counts(theory, published_counts, counts[theory])
    read = load_dilemmas(folder / "dilemmas_with_detail_by_action_test.csv.gz")
    yield number("DailyDilemmas, dilemmas in the 8 rows with all columns", 4, len(read))


def _counts(theory: str, published: Mapping[str, int], ours: Mapping[str, int]) -> Row:
    differing = sorted(name for name in published.keys() | ours.keys() if published.get(name) != ours.get(name))
    found = f"differs in {', '.join(differing)}" if differing else "the same"
    what = f"DailyDilemmas, values on each dimension, {theory}"
    return holds(what, f"{len(published)} counts", found, agrees=not differing)


def _clash() -> Iterator[Row]:
    yield number("CLASH, characters of 345 situations", 3795, 345 * PROFILES)
    characters = {len(situation.characters) for situation in load_situations()}
    yield number("CLASH, characters of a synthetic situation", 11, characters.pop() if len(characters) == 1 else None)
    for told, base, front, back, published in (
        ("base .5, steered .25 and 1", 0.5, 0.25, 1.0, (0.5, 1.0)),
        ("full control", 0.4, 0.0, 1.0, (1.0, 1.0)),
        ("no effect", 0.4, 0.4, 0.4, (0.0, 0.0)),
        ("the wrong way", 0.5, 0.75, 0.25, (-0.5, -0.5)),
        ("a base that is the first value already", 0.0, 0.0, 0.5, (None, 0.5)),
    ):
        ours = steerability(base, front, 0.0), steerability(base, back, 1.0)
        yield holds(f"CLASH, steerability, {told}", str(published), ours, agrees=ours == published)


def _moralchoice() -> Iterator[Row]:
    folder = data_set("moralchoice")
    if folder is None:
        return
    for ambiguity, load, whole in (("low", low_dataset, 687), ("high", high_dataset, 680)):
        found = len(load(source=str(folder / f"moralchoice_{ambiguity}_ambiguity.csv.gz")))
        part = "" if found == whole else f"{found} of {whole} are here"
        what = f"MoralChoice, scenarios of {ambiguity} ambiguity"
        yield holds(what, str(whole), found, agrees=0 < found <= whole, note=part)
