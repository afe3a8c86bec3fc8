"""What to know of judges that hardly wanted to answer with a label at all."""

from __future__ import annotations

from collections.abc import Iterable

from adjudge.verdict import Result

LOW_MASS_FLAG = "low-label-mass"
LOW_LABEL_MASS = 0.5
"""Below it a verdict is flagged: the judge mostly wanted to say something else."""


def mass_flags(mass: float | None) -> tuple[str, ...]:
    """The flag of a verdict with little label mass; none where the mass is not known."""
    return (LOW_MASS_FLAG,) if mass is not None and mass < LOW_LABEL_MASS else ()


def cautions(results: Iterable[Result]) -> list[str]:
    """A sentence on verdicts that are flagged for their label mass; none if there are none."""
    verdicts = [verdict for result in results for verdict in result.verdicts if verdict.label_mass is not None]
    weak = sum(LOW_MASS_FLAG in verdict.flags for verdict in verdicts)
    if not weak:
        return []
    said = f"{weak:,} of {len(verdicts):,} verdicts are flagged {LOW_MASS_FLAG}"
    return [f"{said}: the model put less than half of its belief on the labels that it was to choose from"]
