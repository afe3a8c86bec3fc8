"""What people wrote in files of their own, beside the verdicts of a run: how many labels, and reviews of verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from adjudge.errors import InputError
from adjudge.values import Frozen

if TYPE_CHECKING:
    from adjudge.plugins import Plugins
    from adjudge.report.record import RunRecord
    from adjudge.report.runs import Run

Kind: TypeAlias = Literal["agree", "edit", "sign-off", "cannot-tell"]
"""What a reviewer can do to a verdict."""
_COUNTED: Mapping[Kind, str] = {
    "agree": "agreed to",
    "edit": "edited",
    "cannot-tell": "cannot be told",
    "sign-off": "signed off",
}


class Review(Frozen):
    """What one person did to one verdict."""

    kind: Kind
    """What it was."""
    rater: str
    """Who did it."""
    time: str
    """When, ISO 8601, UTC."""
    level: str | None = None
    """The level agreed to, given in place of the judge's, or signed off."""
    reason: str = ""
    """Why, in the reviewer's words."""
    place: str
    """File and line, and whether the chain of hashes that the line is part of holds."""
    other: str = ""
    """Which verdict it is about, if that is not the run's; empty if it is."""


class Reviewed(Frozen):
    """All that people did to one verdict."""

    reviews: tuple[Review, ...]
    """In the order in which it was done; what was taken back is left out."""
    level: str | None = None
    """The level that stands of the run's verdict."""
    edited_by: str = ""
    """Who edited it; empty if it is the judge's."""
    signed_by: str = ""
    """Who signed off this level; empty if nobody did."""

    @property
    def about_this(self) -> bool:
        """Whether anything was done to the run's own verdict."""
        return any(not one.other for one in self.reviews)


@dataclass(frozen=True, kw_only=True)
class People:
    """What files say of one run; the levels in them stand among the labels of its items."""

    reviews: Mapping[tuple[str, str, int], Reviewed] = field(default_factory=dict)
    """By ids of submission and criterion, and the verdict's repeat."""
    files: tuple[str, ...] = ()
    """One line per file: what is in it, and whether it is whole."""


def with_people(runs: Sequence[Run], files: Sequence[Path], plugins: Plugins) -> list[Run]:
    """Runs with what files of labels and reviews say of them.

    Raises:
        InputError: No installed plugin reads such files, or one cannot be read.
    """
    readers = [spec.labels for spec in plugins.analyses.values() if spec.labels is not None]
    if files and not readers:
        raise InputError(f"{files[0]}: files of labels are read by a plugin: pip install adjudge-validity")
    found = list(runs)
    for read in readers if files else ():
        found = [replace(run, record=read(run.record, files)) for run in found]
    return found


def people_lines(record: RunRecord) -> list[str]:
    """How much people said of a run, in a few sentences; none if nobody said anything and no file was given."""
    return [*_labels(record), *_reviews(record), *record.people.files]


def _labels(record: RunRecord) -> Iterator[str]:
    labels = [(item.id, label) for item in record.items for label in item.labels]
    if labels:
        raters = dict.fromkeys(label.rater or "somebody unnamed" for _, label in labels)
        submissions = len({name for name, _ in labels})
        on = f"{submissions:,} of {len(record.items):,} submissions"
        yield f"{_n(len(labels), 'label')} by {_few(list(raters))} on {on}."


def _reviews(record: RunRecord) -> Iterator[str]:
    found = record.people.reviews.values()
    mine = [one for reviewed in found for one in reviewed.reviews if not one.other]
    verdicts = sum(len(result.verdicts) for result in record.results)
    if mine:
        kinds = Counter(one.kind for one in mine)
        told = ", ".join(f"{kinds[kind]:,} {word}" for kind, word in _COUNTED.items() if kinds[kind])
        about = sum(one.about_this for one in found)
        raters = _few(list(dict.fromkeys(one.rater for one in mine)))
        yield f"{about:,} of {verdicts:,} verdicts reviewed by {raters}: {told}."
    others = sum(bool(one.other) for reviewed in found for one in reviewed.reviews)
    if others:
        yield f"{_n(others, 'review')} of other verdicts than this run's, which change nothing of what stands here."


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _few(names: Sequence[str], most: int = 6) -> str:
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more:,} more" if more > 0 else ", ".join(names)
