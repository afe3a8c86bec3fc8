"""Search asymmetry: is one A among many Bs found as easily as one B among many As?

An analogy only (to visual search), with a real question behind it: one flaw among merits, one merit among flaws.
Passages of two kinds are put together, one of the one kind among several of the other, and the criterion that a kind is
named after says whether it was found.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.judges.members import part_of
from adjudge.metrics import Estimate, clustered_rate, undefined
from adjudge.report import RunRecord
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Submission, as_text
from adjudge.verdict import Result, Verdict
from adjudge_validity.audit.two_samples import Clustered, difference

MARK = "search"
"""Key in the metadata of a made submission that says what was planted in it."""
SIZES = (2, 4, 8)
"""How many passages of the other kind."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """How often what was planted is found."""

    sought: str
    """Kind that is sought: the criterion."""
    hits: Estimate
    """Share found where there is one."""
    false_alarms: Estimate
    """Share found where there is none."""


@dataclass(frozen=True, kw_only=True)
class Asymmetry:
    """The first kind against the second."""

    part: str
    """`4 others`, `first`, `middle`, `last` place; empty for all."""
    first: Found
    """The first kind, sought among the second."""
    second: Found
    """The second kind, sought among the first."""
    difference: Estimate
    """Hits of the first less hits of the second; 0 is no asymmetry."""


def kinds_of(items: Sequence[Item], field: str, rubric: Rubric) -> dict[str, list[Submission]]:
    """The passages by kind, in the order of the file.

    Raises:
        InputError: There are not two kinds of at least two passages, or a kind is no criterion with scores.
    """
    kinds: defaultdict[str, list[Submission]] = defaultdict(list)
    for item in items:
        if not isinstance(item, Submission) or field not in item.metadata:
            raise InputError(f"{item.id!r} is no submission with a metadata field {field!r}, which names its kind")
        kinds[str(item.metadata[field])].append(item)
    known = {criterion.id: criterion for criterion in rubric.criteria}
    for kind in kinds:
        if kind in known and known[kind].scale.range is None:
            raise InputError(f"criterion {kind!r}: its levels have no scores, so nothing says that it is there")
        if kind not in known:
            raise InputError(
                f"kind {kind!r} is no criterion of {rubric.id!r}; a kind is named after the one that finds it"
            )
    if len(kinds) != 2 or any(len(some) < 2 for some in kinds.values()):  # noqa: PLR2004 - the one and the other
        told = ", ".join(f"{kind} ({len(some)})" for kind, some in kinds.items())
        raise InputError(f"two kinds with at least 2 passages each are needed; found {told}")
    return dict(kinds)


def planned(
    kinds: Mapping[str, Sequence[Submission]], rubric: Rubric, *, sizes: Sequence[int] = SIZES, seed: int = 0
) -> list[Submission]:
    """Submissions to judge: each passage among others of the other kind, and the others without it.

    Args:
        kinds: Passages of two kinds.
        rubric: Has a criterion of each kind's name.
        sizes: How many others.
        seed: The same seed makes the same submissions.
    """
    one, other = kinds
    made = []
    for sought, among in ((one, other), (other, one)):
        part = part_of(rubric, [sought])
        for place, passage in enumerate(kinds[sought]):
            for size in sizes:
                chosen = random.Random(f"{seed} {passage.id} {size}")  # noqa: S311 - variety, not secrets
                enough = len(kinds[among]) >= size
                others = (chosen.sample if enough else chosen.choices)(kinds[among], k=size)
                at = (0, size // 2, size)[(place + sizes.index(size)) % 3]
                made += _pair(passage, others, at, sought, part)
    return made


def _pair(passage: Submission, others: Sequence[Submission], at: int, sought: str, part: Rubric) -> list[Submission]:
    """The others with the passage, and the others alone."""
    place = "first" if at == 0 else "last" if at == len(others) else "middle"
    mark: dict[str, Any] = {"sought": sought, "others": len(others), "place": place, "planted": True}
    whole = [*others[:at], passage, *others[at:]]
    texts = {"with": (whole, mark), "without": (others, {**mark, "planted": False})}
    return [
        Submission(
            id=f"{passage.id}~{len(others)}~{name}",
            input=passage.input,
            output="\n\n".join(as_text(one.output) for one in some),
            rubric=part,
            metadata={"cluster": passage.cluster, MARK: about},
        )
        for name, (some, about) in texts.items()
    ]


@dataclass(frozen=True, slots=True)
class _Look:
    sought: str
    part: tuple[str, str]
    planted: bool
    found: bool
    cluster: str


def asymmetries(record: RunRecord) -> list[Asymmetry]:
    """What is found, over all, by number of others and by place.

    Args:
        record: A run over planned submissions.
    """
    rows = zip(record.items, record.results, strict=True)
    looks = [look for item, result in rows if (look := _look(record, item, result)) is not None]
    kinds = list(dict.fromkeys(str(_mark(item)["sought"]) for item in record.items))
    parts = sorted({part for look in looks for part in look.part}, key=lambda part: (part.partition(" ")[2], part))
    return [
        _asymmetry("", kinds, looks),
        *(_asymmetry(part, kinds, [x for x in looks if part in x.part]) for part in parts),
    ]


def _mark(item: Item) -> Mapping[str, Any]:
    mark = item.metadata.get(MARK)
    if not isinstance(mark, Mapping):
        raise InputError(f"{item.id!r} was not made for a search; this run is no run of adjudge asymmetry")
    return mark


def _look(record: RunRecord, item: Item, result: Result) -> _Look | None:
    """What came of one submission; None if it is unscored."""
    mark = _mark(item)
    sought = str(mark["sought"])
    criterion = record.criteria_of(item)[sought]
    verdict = reduce_repeats(criterion, [one for one in result.verdicts if one.criterion == sought])
    if verdict.level is None:
        return None
    part = (f"{mark['others']} others", f"{mark['place']} place")
    found = _says_so(criterion, verdict)
    return _Look(sought, part, bool(mark["planted"]), found, str(item.metadata["cluster"]))


def _says_so(criterion: Criterion, verdict: Verdict) -> bool:
    """Whether the level is of the upper half of the scale, which of a binary one is met."""
    ends = criterion.scale.range
    assert ends is not None, criterion.id
    return (verdict.score or 0.0) > (ends[0] + ends[1]) / 2


def _asymmetry(part: str, kinds: Sequence[str], looks: Sequence[_Look]) -> Asymmetry:
    sides = [[look for look in looks if look.sought == kind] for kind in kinds]
    hits: list[list[Clustered]] = [[(float(x.found), x.cluster) for x in side if x.planted] for side in sides]
    first, second = (_found(kind, side) for kind, side in zip(kinds, sides, strict=True))
    return Asymmetry(part=part, first=first, second=second, difference=difference(hits[0], hits[1]))


def _found(kind: str, looks: Sequence[_Look]) -> Found:
    rates = []
    for planted in (True, False):
        some = [look for look in looks if look.planted == planted]
        none = undefined("no observations")
        rates.append(clustered_rate([x.found for x in some], [x.cluster for x in some]) if some else none)
    return Found(sought=kind, hits=rates[0], false_alarms=rates[1])
