"""Directions in the space of hidden states, from states of texts that follow a rule and of texts that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from adjudge.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

Method = Literal["means", "component"]
METHODS: tuple[Method, ...] = ("means", "component")
"""How a direction is made: difference of means, or first principal component of the differences of pairs."""


def direction(follows: Array, breaks: Array, method: Method) -> Array:
    """A direction of length 1 that points from breaking the rule to following it.

    Args:
        follows: States of texts that follow the rule, one pair a row: shape (pairs, width).
        breaks: States of the other text of each pair, in the same order.
        method: `means`: the mean of the differences. `component`: their first right singular vector, not centred (a
            shared offset is what is looked for), its sign that of the mean (Zou and others 2023, arXiv:2310.01405).

    Returns:
        Shape (width,).

    Raises:
        InputError: The states do not differ, or are not finite.
    """
    import numpy as np

    differences: Any = np.asarray(follows, dtype=np.float64) - np.asarray(breaks, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise InputError("hidden states are not finite: the model overflows in this precision; load it in float32")
    mean = differences.mean(axis=0)
    found = mean
    if method == "component":
        found = np.linalg.svd(differences, full_matrices=False)[2][0]
        found = found if found @ mean >= 0 else -found
    length = np.linalg.norm(found)
    if not length > 0 or not np.abs(differences).max() > 0:
        raise InputError("the texts of the pairs have the same hidden states; there is no direction between them")
    unit: Array = (found / length).astype(np.float32)
    return unit


def projections(states: Array, unit: Array) -> Array:
    """How far each state lies along a direction of length 1: shape (texts,)."""
    found: Array = states @ unit
    return found
