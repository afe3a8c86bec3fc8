"""What a learned read-out learns from: labels, each with what the judge said on every criterion of that submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from adjudge_validity.tables import Array

Features = Literal["expected", "logs"]
"""What is taken from a distribution: the expected level, or the log-probability of each level."""
SMALLEST = 1e-3
"""Probabilities are cut here before logs."""


@dataclass(frozen=True, kw_only=True)
class Observations:
    """One row per submission and rater."""

    given: Mapping[str, Array]
    """Criterion to the judge's probabilities, shape (n, its levels); a row of `nan` where it gave none."""
    ordered: frozenset[str]
    """Criteria whose levels have an order."""
    extra: Array
    """Further features of the submission, such as an embedding, shape (n, e); e may be 0."""
    raters: Sequence[str]
    """Who gave each label."""
    clusters: Sequence[str]
    """What stays together in cross-validation."""
    truth: Array
    """The label as one-hot rows, shape (n, k), levels in order."""
    target: str
    """Criterion that is predicted."""

    def __len__(self) -> int:
        return len(self.raters)

    def part(self, chosen: Any) -> Observations:
        """The rows of a mask or of positions."""
        places = np.arange(len(self))[chosen]
        return replace(
            self,
            given={name: shares[places] for name, shares in self.given.items()},
            extra=self.extra[places],
            raters=[self.raters[place] for place in places],
            clusters=[self.clusters[place] for place in places],
            truth=self.truth[places],
        )

    def features(self, kind: Features) -> Array:
        """Features of the judge's distributions, shape (n, d); `nan` where it gave none."""
        made = [
            _expected(shares) if kind == "expected" and name in self.ordered else _logs(shares)
            for name, shares in self.given.items()
        ]
        return np.concatenate([np.empty((len(self), 0)), *made], axis=1)


def _expected(shares: Array) -> Array:
    return np.asarray(shares @ np.linspace(0, 1, shares.shape[1])[:, None])


def _logs(shares: Array) -> Array:
    logs = np.log(np.clip(shares, SMALLEST, None))
    return np.asarray(logs - logs.mean(1, keepdims=True))
