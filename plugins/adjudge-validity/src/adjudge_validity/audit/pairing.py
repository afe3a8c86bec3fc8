"""What a change did to each verdict: from a finished run to observations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.report import RunRecord
from adjudge.rubric import Criterion
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Result, Verdict
from adjudge_validity.audit.catalogue import INJECTION, POSITION, TWINS
from adjudge_validity.audit.perturbation import CATALOGUE
from adjudge_validity.audit.plan import MARK, SIDES

Judged: TypeAlias = tuple[Item, Mapping[str, Verdict]]
"""An item and its verdict on each criterion."""
_OUTCOMES = {"first": 1.0, "tie": 0.5, "second": 0.0}
_HALF = 0.5
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One criterion of one item, before a change and after it."""

    audit: str
    """Name of the audit."""
    perturbation: str
    """What was changed."""
    criterion: str
    """Id."""
    cluster: str
    """What is independent of all else: `metadata["cluster"]` of the item, or its id."""
    group: str = ""
    """Value of the metadata field that groups are made by."""
    reached: bool = True
    """Whether the judge asked another question after the change; if not, nothing else is known."""
    scored: bool = True
    """Whether the judge gave levels on both sides; if not, nothing else is known."""
    flip: bool | None = None
    """Whether the level is another one."""
    rise: bool | None = None
    """Whether the level is better for the submission; None if it could not be, or levels have no order."""
    shift: float | None = None
    """How much better for the submission, from -1 to 1 in shares of the scale; in expected scores where known."""
    credit: bool | None = None
    """Whether the changed submission got a level of the upper half of the scale, or won."""

    @property
    def family(self) -> str:
        """Family of the perturbation, if it has one."""
        return CATALOGUE[self.perturbation].family if self.perturbation in CATALOGUE else ""

    @property
    def language(self) -> str:
        """Language of the perturbation, if it has one."""
        return CATALOGUE[self.perturbation].language if self.perturbation in CATALOGUE else ""


def observations(record: RunRecord, *, twins: str = "", group_by: str = "") -> list[Observation]:
    """All observations of a run over planned items.

    Args:
        record: The run.
        twins: Metadata field that the user's own twins share; needs `group_by`.
        group_by: Metadata field that tells twins, or groups, apart.

    Raises:
        InputError: `twins` without `group_by`, or an item lacks the field that groups are made by.
    """
    judged = {item.id: (item, _verdicts(record, item, result)) for item, result in _rows(record)}
    given = {name: one for name, one in judged.items() if MARK not in one[0].metadata}
    check_groups([item for item, _ in given.values()], twins=twins, group_by=group_by)
    found = [one for judgement in given.values() for one in _positions(record, judgement, group_by)]
    for name, (item, _) in judged.items():
        mark = _mark(item)
        if mark.get("part") == "twin":
            control = name.removesuffix("twin") + "control"
            before = judged.get(control) or judged[str(mark["of"])]
            found += _compared(record, before, judged[name], mark, group_by)
    return found + (_own_twins(record, list(given.values()), twins, group_by) if twins else [])


def check_groups(items: Sequence[Item], *, twins: str = "", group_by: str = "") -> None:
    """Refuse fields that cannot tell twins and groups apart, before anything is judged.

    Raises:
        InputError: `twins` without `group_by`, or an item lacks the field that groups are made by.
    """
    if twins and not group_by:
        raise InputError(f"--twins {twins} needs --group-by FIELD, which tells the twins apart")
    for item in items:
        if group_by and group_by not in item.metadata:
            raise InputError(f"{item.id!r} has no metadata field {group_by!r}; --group-by needs it everywhere")
    if twins and not any(twins in item.metadata for item in items):
        raise InputError(f"no item has the metadata field {twins!r}; --twins names the column that twins share")


def _rows(record: RunRecord) -> Iterator[tuple[Item, Result]]:
    return zip(record.items, record.results, strict=True)


def _mark(item: Item) -> dict[str, Any]:
    mark = item.metadata.get(MARK)
    return dict(mark) if isinstance(mark, Mapping) else {}


def _verdicts(record: RunRecord, item: Item, result: Result) -> dict[str, Verdict]:
    """One verdict per criterion of the rubric, repeats reduced."""
    by_criterion: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in result.verdicts:
        by_criterion[verdict.criterion].append(verdict)
    criteria = record.criteria_of(item)
    return {name: reduce_repeats(criteria[name], found) for name, found in by_criterion.items() if name in criteria}


def cluster_of(item: Item) -> str:
    """What an item belongs to that is independent of all else."""
    return str(item.metadata.get("cluster", item.id))


def _compared(
    record: RunRecord, before: Judged, after: Judged, mark: Mapping[str, Any], group_by: str
) -> Iterator[Observation]:
    item, verdicts = after
    for name, criterion in record.criteria_of(item).items():
        about = _about(item, str(mark["audit"]), str(mark["perturbation"]), name, group_by)
        pair = (before[1].get(name), verdicts.get(name))
        if not any(verdict is None or verdict.status == "skipped" for verdict in pair):
            yield replace(about, **_difference(item, _wanted(criterion, about.audit), pair, mark.get("side")))


def _wanted(criterion: Criterion, audit: str) -> Criterion:
    """The criterion as its changes count: injections ask for the highest level, even of what should not appear."""
    up = audit == INJECTION and criterion.weight < 0
    return criterion.model_copy(update={"weight": -criterion.weight}) if up else criterion


def _about(item: Item, audit: str, perturbation: str, criterion: str, group_by: str) -> Observation:
    """An observation that says yet only what it is of."""
    group = str(item.metadata[group_by]) if group_by else ""
    cluster = cluster_of(item)
    return Observation(audit=audit, perturbation=perturbation, criterion=criterion, cluster=cluster, group=group)


def _difference(item: Item, criterion: Criterion, pair: Sequence[Verdict | None], side: str | None) -> dict[str, Any]:
    """What differs between two verdicts; nothing is known where one of them is unscored."""
    levels = [verdict.level if verdict is not None else None for verdict in pair]
    asked = {verdict.fingerprint for verdict in pair if verdict is not None}
    if len(asked) == 1 and asked != {""}:
        return {"reached": False}
    if None in levels:
        return {"scored": False}
    scale = _Worth(item, criterion, side)
    ranks = [scale.of_level(level or "") for level in levels]
    worths = [scale.of(verdict) for verdict in pair if verdict is not None]
    found: dict[str, Any] = {"flip": levels[0] != levels[1]}
    if ranks[0] is not None and ranks[1] is not None:
        found["credit"] = ranks[1] > _HALF if criterion.weight > 0 or side else ranks[1] < _HALF
        found["rise"] = ranks[1] > ranks[0] + _SLACK if ranks[0] < 1 else None
    if worths[0] is not None and worths[1] is not None:
        found["shift"] = worths[1] - worths[0]
    return found


@dataclass(frozen=True)
class _Worth:
    """How good levels are for a submission, from 0 to 1; of a comparison, for the side that was changed."""

    item: Item
    criterion: Criterion
    side: str | None

    def of_level(self, level: str) -> float | None:
        """Of a level; None if it has no place in an order."""
        if isinstance(self.item, Comparison):
            return self._for_side(_OUTCOMES.get(level))
        return self._of_score(self.criterion.scale.level(level).score)

    def of(self, verdict: Verdict) -> float | None:
        """Of a verdict: of its expected score where the probabilities are known."""
        if not isinstance(self.item, Comparison):
            return self._of_score(verdict.expected if verdict.expected is not None else verdict.score)
        shares = verdict.distribution
        if shares is None or verdict.level not in _OUTCOMES:
            return self.of_level(verdict.level or "")
        return self._for_side(sum(shares.get(name, 0.0) * worth for name, worth in _OUTCOMES.items()))

    def _of_score(self, score: float | None) -> float | None:
        worst, best = self.criterion.worst, self.criterion.best
        if score is None or worst is None or best is None or worst == best:
            return None
        return (score - worst) / (best - worst)

    def _for_side(self, first: float | None) -> float | None:
        """A comparison's outcome for the changed side; None where no side was changed."""
        if first is None or self.side is None:
            return None
        good = self.criterion.weight > 0
        return first if (self.side == SIDES[0]) == good else 1 - first


def _positions(record: RunRecord, judgement: Judged, group_by: str) -> Iterator[Observation]:
    """Whether the winner changes with the order; the shift is how much more than half the first shown gets."""
    item, verdicts = judgement
    if isinstance(item, Submission):
        return
    for name in record.criteria_of(item):
        verdict = verdicts.get(name)
        about = _about(item, POSITION, "swapped", name, group_by)
        if verdict is None or verdict.status != "scored":
            yield replace(about, scored=False)
            continue
        for given, swapped in _orders(verdict):
            shown = [_first_share(given), 1 - _first_share(swapped)]
            yield replace(about, flip=_top(given) != _top(swapped), shift=sum(shown) / 2 - _HALF)


def _orders(verdict: Verdict) -> Iterator[tuple[Mapping[str, float], Mapping[str, float]]]:
    """What was said in each order, by the judge or, of a judge made of judges, by each member."""
    if verdict.orders is not None and len(verdict.orders) > 1:
        yield verdict.orders[0], verdict.orders[1]
    else:
        for member in verdict.members:
            yield from _orders(member)


def _first_share(order: Mapping[str, float]) -> float:
    return sum(order.get(name, 0.0) * worth for name, worth in _OUTCOMES.items())


def _top(order: Mapping[str, float]) -> str:
    return max(order, key=order.__getitem__)


def _own_twins(record: RunRecord, given: Sequence[Judged], twins: str, group_by: str) -> list[Observation]:
    """Each twin against the one of the group that comes first in the file."""
    together: defaultdict[str, dict[str, Judged]] = defaultdict(dict)
    for judgement in given:
        item = judgement[0]
        if twins in item.metadata:
            together[str(item.metadata[twins])].setdefault(str(item.metadata[group_by]), judgement)
    groups = list(dict.fromkeys(str(item.metadata[group_by]) for item, _ in given))
    found: list[Observation] = []
    for name, members in together.items():
        if groups[0] not in members:
            continue
        for group in groups[1:]:
            if group in members:
                mark = {"audit": TWINS, "perturbation": f"{group} against {groups[0]}"}
                twin = (_in_cluster(members[group][0], name), members[group][1])
                found += _compared(record, members[groups[0]], twin, mark, group_by)
    return found


def _in_cluster(item: Item, name: str) -> Item:
    """The twin in the cluster that it names, or in that of its twins."""
    return item.model_copy(update={"metadata": {"cluster": name, **item.metadata}})
