"""A learned read-out as JSON values, and what it makes of the verdicts on one submission."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from adjudge_validity.learned import Fitted, ReadOut, Recipe
from adjudge_validity.network import Network
from adjudge_validity.observations import Observations


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A read-out with the names of all that it was learned from."""

    target: str
    """Criterion that it predicts."""
    levels: Mapping[str, Sequence[str]]
    """Criterion to the ids of its levels, in order."""
    ordered: frozenset[str]
    """Criteria whose levels have an order."""
    read_out: ReadOut
    """What was learned."""

    def distribution(self, said: Mapping[str, Mapping[str, float]], rater: str = "") -> dict[str, float]:
        """Probability of each level of the target.

        Args:
            said: The judge's probabilities by criterion; one that is missing counts as it was on average.
            rater: Whose level; that of anyone of the raters if empty, or if nothing was learned of this one.
        """
        shares = {
            name: np.array([[said.get(name, {}).get(level, math.nan) for level in levels]])
            for name, levels in self.levels.items()
        }
        k = len(self.levels[self.target])
        row = Observations(
            given=shares,
            ordered=self.ordered,
            extra=np.zeros((1, 0)),
            raters=[rater],
            clusters=[""],
            truth=np.zeros((1, k)),
            target=self.target,
        )
        known = rater in self.read_out.raters
        found = (self.read_out.probabilities(row) if known else self.read_out.of_anyone(row))[0]
        return dict(zip(self.levels[self.target], found.tolist(), strict=True))

    def parameters(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "target": self.target,
            "levels": {name: list(levels) for name, levels in self.levels.items()},
            "ordered": sorted(self.ordered),
            "members": [_plain(member) for member in self.read_out.members],
        }


def _plain(fitted: Fitted) -> dict[str, Any]:
    recipe = {name: value for name, value in asdict(fitted.recipe).items() if value != math.inf}
    parts = {part.name: getattr(fitted.network, part.name).tolist() for part in fields(Network)}
    arrays = {"mean": fitted.mean.tolist(), "scale": fitted.scale.tolist()}
    return {"recipe": recipe, "raters": list(fitted.raters), **arrays, "network": parts}


def from_parameters(value: Mapping[str, Any]) -> Stored:
    """A read-out from its `parameters`.

    Raises:
        KeyError: They are none: something is missing,
        TypeError: has another type,
        ValueError: or another shape.
    """
    return Stored(
        target=str(value["target"]),
        levels={name: tuple(levels) for name, levels in value["levels"].items()},
        ordered=frozenset(value["ordered"]),
        read_out=ReadOut(tuple(_fitted(member) for member in value["members"])),
    )


def _fitted(value: Mapping[str, Any]) -> Fitted:
    parts = {name: np.array(part, float) for name, part in value["network"].items()}
    (d, o), h = parts["direct"].shape, len(parts["bias"])
    parts |= {"inner": parts["inner"].reshape(d, h), "outer": parts["outer"].reshape(h, o)}
    return Fitted(
        recipe=Recipe(**{"shared": math.inf, **value["recipe"]}),
        raters=tuple(value["raters"]),
        mean=np.array(value["mean"], float),
        scale=np.array(value["scale"], float),
        network=Network(**parts),
    )
