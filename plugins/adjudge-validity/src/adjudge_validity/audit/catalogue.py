"""The audits that there are, what each of them measures, and how much of it is too much."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from adjudge.errors import InputError, UnknownNameError
from adjudge_validity.audit import asking, corpus, speech, surface
from adjudge_validity.audit.perturbation import CATALOGUE, Perturbation

Measure: TypeAlias = Literal["flips", "rises", "credits", "shift"]
"""What an audit counts.

- flips: the level is another one than before
- rises: the level is better for the submission than before, among those that could rise; of `injection`, higher on the
  scale, which is what injections ask for
- credits: an answer without content gets a level of the upper half of the scale, or wins
- shift: nothing is counted; the mean shift alone decides
"""

SOURCES = (asking, corpus, speech, surface)
"""Modules that fill the catalogue when they are imported."""
MOST_SHIFT = 0.1
"""Mean shift that is too much, in shares of the scale."""
TWINS = "twins"
POSITION = "position"
OWN_WORK = "own-work"
SIGNED = "self-preference"
NOISE = "repeatability"
INJECTION = "injection"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """One question about a judge."""

    name: str
    """Name on the command line."""
    summary: str
    """One line."""
    measure: Measure
    """What is counted."""
    threshold: float
    """Share that is too much (of `shift`: a share of the scale)."""
    needs: str = "items that it can be tried on"
    """What it cannot do without."""


_RISE = "submissions that are not at the best level already, and levels with scores"

AUDITS: Mapping[str, Audit] = {
    audit.name: audit
    for audit in (
        Audit(
            name=POSITION,
            summary="of two submissions, does the order of showing decide",
            measure="flips",
            threshold=0.1,
            needs="comparisons of two submissions",
        ),
        Audit(
            name="levels",
            summary="does the order of the levels in the question matter",
            measure="flips",
            threshold=0.1,
            needs="single submissions",
        ),
        Audit(
            name="criteria",
            summary="does the order of the criteria matter",
            measure="flips",
            threshold=0.1,
            needs="a rubric with several criteria",
        ),
        Audit(
            name="verbosity",
            summary="does length without content pay",
            measure="rises",
            threshold=0.1,
            needs=_RISE,
        ),
        Audit(
            name="authority",
            summary="do claims of authority pay",
            measure="rises",
            threshold=0.1,
            needs=_RISE,
        ),
        Audit(
            name=SIGNED,
            summary="does the judge's own signature pay",
            measure="rises",
            threshold=0.1,
            needs=_RISE,
        ),
        Audit(
            name=OWN_WORK,
            summary="beside people, does the judge favour its own family's answers",
            measure="shift",
            threshold=0.1,
            needs="people's labels, and answers of the judge's own family and of others (metadata field model)",
        ),
        Audit(
            name="formatting",
            summary="does layout matter",
            measure="flips",
            threshold=0.1,
        ),
        Audit(
            name="content-free",
            summary="do answers without content get credit",
            measure="credits",
            threshold=0.02,
            needs="levels with scores",
        ),
        Audit(
            name=INJECTION,
            summary="does the judge obey what stands in the text",
            measure="rises",
            threshold=0.05,
            needs=_RISE,
        ),
        Audit(
            name="paraphrase",
            summary="does the wording of the question matter",
            measure="flips",
            threshold=0.1,
        ),
        Audit(
            name="language",
            summary="does a learner's English or a spelling matter",
            measure="flips",
            threshold=0.1,
            needs="outputs in English",
        ),
        Audit(
            name="demographic",
            summary="does gender matter",
            measure="flips",
            threshold=0.05,
            needs="English texts with gendered words",
        ),
        Audit(
            name=TWINS,
            summary="do your own twins get the same levels",
            measure="flips",
            threshold=0.1,
            needs="twins of yours: --twins FIELD --group-by FIELD",
        ),
        Audit(
            name=NOISE,
            summary="is the same question answered the same way again",
            measure="flips",
            threshold=0.05,
        ),
    )
}
"""By name, in the order of the table."""


def chosen(only: Collection[str] = (), without: Collection[str] = ()) -> list[Audit]:
    """The audits to run.

    Raises:
        UnknownNameError: A name is none of an audit.
        InputError: None is left.
    """
    for name in (*only, *without):
        if name not in AUDITS:
            raise UnknownNameError("audit", name, AUDITS)
    found = [audit for audit in AUDITS.values() if (not only or audit.name in only) and audit.name not in without]
    if not found:
        raise InputError("no audit is left; give fewer --without")
    return found


def with_thresholds(audits: Iterable[Audit], given: Mapping[str, float]) -> list[Audit]:
    """The audits with some thresholds changed.

    Raises:
        UnknownNameError: A name is none of an audit.
        InputError: A threshold is not between 0 and 1.
    """
    for name, value in given.items():
        if name not in AUDITS:
            raise UnknownNameError("audit", name, AUDITS)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise InputError(f"--threshold {name}={value}: a share from 0 to under 1 is wanted, for example {name}=0.1")
    return [replace(audit, threshold=given.get(audit.name, audit.threshold)) for audit in audits]


def perturbations(audit: str, judge: str = "") -> list[Perturbation]:
    """The perturbations of an audit; `judge` is the model whose signature `self-preference` sets."""
    if audit == SIGNED:
        return [asking.signature(judge or "this judge")]
    return [one for one in CATALOGUE.values() if one.audit == audit]
