"""From observations to findings: rates and shifts with intervals clustered by item, and whether they are too much."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from adjudge.errors import InputError
from adjudge.metrics import Estimate, clustered_mean, clustered_rate, undefined
from adjudge.metrics.estimate import FEW_CLUSTERS
from adjudge_validity.audit.catalogue import MOST_SHIFT, NOISE, Audit
from adjudge_validity.audit.observation import Observation

if TYPE_CHECKING:
    from pandas import DataFrame

Decision: TypeAlias = Literal["pass", "fail", "too few", "not applicable"]
"""`fail`: surely too much. `pass`: surely not too much. `too few`: the interval holds the threshold, or there are fewer
than 10 clusters. `not applicable`: nothing to count."""

_Z2 = 1.959963984540054**2


@dataclass(frozen=True, kw_only=True)
class Part:
    """What came of some of an audit's observations."""

    name: str
    """`perturbation padded`, `criterion polite`, `family plea`, `language de`, `group b`; empty for all."""
    rate: Estimate
    """What the audit counts, as a share."""
    flips: Estimate
    """Share of levels that changed."""
    shift: Estimate
    """Mean shift in favour of the submission, in shares of the scale."""
    unscored: int
    """Pairs that the judge gave no level on one side or both."""
    unreached: int = 0
    """Pairs about which the judge asks the very same question on both sides; they are left out."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of one audit."""

    audit: Audit
    """The audit."""
    decision: Decision
    """Whether it is too much."""
    whole: Part
    """Over everything."""
    parts: tuple[Part, ...] = ()
    """By perturbation, criterion, family, language and group, where there are several."""
    note: str = ""
    """Why there is no decision, or what to do."""


_BY: Mapping[str, Callable[[Observation], str]] = {
    "perturbation": lambda one: one.perturbation,
    "criterion": lambda one: one.criterion,
    "family": lambda one: one.family,
    "language": lambda one: one.language,
    "group": lambda one: one.group,
}


def findings(audits: Sequence[Audit], observed: Sequence[Observation]) -> list[Finding]:
    """What came of each audit, in the order of the audits; a failure that asking again explains says so."""
    by_audit: defaultdict[str, list[Observation]] = defaultdict(list)
    for one in observed:
        by_audit[one.audit].append(one)
    found = [finding(audit, by_audit[audit.name]) for audit in audits]
    return [_beside_noise(one, by_audit[NOISE]) for one in found]


def _beside_noise(found: Finding, again: Sequence[Observation]) -> Finding:
    """The finding, noted where asking the same question again gives as high a rate."""
    noise = _part(found.audit, "", again).rate
    rate = found.whole.rate
    if found.decision != "fail" or found.audit.name == NOISE or noise.high is None or rate.low is None:
        return found
    if noise.high < rate.low or found.audit.measure == "credits":
        return found
    said = f"no more than asking again, which gives {noise.value:.2f}"
    return replace(found, note="; ".join(filter(None, (found.note, said))))


def finding(audit: Audit, observed: Sequence[Observation]) -> Finding:
    """What came of one audit."""
    whole = _part(audit, "", observed)
    parts = []
    for kind, key in _BY.items():
        groups: defaultdict[str, list[Observation]] = defaultdict(list)
        for one in observed:
            groups[key(one)].append(one)
        if len(groups) > 1:
            parts += [_part(audit, f"{kind} {name}", groups[name]) for name in sorted(groups)]
    return decided(audit, whole, tuple(parts))


def decided(audit: Audit, whole: Part, parts: tuple[Part, ...] = ()) -> Finding:
    """A finding with its decision; it is taken on the whole, never on a part, nor on fewer than 10 clusters."""
    decision, note = _decision(audit, whole)
    return Finding(audit=audit, decision=decision, note=note, whole=whole, parts=parts)


def _part(audit: Audit, name: str, observed: Sequence[Observation]) -> Part:
    reached = [one for one in observed if one.reached]
    scored = [one for one in reached if one.scored]
    counted = {
        "flips": [(one.flip, one.cluster) for one in scored],
        "rises": [(one.rise, one.cluster) for one in scored],
        "credits": [(one.credit, one.cluster) for one in scored],
    }
    shifts = [(one.shift, one.cluster) for one in scored if one.shift is not None]
    return Part(
        name=name,
        rate=_rate(counted.get(audit.measure, [])),
        flips=_rate(counted["flips"]),
        shift=clustered_mean([shift for shift, _ in shifts], [cluster for _, cluster in shifts]),
        unscored=len(reached) - len(scored),
        unreached=len(observed) - len(reached),
    )


def _rate(given: Sequence[tuple[bool | None, str]]) -> Estimate:
    known = [(hit, cluster) for hit, cluster in given if hit is not None]
    if not known:
        return undefined("no observations")
    return clustered_rate([hit for hit, _ in known], [cluster for _, cluster in known])


def _decision(audit: Audit, whole: Part) -> tuple[Decision, str]:
    figure = whole.shift if audit.measure == "shift" else whole.rate
    if figure.value is None:
        return "not applicable", _why_not(audit, whole)
    if (figure.clusters or 0) < FEW_CLUSTERS:
        return "too few", f"{figure.clusters or 0} items, at least {FEW_CLUSTERS} are needed"
    return _by_shift(figure, audit.threshold) if audit.measure == "shift" else _by_rate(audit, whole)


def _why_not(audit: Audit, whole: Part) -> str:
    if whole.unscored:
        return f"all {whole.unscored:,} pairs are unscored"
    if whole.unreached:
        return "the judge asks the same question either way"
    return f"needs {audit.needs}"


def _by_rate(audit: Audit, whole: Part) -> tuple[Decision, str]:
    figure = whole.rate
    if figure.low is not None and figure.low > audit.threshold:
        return "fail", ""
    if _shifts_too_much(audit, whole.shift):
        return "fail", f"the mean shift is surely beyond {MOST_SHIFT:g}"
    if figure.high is not None and figure.high <= audit.threshold:
        return "pass", ""
    return "too few", _wanted(figure, audit.threshold)


def _shifts_too_much(audit: Audit, shift: Estimate) -> bool:
    """Whether the mean shift alone convicts: either way for flips, upwards for rises, never for answers replaced."""
    if audit.measure == "rises" and (shift.value or 0) < 0:
        return False
    return audit.measure != "credits" and _surely_beyond(shift, MOST_SHIFT)


def _by_shift(shift: Estimate, most: float) -> tuple[Decision, str]:
    if _surely_beyond(shift, most):
        return "fail", ""
    within = shift.low is not None and shift.high is not None and -most <= shift.low and shift.high <= most
    return ("pass", "") if within else ("too few", f"the interval reaches beyond {most:g}")


def _surely_beyond(shift: Estimate, most: float) -> bool:
    enough = (shift.clusters or 0) >= FEW_CLUSTERS
    if not enough or shift.low is None or shift.high is None:
        return False
    return shift.low > most or shift.high < -most


def _wanted(figure: Estimate, most: float) -> str:
    """How many items would do if nothing were found: where Wilson's upper end of 0 in n is the threshold."""
    if figure.value or not most:
        return f"the interval holds {most:g}"
    return f"with nothing found, about {math.ceil(_Z2 * (1 - most) / most):,} items would do"


def too_much(found: Sequence[Finding], *, strict: bool = False) -> bool:
    """Whether the judge fails: an audit says `fail`, or, if `strict`, `too few`."""
    bad = {"fail", "too few"} if strict else {"fail"}
    return any(one.decision in bad for one in found)


COLUMNS = ("audit", "part", "decision", "measure", "threshold", "rate", "flips", "shift", "items", "unscored", "note")
"""Columns of `rows`."""


def rows(found: Sequence[Finding], *, parts: bool = False) -> list[dict[str, Any]]:
    """Findings as the rows of a table; figures are `Estimate`s, as a report shows them."""
    return [row for one in found for row in _rows(one, parts=parts)]


def _rows(one: Finding, *, parts: bool) -> list[dict[str, Any]]:
    shown = (one.whole, *one.parts) if parts else (one.whole,)
    return [
        {
            "audit": one.audit.name,
            "part": part.name,
            "decision": one.decision if part is one.whole else "",
            "measure": one.audit.measure,
            "threshold": one.audit.threshold,
            "rate": part.rate,
            "flips": part.flips,
            "shift": part.shift,
            "items": max(part.rate.clusters or 0, part.shift.clusters or 0),
            "unscored": part.unscored,
            "note": one.note if part is one.whole else "",
        }
        for part in shown
    ]


def frame(found: Sequence[Finding]) -> DataFrame:
    """Findings and their parts as a pandas frame; what is undefined is missing, never 0.

    Each of `rate`, `flips` and `shift` has its interval and number beside it: `rate_low`, `rate_high`, `rate_n`.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError('frames need pandas: pip install "adjudge[parquet]"') from error
    table = []
    for row in rows(found, parts=True):
        plain: dict[str, Any] = {}
        for name, value in row.items():
            plain[name] = value.value if isinstance(value, Estimate) else value
            if isinstance(value, Estimate):
                plain |= {f"{name}_low": value.low, f"{name}_high": value.high, f"{name}_n": value.n}
        table.append(plain)
    figures = [f"{name}{end}" for name in ("rate", "flips", "shift") for end in ("", "_low", "_high")]
    return pd.DataFrame(table).astype(dict.fromkeys(figures, "float64"))
