"""Whether a judge favours the answers of its own family, beside people: needs their labels and the authors' names."""

from __future__ import annotations

import math

from adjudge.judges.families import candidates, families
from adjudge.metrics import undefined
from adjudge.report import RunRecord
from adjudge.submission import Submission
from adjudge_validity.audit.findings import Part
from adjudge_validity.audit.two_samples import Clustered, difference
from adjudge_validity.ratings import join


def own_work(record: RunRecord, judge: str) -> Part:
    """By how much more the judge leans towards its own family's answers than towards others'.

    The difference of (judge - people) between own and other answers: what is better in the eyes of people too is no
    favour. Interval by Welch's t on the clustered errors of both means.

    Args:
        record: The run.
        judge: Name of the judge's model.
    """
    own, others = _leanings(record, judge)
    blank = undefined("no rate")
    return Part(name="", rate=blank, flips=blank, shift=difference(own, others), unscored=0)


def _leanings(record: RunRecord, judge: str) -> tuple[list[Clustered], list[Clustered]]:
    """How much more the judge gives than people, in shares of the scale and in the submission's favour."""
    sides: tuple[list[Clustered], list[Clustered]] = ([], [])
    kin = families(judge) if judge else frozenset()
    if not any(isinstance(item, Submission) and item.labels for item in record.items):
        return sides
    items = {item.id: item for item in record.items}
    for row in join(record).rows:
        item = items[row.submission]
        authors = candidates(item)
        criterion = record.criteria_of(item).get(row.criterion)
        ends = None if criterion is None else criterion.scale.range
        if row.value is None or row.human is None or not authors or criterion is None or ends is None:
            continue
        lean = math.copysign((row.value - row.human) / (ends[1] - ends[0]), (row.value - row.human) * criterion.weight)
        sides[0 if authors & kin else 1].append((lean, item.cluster))
    return sides
