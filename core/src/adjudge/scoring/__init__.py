"""From verdicts to scores: `score` and the named scorings.

A scoring is a function of the rubric and of the scores of the criteria that take part. It may also have a method
`note(rubric, scores) -> str`, whose text goes into `Score.note`, and a method `check(rubric)`, which raises
`ScoringError` for a pack that it does not fit.
"""

from adjudge.scoring.averages import Mean, Unscored, Weighted, fulfilment, hard_score
from adjudge.scoring.combine import check_scoring, score
from adjudge.scoring.gated import Gated
from adjudge.scoring.log_sigmoid import LogSigmoid, log_sigmoid, soft_and
from adjudge.scoring.pareto import Conflict, Pareto, ParetoReport, pareto, vectors_of
from adjudge.scoring.points import Points, clipped_mean
from adjudge.scoring.repeats import reduce_repeats
from adjudge.scoring.specs import SPECS, scoring_of
from adjudge.scoring.tree import Tree, node_scores

__all__ = [
    "SPECS",
    "Conflict",
    "Gated",
    "LogSigmoid",
    "Mean",
    "Pareto",
    "ParetoReport",
    "Points",
    "Tree",
    "Unscored",
    "Weighted",
    "check_scoring",
    "clipped_mean",
    "fulfilment",
    "hard_score",
    "log_sigmoid",
    "node_scores",
    "pareto",
    "reduce_repeats",
    "score",
    "scoring_of",
    "soft_and",
    "vectors_of",
]
