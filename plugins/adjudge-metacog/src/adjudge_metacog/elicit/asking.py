"""Asks a model and reads its reply into a value, or says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from adjudge.interfaces import Ask
from adjudge.reply_text import UnreadableError, parse_json_reply
from adjudge.submission import Message
from adjudge.values import Frozen
from adjudge.verdict import Question, Reply

T = TypeVar("T", bound=Frozen)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The model gave no answer that could be read."""

    why: str
    """In one line."""


async def asked(ask: Ask, question: Question, wanted: type[T]) -> T | Unanswered:
    """Ask; a reply that cannot be read is shown to the model once, with what is wrong with it.

    Neither reply is kept for the next run if the second cannot be read either.
    """
    reply = await ask(question)
    found = _read(reply, wanted)
    if isinstance(found, Unanswered) and reply.failure is None:
        again = question.model_copy(
            update={
                "follow_up": (
                    Message(role="assistant", content=reply.text or "(nothing)"),
                    Message(role="user", content=f"That cannot be used: {found.why}. Answer with the JSON only."),
                )
            }
        )
        found = _read(await ask(again), wanted)
        if isinstance(found, Unanswered):
            ask.discard(question)
            ask.discard(again)
    return found


def _read(reply: Reply, wanted: type[T]) -> T | Unanswered:
    if reply.failure is not None:
        return Unanswered(f"{reply.failure.reason}: {reply.failure.detail}")
    try:
        return wanted.model_validate(parse_json_reply(reply)[0])
    except UnreadableError as error:
        return Unanswered(str(error))
    except ValidationError as error:
        first = error.errors()[0]
        return Unanswered(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
