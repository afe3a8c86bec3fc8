"""One question to one endpoint: stepping down to what the server takes, labels by a walk, every failure typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Protocol

from adjudge.verdict import Failure, Prompt, Question, Reply, Usage
from adjudge_openai.answers import served_model
from adjudge_openai.chat import Body, Chat, Sent
from adjudge_openai.failures import CallError, Received, broken, error_text, failure_of, parsed
from adjudge_openai.labels import Place, Tops, label_logprobs
from adjudge_openai.responses import Responses
from adjudge_openai.taken import is_about_form

Dialect = Chat | Responses
Make = Callable[[], tuple[Body, Sent]]
_SHORT = Question(prompt=Prompt(system="", input="", output="", ask="Say yes or no."), labels=("yes", "no"))
NO_LOGPROBS = "this server reports no log-probabilities; use --read-out reasoned"
_MOST_STEPS = 10


class Send(Protocol):
    """How a request gets to the server."""

    async def __call__(self, path: str, body: Body) -> Received:
        """Send it once.

        Raises:
            CallError: No answer came.
        """


class Tokenize(Protocol):
    """The server's own tokenizer, where it can be reached."""

    async def __call__(self, text: bytes) -> Sequence[int]:
        """Numbers of the tokens of a text; empty if they cannot be had."""


async def answer(question: Question, dialect: Dialect, send: Send, tokenize: Tokenize | None = None) -> Reply:
    """Ask once; a failure is a reply that holds it."""
    try:
        if question.labels and isinstance(dialect, Chat) and dialect.reads_labels:
            return await _label(question, dialect, send, tokenize)
        payload, sent = await _exchange(dialect, send, lambda: dialect.text(question))
        return dialect.read(question, payload, sent)
    except CallError as error:
        return error.reply()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # A reply of another shape than the protocol's; its text may hold anything, so only the kind of fault is told.
        return broken(f"{dialect.path}: a reply of unexpected shape ({type(error).__name__})").reply()


async def find_labels(dialect: Dialect, send: Send) -> None:
    """Find out with one short question whether the server reports log-probabilities, unless that is known."""
    if not isinstance(dialect, Chat) or dialect.flavour.reports or dialect.taken.reported:
        return
    reader = LabelReader(_SHORT, dialect, send, None)
    with suppress(CallError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        await reader.run()  # what it learns is kept in `taken`; any other fault is met again at the first question


async def _exchange(dialect: Dialect, send: Send, make: Make) -> tuple[Mapping[str, Any], Sent]:
    """Send a request; where the server refuses its form, send it in the next simpler one that it may take."""
    for _ in range(_MOST_STEPS):
        body, sent = make()
        received = await send(dialect.path, body)
        if received.status == HTTPStatus.OK:
            return parsed(received, dialect.path), sent
        failure, said = failure_of(received, dialect.path), error_text(received.body)
        formal = failure.reason == "infra" and is_about_form(received.status, said)
        if not formal or not dialect.taken.step_down(body, sent, received.status, said):
            break
    raise CallError(failure)


async def _label(question: Question, chat: Chat, send: Send, tokenize: Tokenize | None) -> Reply:
    reader = LabelReader(question, chat, send, tokenize)
    try:
        return await reader.run()
    except CallError as error:
        raise CallError(error.failure, reader.usage + error.usage) from None


class LabelReader:
    """Reads the probability of each label; remembers what that cost."""

    def __init__(self, question: Question, chat: Chat, send: Send, tokenize: Tokenize | None) -> None:
        self.usage = Usage()
        """Of all requests so far."""
        self._question, self._chat, self._send, self._tokenize = question, chat, send, tokenize
        self._forces = chat.flavour.continuation == "forced"
        self._sent: Sent = {}
        self._served = ""
        self._requests = 0

    async def run(self) -> Reply:
        """Read.

        Raises:
            CallError: The server reports nothing, or a call failed.
        """
        names = self._chat.flavour.names
        logprobs = await label_logprobs(self._question.labels, self._read, forces=self._forces, names=names)
        sent = self._chat.stamped({**self._sent, "requests": self._requests}, self.usage)
        return Reply(
            text=max(logprobs, key=logprobs.__getitem__, default=""),
            logprobs=logprobs,
            logprobs_are="raw",
            usage=self.usage,
            served_model=self._served,
            sent=sent,
        )

    async def _read(self, place: Place, target: bytes) -> Mapping[Place, Tops]:
        if self._forces:
            return await self._forced(target)
        if target and not place:
            return await self._named(target)
        whole = place.decode("utf-8", "ignore").encode() == place  # half a character cannot be sent
        if place and (self._chat.flavour.continuation == "none" or not whole):
            return {}
        return _placed(place, await self._tops(lambda: self._form(place=place)))

    async def _named(self, target: bytes) -> Mapping[Place, Tops]:
        tokens = await self._tokenize(target) if self._tokenize else ()
        if not tokens:
            return {}
        try:
            return _placed(b"", await self._tops(lambda: self._form(named=tokens[:1])))
        except CallError as error:
            if error.failure.retryable:
                raise
            return {}  # an older server that knows no such parameter: the label stays unknown

    async def _forced(self, target: bytes) -> Mapping[Place, Tops]:
        tokens = await self._tokenize(target) if target and self._tokenize else ()
        if target and not tokens:
            return {}
        try:
            return _placed(b"", await self._tops(lambda: self._form(forced=tokens)))
        except CallError as error:
            if not tokens or "grammar" not in error.failure.detail:
                raise
            # Known to happen where a token is part of a character, and with servers that know no grammars of tokens.
            detail = f"this server cannot force the label {target.decode().strip()!r}; use --read-out reasoned"
            raise CallError(Failure(reason="infra", detail=detail)) from None

    async def _tops(self, make: Make) -> list[tuple[bytes, dict[bytes, float]]]:
        payload, sent = await _exchange(self._chat, self._send, make)
        self._sent = self._sent or sent
        self._requests += 1
        self.usage += self._chat.usage(payload)
        self._served = served_model(payload)
        tops = self._chat.tops(payload)
        if not tops and self._chat.taken.reported:
            raise broken(f"{self._chat.path}: a reply without log-probabilities")  # this once, so not for good
        if not tops:
            self._chat.taken.top = 0
            raise CallError(Failure(reason="infra", detail=NO_LOGPROBS, fatal=True))
        self._chat.taken.reported = True
        return tops

    def _form(self, place: Place = b"", **tokens: Sequence[int]) -> tuple[Body, Sent]:
        if not self._chat.reads_labels:
            raise CallError(Failure(reason="infra", detail=NO_LOGPROBS, fatal=True))
        return self._chat.label(self._question, place, **tokens)


def _placed(start: Place, tokens: list[tuple[bytes, dict[bytes, float]]]) -> dict[Place, Tops]:
    """The reported tokens by the place at which they stand."""
    places: dict[Place, Tops] = {}
    for written, tops in tokens:
        places[start] = tops
        start += written
    return places
