"""The `cascade` judge: a cheap judge first, a dearer one for what it is not sure of; and its offline replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from adjudge.errors import InputError, UnsupportedError
from adjudge.interfaces import AnalysisSpec, Ask, Item, Member
from adjudge.judges.members import asked_of, in_waves, joint_fingerprint, part_of, usage_of
from adjudge.rubric import Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.verdict import Usage, Verdict

Measure = Literal["top", "margin"]
"""How sure a verdict is: probability of its likeliest level, or how far that is ahead of the next."""

Key: TypeAlias = tuple[str, str]
"""Id of the submission, id of the criterion."""

ESCALATED = "escalated"


def confidence(verdict: Verdict, measure: Measure = "top") -> float | None:
    """How sure a verdict is, from 0 to 1; None if it is unscored or its distribution is not known."""
    if verdict.level is None or not verdict.distribution:
        return None
    first, second = sorted((*verdict.distribution.values(), 0.0), reverse=True)[:2]
    return first if measure == "top" else first - second


def is_escalated(verdict: Verdict, threshold: float, measure: Measure = "top") -> bool:
    """Whether the next judge is asked: unscored always, at threshold 0 nothing else, at 1 everything."""
    if verdict.status == "unscored" or threshold >= 1:
        return True
    return (confidence(verdict, measure) or 0.0) < threshold


@dataclass(frozen=True)
class CascadeJudge:
    """Asks its members in turn, each about what the one before was not sure of; the last one asked decides.

    A dearer judge that fails leaves the criterion unscored: the doubtful verdict before it does not come back, so that
    a fault of a server never decides which judge is believed.
    """

    members: tuple[Member, ...]
    """From the cheapest to the dearest."""
    threshold: float | tuple[float, ...] = 0.8
    """Confidence under which the next member is asked; one for all steps, or one per step."""
    measure: Measure = "top"
    """How confidence is measured."""
    of: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of the first step by criterion, for those that need another one."""

    def __post_init__(self) -> None:
        if len(self.members) < 2:  # noqa: PLR2004 - cheap and dear
            raise UnsupportedError("the judge 'cascade' needs members=[cheap, dear], at least two")
        if len(self.thresholds) != len(self.members) - 1:
            raise UnsupportedError(
                f"threshold has {len(self.thresholds)} values; {len(self.members)} members have"
                f" {len(self.members) - 1} steps between them"
            )
        wrong = [value for value in (*self.thresholds, *self.of.values()) if not 0 <= value <= 1]
        if wrong:
            raise UnsupportedError(f"threshold={wrong[0]}: from 0 (trust the cheap judge) to 1 (always ask on)")

    @property
    def thresholds(self) -> tuple[float, ...]:
        """One per step."""
        given = self.threshold
        return given if isinstance(given, tuple) else (given,) * (len(self.members) - 1)

    @property
    def name(self) -> str:
        """`cascade` with its members and thresholds."""
        steps = "".join(
            f" <{value:g} {member.name}" for value, member in zip(self.thresholds, self.members[1:], strict=True)
        )
        own = "".join(f", {name} <{self.of[name]:g}" for name in sorted(self.of))
        return f"cascade({self.measure}: {self.members[0].name}{steps}{own})"

    def check(self, rubric: Rubric) -> None:
        """Refuse thresholds of criteria that the rubric does not have.

        Raises:
            UnsupportedError: With their names.
        """
        strangers = sorted(set(self.of) - {criterion.id for criterion in rubric.criteria})
        if strangers:
            raise UnsupportedError(f"judge 'cascade': {', '.join(strangers)}: no such criterion in {rubric.id!r}")

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission or comparison; one verdict per criterion."""
        return await in_waves(item, rubric, "cascade", partial(self._decide, item, ask))

    async def _decide(self, item: Item, ask: Ask, part: Rubric) -> list[Verdict]:
        said: dict[str, list[Verdict]] = {criterion.id: [] for criterion in part.criteria}
        final: dict[str, Verdict] = {}
        asked: Counter[str] = Counter()
        due = [*said]
        for step, member in enumerate(self.members):
            given = await asked_of(member, item, part_of(part, due), ask)
            for name in due:
                said[name] += given[name]
                asked[name] += 1
                final[name] = reduce_repeats(part.criterion(name), given[name])
            due = [name for name in due if self._asks_on(final[name], step)]
            if not due:
                break
        return [_signed(final[name], said[name], escalated=asked[name] > 1) for name in said]

    def _asks_on(self, verdict: Verdict, step: int) -> bool:
        if step == len(self.thresholds):
            return False
        common = self.thresholds[step]
        threshold = self.of.get(verdict.criterion, common) if step == 0 else common
        return is_escalated(verdict, threshold, self.measure)


def _signed(verdict: Verdict, said: Sequence[Verdict], *, escalated: bool) -> Verdict:
    """The deciding verdict, with what all said and cost."""
    flags = (*verdict.flags, ESCALATED) if escalated else verdict.flags
    return verdict.model_copy(
        update={
            "members": tuple(said),
            "usage": usage_of(said),
            "fingerprint": joint_fingerprint(said),
            "flags": flags,
            "repeat": 0,
        }
    )


def replay(
    cheap: Mapping[Key, Verdict],
    dear: Mapping[Key, Verdict],
    gold: Mapping[Key, str],
    thresholds: Sequence[float],
    measure: Measure = "top",
) -> list[dict[str, Any]]:
    """What a cascade would have cost and how well it would have agreed, at each threshold, without asking anything.

    The interval is 95 %, clustered by submission. A criterion that the cascade leaves unscored does not agree.

    Args:
        cheap: Verdicts of the first judge.
        dear: Verdicts of the second, on the same criteria of the same submissions.
        gold: The right level, where it is known; the rest counts for cost only.
        thresholds: Confidences to try.
        measure: How confidence is measured.

    Returns:
        One row per threshold: `threshold`, `escalated` (share), `agreement` with `low` and `high`, `labelled`
        (number), `unscored` (share), `cost` (US dollars), `prompt_tokens`, `completion_tokens`.
    """
    both = sorted(cheap.keys() & dear.keys())
    return [_replayed(both, cheap, dear, gold, threshold, measure) for threshold in thresholds]


def _replayed(  # noqa: PLR0917 - all of `replay`'s
    both: Sequence[Key],
    cheap: Mapping[Key, Verdict],
    dear: Mapping[Key, Verdict],
    gold: Mapping[Key, str],
    threshold: float,
    measure: Measure,
) -> dict[str, Any]:
    from adjudge.metrics import clustered_rate

    escalated = {key for key in both if is_escalated(cheap[key], threshold, measure)}
    final = {key: dear[key] if key in escalated else cheap[key] for key in both}
    labelled = [key for key in both if key in gold]
    submissions: list[Hashable] = [key[0] for key in labelled]
    agreement = clustered_rate([final[key].level == gold[key] for key in labelled], submissions)
    usage: Usage = usage_of([*(cheap[key] for key in both), *(dear[key] for key in escalated)])
    return {
        "threshold": threshold,
        "escalated": len(escalated) / len(both) if both else None,
        "agreement": agreement.value,
        "low": agreement.low,
        "high": agreement.high,
        "labelled": len(labelled),
        "unscored": sum(verdict.status == "unscored" for verdict in final.values()) / len(both) if both else None,
        "cost": usage.cost,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }


_THRESHOLDS = tuple(step / 20 for step in range(21))


def _replay_of(
    dear: str | None = None, thresholds: Sequence[float] = _THRESHOLDS, measure: Measure = "top"
) -> Callable[[str | Path], list[dict[str, Any]]]:
    """The analysis `cascade-replay`: over one run of a cascade at threshold 1, or a cheap run beside a dear one."""

    def analyse(folder: str | Path) -> list[dict[str, Any]]:
        items, verdicts = _read(Path(folder))
        gold = _gold(items)
        if dear is not None:
            others = _reduced(_read(Path(dear))[1])
            return replay(_reduced(verdicts), others, gold, thresholds, measure)
        pairs = {(v.submission, v.criterion): _halves(v) for v in verdicts}
        whole = {key: pair for key, pair in pairs.items() if pair is not None}
        if not whole:
            raise InputError(
                f"{folder}: holds no verdict of two judges; judge with --judge cascade -J threshold=1, or name the"
                " folder of the dear run: dear=FOLDER"
            )
        cheap, second = ({key: pair[half] for key, pair in whole.items()} for half in (0, 1))
        return replay(cheap, second, gold, thresholds, measure)

    return analyse


def _read(folder: Path) -> tuple[list[Item], list[Verdict]]:
    from adjudge.ledger import LEDGER, Ledger

    if not (folder / LEDGER).is_file():
        raise InputError(f"{folder}: holds no {LEDGER}; give the --out folder of a run")
    with Ledger(folder / LEDGER, reading=True) as ledger:
        rows = ledger.read_run(ledger.last_run()[0])
    return [item for item, _ in rows], [verdict for _, verdicts in rows for verdict in verdicts]


def _gold(items: Sequence[Item]) -> dict[Key, str]:
    """The level that most raters gave; none where they are split."""
    votes: dict[Key, Counter[str]] = {}
    for item in items:
        for label in item.labels:
            if label.level is not None:
                votes.setdefault((item.id, label.criterion), Counter())[label.level] += 1
    ranked = {key: counter.most_common(2) for key, counter in votes.items()}
    return {key: top[0][0] for key, top in ranked.items() if len(top) == 1 or top[0][1] > top[1][1]}


def _reduced(verdicts: Sequence[Verdict]) -> dict[Key, Verdict]:
    by_key: dict[Key, list[Verdict]] = {}
    for verdict in verdicts:
        by_key.setdefault((verdict.submission, verdict.criterion), []).append(verdict)
    return {key: _one(found) for key, found in by_key.items() if found[0].status != "skipped"}


def _one(found: Sequence[Verdict]) -> Verdict:
    """Repeats as one verdict, by their votes; the distribution is then the vote shares if there is none."""
    from adjudge.judges.votes import disagreement

    if len(found) == 1:
        return found[0]
    held = disagreement(found).shares
    best = [level for level, share in held.items() if share == max(held.values())]
    if len(best) != 1:
        return found[0].model_copy(
            update={"status": "unscored", "level": None, "reason": "no_quorum", "usage": usage_of(found)}
        )
    chosen = next(verdict for verdict in found if verdict.level == best[0])
    return chosen.model_copy(update={"distribution": chosen.distribution or held, "usage": usage_of(found)})


def _halves(verdict: Verdict) -> tuple[Verdict, Verdict] | None:
    """What the first and the last member said, if there are two."""
    by_judge: dict[str, list[Verdict]] = {}
    for member in verdict.members:
        by_judge.setdefault(member.judge, []).append(member)
    said = [_one(found) for found in by_judge.values()]
    return (said[0], said[-1]) if len(said) > 1 else None


ANALYSES = (
    AnalysisSpec(
        name="cascade-replay",
        summary="cost against agreement of a cascade at every threshold, from stored verdicts (dear, thresholds)",
        build=_replay_of,
    ),
)
