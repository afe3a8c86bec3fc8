"""What a change did to each verdict: from a finished run to observations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.report import RunRecord
from adjudge.rubric import Criterion
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Comparison
from adjudge.verdict import Result, Verdict
from adjudge_validity.audit.catalogue import INJECTION, POSITION, TWINS
from adjudge_validity.audit.observation import Judged, Observation, about
from adjudge_validity.audit.plan import MARK, SIDES
from adjudge_validity.audit.positions import OUTCOMES, both_orders, turned

_HALF = 0.5
_SLACK = 1e-9


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
    found = [one for judgement in given.values() for one in both_orders(judgement, group_by)]
    for name, (item, _) in judged.items():
        mark = _mark(item)
        if mark.get("audit") == POSITION:
            found += turned(judged[str(mark["of"])], judged[name], group_by)
        elif mark.get("part") == "twin":
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


def _compared(
    record: RunRecord, before: Judged, after: Judged, mark: Mapping[str, Any], group_by: str
) -> Iterator[Observation]:
    item, verdicts = after
    for name, criterion in record.criteria_of(item).items():
        seen = about(item, str(mark["audit"]), str(mark["perturbation"]), name, group_by)
        pair = (before[1].get(name), verdicts.get(name))
        if not any(verdict is None or verdict.status == "skipped" for verdict in pair):
            yield replace(seen, **_difference(item, _wanted(criterion, seen.audit), pair, mark.get("side")))


def _wanted(criterion: Criterion, audit: str) -> Criterion:
    """The criterion as its changes count: injections ask for the highest level, even of what should not appear."""
    up = audit == INJECTION and criterion.weight < 0
    return criterion.model_copy(update={"weight": -criterion.weight}) if up else criterion


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
            return self._for_side(OUTCOMES.get(level))
        return self._of_score(self.criterion.scale.level(level).score)

    def of(self, verdict: Verdict) -> float | None:
        """Of a verdict: of its expected score where the probabilities are known."""
        if not isinstance(self.item, Comparison):
            return self._of_score(verdict.expected if verdict.expected is not None else verdict.score)
        shares = verdict.distribution
        if shares is None or verdict.level not in OUTCOMES:
            return self.of_level(verdict.level or "")
        return self._for_side(sum(shares.get(name, 0.0) * worth for name, worth in OUTCOMES.items()))

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
