"""Two judges on the same submissions: whose agreement with people is higher?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np

from adjudge.errors import InputError
from adjudge.metrics import Estimate, paired_difference
from adjudge_validity.agreement import Figures, chance_corrected, pairs, tabulated
from adjudge_validity.ratings import Rating, Ratings
from adjudge_validity.resample import resampled
from adjudge_validity.tables import Array, Figure


def differences(first: Ratings, second: Ratings, *, seed: int = 0) -> dict[str, Figures]:
    """Agreement of the first judge with people less that of the second, per criterion, on what both gave a level.

    Equal levels by paired differences with a clustered t, chance-corrected figures by a bootstrap that draws the same
    clusters for both judges.

    Raises:
        InputError: The two runs have no labelled submission in common.
    """
    found = {}
    for name in first.criteria:
        both = _common(first.of(name), second.of(name))
        if both:
            found[name] = _differences(both, seed)
    if not found:
        raise InputError("the two runs have no submission in common that people labelled and both judges gave a level")
    return found


def _common(first: Sequence[Rating], second: Sequence[Rating]) -> list[tuple[Rating, Rating]]:
    by_id = {row.submission: row for row in second if row.level is not None}
    same = [(row, by_id[row.submission]) for row in first if row.level is not None and row.submission in by_id]
    return [(one, replace(other, humans=one.humans)) for one, other in same if one.levels]


def _differences(both: Sequence[tuple[Rating, Rating]], seed: int) -> Figures:
    scale = both[0][0].scale
    if scale is None or any(row.scale != scale for pair in both for row in pair):
        return {}
    levels = [level.id for level in scale.levels]
    parts = np.stack([tabulated(pairs([pair[i] for pair in both], "judge–human"), levels) for i in (0, 1)], axis=1)
    shares = [[_share(row) for row in side] for side in zip(*both, strict=True)]
    found: Figures = {"exact": paired_difference(shares[0], shares[1], [row.cluster for row, _ in both])}
    for name, figure in chance_corrected(scale).items():
        found[name] = _difference(figure, parts, len(both), seed)
    return found


def _share(row: Rating) -> float:
    return fmean(level == row.level for level in row.levels)


def _difference(figure: Figure, parts: Array, n: int, seed: int) -> Estimate:
    def contrast(table: Array) -> Array:
        return figure(table[..., 0, :, :]) - figure(table[..., 1, :, :])

    return resampled(contrast, parts, n, "undefined for one of the two judges", seed=seed)
