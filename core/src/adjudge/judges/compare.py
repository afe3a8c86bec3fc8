"""The `compare` judge: two submissions of one input, always in both orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item
from adjudge.judges.asking import Answer, Subject, primed
from adjudge.judges.label_mass import mass_flags
from adjudge.judges.settings import Settings
from adjudge.prompts import flags_of
from adjudge.readout import Reading
from adjudge.rubric import Criterion, Rubric
from adjudge.scale import Level, Scale
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Failure, Verdict, total

OVERALL = "overall"
"""Criterion id of the preference over the whole rubric."""

_IN_ORDER = ({"a": "first", "b": "second", "tie": "tie"}, {"a": "second", "b": "first", "tie": "tie"})


@dataclass(frozen=True)
class CompareJudge:
    """Asks which of two submissions meets each criterion better, in both orders, and averages.

    Over several criteria the preference is a partial order: `first` or `second` if no criterion speaks against it,
    `tie` if none decides, `incomparable` if criteria disagree (role standards: a criterion is never outvoted).
    """

    settings: Settings = field(default_factory=Settings)
    """How to ask."""
    ties: bool = True
    """Whether the judge may answer `tie`."""
    margin: float = 0.0
    """Averaged probabilities that differ by no more than this are a tie."""

    def __post_init__(self) -> None:
        if self.settings.repeats != 1:
            raise UnsupportedError("the judge 'compare' asks once in each order and takes no repeats")

    @property
    def name(self) -> str:
        """`compare`."""
        return "compare"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Compare on every criterion; the last verdict is the overall preference."""
        pair = _pair(item)
        subject = Subject(item.id, pair[0].output, self.name, tuple({*flags_of(pair[0]), *flags_of(pair[1])}))
        verdicts = []
        for criterion in rubric.criteria:
            # Examples are judged on the criterion's own levels, which are not asked for here.
            asked = criterion.model_copy(update={"scale": self._scale, "examples": ()})
            jobs = [
                partial(self.settings.inquire(ask, rubric, order, frozenset(criterion.evidence), item.id).run, [asked])
                for order in (pair, pair[::-1])
            ]
            verdicts.append(self._combine(criterion, await primed(ask, jobs), subject))
        return [*verdicts, overall(rubric, verdicts, subject)]

    @property
    def _scale(self) -> Scale:
        levels = [Level(id="a", label="A"), Level(id="b", label="B")]
        return Scale(kind="labels", levels=(*levels, Level(id="tie", label="tie")) if self.ties else tuple(levels))

    def _combine(self, criterion: Criterion, answers: Sequence[Answer], subject: Subject) -> Verdict:
        outcomes = [answer.outcomes[criterion.id] for answer in answers]
        usage = total(answer.usage for answer in answers)
        common = {
            "submission": subject.id,
            "criterion": criterion.id,
            "judge": subject.judge,
            "fingerprint": answers[0].fingerprint,
            "usage": usage,
        }
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                failed = {"reason": outcome.reason, "detail": outcome.detail, "flags": subject.flags}
                return Verdict.model_validate(common | failed | {"status": "unscored"})
        readings = [outcome for outcome in outcomes if isinstance(outcome, Reading)]
        orders = [_in_given_order(reading, order) for reading, order in zip(readings, _IN_ORDER, strict=True)]
        mean = {side: (orders[0].get(side, 0) + orders[1].get(side, 0)) / 2 for side in ("first", "second", "tie")}
        mass = min((reading.label_mass for reading in readings if reading.label_mass is not None), default=None)
        swayed = () if _top(orders[0]) == _top(orders[1]) else ("order-inconsistent",)
        scored = {
            "status": "scored",
            "level": self._decide(mean),
            "distribution": mean,
            "orders": tuple(orders),
            "label_mass": mass,
            "explanation": "\n".join(reading.explanation for reading in readings if reading.explanation),
            "flags": (*subject.flags, *swayed, *mass_flags(mass)),
        }
        return Verdict.model_validate(common | scored)

    def _decide(self, mean: Mapping[str, float]) -> str:
        if mean["tie"] >= max(mean["first"], mean["second"]) or abs(mean["first"] - mean["second"]) <= self.margin:
            return "tie"
        return "first" if mean["first"] > mean["second"] else "second"


def _pair(item: Item) -> tuple[Submission, Submission]:
    if not isinstance(item, Comparison):
        raise UnsupportedError(
            f"the judge 'compare' takes comparisons, {item.id!r} is a submission; use --judge isolated"
        )
    if len(item.submissions) != 2:  # noqa: PLR2004 - a pair
        raise UnsupportedError(f"the judge 'compare' takes two submissions, {item.id!r} has {len(item.submissions)}")
    return item.submissions[0], item.submissions[1]


def _in_given_order(reading: Reading, names: Mapping[str, str]) -> dict[str, float]:
    """Probabilities of first, second, tie in terms of the given order, whatever order was shown."""
    distribution = reading.distribution or {reading.level: 1.0}
    return {names[level]: probability for level, probability in distribution.items()}


def _top(order: Mapping[str, float]) -> str:
    return max(order, key=order.__getitem__)


def overall(rubric: Rubric, verdicts: Sequence[Verdict], subject: Subject) -> Verdict:
    """The preference over all criteria, as a partial order; unscored if any criterion is.

    A criterion of negative weight speaks for the other side.
    """
    common = {"submission": subject.id, "criterion": OVERALL, "judge": subject.judge}
    missing = [verdict for verdict in verdicts if verdict.status == "unscored"]
    if missing:
        why = {"reason": missing[0].reason, "detail": f"{missing[0].criterion}: {missing[0].detail}"}
        return Verdict.model_validate(common | why | {"status": "unscored"})
    if len(verdicts) == 1 and rubric.criteria[0].weight > 0:
        kept = {name: getattr(verdicts[0], name) for name in ("level", "distribution", "orders", "label_mass", "flags")}
        return Verdict.model_validate(common | kept | {"status": "scored"})
    sides = {_side(criterion, verdict) for criterion, verdict in zip(rubric.criteria, verdicts, strict=True)} - {"tie"}
    level = "incomparable" if len(sides) > 1 else next(iter(sides), "tie")
    flags = tuple(dict.fromkeys(flag for verdict in verdicts for flag in verdict.flags))
    return Verdict.model_validate(common | {"status": "scored", "level": level, "flags": flags})


def _side(criterion: Criterion, verdict: Verdict) -> str:
    swapped = {"first": "second", "second": "first"}
    level = verdict.level or "tie"
    return swapped.get(level, level) if criterion.weight < 0 else level
