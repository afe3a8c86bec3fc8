"""The judge of a running eval: built once per event loop, shared by all samples, closed with the loop."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from logging import getLogger
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from adjudge import collector
from adjudge.api import BoundJudge, installed
from adjudge.assembly import assemble
from adjudge.errors import InputError
from adjudge.evals.backend import MESSAGE
from adjudge.evals.graders import Chosen, choose, refuse_self
from adjudge.evals.settings import Asked
from adjudge.interfaces import Backend, Item, Judge
from adjudge.judges.members import Through
from adjudge.ledger import Ledger
from adjudge.options import refuse_unknown, validated
from adjudge.sending import Policy
from adjudge.submission import Submission
from adjudge.verdict import Question, Reply

_PATIENT = Policy(deadline=7 * 86_400.0, attempt_timeout=7 * 86_400.0, attempts=1)
"""For models of the running eval: inspect retries, and a question may wait for its turn."""
_EPOCH = 1_000


@dataclass(frozen=True)
class Seated:
    """A judge ready to judge, and how it came about."""

    bound: BoundJudge
    """The judge with its engine."""
    engine: Literal["inspect", "adjudge"]
    """Whose calls they are."""
    models: tuple[str, ...]
    """Names of the judging models."""


_Seats: TypeAlias = dict[tuple[str, ...], asyncio.Task[Seated]]
DOWNGRADED = "no label log-probabilities; levels are read from reasoned replies, without probabilities of levels"
_log = getLogger(__name__)


@dataclass(frozen=True)
class InEpoch(Through):
    """Asks each epoch anew: a ledger would answer the second from the first. Notes which messages were the replies."""

    epoch: int = 1
    heard: dict[str, list[str]] = field(default_factory=dict)
    """From the fingerprint of a question to the ids of the messages that answered it and its follow-ups."""

    async def __call__(self, question: Question) -> Reply:
        """Ask the question of this epoch."""
        asked = self.changed(question)
        reply = await self.ask(asked)
        if MESSAGE in reply.sent:
            self._note(asked, str(reply.sent[MESSAGE]))
        return reply

    def _note(self, asked: Question, message: str) -> None:
        first = asked.model_copy(update={"follow_up": ()}) if asked.follow_up else asked
        known = self.heard.setdefault(self.ask.fingerprint(first), [])
        if message not in known:
            known.append(message)

    def changed(self, question: Question) -> Question:
        """The same question as another repeat."""
        if self.epoch == 1:
            return question
        return question.model_copy(update={"repeat": question.repeat + _EPOCH * (self.epoch - 1)})


class Bench:
    """Seats judges for one set of arguments."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._seats: WeakKeyDictionary[asyncio.AbstractEventLoop, _Seats] = WeakKeyDictionary()

    async def seat(self, item: Item, candidate: str = "") -> Seated:
        """The judge for such an item, in the running event loop and eval.

        Args:
            item: What is to be judged.
            candidate: The model that writes or wrote it; empty if it was given.

        Raises:
            AdjudgeError: It cannot be built: no grader, no such name, a backend that does not start, or the candidate
                would judge itself.
        """
        if self.asked.shared is None and not (isinstance(item, Submission) and item.rubric):
            raise InputError(f"{item.id!r} brings no rubric and none was given; use -T rubric=ID or PATH (-S likewise)")
        loop = asyncio.get_running_loop()
        seats = self._seats.setdefault(loop, {})
        chosen = choose(self.asked)
        if candidate and not self.asked.self_grading:
            refuse_self(chosen.models, candidate)
        key = (self.asked.judge_for(item), chosen.engine, *chosen.models)
        if key not in seats:
            seats[key] = loop.create_task(self._build(item, chosen))
        return await asyncio.shield(seats[key])  # a sample that is cancelled leaves the judge to the others

    async def _build(self, item: Item, chosen: Chosen) -> Seated:
        asked, shared = self.asked, self.asked.shared
        judge, backend = _assembled(asked, item, chosen)
        base = _PATIENT if chosen.engine == "inspect" and asked.backend is None else Policy()
        policy = Policy.model_validate({**base.model_dump(), **asked.policy})
        ledger = Ledger(asked.ledger or ":memory:")
        bound = BoundJudge(judge, shared[0] if shared else None, backend, ledger, installed(), policy=policy)
        _close_with(asyncio.get_running_loop(), bound)
        await bound.prepare()
        if bound.downgraded:
            _log.warning("%s: %s", bound.backend.name, DOWNGRADED)
        return Seated(bound, chosen.engine, chosen.models)


def _assembled(asked: Asked, item: Item, chosen: Chosen) -> tuple[Judge, Backend]:
    name, options = asked.judge_for(item), asked.options()
    if len(chosen.backends) > 1:  # a role bound to several models is a panel of them
        options = {**options, "members": [{"backend": member, "judge": name} for member in chosen.backends]}
        name = "panel"
    given = chosen.backends[0]
    return assemble(installed(), name, options, given, dict(chosen.options) if isinstance(given, str) else None)


def read_out_of(bound: BoundJudge) -> str:
    """Name of the read-out; `members` for a judge made of judges, whose members each have their own."""
    settings = getattr(bound.judge, "settings", None)
    return str(settings.read_out.name) if settings is not None else "members"


def _close_with(loop: asyncio.AbstractEventLoop, bound: BoundJudge) -> None:
    """Close the judge when the loop ends: it cancels what is left, and this waits for nothing else.

    Until then garbage is collected seldom, since a full collection goes through all that inspect-ai has imported.
    """

    async def wait() -> None:
        try:
            with collector.seldom():
                await asyncio.Event().wait()
        finally:
            await bound.aclose()

    task = loop.create_task(wait(), context=contextvars.Context())
    _WAITING.add(task)
    task.add_done_callback(_WAITING.discard)


_WAITING: set[asyncio.Task[None]] = set()
_BENCHES: dict[str, Bench] = {}


def bench_of(arguments: Mapping[str, Any]) -> Bench:
    """The bench for these arguments; solvers and scorers with the same ones share it, and so the judge.

    Raises:
        AdjudgeError: An argument cannot be.
    """
    refuse_unknown("argument of adjudge/rubric", arguments, Asked.__dataclass_fields__)
    asked: Asked = validated("adjudge/rubric", Asked, dict(arguments))
    # A rubric's file may have been edited since.
    content = asked.shared[1].hash if asked.shared is not None else ""
    key = json.dumps([dict(arguments), content], sort_keys=True, default=repr)
    return _BENCHES.setdefault(key, Bench(asked))


def arguments_of(asked: Asked) -> dict[str, Any]:
    """The arguments that differ from their defaults, as JSON values."""
    plain = Asked()
    return {name: value for name, value in asdict(asked).items() if value != getattr(plain, name)}
