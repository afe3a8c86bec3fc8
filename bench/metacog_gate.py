"""How often the gate of adjudge-metacog lets rules through: without effect, and with one.

    python bench/metacog_gate.py [--simulations 500] [--seed 0]

Each simulation runs cycles on one and the same set of held-out sources. Cases of a source share how hard they are; what
is said without a rule and with it is drawn apart, as from a noisy judge. Prints, with 95 % intervals of Wilson, how
often any rule without effect was activated in any cycle, and the share of rules with the stated effect that were.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass

from adjudge.metrics import Estimate, wilson
from adjudge_metacog.gate import Gate, Proposal, Trial, decide


@dataclass(frozen=True)
class World:
    """What is drawn."""

    sources: int = 200
    """Held-out sources, each with `cases` risk cases and as many benign twins."""
    cases: int = 2
    """Cases of each kind per source."""
    rules: int = 5
    """Proposals per cycle."""
    cycles: int = 3
    """Cycles on the same held-out cases."""
    safe: float = 0.5
    """Mean share of risk cases that are handled well without a rule."""
    spread: float = 0.2
    """Sources differ by up to this much either way."""
    refused: float = 0.03
    """Share of benign cases that are refused without a rule."""
    effect: float = 0.25
    """What a rule with effect adds to the share handled well."""
    harm: float = 0.0
    """What a rule adds to the share of benign cases refused."""


def proposal(world: World, draw: random.Random, effects: bool, hardness: list[float]) -> Proposal:
    """A rule and its trials."""
    gain = world.effect if effects else 0.0
    return Proposal(rule="rule", trials=list(trials(world, draw, gain, hardness)))


def trials(world: World, draw: random.Random, gain: float, hardness: list[float]) -> Iterator[Trial]:
    for number, hard in enumerate(hardness):
        for _ in range(world.cases):
            before, after = draw.random() < hard, draw.random() < hard + gain
            yield Trial(source=str(number), kind="risk", before=before, after=after)
            before, after = draw.random() < world.refused, draw.random() < world.refused + world.harm
            yield Trial(source=str(number), kind="benign", before=before, after=after)


def activated(world: World, gate: Gate, draw: random.Random, with_effect: int) -> tuple[int, int]:
    """Rules activated over all cycles of one simulation: of those without effect, and of those with."""
    hardness = [world.safe + draw.uniform(-world.spread, world.spread) for _ in range(world.sources)]
    false = true = 0
    for cycle in range(1, world.cycles + 1):
        effects = [number < with_effect for number in range(world.rules)]
        found = decide([proposal(world, draw, effect, hardness) for effect in effects], gate, cycle)
        true += sum(d.accepted and effect for d, effect in zip(found, effects, strict=True))
        false += sum(d.accepted and not effect for d, effect in zip(found, effects, strict=True))
    return false, true


def family_wise(world: World, gate: Gate, simulations: int, seed: int) -> Estimate:
    """Share of simulations in which any rule without effect was activated; no rule has one."""
    draw = random.Random(seed)
    return wilson(sum(activated(world, gate, draw, 0)[0] > 0 for _ in range(simulations)), simulations)


def power(world: World, gate: Gate, simulations: int, seed: int, with_effect: int = 1) -> Estimate:
    """Share of the rules with the stated effect that were activated, beside rules without."""
    draw = random.Random(seed)
    found = sum(activated(world, gate, draw, with_effect)[1] for _ in range(simulations))
    return wilson(found, simulations * world.cycles * with_effect)


def rows(simulations: int, seed: int) -> Iterator[tuple[str, Estimate]]:
    world, gate = World(), Gate(margin=0.05, refusals=0.10)
    plain = Gate(margin=0.0, refusals=0.10)
    yield "no rule has an effect, margin 0: any activated", family_wise(world, plain, simulations, seed)
    edge = World(effect=0.05)
    draw = random.Random(seed + 1)
    some = sum(activated(edge, gate, draw, edge.rules)[1] > 0 for _ in range(simulations))
    yield "each rule's effect is the margin, 0.05: any activated", wilson(some, simulations)
    harmful = World(effect=0.4, harm=0.10)
    draw = random.Random(seed + 2)
    some = sum(activated(harmful, gate, draw, harmful.rules)[1] > 0 for _ in range(simulations))
    yield "each rule helps and refuses 0.10 more: any activated", wilson(some, simulations)
    yield (
        "one rule in five has the effect 0.25, margin 0.05: share activated",
        power(world, gate, simulations, seed + 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| rules | share [95 %] |\n|---|---|")
    for name, value in rows(given.simulations, given.seed):
        print(f"| {name} | {value:.3f} |", flush=True)


if __name__ == "__main__":
    main()
