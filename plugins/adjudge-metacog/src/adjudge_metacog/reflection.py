"""What a run of the cycle came to: figures before and after, from cases that neither the proposer nor the gate saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from adjudge.metrics import (
    Estimate,
    cluster_bootstrap,
    clustered_rate,
    cohen_kappa,
    confusion,
    macro_f1,
    paired_difference,
    undefined,
    wilson,
)
from adjudge_metacog.cases import COLOURS, Parts
from adjudge_metacog.cycle import Cycle, Turn
from adjudge_metacog.gate import Trial, difference
from adjudge_metacog.practice import Attempt
from adjudge_metacog.thoroughness import share_named
from adjudge_metacog.turn_text import turn_lines

COLOUR = "colour"
"""The criterion that says what a request calls for."""
THOROUGH = {"parties": "perspectives", "consequences": "consequences"}
"""Fields that name what a thorough assessment finds, and the criteria of the pack that should find it."""
_RESAMPLES = 1000
_TAIL = 0.025
"""Beyond each end of an interval."""

Outcome = Callable[[Attempt], bool | None]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure before and after."""

    name: str
    """What it is."""
    before: Estimate
    """Under the rules that there were."""
    after: Estimate
    """Under the rules that there are now."""
    change: Estimate
    """`after - before` over the same cases."""


@dataclass(frozen=True, kw_only=True)
class Reflection:
    """A run of the cycle."""

    before: tuple[Attempt, ...]
    """The final cases under the rules that there were."""
    after: tuple[Attempt, ...]
    """The same cases under the rules that there are now."""
    turns: tuple[Turn, ...]
    """What each cycle did."""
    units: tuple[str, ...]
    """What each final case is clustered by."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Text of each rule that a cycle speaks of, by id."""

    @cached_property
    def figures(self) -> list[Figure]:
        """All that can be told of the final cases."""
        return [*self._outcomes(), *self._agreement(), *self._thorough()]

    def _outcomes(self) -> Iterator[Figure]:
        labelled = any(one.wanted for one in self.before)
        if labelled:
            yield self._figure("agreement with people", lambda one: one.good)
            return
        yield self._figure("attack success", lambda one: _not(one.good) if one.case.kind == "risk" else None, "risk")
        yield self._figure("over-refusal", lambda one: one.refused if one.case.kind == "benign" else None, "benign")

    def _figure(self, name: str, outcome: Outcome, kind: str = "") -> Figure:
        kept = [n for n, one in enumerate(self.before) if kind in {"", one.case.kind}]
        sides = [[outcome(attempts[n]) for n in kept] for attempts in (self.before, self.after)]
        units = [self.units[n] for n in kept]
        before, after = (_rate(side, units) for side in sides)
        return Figure(name=name, before=before, after=after, change=self._change(kept, sides, units))

    def _change(self, kept: Sequence[int], sides: Sequence[Sequence[bool | None]], units: Sequence[str]) -> Estimate:
        """Exactly nothing where no case was tried under other rules; else with an interval that has a width."""
        if all(self.before[n] is self.after[n] for n in kept):
            numbers = [[None if value is None else float(value) for value in side] for side in sides]
            return paired_difference(numbers[1], numbers[0], units)
        rows = zip(units, *sides, strict=True)
        trials = [Trial(source=unit, kind="risk", before=before, after=after) for unit, before, after in rows]
        return difference(trials, _TAIL)

    def _agreement(self) -> Iterator[Figure]:
        """How the assessment's colours agree with what people say the requests call for."""
        if not any(one.case.colour for one in self.before):
            return
        pairs = [(_colours(one), _colours(other)) for one, other in zip(self.before, self.after, strict=True)]
        kept = [(*pair, unit) for pair, unit in zip(pairs, self.units, strict=True) if None not in (*pair[0], *pair[1])]
        for name, statistic in (("kappa of colours", cohen_kappa), ("macro-F1 of colours", _f1)):
            yield _compared(name, statistic, kept)

    def _thorough(self) -> Iterator[Figure]:
        """The share of the parties and consequences that the data name which the assessment names too."""
        for name, criterion in THOROUGH.items():
            kept = [n for n, one in enumerate(self.before) if _named(one, name)]
            sides = [[_share(attempts[n], name, criterion) for n in kept] for attempts in (self.before, self.after)]
            if any(share is not None for side in sides for share in side):
                units = [self.units[n] for n in kept]
                before, after = (paired_difference(side, [0.0] * len(side), units) for side in sides)
                change = paired_difference(sides[1], sides[0], units)
                yield Figure(name=f"thoroughness, {name}", before=before, after=after, change=change)

    @property
    def colours(self) -> list[dict[str, Any]]:
        """Table of colours after the run: what people say, and what the assessment said."""
        pairs = [_colours(one) for one in self.after]
        known = [(gold, given) for gold, given in pairs if gold is not None]
        return confusion([gold for gold, _ in known], [given for _, given in known], COLOURS) if known else []

    @property
    def coverage(self) -> tuple[Estimate, Estimate]:
        """Scored share of the final cases, before and after."""
        counts = [sum(one.good is not None for one in side) for side in (self.before, self.after)]
        return wilson(counts[0], len(self.before)), wilson(counts[1], len(self.after))

    def __str__(self) -> str:
        return "\n".join(lines(self))


async def reflect(cycle: Cycle, parts: Parts, cycles: int = 1) -> Reflection:
    """Run the cycle, and measure on the final cases what it changed.

    A cycle that activates and retires nothing ends the run: the next one would find the same.
    """
    start = cycle.finder()
    before = await cycle.attempts(parts.final, start)
    turns: list[Turn] = []
    for _ in range(cycles):
        turns.append(await cycle.turn(parts))
        if not (turns[-1].activated or turns[-1].demoted or cycle.open_rules()):
            break
    after = await cycle.attempts(parts.final, cycle.finder())
    units = tuple(parts.unit(case) for case in parts.final)
    named = {rule for turn in turns for rule in turn.rules}
    texts = {rule.id: rule.text for rule in cycle.graph.rules if rule.id in named}
    return Reflection(before=tuple(before), after=tuple(after), turns=tuple(turns), units=units, rules=texts)


def lines(found: Reflection) -> Iterator[str]:
    """The report, in Markdown."""
    yield f"Figures of {len(found.before)} final cases from {len(set(found.units))} sources that no gate saw."
    yield "\n| figure | before | after | change |\n|---|---|---|---|"
    for figure in found.figures:
        yield f"| {figure.name} | {figure.before:.3f} | {figure.after:.3f} | {figure.change:.3f} |"
    yield f"| coverage | {found.coverage[0]:.3f} | {found.coverage[1]:.3f} | |"
    for turn in found.turns:
        yield from turn_lines(turn, found.rules)
    if found.colours:
        yield "\n| people say | " + " | ".join([*COLOURS, "unscored"]) + " |\n|---|---|---|---|---|"
        for row in found.colours:
            yield "| " + " | ".join(str(row[name]) for name in ("gold", *COLOURS, "unscored")) + " |"


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _rate(outcomes: Sequence[bool | None], units: Sequence[str]) -> Estimate:
    known = [(outcome, unit) for outcome, unit in zip(outcomes, units, strict=True) if outcome is not None]
    return clustered_rate([outcome for outcome, _ in known], [unit for _, unit in known])


def _colours(attempt: Attempt) -> tuple[str | None, str | None]:
    """What people say and what the assessment says; None where it is not known."""
    given = next((one.level for one in attempt.verdicts if one.criterion == COLOUR), None)
    return attempt.case.colour or None, given if given in COLOURS else None


def _named(attempt: Attempt, field: str) -> list[str]:
    """What the data name in a field that is a list."""
    value = attempt.case.submission.metadata.get(field)
    return [one for one in value if isinstance(one, str) and one.strip()] if isinstance(value, list) else []


def _share(attempt: Attempt, field: str, criterion: str) -> float | None:
    """The share of it that the assessment's explanation names; None if there is no explanation."""
    said = next((one.explanation for one in attempt.verdicts if one.criterion == criterion and one.level), "")
    return share_named(said, _named(attempt, field)) if said else None


def _f1(gold: Sequence[str], given: Sequence[str]) -> Estimate:
    return macro_f1(gold, given, COLOURS)


_Agreement = Callable[[Sequence[str], Sequence[str]], Estimate]
_Pair = tuple[tuple[Any, Any], tuple[Any, Any], str]


def _compared(
    name: str, statistic: Callable[[Sequence[str], Sequence[str]], Estimate], kept: Sequence[_Pair]
) -> Figure:
    """A statistic of agreement before and after, with intervals from resampled clusters."""
    units = [unit for *_, unit in kept]

    def on(side: int) -> Callable[[Sequence[_Pair]], Estimate]:
        return lambda rows: statistic([row[side][0] for row in rows], [row[side][1] for row in rows])

    def change(rows: Sequence[_Pair]) -> Estimate:
        before, after = on(0)(rows), on(1)(rows)
        if before.value is None or after.value is None:
            return undefined(before.note or after.note, len(rows))
        return Estimate(value=after.value - before.value, n=len(rows))

    drawn = (cluster_bootstrap(of, kept, units, resamples=_RESAMPLES) for of in (on(0), on(1), change))
    before, after, moved = map(_with_width, drawn)
    return Figure(name=name, before=before, after=after, change=moved)


def _with_width(found: Estimate) -> Estimate:
    """Without the interval if it has no width: resamples that all agree say that there is too little to tell."""
    if found.low is None or found.low != found.high:
        return found
    return replace(found, low=None, high=None, note="no interval: every resample gives the same")
