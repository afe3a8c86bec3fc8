"""Judges a finished run once more with the replies that its ledger keeps; nothing is asked and nothing is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self, TypeAlias

from pydantic import ValidationError

from adjudge.engine import fingerprint, identity_digest
from adjudge.errors import InputError
from adjudge.interfaces import Backend, Item, Judge
from adjudge.ledger import LEDGER, Ledger
from adjudge.plugins import Plugins
from adjudge.recipe import Recipe, remade
from adjudge.report.exchanges import Exchanges, Turn
from adjudge.report.record import RunRecord
from adjudge.rubric import Rubric
from adjudge.submission import said
from adjudge.unanswered import unanswered
from adjudge.verdict import Failure, Question, Reply, Verdict

Replies: TypeAlias = Callable[[str], Reply | None]
"""From the fingerprint of a question to what it came to."""

_LOST = Reply(stop="error", failure=Failure(reason="budget", detail="no reply to this question is kept"))


@dataclass
class Heard:
    """What was asked while one item was judged again."""

    questions: dict[str, Question] = field(default_factory=dict)
    """By fingerprint, in order."""
    replies: dict[str, Reply] = field(default_factory=dict)
    """By fingerprint."""
    began: dict[str, str] = field(default_factory=dict)
    """From a follow-up's fingerprint to that of the question that it follows."""
    lost: set[str] = field(default_factory=set)
    """Fingerprints of questions to which no reply is kept."""


@dataclass(frozen=True)
class _Ask:
    """An `Ask` that looks replies up."""

    backend: Backend
    secret: bytes
    kept: Replies
    heard: Heard
    primes: bool = False

    @cached_property
    def _identity(self) -> bytes:
        return identity_digest(self.backend)

    @property
    def context_tokens(self) -> int | None:
        return self.backend.capabilities.context_tokens

    async def __call__(self, question: Question) -> Reply:
        key = self.fingerprint(question)
        reply = self.kept(key)
        self.heard.questions.setdefault(key, question)
        if question.follow_up:
            self.heard.began[key] = self.fingerprint(question.model_copy(update={"follow_up": ()}))
        if reply is None:
            self.heard.lost.add(key)
            return _LOST
        self.heard.replies[key] = reply
        return reply

    def discard(self, question: Question) -> None:
        """Nothing: what was thrown away then is still what was replied."""

    def fingerprint(self, question: Question) -> str:
        return fingerprint(question, self._identity)

    def to(self, backend: Backend) -> Self:
        return type(self)(backend, self.secret, self.kept, self.heard)


class Rehearsal:
    """A judge made again, with the replies of then."""

    def __init__(self, judge: Judge, backend: Backend, secret: bytes, kept: Replies) -> None:
        """Prepare.

        Args:
            judge: The judge.
            backend: The backend that it asked.
            secret: Keys the random boundaries of prompts.
            kept: Where replies are looked up.
        """
        self._judge, self._backend, self._secret, self._kept = judge, backend, secret, kept
        self._runner = asyncio.Runner()

    def judge(self, item: Item, rubric: Rubric) -> tuple[Sequence[Verdict], Heard]:
        """Judge an item again: its verdicts, and what was asked on the way."""
        heard = Heard()
        ready = unanswered(item, rubric, self._judge.name)
        if ready:
            return ready, heard
        ask = _Ask(self._backend, self._secret, self._kept, heard)

        async def once() -> Sequence[Verdict]:
            return await self._judge.judge(item, rubric, ask)

        return self._runner.run(once()), heard

    def close(self) -> None:
        """Close the event loop."""
        self._runner.close()


@contextmanager
def rehearsal(folder: Path, plugins: Plugins) -> Iterator[Rehearsal]:
    """The judge of the latest run in a folder, ready to judge again.

    Raises:
        InputError: The run does not say how its judge was made.
        AdjudgeError: The judge cannot be made again.
    """
    with Ledger(folder / LEDGER, reading=True) as ledger:
        found = Rehearsal(*remade(recipe_of(folder, ledger), plugins), ledger.secret, ledger.last_reply)
        try:
            yield found
        finally:
            found.close()


def recipe_of(folder: Path, ledger: Ledger) -> Recipe:
    """How the judge of the latest run was made.

    Raises:
        InputError: It is not kept: the run is of an older adjudge, keeps hashes in place of texts, or was made in
            Python of something that is no JSON value.
    """
    _, text = ledger.last_run()
    kept = json.loads(text).get("recipe")
    if kept is None:
        raise InputError(
            f"{folder}: does not keep how its judge was made (a run of an older adjudge, or with --store hashes)"
        )
    try:
        return Recipe.model_validate(kept)
    except ValidationError as error:
        raise InputError(f"{folder}: how its judge was made cannot be read; judge again") from error


def exchanges_of(heard: Heard) -> Exchanges:
    """What was asked and replied, a question's follow-ups beside it."""
    found: dict[str, tuple[Turn, ...]] = {}
    for key, question in heard.questions.items():
        began = heard.began.get(key, key)
        own = began if began in heard.questions else key
        found[own] = (*found.get(own, ()), _turn(question, heard.replies.get(key)))
    return found


def _turn(question: Question, reply: Reply | None) -> Turn:
    prompt = question.prompt
    return Turn(
        prompt=(prompt.system, prompt.input, prompt.output, prompt.ask),
        added=tuple((message.role, said(message)) for message in question.follow_up),
        reply=_words(reply),
    )


def _words(reply: Reply | None) -> str:
    if reply is None:
        return "(no reply is kept)"
    if reply.failure is not None:
        return f"({reply.failure.reason}: {reply.failure.detail})"
    return reply.text


@contextmanager
def with_exchanges(folder: Path, record: RunRecord, plugins: Plugins) -> Iterator[RunRecord]:
    """The record of a run with its prompts and replies; where they cannot be had, the provenance says why.

    Args:
        folder: Where the run lies.
        record: The run.
        plugins: Where its judge comes from.
    """
    with ExitStack() as stack:
        try:
            again = stack.enter_context(rehearsal(folder, plugins))
        except Exception as error:  # noqa: BLE001 - a judge is a plugin; the report of its verdicts must still be written
            told = {**record.provenance, "prompts and replies": f"not shown: {error}"}
            yield replace(record, provenance=told)
            return

        def heard(item: Item) -> Exchanges:
            rubric = record.rubric_of(item)
            try:
                return {} if rubric is None else exchanges_of(again.judge(item, rubric)[1])
            except Exception:  # noqa: BLE001 - a judge is a plugin; the report of its verdicts must still be written
                return {}

        yield replace(record, exchanges=heard)
