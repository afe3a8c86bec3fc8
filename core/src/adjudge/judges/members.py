"""What judges made of judges share: asking a member, asking in waves, asking through a changed question."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Self, TypeVar

from adjudge.errors import AdjudgeError
from adjudge.interfaces import Ask, Backend, Capabilities, Item, Judge, Member
from adjudge.judges.asking import Subject
from adjudge.judges.compare import OVERALL, overall
from adjudge.judges.isolated import is_ruled_out
from adjudge.readout import LabelReadOut
from adjudge.rubric import Rubric
from adjudge.submission import Comparison
from adjudge.verdict import Question, Reply, Usage, Verdict, total

T = TypeVar("T")


@dataclass(frozen=True)
class Through:
    """An `Ask` that changes every question on its way; also in the fingerprint, so that the ledger tells them apart."""

    ask: Ask
    """The way on."""

    def changed(self, question: Question) -> Question:
        """The question that is asked instead."""
        raise NotImplementedError("say how questions change: override changed")

    @property
    def secret(self) -> bytes:
        """That of the way on."""
        return self.ask.secret

    @property
    def primes(self) -> bool:
        """As the way on."""
        return self.ask.primes

    @property
    def context_tokens(self) -> int | None:
        """As the way on."""
        return self.ask.context_tokens

    async def __call__(self, question: Question) -> Reply:
        """Ask the changed question."""
        return await self.ask(self.changed(question))

    def discard(self, question: Question) -> None:
        """Discard the reply to the changed question."""
        self.ask.discard(self.changed(question))

    def fingerprint(self, question: Question) -> str:
        """Of the changed question."""
        return self.ask.fingerprint(self.changed(question))

    def to(self, backend: Backend) -> Self:
        """The same change, on the way to another backend."""
        return replace(self, ask=self.ask.to(backend))


async def asked_of(member: Member, item: Item, rubric: Rubric, ask: Ask) -> dict[str, list[Verdict]]:
    """What a member says, by criterion, signed with its name; unscored where it says nothing."""
    way = ask if member.backend is None else ask.to(member.backend)
    found: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in await member.judge.judge(item, rubric, way):
        found[verdict.criterion].append(verdict.model_copy(update={"judge": member.name or verdict.judge}))
    for criterion in rubric.criteria:
        silent = {"reason": "abstain", "detail": "the judge gave no verdict"}
        found[criterion.id] = found[criterion.id] or [unscored(item, criterion.id, member.name, **silent)]
    return found


async def together(jobs: Iterable[Awaitable[T]]) -> list[T]:
    """Results in order. If one raises, the others are waited for first: what is in flight is paid for."""
    done = await asyncio.gather(*jobs, return_exceptions=True)
    errors = [outcome for outcome in done if isinstance(outcome, BaseException)]
    if errors:
        raise next((error for error in errors if isinstance(error, AdjudgeError)), errors[0])
    return [outcome for outcome in done if not isinstance(outcome, BaseException)]


def part_of(rubric: Rubric, criteria: Collection[str]) -> Rubric:
    """The rubric with these criteria only, each on its own feet and without golden tests, which are about all of them.

    The prompts about them stay the same, byte by byte.
    """
    kept = tuple(
        criterion.model_copy(update={"depends_on": ()}) if criterion.depends_on else criterion
        for criterion in rubric.criteria
        if criterion.id in criteria
    )
    return rubric if kept == rubric.criteria else rubric.model_copy(update={"criteria": kept, "tests": ()})


async def in_waves(
    item: Item, rubric: Rubric, judge: str, decide: Callable[[Rubric], Awaitable[Sequence[Verdict]]]
) -> list[Verdict]:
    """Decide on all criteria, those that others depend on first; what they rule out is skipped.

    Args:
        item: What is judged.
        rubric: The whole rubric.
        judge: Name for skipped verdicts and the overall preference.
        decide: Gives verdicts on the criteria of a part of the rubric.

    Returns:
        Verdicts in the rubric's order; for a comparison the overall preference comes last.
    """
    if isinstance(item, Comparison):
        given = {verdict.criterion: verdict for verdict in await decide(rubric)}
        each = [given[criterion.id] for criterion in rubric.criteria]
        return [*each, overall(rubric, each, Subject(item.id, "", judge))]
    found: dict[str, list[Verdict]] = {}
    for wave in rubric.waves:
        due = [criterion.id for criterion in wave if not is_ruled_out(rubric, criterion, found)]
        for criterion in wave:
            found[criterion.id] = [] if criterion.id in due else [skipped(item, criterion.id, judge)]
        for verdict in await decide(part_of(rubric, due)) if due else ():
            found[verdict.criterion].append(verdict)
    return [verdict for criterion in rubric.criteria for verdict in found[criterion.id]]


def skipped(item: Item, criterion: str, judge: str, **fields: Any) -> Verdict:
    """A criterion that was not asked about."""
    return Verdict(submission=item.id, criterion=criterion, status="skipped", judge=judge, **fields)


def unscored(item: Item, criterion: str, judge: str, **fields: Any) -> Verdict:
    """A criterion without a level; `fields` hold at least the reason."""
    return Verdict(submission=item.id, criterion=criterion, status="unscored", judge=judge, **fields)


def usage_of(verdicts: Iterable[Verdict]) -> Usage:
    """Of all of them."""
    return total(verdict.usage for verdict in verdicts)


def joint_fingerprint(verdicts: Iterable[Verdict]) -> str:
    """Identity of everything that these verdicts answer, whatever their order; empty if nothing was asked."""
    known = sorted({verdict.fingerprint for verdict in verdicts} - {""})
    return hashlib.sha256("".join(known).encode()).hexdigest() if known else ""


_INSIDE = ("members", "reserves")
"""Where a judge made of judges keeps them."""


def members_of(judge: Judge) -> tuple[Member, ...]:
    """The judges inside a judge: its `members`, then its `reserves`."""
    return (*getattr(judge, "members", ()), *getattr(judge, "reserves", ()))


def backends_of(judge: Judge) -> list[Backend]:
    """Every backend that members bring, each once, however deep."""
    found: dict[int, Backend] = {}
    for member in members_of(judge):
        own = [] if member.backend is None else [member.backend]
        found |= {id(backend): backend for backend in (*own, *backends_of(member.judge))}
    return list(found.values())


def described(judge: Judge) -> list[dict[str, Any]]:
    """The members as JSON values, for the record of a run; empty for a judge that has none."""
    return [
        {
            "name": member.name,
            "judge": member.judge.name,
            "backend": member.backend.name if member.backend is not None else None,
            "backend identity": dict(member.backend.identity) if member.backend is not None else None,
            "read-out": settings.read_out.name if (settings := getattr(member.judge, "settings", None)) else None,
            "weight": member.weight,
            "members": described(member.judge),
        }
        for member in members_of(judge)
    ]


def asks_for_labels(judge: Judge) -> bool:
    """Whether it, or a judge inside it, reads probabilities of labels."""
    own = isinstance(getattr(getattr(judge, "settings", None), "read_out", None), LabelReadOut)
    return own or any(asks_for_labels(member.judge) for member in members_of(judge))


def fitted(judge: Judge, capabilities: Capabilities) -> Judge:
    """The judge, with the `reasoned` read-out wherever `label` was only the default and the backend cannot serve it.

    Args:
        judge: A judge; the same object is given back if nothing has to change.
        capabilities: Of the backend that it asks; members may bring their own.
    """
    changes: dict[str, Any] = {}
    settings = getattr(judge, "settings", None)
    if settings is not None and settings.left_open and settings.lacks(capabilities):
        changes["settings"] = settings.reasoned()
    if changes and not _has_field(judge, "settings"):
        return judge  # its settings cannot be replaced; `check_judge` says what to choose
    for name in _INSIDE:
        members: tuple[Member, ...] = getattr(judge, name, ())
        inside = tuple(_fitted_member(member, capabilities) for member in members)
        if any(new is not old for new, old in zip(inside, members, strict=True)):
            changes[name] = inside
    return replace(judge, **changes) if changes and is_dataclass(judge) and not isinstance(judge, type) else judge


def _has_field(judge: Judge, name: str) -> bool:
    return is_dataclass(judge) and name in {one.name for one in fields(judge)}


def _fitted_member(member: Member, outer: Capabilities) -> Member:
    judge = fitted(member.judge, outer if member.backend is None else member.backend.capabilities)
    return member if judge is member.judge else replace(member, judge=judge)


def asking(judge: Judge, change: Callable[[Backend], Backend]) -> Judge:
    """The judge with another backend in the place of each that its members bring, however deep.

    Args:
        judge: A judge; one that is no dataclass is given back as it is.
        change: Gives the backend to ask instead.
    """
    changes = {name: tuple(_asking(member, change) for member in getattr(judge, name, ())) for name in _INSIDE}
    inside = {name: members for name, members in changes.items() if members}
    return replace(judge, **inside) if inside and is_dataclass(judge) and not isinstance(judge, type) else judge


def _asking(member: Member, change: Callable[[Backend], Backend]) -> Member:
    backend = None if member.backend is None else change(member.backend)
    return replace(member, judge=asking(member.judge, change), backend=backend)


def check_judge(judge: Judge, rubric: Rubric | None, capabilities: Capabilities) -> None:
    """Refuse what cannot work before anything is paid for: read-outs that a backend lacks, rubrics that do not fit.

    A judge may have a method `check(rubric)`, which raises.

    Raises:
        UnsupportedError: With what to choose instead.
    """
    if (settings := getattr(judge, "settings", None)) is not None:
        settings.check(capabilities)
    if rubric is not None and (own := getattr(judge, "check", None)) is not None:
        own(rubric)
    for member in members_of(judge):
        part = part_of(rubric, member.criteria) if rubric is not None and member.criteria else rubric
        check_judge(member.judge, part, capabilities if member.backend is None else member.backend.capabilities)


__all__ = [
    "OVERALL",
    "Through",
    "asked_of",
    "asking",
    "asks_for_labels",
    "backends_of",
    "check_judge",
    "described",
    "fitted",
    "in_waves",
    "joint_fingerprint",
    "members_of",
    "part_of",
    "skipped",
    "together",
    "unscored",
    "usage_of",
]
