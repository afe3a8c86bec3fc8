"""Agreement, intervals and differences, in pure Python.

Everything that can be undefined gives an `Estimate` whose value is then None and whose note says why; never `nan`.
"""

from adjudge.metrics.agreement import (
    accuracy,
    cohen_kappa,
    confusion,
    macro_f1,
    min_group_macro_f1,
    prevalence,
    quadratic_weighted_kappa,
)
from adjudge.metrics.bootstrap import bootstrap_interval, cluster_bootstrap
from adjudge.metrics.estimate import (
    Estimate,
    clustered_error,
    clustered_mean,
    clustered_rate,
    few,
    paired_difference,
    undefined,
    wilson,
)
from adjudge.metrics.figures import level_agreement, preference_agreement, score_correlation
from adjudge.metrics.rank import kendall_tau_b, spearman

__all__ = [
    "Estimate",
    "accuracy",
    "bootstrap_interval",
    "cluster_bootstrap",
    "clustered_error",
    "clustered_mean",
    "clustered_rate",
    "cohen_kappa",
    "confusion",
    "few",
    "kendall_tau_b",
    "level_agreement",
    "macro_f1",
    "min_group_macro_f1",
    "paired_difference",
    "preference_agreement",
    "prevalence",
    "quadratic_weighted_kappa",
    "score_correlation",
    "spearman",
    "undefined",
    "wilson",
]
