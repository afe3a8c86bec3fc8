#!/usr/bin/env python3
"""A learned read-out on the judgments of LLM-Rubric: how well it predicts each person's overall level.

    bench/validity_llm_rubric.py [--splits 5] [--markdown] [--write]

Needs the set `llm_rubric` under ADJUDGE_DATA. All choices are made inside the training folds; no dialogue is split.
`--write` puts the tables into docs/explanation/learned-read-outs.md, in place of those that stand there.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize
from tables import data_set, rewrite, table

from adjudge.metrics import clustered_mean
from adjudge_validity.learned import Recipe, cross_validated, fit, folds, recipes
from adjudge_validity.observations import Observations

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "learned-read-outs.md"
QUESTIONS = [f"Q{number}" for number in range(9)]
SCORES = np.arange(1.0, 5.0)
OUTER = 10
SIZES = (25, 50, 100, 200)


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def load(folder: Path) -> Observations:
    """Labels of the overall question Q0, less 0 (not applicable) and dialogues that the model did not judge."""
    said: dict[str, dict[str, list[float]]] = {}
    for row in _rows(folder / "gpt-3.5-turbo-16k_synth_evaluations_FIXED.tsv.gz"):
        said.setdefault(row["text_id"], {})[row["criterion"]] = [float(row[f"answer{level}_prob"]) for level in "1234"]
    people = _rows(folder / "human_judges_synth_all_FIXED_ANON.tsv.gz")
    kept = [row for row in people if row["text_id"] in said and float(row["Q0"]) > 0]
    given = {name: np.array([said[row["text_id"]][name] for row in kept]) for name in QUESTIONS}
    return Observations(
        given={name: shares / shares.sum(1, keepdims=True) for name, shares in given.items()},
        ordered=frozenset(QUESTIONS),
        extra=np.zeros((len(kept), 0)),
        raters=[row["annotator_id"] for row in kept],
        clusters=[row["text_id"] for row in kept],
        truth=np.array([[float(row["Q0"]) == level for level in SCORES] for row in kept], float),
        target="Q0",
    )


def with_system(rows: Observations) -> Observations:
    """Which of five systems held the dialogue, as a further feature; its name begins the dialogue's."""
    systems = sorted({name.split("_")[0] for name in rows.clusters})
    return replace(rows, extra=np.array([[name.split("_")[0] == x for x in systems] for name in rows.clusters], float))


def ridge(rows: Observations, seed: int, penalty: float = 3.0) -> Any:
    """The floor: ridge regression on all probabilities and an indicator of each rater."""
    who = np.array([[rater == name for name in sorted(set(rows.raters))] for rater in rows.raters], float)
    inputs, level = np.concatenate([*rows.given.values(), who], axis=1), rows.truth @ SCORES
    out = np.empty_like(level)
    for held in folds(rows.clusters, seed=seed, number=OUTER):
        mean, height = inputs[~held].mean(0), level[~held].mean()
        x = inputs[~held] - mean
        weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (level[~held] - height))
        out[held] = height + (inputs[held] - mean) @ weights
    return out


def unexplained(rows: Observations) -> float:
    """Standard deviation of what is left when the true mean of each rater and each dialogue is known.

    Maximum likelihood of level = mean + rater + dialogue + rest, all normal.
    """
    level = rows.truth @ SCORES
    alike = [np.equal.outer(np.array(names), np.array(names)).astype(float) for names in (rows.raters, rows.clusters)]

    def loss(logs: Any) -> float:
        rater, dialogue, rest = np.exp(logs)
        root = np.linalg.cholesky(rater * alike[0] + dialogue * alike[1] + rest * np.eye(len(level)))
        z = np.linalg.solve(root, level - level.mean())
        return float(np.log(np.diag(root)).sum() + z @ z / 2)

    found = optimize.minimize(loss, np.log([0.1, 0.1, 0.5]), method="Nelder-Mead")
    return math.exp(found.x[2] / 2)


Method = Callable[[int], Any]
"""From the seed of a split to the expected level of each row, predicted without its dialogue."""


def methods(rows: Observations) -> Iterator[tuple[str, str, Method]]:
    """Name, whether raters have parameters of their own, predictions."""
    level = rows.truth @ SCORES
    yield "the judge's expected level, uncalibrated", "no", lambda _: rows.given["Q0"] @ SCORES
    yield "mean of all labels", "no", lambda _: np.full(len(rows), level.mean())
    yield "raters alone", "yes", lambda seed: _learned(rows, [Recipe(shared=math.inf, offsets=2.0)], seed)
    yield "ridge on all probabilities (the floor)", "yes", lambda seed: ridge(rows, seed)
    yield "learned read-out", "no", lambda seed: _learned(rows, recipes(raters=False), seed)
    yield "**learned read-out**", "yes", lambda seed: _learned(rows, recipes(raters=True), seed)
    more = with_system(rows)
    yield (
        "learned read-out, told which system wrote the dialogue",
        "yes",
        lambda seed: _learned(more, recipes(raters=True, extra=True), seed),
    )


def _learned(rows: Observations, among: Sequence[Recipe], seed: int) -> Any:
    return cross_validated(rows, among, seed=seed, number=OUTER) @ SCORES


def comparison(rows: Observations, splits: int) -> list[list[str]]:
    """One line per method: mean over splits, and an interval clustered by dialogue."""
    level = rows.truth @ SCORES
    lines = [["prediction", "own parameters of raters", "RMSE [95 %]", "over splits", "Pearson"]]
    for name, raters, method in methods(rows):
        found = [method(seed) for seed in range(splits)]
        squares = np.mean([(one - level) ** 2 for one in found], axis=0)
        mean = clustered_mean(squares.tolist(), rows.clusters)
        low, high = math.sqrt(mean.low or 0), math.sqrt(mean.high or 0)
        each = [math.sqrt(float(((one - level) ** 2).mean())) for one in found]
        lines.append(
            [
                name,
                raters,
                f"{math.sqrt(mean.value or 0):.3f} [{low:.3f}, {high:.3f}]",
                f"{min(each):.3f}–{max(each):.3f}",
                _pearson(found, level),
            ]
        )
        print(lines[-1], file=sys.stderr)
    return lines


def _pearson(found: Sequence[Any], level: Any) -> str:
    if found[0].std() < 1e-9:
        return "undefined: constant"
    return f"{np.mean([np.corrcoef(one, level)[0, 1] for one in found]):.2f}"


def curve(rows: Observations, splits: int) -> list[list[str]]:
    """RMSE and correlation when only so many labels of the training folds are there to learn from."""
    level = rows.truth @ SCORES
    lines = [["labels", "RMSE, raters alike", "Pearson", "RMSE, with raters", "Pearson"]]
    for size in (*SIZES, None):
        line = [f"all (about {round(len(rows) * (1 - 1 / OUTER))})" if size is None else str(size)]
        for raters in (False, True):
            found = [_from_few(rows, recipes(raters=raters), size, seed) for seed in range(splits)]
            error = np.mean([math.sqrt(float(((one - level) ** 2).mean())) for one in found])
            line += [f"{error:.3f}", _pearson(found, level)]
        lines.append(line)
        print(line, file=sys.stderr)
    return lines


def _from_few(rows: Observations, among: Sequence[Recipe], size: int | None, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    out = np.empty(len(rows))
    for held in folds(rows.clusters, seed=seed, number=OUTER):
        there = np.flatnonzero(~held)
        chosen = there if size is None else rng.choice(there, size, replace=False)
        out[held] = fit(rows.part(chosen), among, seed=seed).probabilities(rows.part(held)) @ SCORES
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=5, help="how often dialogues are dealt to folds anew")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    folder = data_set("llm_rubric")
    if folder is None:
        return 2
    rows = load(folder)
    left = unexplained(rows)
    said = (
        f"{len(rows)} judgments of {len(set(rows.clusters))} dialogues by {len(set(rows.raters))} people."
        f" If the true mean of every person and every dialogue were known, {left:.3f} would be left (standard"
        " deviation, maximum likelihood)."
    )
    tables = {"llm-rubric": comparison(rows, asked.splits), "llm-rubric-curve": curve(rows, asked.splits)}
    print(said)
    for name, lines in tables.items():
        print(f"\n{table(lines, markdown=asked.markdown)}")
        if asked.write:
            words = f"{said}\n\n" if name == "llm-rubric" else ""
            rewrite(PAGE, name, words + table(lines, markdown=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
