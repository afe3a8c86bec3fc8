"""What labels that do not vary leave open: they show no spread, and yet others could be of another kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudge.metrics import wilson
from adjudge_validity.tables import Array

ALIKE = "the labels or the judge's errors are all alike: the interval is what others, not seen, could change"
"""What is to be known of an interval that rests on labels that do not vary."""
NO_BOUNDS = "no interval: the labels or the judge's errors are all alike, and no scale says how far others could lie"
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Unseen:
    """How far a label of a kind that none of `units` showed could lie from those that were seen."""

    below: float
    """Downwards, in the scale's units; 0 or more."""
    above: float
    """Upwards."""
    units: int
    """Independent units that were seen, all alike."""

    def reach(self, level: float) -> tuple[float, float]:
        """How far all that is unseen could move a mean, down and up.

        At most Wilson's upper limit (1927) for 0 of `units` is unseen, and each lies at the far end of the scale. For a
        rate of 0 or 1 this is Wilson's interval.
        """
        share = wilson(0, self.units, level).high or 0.0
        return share * self.below, share * self.above

    def turned(self) -> Unseen:
        """The same for the negative."""
        return Unseen(self.above, self.below, self.units)


def unseen_of(
    judged: Array, human: Array, power: float, units: int, bounds: tuple[float, float] | None, *, weighted: bool
) -> tuple[Unseen, ...] | None:
    """What labels leave open beyond the spread that they show; nothing if they vary, None if nothing bounds it.

    Args:
        judged: The judge's numbers of the labelled items.
        human: People's, in the same order.
        power: How much the judge counts, 0 to 1.
        units: Independent units that have labels.
        bounds: Lowest and highest number that the scale allows, if known.
        weighted: Labels weigh by their chances, so labels that are equal have a spread.
    """
    same_labels = not weighted and _constant(human)
    same_errors = power > 0 and _constant(human - judged)
    if not (same_labels or same_errors):
        return ()
    if same_labels:
        return around(float(human[0]), units, bounds)
    return None if bounds is None else (Unseen(bounds[1] - bounds[0], bounds[1] - bounds[0], units),)


def around(seen: float, units: int, bounds: tuple[float, float] | None) -> tuple[Unseen, ...] | None:
    """What is open where all units say the same; None if nothing bounds it."""
    return None if bounds is None else (Unseen(seen - bounds[0], bounds[1] - seen, units),)


def _constant(numbers: Array) -> bool:
    return bool(np.ptp(numbers) <= _SAME)
