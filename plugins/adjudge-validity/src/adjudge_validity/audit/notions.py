"""The vocabulary of fairness: what each notion is about.

After *This Thing Called Fairness* (Mulligan, Kroll, Kohli and Wong 2019): one word, several disciplines, other things.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Notion:
    """One thing that somebody who says *fair* may mean."""

    name: str
    """Name in tables."""
    discipline: str
    """Law, social science, quantitative fields or philosophy."""
    object: str
    """What is to be fair: a process, an outcome, a distribution, a treatment."""
    unit: str
    """Individual or group."""
    comparison: str
    """What is compared with what."""
    harm: str
    """What goes wrong where it does not hold."""


NOTIONS: tuple[Notion, ...] = (
    Notion(
        name="demographic parity",
        discipline="quantitative; law (disparate impact)",
        object="distribution",
        unit="group",
        comparison="share judged met, whatever people say",
        harm="one group is judged met more often than another",
    ),
    Notion(
        name="equal opportunity",
        discipline="quantitative; philosophy (opportunity)",
        object="outcome",
        unit="group",
        comparison="share judged met, among what people call met",
        harm="what people call met is overlooked more often in one group",
    ),
    Notion(
        name="equal false alarms",
        discipline="quantitative; law (error rates)",
        object="outcome",
        unit="group",
        comparison="share judged met, among what people call unmet",
        harm="what people call unmet passes as met more often in one group",
    ),
    Notion(
        name="predictive parity",
        discipline="quantitative; social science (meaning of a test)",
        object="outcome",
        unit="group",
        comparison="share that people call met, among what is judged met",
        harm="the same verdict means less for one group",
    ),
    Notion(
        name="calibration",
        discipline="quantitative; social science (meaning of a test)",
        object="process",
        unit="group",
        comparison="mean probability of met, less the share that people call met",
        harm="probabilities flatter one group",
    ),
)
"""Notions about groups. Of individuals, `adjudge audit` asks the nearest thing: are twins treated alike."""
