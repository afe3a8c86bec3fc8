"""The built-in scorings by name."""

from __future__ import annotations

from adjudge.errors import UnknownNameError
from adjudge.interfaces import Scoring, ScoringSpec
from adjudge.rubric import ScoringChoice
from adjudge.scoring.averages import Mean, Unscored, Weighted
from adjudge.scoring.credit import factory
from adjudge.scoring.gated import Gated
from adjudge.scoring.log_sigmoid import LogSigmoid
from adjudge.scoring.pareto import Pareto
from adjudge.scoring.points import Points, clipped_mean
from adjudge.scoring.tree import Tree

SPECS: tuple[ScoringSpec, ...] = (
    ScoringSpec(
        name="weighted",
        summary="share of the weight earned, signed weights, 0 to 1 (MoReBench)",
        build=factory("weighted", Weighted),
    ),
    ScoringSpec(
        name="points",
        summary="points of met criteria over positive points, not clipped (HealthBench)",
        build=factory("points", Points),
        aggregate=clipped_mean,
    ),
    ScoringSpec(name="mean", summary="plain mean in the units of the scale", build=factory("mean", Mean)),
    ScoringSpec(
        name="tree", summary="weighted mean up a tree of groups, 0 to 1 (PaperBench)", build=factory("tree", Tree)
    ),
    ScoringSpec(
        name="gated", summary="must caps, should carries, may is reported, 0 to 1", build=factory("gated", Gated)
    ),
    ScoringSpec(
        name="log_sigmoid",
        summary="soft AND: sum of log sigmoid(r - reference), in nats (Transforming and Combining Rewards)",
        build=factory("log_sigmoid", LogSigmoid),
    ),
    ScoringSpec(
        name="pareto",
        summary="front, conflicts and tolerances over several submissions",
        build=factory("pareto", Pareto),
        over="submissions",
    ),
    ScoringSpec(name="none", summary="no number, for labels without scores", build=factory("none", Unscored)),
)
"""Registered by core through the same hook as those of plugins."""

_BY_NAME = {spec.name: spec for spec in SPECS}


def scoring_of(choice: ScoringChoice) -> Scoring:
    """Build a built-in scoring from a rubric's choice.

    Raises:
        UnknownNameError: It is not built in; scorings of plugins are built from their spec.
        ScoringError: A parameter is unknown or out of range.
    """
    if choice.name not in _BY_NAME:
        raise UnknownNameError("scoring", choice.name, _BY_NAME)
    return _BY_NAME[choice.name].build(**choice.params)
