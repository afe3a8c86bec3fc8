"""A small network with a softmax over levels, fitted to its posterior mode by L-BFGS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

from adjudge_validity.tables import Array

BASE = 0.01
"""Precision of the prior on the levels' own offsets: next to none."""


@dataclass(frozen=True)
class Network:
    """Logits are `base + (z v + tanh(z w + b) u) s` for inputs z, where s is a rising score per level or the identity.

    With a score per level, log-odds of neighbouring levels are all alike in the inputs (adjacent categories, Agresti
    2010, section 4.1): an order without assuming equal steps. With the identity it is plain softmax.
    """

    base: Array
    """Offset of each level, shape (k,)."""
    direct: Array
    """v: from inputs to outputs, shape (d, o); o is 1 with an order, else k."""
    inner: Array
    """w: from inputs to hidden units, shape (d, h); h may be 0."""
    bias: Array
    """b, shape (h,)."""
    outer: Array
    """u: from hidden units to outputs, shape (h, o)."""

    def probabilities(self, inputs: Array) -> Array:
        """Of each level, shape (n, k), for inputs of shape (n, d)."""
        hidden = np.tanh(inputs @ self.inner + self.bias)
        out = inputs @ self.direct + hidden @ self.outer
        return np.asarray(special.softmax(self.base + out @ _scores(len(self.base), out.shape[1]), axis=1))


def _scores(levels: int, outputs: int) -> Array:
    return np.asarray(np.eye(levels) if outputs > 1 else np.arange(levels)[None, :] - (levels - 1) / 2, np.float64)


def fit(inputs: Array, truth: Array, *, ordered: bool, hidden: int = 0, seed: int = 0) -> Network:
    """Maximise the likelihood of labels with a standard normal prior on every weight.

    Args:
        inputs: Shape (n, d); the scale of a column says how strongly its weight is held at 0.
        truth: Labels as weights over levels, shape (n, k).
        ordered: Whether levels have an order.
        hidden: Number of hidden units.
        seed: Of the weights that the fit of hidden units starts from.
    """
    (d, k), o = (inputs.shape[1], truth.shape[1]), 1 if ordered else truth.shape[1]
    shapes: Sequence[tuple[int, ...]] = [(k,), (d, o), (d, hidden), (hidden,), (hidden, o)]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])
    prior = np.ones(cuts[-1])
    prior[:k] = BASE

    def network(x: Array) -> Network:
        return Network(*(part.reshape(shape) for part, shape in zip(np.split(x, cuts[:-1]), shapes, strict=True)))

    def loss(x: Array) -> tuple[float, Array]:
        value, gradient = _loss(network(x), inputs, truth)
        return value + float(prior @ x**2) / 2, gradient + prior * x

    start = np.zeros(cuts[-1])
    start[cuts[1] : cuts[2]] = np.random.default_rng(seed).normal(size=d * hidden)
    start[cuts[3] :] = 0.1  # from exactly 0 hidden units would never start to differ
    found: Any = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return network(found.x)


def _loss(network: Network, inputs: Array, truth: Array) -> tuple[float, Array]:
    """Negative log-likelihood, and its gradient in the order of the fields."""
    hidden = np.tanh(inputs @ network.inner + network.bias)
    out = inputs @ network.direct + hidden @ network.outer
    scores = _scores(len(network.base), out.shape[1])
    logs = special.log_softmax(network.base + out @ scores, axis=1)
    off = np.exp(logs) * truth.sum(1, keepdims=True) - truth
    back = off @ scores.T
    inside = back @ network.outer.T * (1 - hidden**2)
    parts = [off.sum(0), inputs.T @ back, inputs.T @ inside, inside.sum(0), hidden.T @ back]
    return -float((truth * logs).sum()), np.concatenate([part.ravel() for part in parts])
