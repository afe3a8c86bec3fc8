"""Gathers what is wrong with one pack, so that a run reports several problems and not only the first."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from adjudge.errors import PackError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_PROBLEMS = 50
"""After so many problems the pack is refused at once: nobody reads more, and hostile input must end soon."""
SHOWN_CHARACTERS = 60


class Place(NamedTuple):
    """Where something stands in a file, both counted from 1."""

    line: int
    column: int


class Findings:
    """Problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        """Name shown before each problem."""
        self.problems: list[Problem] = []
        """What was found, in the order of the checks."""

    def add(self, place: Place, message: str, rule: str) -> None:
        """Note a problem.

        Raises:
            PackError: It was one too many.
        """
        problem = Problem(self.file, place.line, place.column, message, rule)
        if problem not in self.problems:
            self.problems.append(problem)
        if len(self.problems) >= MOST_PROBLEMS:
            end = Problem(self.file, place.line, place.column, "stopped here; mend these problems first", "too-many")
            raise PackError([*self.in_order(), end])

    def in_order(self) -> list[Problem]:
        """Problems from the top of the file to its bottom."""
        return sorted(self.problems, key=lambda problem: (problem.line, problem.column))

    def raise_if_any(self) -> None:
        """Refuse the pack if anything was found.

        Raises:
            PackError: With all problems, in file order.
        """
        if self.problems:
            raise PackError(self.in_order())


def shown(value: object) -> str:
    """A value as it stands in a message: quoted, on one line, cut to a readable length."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return repr(cut)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or which names there are."""
    names = [each[:SHOWN_CHARACTERS] for each in known]
    near = get_close_matches(name[:SHOWN_CHARACTERS], names[:1000], n=1, cutoff=0.6)
    if near:
        return f"did you mean {shown(near[0])}?"
    listing = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")  # noqa: PLR2004 - one line's worth
    return f"there is {listing}" if names else "there is none"
