"""What a rule adds, measured by leaving it out, and when it has stopped helping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adjudge.metrics import Estimate
from adjudge.metrics.estimate import FEW_CLUSTERS
from adjudge_metacog.gate import Gate, Trial, difference
from adjudge_metacog.nodes import Evidence

ABLATION = "ablation"
"""Name of the measure on record."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What is lost without a rule."""

    rule: str
    """Its id."""
    gain: Estimate
    """Share of the cases that it bears on that turn out better with it, less those that turn out worse."""
    moved: bool
    """Whether it changes how any case turns out."""

    @property
    def told(self) -> str:
        """In one line."""
        return f"{ABLATION} {self.gain:.3f}{'' if self.moved else ', it changes nothing'}"

    def evidence(self, split: str) -> Evidence:
        """For the record; no look of the gate."""
        return Evidence.of(ABLATION, split, self.gain)


def worth_of(rule: str, trials: Sequence[Trial], gate: Gate) -> Worth:
    """What a rule adds.

    Args:
        rule: Its id.
        trials: Held-out cases, `before` without the rule and `after` with it, all others the same.
        gate: Gives the level of the interval, one-sided.
    """
    risks = [trial for trial in trials if trial.kind == "risk"]
    moved = any(trial.before != trial.after for trial in trials)
    return Worth(rule, difference(risks, gate.alpha), moved)


def demoted(worth: Sequence[Worth], gate: Gate) -> list[str]:
    """The rules that help no more, at most one of those that merely change nothing: another may do its work.

    A rule is demoted if its worth is surely not above the margin that the gate asked for, or if it changes nothing on
    enough cases that it bears on. Of the latter only the last by id goes, since two rules can each be spare
    only because of the other.
    """
    enough = [one for one in worth if (one.gain.clusters or 0) >= FEW_CLUSTERS]
    harmful = [one.rule for one in enough if one.moved and one.gain.high is not None and one.gain.high <= gate.margin]
    idle = [one.rule for one in enough if not one.moved]
    return harmful + idle[-1:]
