"""How far a search may go."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from adjudge.options import refuse_unknown, validated
from adjudge.values import Frozen

EXPLORATION = 2.8
"""C of the paper's released code."""


class Limits(Frozen):
    """None of these is ever exceeded."""

    iterations: Annotated[int, Field(ge=0, le=64)] = 4
    """Steps after the first answers; the released code takes 4 to 8."""
    children: Annotated[int, Field(ge=1, le=64)] = 6
    """Most children of a node, the root too."""
    initial: Annotated[int, Field(ge=1, le=64)] = 2
    """First answers, which are children of the root."""
    samples: Annotated[int, Field(ge=1, le=32)] = 3
    """Reviews of an answer; each gives one reward."""
    calls: Annotated[int, Field(ge=1)] | None = None
    """Most questions for one case; what the other limits come to if None."""
    exploration: Annotated[float, Field(ge=0, allow_inf_nan=False)] = EXPLORATION
    """Weight of the unknown in the choice of a node."""

    @property
    def first_answers(self) -> int:
        """First answers that the root has room for."""
        return min(self.initial, self.children)

    @property
    def nodes(self) -> int:
        """Most answers."""
        return self.first_answers + self.iterations

    @property
    def most_calls(self) -> int:
        """Most questions: one to write an answer, one before it that plans a change, and its reviews."""
        needed = self.first_answers * (1 + self.samples) + self.iterations * (2 + self.samples)
        return needed if self.calls is None else min(needed, self.calls)


def limits_from(options: dict[str, Any]) -> Limits:
    """Limits from plain options.

    Raises:
        UnknownNameError: There is no such limit.
        UnsupportedError: One has a value that it cannot take.
    """
    refuse_unknown("option of the solver 'mctsr-zero'", options, Limits.model_fields)
    checked: Limits = validated("solver 'mctsr-zero'", Limits, options)
    return checked
