"""Judge cards: how far a judge agreed with verdicts that are known to be right.

A card belongs to one backend, one read-out and one rubric. It is measured on the rubric's golden tests, and may name
agreement with human labels of public data sets beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Annotated, Any

from pydantic import Field

from adjudge.interfaces import Judge
from adjudge.judges.members import described
from adjudge.metrics import wilson
from adjudge.rubric import Rubric
from adjudge.values import Frozen
from adjudge.verdict import Result, Verdict

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class HumanFigure(Frozen):
    """Agreement with the human labels of one data set."""

    data_set: str
    """Name of the data set and the part of it that was used."""
    metric: str
    """Name of the metric, for example `accuracy`."""
    value: float | None
    """Its value; None if undefined."""
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end of the 95 % interval."""
    n: Count
    """Number of items that it rests on."""


class CriterionAgreement(Frozen):
    """Agreement on one criterion."""

    criterion: str
    """Id of the criterion."""
    verdicts: Count
    """Golden verdicts asked for."""
    scored: Count
    """Those that came back with a level."""
    agreed: Count
    """Those at the expected level."""


class Confusion(Frozen):
    """Expected against given levels, over all criteria of one scale."""

    levels: tuple[str, ...]
    """Levels of the scale, in its order."""
    criteria: tuple[str, ...]
    """Ids of the criteria counted."""
    counts: tuple[tuple[Count, ...], ...]
    """One row per expected level, one column per given level."""
    unscored: tuple[Count, ...]
    """Verdicts without a level, per expected level."""


class JudgeCard(Frozen):
    """What was measured of one backend, read-out and rubric."""

    backend: str
    """Name and model of the backend."""
    backend_hash: str
    """Hash of the backend's identity (`identity_hash`)."""
    read_out: str
    """`label` or `reasoned`."""
    judge: str
    """Name of the judge with its settings."""
    rubric: str
    """Id of the rubric."""
    version: str
    """Version of the rubric."""
    rubric_hash: str
    """Content hash of the rubric."""
    template: str
    """Name of the prompt template."""
    date: str
    """Day of the measurement, as ISO 8601 text."""
    tests: Count
    """Number of golden tests."""
    verdicts: Count
    """Golden verdicts asked for."""
    scored: Count
    """Those that came back with a level."""
    agreed: Count
    """Those at exactly the expected level."""
    agreement: Share | None
    """Share of `scored` that agreed; None if none was scored."""
    interval: tuple[Share, Share] | None
    """Its Wilson 95 % interval."""
    chance: Share
    """Agreement of a judge that always gives the commonest expected level, per scale and weighted by the number of
    scored verdicts; never below one in the number of levels, which guessing would reach."""
    label_mass: float | None = None
    """Mean probability that the labels had before any constraint; None if it was not to be had."""
    criteria: tuple[CriterionAgreement, ...] = ()
    """Agreement per criterion."""
    confusion: tuple[Confusion, ...] = ()
    """One table per scale."""
    human_figures: tuple[HumanFigure, ...] = ()
    """Agreement with human labels, where it was measured."""

    @property
    def at_chance(self) -> bool:
        """The interval reaches chance, or nothing was scored: nothing shows that the judge is better than guessing."""
        return self.interval is None or self.interval[0] <= self.chance


def identity_hash(identity: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a backend's identity, as 64 hexadecimal digits."""
    canonical = json.dumps(dict(identity), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_out_of(judge: Judge) -> str:
    """Name of a judge's read-out, as cards and provenance give it; a hash of its members for one made of judges."""
    settings = getattr(judge, "settings", None)
    if settings is not None:
        return str(settings.read_out.name)
    members = described(judge)
    return f"members {identity_hash({'members': members})[:12]}" if members else "none"


def measure(
    rubric: Rubric,
    results: Sequence[Result],
    *,
    backend: str,
    backend_hash: str,
    read_out: str,
    judge: str,
    date: str,
    template: str | None = None,
    human_figures: Sequence[HumanFigure] = (),
) -> JudgeCard:
    """Compare the verdicts on golden tests with the expected levels.

    The interval treats golden verdicts as independent of each other (Wilson, 1927); several criteria asked of one
    test are less than that, so it is somewhat narrow.

    Args:
        rubric: The rubric with its golden tests.
        results: Results of golden tests; the id of a submission is the id of its test. Other results are left out.
        backend: Name and model of the backend.
        backend_hash: Hash of the backend's identity.
        read_out: `label` or `reasoned`.
        judge: Name of the judge.
        date: Day of the measurement, as ISO 8601 text.
        template: Name of the prompt template; the rubric's own if None.
        human_figures: Agreement with human labels, measured elsewhere.

    Returns:
        The card. Verdicts that failed count as asked for and neither as agreement nor as disagreement.
    """
    expected = {test.id: test.expect for test in rubric.tests}
    golden = [
        (verdict, expected[result.submission][verdict.criterion])
        for result in results
        for verdict in result.verdicts
        if verdict.criterion in expected.get(result.submission, {})
    ]
    scored = [pair for pair in golden if pair[0].level is not None]
    agreed = sum(verdict.level == level for verdict, level in scored)
    rate = wilson(agreed, len(scored))
    masses = [verdict.label_mass for verdict, _ in golden if verdict.label_mass is not None]
    return JudgeCard(
        backend=backend,
        backend_hash=backend_hash,
        read_out=read_out,
        judge=judge,
        rubric=rubric.id,
        version=rubric.version,
        rubric_hash=rubric.hash,
        template=rubric.template if template is None else template,
        date=date,
        tests=len({verdict.submission for verdict, _ in golden}),
        verdicts=len(golden),
        scored=len(scored),
        agreed=agreed,
        agreement=rate.value,
        interval=None if rate.low is None or rate.high is None else (rate.low, rate.high),
        chance=_chance(rubric, scored or golden),
        label_mass=fmean(masses) if masses else None,
        criteria=tuple(_per_criterion(rubric, golden)),
        confusion=tuple(_confusions(rubric, golden)),
        human_figures=tuple(human_figures),
    )


Golden = tuple[Verdict, str]
"""A verdict and the level expected of it."""


def _levels(rubric: Rubric, criterion: str) -> tuple[str, ...]:
    return tuple(level.id for level in rubric.criterion(criterion).scale.levels)


def _by_scale(rubric: Rubric, golden: Iterable[Golden]) -> dict[tuple[str, ...], list[Golden]]:
    groups: dict[tuple[str, ...], list[Golden]] = {}
    for pair in golden:
        groups.setdefault(_levels(rubric, pair[0].criterion), []).append(pair)
    return groups


def _chance(rubric: Rubric, golden: Sequence[Golden]) -> float:
    """Share of the verdicts that expect the commonest level of their scale."""
    groups = _by_scale(rubric, golden).values()
    lucky = sum(max(Counter(level for _, level in pairs).values()) for pairs in groups)
    return lucky / len(golden) if golden else 0.0


def _per_criterion(rubric: Rubric, golden: Sequence[Golden]) -> Iterable[CriterionAgreement]:
    for criterion in rubric.criteria:
        pairs = [pair for pair in golden if pair[0].criterion == criterion.id]
        if pairs:
            yield CriterionAgreement(
                criterion=criterion.id,
                verdicts=len(pairs),
                scored=sum(verdict.level is not None for verdict, _ in pairs),
                agreed=sum(verdict.level == level for verdict, level in pairs),
            )


def _confusions(rubric: Rubric, golden: Sequence[Golden]) -> Iterable[Confusion]:
    for levels, pairs in _by_scale(rubric, golden).items():
        counts = Counter((level, verdict.level) for verdict, level in pairs)
        named = {verdict.criterion for verdict, _ in pairs}
        yield Confusion(
            levels=levels,
            criteria=tuple(criterion.id for criterion in rubric.criteria if criterion.id in named),
            counts=tuple(tuple(counts[expected, given] for given in levels) for expected in levels),
            unscored=tuple(counts[expected, None] for expected in levels),
        )
