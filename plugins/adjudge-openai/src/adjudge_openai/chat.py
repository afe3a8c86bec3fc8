"""Chat completions: a question as a request body, and a reply from what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson
from pydantic import JsonValue

from adjudge.verdict import Failure, Prompt, Question, Reply, Usage
from adjudge_openai.answers import label_in, label_schema, served_model, token_of, tops_of, usage_of
from adjudge_openai.failures import CallError, broken, one_line
from adjudge_openai.flavours import Flavour
from adjudge_openai.prices import Price
from adjudge_openai.taken import JSON_RUNGS, Taken, without_limits

Body = dict[str, Any]
Sent = dict[str, JsonValue]
LABEL_TOKENS = 64


class Chat:
    """The dialect of `/chat/completions`."""

    path = "/chat/completions"

    def __init__(
        self,
        model: str,
        flavour: Flavour,
        *,
        extra: Mapping[str, Any] | None = None,
        price: Price | None = None,
        priced: bool = False,
        cache_key: bool = False,
        raw: bool = False,
        thinking: int = 0,
    ) -> None:
        """Set up.

        Args:
            model: What to ask for.
            flavour: Which server.
            extra: Parameters sent with every question.
            price: What tokens cost, if known.
            priced: Whether tokens cost something, so that an unknown price is worth saying.
            cache_key: Send `prompt_cache_key`.
            thinking: Tokens to think with, on top of those for the reply.
            raw: Give the messages as ready JSON (`orjson.Fragment`), the shared part of them serialised once.
        """
        self.model, self.flavour, self.price = model, flavour, price
        self.taken = Taken(flavour.length, flavour.top)
        self._extra = dict(extra or {})
        self._priced, self._cache_key, self._raw, self._thinking = priced, cache_key, raw, thinking

    @property
    def reads_labels(self) -> bool:
        """The server reports log-probabilities, as far as is known."""
        return self.taken.top > 0

    def text(self, question: Question) -> tuple[Body, Sent]:
        """The request for free text, for JSON, or for one word without probabilities."""
        sampling = question.sampling
        schema = label_schema(question.labels) if question.labels else question.json_schema
        length = max(sampling.max_tokens, LABEL_TOKENS) if question.labels else sampling.max_tokens
        wanted = {
            self.taken.length: length + self._thinking,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k if self.flavour.top_k else None,
            "seed": sampling.seed,
        }
        body, sent = self._body(question, wanted)
        if schema is not None:
            self._ask_for_json(body, sent, schema)
        return body, sent

    def label(
        self, question: Question, place: bytes = b"", *, forced: Sequence[int] = (), named: Sequence[int] = ()
    ) -> tuple[Body, Sent]:
        """The request for the likeliest tokens at one place of the reply.

        Args:
            question: Has labels.
            place: What the reply is begun with.
            forced: What the reply is forced to instead, as numbers of tokens. A grammar of letters would not do: it
                takes the likeliest token that begins the word, for example its first letter.
            named: Numbers of the tokens to report, instead of the likeliest.
        """
        wanted: Body = {self.taken.length: max(1, len(forced)), "temperature": 0.0, "logprobs": True}
        wanted["top_logprobs"] = self.taken.top
        if forced:
            wanted["grammar"] = "root ::= " + " ".join(f"<[{token}]>" for token in forced)
        if named:
            wanted["logprob_token_ids"] = list(named)
        if place:
            wanted |= self.flavour.begun
        return self._body(question, wanted, place.decode())

    def _body(self, question: Question, wanted: Mapping[str, Any], begun: str = "") -> tuple[Body, Sent]:
        dropped = self.taken.dropped
        sent: Sent = {name: value for name, value in wanted.items() if value is not None and name not in dropped}
        if self._extra:
            sent |= self._extra
        body: Body = {"model": self.model, "messages": self._messages(question, begun), **sent}
        sent["server"] = self.flavour.name
        refused = sorted(name for name in dropped if wanted.get(name) is not None)
        if refused:
            sent["dropped"] = list[JsonValue](refused)
        if self._cache_key and "prompt_cache_key" not in dropped:
            body["prompt_cache_key"] = cache_key(question.prompt)
        return body, sent

    def _messages(self, question: Question, begun: str) -> Any:
        if self._raw and not question.follow_up and not begun:
            head, tail = _shared_json(question.prompt.system, question.prompt.shared), orjson.dumps(question.prompt.ask)
            return orjson.Fragment(b"".join((head, tail[1:], b"}]")))
        turns = messages_of(question)
        return [*turns, {"role": "assistant", "content": begun}] if begun else turns

    def _ask_for_json(self, body: Body, sent: Sent, schema: Mapping[str, Any]) -> None:
        rung = JSON_RUNGS[self.taken.rung]
        sent["json"] = rung
        if rung == "json_object":
            body["response_format"] = {"type": "json_object"}
        elif rung != "prompt":
            whole = schema if rung == "json_schema" else without_limits(schema)
            form = {"name": "reply", "strict": True, "schema": whole}
            body["response_format"] = {"type": "json_schema", "json_schema": form}

    def read(self, question: Question, payload: Mapping[str, Any], sent: Sent) -> Reply:
        """The reply to `text`.

        Raises:
            CallError: There is no answer in it.
        """
        usage = self.usage(payload)
        choice = self._choice(payload, usage)
        text = choice["message"].get("content")
        stop = "length" if choice.get("finish_reason") == "length" else "stop"
        if not text:
            detail = "the model wrote nothing" + (" before its token limit" if stop == "length" else "")
            raise CallError(Failure(reason="parse", detail=detail), usage)
        if not isinstance(text, str):
            raise broken(f"{self.path}: the content of the reply is no text")
        return Reply(
            text=label_in(text) if question.labels else text,
            stop=stop,
            usage=usage,
            served_model=served_model(payload),
            sent=self.stamped(sent, usage),
        )

    def tops(self, payload: Mapping[str, Any]) -> list[tuple[bytes, dict[bytes, float]]]:
        """Reply to `label`: for each token written its bytes and what could have stood there; empty if not reported.

        Raises:
            CallError: There is no answer in it.
        """
        choice = self._choice(payload, Usage())  # who asks counts the tokens
        entries = (choice.get("logprobs") or {}).get("content") or ()
        return [(token_of(entry), tops_of(entry)) for entry in entries]

    def usage(self, payload: Mapping[str, Any]) -> Usage:
        """What the request cost; zeros where the server does not say."""
        usage = payload.get("usage") or {}
        details, timings = usage.get("prompt_tokens_details") or {}, payload.get("timings") or {}
        cached = details.get("cached_tokens") or timings.get("cache_n")
        return usage_of(
            usage.get("prompt_tokens"), cached, usage.get("completion_tokens"), self.price, usage.get("cost")
        )

    def stamped(self, sent: Sent, usage: Usage) -> Sent:
        """The record of what was sent, with a note if the cost is not known."""
        return {**sent, "price": "unknown"} if self._priced and self.price is None and not usage.cost else sent

    def _choice(self, payload: Mapping[str, Any], usage: Usage) -> Mapping[str, Any]:
        choices = payload.get("choices")
        if not choices or not isinstance(choices[0].get("message"), dict):
            raise broken(f"{self.path}: a reply without choices")
        choice: Mapping[str, Any] = choices[0]
        refusal = choice["message"].get("refusal")
        if refusal or choice.get("finish_reason") == "content_filter":
            said = f": {refusal}" if refusal else " by a content filter"
            raise CallError(Failure(reason="refusal", detail=one_line(f"refused{said}")), usage)
        return choice


def messages_of(question: Question) -> list[dict[str, str]]:
    """The turns of a question: system, evidence with the criterion last, and what follows up on a reply."""
    prompt = question.prompt
    turns = [{"role": "system", "content": prompt.system}] if prompt.system else []
    turns.append({"role": "user", "content": prompt.user})
    return turns + [{"role": turn.role, "content": turn.content} for turn in question.follow_up]


@lru_cache(maxsize=256)
def _shared_json(system: str, shared: str) -> bytes:
    """What all criteria of a submission share of the messages, as JSON that breaks off inside the user's text."""
    turns: Sequence[bytes] = [b'{"role":"system","content":', orjson.dumps(system), b"},"] if system else ()
    return b"".join((b"[", *turns, b'{"role":"user","content":', orjson.dumps(shared)[:-1]))


def cache_key(prompt: Prompt) -> str:
    """The same for all criteria of a submission, so that they are sent to one cache."""
    return sha256(b"\x00".join((prompt.system.encode(), prompt.shared.encode()))).hexdigest()[:32]
