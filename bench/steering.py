"""What activation steering does to a real small model: figures from pairs that no choice saw.

    .ci/steering run bench/steering.py [--model FOLDER] [--layers 13,18,23] [--threads 1] [--rule NAME]

For each of the two shipped, synthetic rules: fits a vector (method, layer and strength chosen on held-out pairs, with
perplexity within 1.1 of what it was), then pushes by that direction at several strengths and prints, on the final pairs
and neutral texts: the probability of the reply that follows the rule, with the difference to no steering and its 95 %
interval; the share of pairs in which it is the likelier one; the mean projection of both replies' states on the
direction, at the steered block and at the last one; perplexity over that before. `random` pushes as far along random
directions.

Without --model it takes SmolLM2-135M-Instruct as `.ci/vllm` or `.ci/steering` converts it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adjudge.metrics import paired_difference
from adjudge_steering.choosing import STRENGTHS
from adjudge_steering.directions import projections
from adjudge_steering.fitting import Fitted, Grid, directions_of, fit
from adjudge_steering.hooks import steered
from adjudge_steering.measures import choices, perplexity, plain, replies, states
from adjudge_steering.pairs import Pair, by_rule, load_pairs, neutral_texts, parted, shipped
from adjudge_steering.weights import Weights, load_weights

MODEL = "SmolLM2-135M-Instruct"
CURVE = (-0.3, -0.2, -0.1, 0.0, *STRENGTHS[:5])
SEEDS = 3


@dataclass(frozen=True)
class Point:
    """What was measured at one strength."""

    chosen: list[float]
    here: float
    last: float
    perplexity: float


class Bench:
    """The final pairs of one rule, and what is measured on them."""

    def __init__(self, weights: Weights, pairs: Sequence[Pair], fitted: Fitted) -> None:
        self.weights, self.vector, self.unit = weights, fitted.vector, fitted.unit
        splits = parted(pairs)
        self.pairs = splits["final"]
        self.follows, self.breaks = replies(weights, self.pairs)
        texts = neutral_texts()
        self.neutral = plain(weights, texts[len(texts) // 2 :])
        self.end = len(weights.blocks) - 1
        made = directions_of(weights, splits["fit"], [self.end], [self.vector.method])
        self.unit_at_end = made.units[self.vector.method, self.end]
        self.untouched = perplexity(weights, self.neutral)

    def point(self, unit: Any, strength: float) -> Point:
        """Everything at one strength along one direction."""
        with steered(self.weights, {self.vector.layer: (unit * (strength * self.vector.scale)).astype(np.float32)}):
            found = states(self.weights, [*self.follows, *self.breaks], [self.vector.layer, self.end])
            return Point(
                choices(self.weights, self.follows, self.breaks),
                float(projections(found[self.vector.layer], self.unit).mean()),
                float(projections(found[self.end], self.unit_at_end).mean()),
                perplexity(self.weights, self.neutral) / self.untouched,
            )

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table: along the direction, then along random ones."""
        base = self.point(self.unit, 0.0)
        for strength in CURVE:
            yield self.row(f"{strength:g}", [self.point(self.unit, strength)], base)
        strength = self.vector.strength or STRENGTHS[1]
        draw = np.random.default_rng(0)
        others = [self.point(self.random(draw), strength) for _ in range(SEEDS)]
        yield self.row(f"random {strength:g}, {SEEDS} draws", others, base)

    def random(self, draw: np.random.Generator) -> Any:
        found = draw.normal(size=len(self.unit))
        return found / np.linalg.norm(found)

    def row(self, name: str, points: Sequence[Point], base: Point) -> tuple[str, ...]:
        chosen = np.mean([point.chosen for point in points], axis=0)
        gain = paired_difference(list(map(float, chosen)), base.chosen, [pair.group for pair in self.pairs])
        ends = "" if gain.low is None or gain.high is None else f" [{gain.low:+.3f}, {gain.high:+.3f}]"
        means = [
            float(np.mean([getattr(point, which) for point in points])) for which in ("here", "last", "perplexity")
        ]
        shown = f"{gain.value:+.3f}{ends}" if gain.value is not None else "undefined"
        return name, f"{chosen.mean():.3f}", shown, f"{(chosen > 0.5).mean():.2f}", *(f"{mean:.2f}" for mean in means)


HEADS = (
    "strength",
    "p(follows)",
    "change [95 %]",
    "follows likelier",
    "projection",
    "at the last block",
    "perplexity x",
)


def table(rows: Iterator[tuple[str, ...]]) -> None:
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def identity_holds(weights: Weights, vectors: Mapping[int, Any]) -> bool:
    """Whether logits at strength 0 are those of the untouched model, bit by bit."""
    import torch

    ids = torch.tensor([plain(weights, neutral_texts()[:1])[0].tokens])
    with torch.inference_mode():
        before = weights.model(input_ids=ids, use_cache=False).logits
        with steered(weights, vectors):
            after = weights.model(input_ids=ids, use_cache=False).logits
    return bool(before.numpy().tobytes() == after.numpy().tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path(sys.prefix) / "models" / MODEL)
    parser.add_argument("--layers", default="13,18,23", help="blocks to try, from 0")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rule", action="append", help="only this rule")
    given = parser.parse_args()
    weights = load_weights(given.model, threads=given.threads)
    grid = Grid(layers=tuple(map(int, given.layers.split(","))))
    print(
        f"{weights.name}: {len(weights.blocks)} blocks of width {weights.width}, fingerprint {weights.fingerprint[:12]}"
    )
    for rule, pairs in by_rule(load_pairs(shipped())).items():
        if given.rule and rule not in given.rule:
            continue
        fitted = fit(weights, pairs, neutral_texts(), grid)
        vector = fitted.vector
        print(
            f"\n### {rule}: {vector.method} at block {vector.layer}, strength {vector.strength:g} of {vector.scale:.1f}"
        )
        print(f"chosen among {len(fitted.trials)} settings; {vector.fitted} pairs gave the direction")
        same = identity_holds(weights, {vector.layer: fitted.unit * np.float32(0)})
        print(f"logits at strength 0 equal those without steering, bit by bit: {same}\n")
        table(Bench(weights, pairs, fitted).rows())


if __name__ == "__main__":
    main()
