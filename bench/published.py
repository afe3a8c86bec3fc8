"""A published figure beside ours: the row of `bench/reproduce.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One claim that was checked."""

    what: str
    """What the figure is of, with its source: "PhraseBank 50Agree, sentences"."""
    published: str
    """The figure as published, or what must hold."""
    ours: str
    """What was computed here."""
    agrees: bool
    """Whether the two say the same."""
    note: str = ""
    """What a reader must know, for example that half of the data is here."""

    @property
    def verdict(self) -> str:
        """`ok` or `differs`."""
        return "ok" if self.agrees else "differs"


def number(  # noqa: PLR0917 - figure beside figure
    what: str, published: float, ours: float | None, tolerance: float = 0.0, spec: str = "g", note: str = ""
) -> Row:
    """A row of two numbers, which agree if they are no further apart than the tolerance; none agrees with nothing.

    Args:
        what: What it is.
        published: The published figure.
        ours: Ours, in the same unit; None where it is undefined.
        tolerance: Greatest distance that still counts as the same.
        spec: How both are written, for example `.3f`.
        note: What a reader must know.
    """
    agrees = ours is not None and abs(published - ours) <= tolerance + 1e-12
    return Row(what, format(published, spec), "none" if ours is None else format(ours, spec), agrees, note)


def holds(what: str, claim: str, found: object, *, agrees: bool, note: str = "") -> Row:
    """A row of a claim in words: what must hold, and what was found."""
    return Row(what, claim, str(found), agrees, note)
