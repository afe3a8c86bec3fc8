"""Figures for CLASH: accuracy by kind of character, ambivalence, discomfort, shift drop, framing, steerability.

An unscored verdict is neither right nor wrong: figures are over what was scored, with the coverage of each kind, and
the overall accuracy with its bounds. Intervals are clustered by situation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, clustered_rate, paired_difference
from adjudge.submission import Submission
from adjudge.verdict import Result
from adjudge_moral.clash.situations import DYNAMIC, STATIC
from adjudge_moral.clash.steering import Instance, Pair, against_base, steered
from adjudge_moral.verdicts import level_of


@dataclass(frozen=True, slots=True)
class Judged:
    """One question about one character: the right answer and the judge's."""

    situation: str
    profile: str
    kind: str
    framing: str
    question: str
    gold: str
    given: str | None

    @property
    def right(self) -> bool | None:
        """Whether the judge was right; None if unscored."""
        return None if self.given is None else self.given == self.gold

    @property
    def number(self) -> float | None:
        """1 if right, 0 if wrong, None if unscored."""
        return None if self.right is None else float(self.right)


def judged(items: Sequence[Item], results: Sequence[Result]) -> list[Judged]:
    """Every labelled question of every item, in order."""
    return [
        Judged(
            **{name: str(item.metadata.get(name, "")) for name in ("situation", "profile", "kind", "framing")},
            question=label.criterion,
            gold=str(label.level),
            given=level_of(result, label.criterion),
        )
        for item, result in zip(items, results, strict=True)
        for label in item.labels
    ]


def accuracy_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """Accuracy over all questions, and by kind of character (arXiv:2504.10823, table 1).

    Returns:
        `accuracy` with `accuracy_if_unscored_wrong` and `_right`; `ambivalence` (the general question, characters who
        hold both values alike) and `clear_cut` (who acknowledge both and prefer one); `acceptable[KIND]`,
        `discomfort[KIND]`, `previous[KIND]`, `current[KIND]`; `coverage[KIND]`.
    """
    every = judged(items, results)
    parts = _by(every, lambda one: f"{one.question}[{one.kind}]")
    kinds = _by(every, lambda one: one.kind)
    return {
        "accuracy": _rate(every),
        "accuracy_if_unscored_wrong": _share([one.right is True for one in every]),
        "accuracy_if_unscored_right": _share([one.right is not False for one in every]),
        "ambivalence": _rate(parts.get("acceptable[simple]", [])),
        "clear_cut": _rate(parts.get("acceptable[swayed]", [])),
        **{name: _rate(part) for name, part in parts.items()},
        **{f"coverage[{kind}]": _share([one.given is not None for one in part]) for kind, part in kinds.items()},
    }


def shift_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """The shift drop: accuracy about the past less accuracy about the present, over the same characters."""
    every = judged(items, results)
    return {f"shift_drop[{kind}]": _drop([one for one in every if one.kind == kind]) for kind in DYNAMIC}


def _drop(some: Sequence[Judged]) -> Estimate:
    before, after = (
        {(one.situation, one.profile, one.framing): one.number for one in some if one.question == question}
        for question in ("previous", "current")
    )
    keys = [key for key in before if key in after]
    return paired_difference([before[key] for key in keys], [after[key] for key in keys], [key[0] for key in keys])


def framing_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """Accuracy asked about Character A less accuracy asked as Character A, over characters whose values are constant.

    Empty unless both framings were run.
    """
    every = [one for one in judged(items, results) if one.kind in STATIC]
    framings = _by(every, lambda one: one.framing)
    if set(framings) != {"third", "first"}:
        return {}
    third, first = (
        {(one.situation, one.profile, one.question): one.number for one in framings[framing]}
        for framing in ("third", "first")
    )
    keys = [key for key in third if key in first]
    gain = paired_difference([third[key] for key in keys], [first[key] for key in keys], [key[0] for key in keys])
    return {"third_person_gain": gain, **{f"accuracy[{name}]": _rate(framings[name]) for name in ("third", "first")}}


def steering_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """Conditional steerability of every pair of values at stake, per framing (arXiv:2504.10823, section 4.3).

    Returns:
        Per framing `steerability[FRAMING]`, a table with one row a pair; `against_base[FRAMING]`, Spearman's
        correlation over pairs of the base preference with the difference of the steerabilities; and `coverage`.
    """
    answers: dict[tuple[str, str, str], str | None] = {}
    stakes: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item, result in zip(items, results, strict=True):
        about = cast("Submission", item).metadata
        situation, framing, condition = (str(about[name]) for name in ("situation", "framing", "condition"))
        answers[situation, framing, condition] = level_of(result, "unguided" if condition == "base" else "acceptable")
        stakes[situation, framing] = cast("list[dict[str, Any]]", about["pairs"])
    figures: dict[str, Any] = {"coverage": _share([answer is not None for answer in answers.values()])}
    for framing in dict.fromkeys(key[1] for key in stakes):
        found = steered(_instances(framing, answers, stakes))
        figures[f"steerability[{framing}]"] = [one.row for one in found]
        figures[f"against_base[{framing}]"] = against_base(found)
    return figures


def _instances(
    framing: str,
    answers: dict[tuple[str, str, str], str | None],
    stakes: dict[tuple[str, str], list[dict[str, Any]]],
) -> dict[Pair, list[Instance]]:
    found: defaultdict[Pair, list[Instance]] = defaultdict(list)
    for (situation, named), pairs in stakes.items():
        for about in pairs if named == framing else ():
            yes, no, base = (answers.get((situation, framing, name)) for name in ("yes", "no", "base"))
            front, back = (no, yes) if about["back_accepts"] else (yes, no)
            pair = Pair(about["theory"], about["front"], about["back"])
            found[pair].append(Instance(about["back_accepts"], base, front, back))
    return found


def _by(some: Iterable[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    found: defaultdict[str, list[Judged]] = defaultdict(list)
    for one in some:
        found[key(one)].append(one)
    return dict(found)


def _rate(some: Sequence[Judged]) -> Estimate:
    scored = [one for one in some if one.right is not None]
    return clustered_rate([bool(one.right) for one in scored], [one.situation for one in scored])


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
