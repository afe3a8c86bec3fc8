"""The responses API: a question as a request body, and a reply from what came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adjudge.verdict import Failure, Question, Reply, Usage
from adjudge_openai.answers import label_in, label_schema, served_model, usage_of
from adjudge_openai.chat import LABEL_TOKENS, Body, Sent, cache_key, messages_of
from adjudge_openai.failures import CallError, broken, one_line
from adjudge_openai.prices import Price
from adjudge_openai.taken import JSON_RUNGS, Taken, without_limits


class Responses:
    """The dialect of `/responses`; nothing is stored on the other side."""

    path = "/responses"

    def __init__(
        self, model: str, *, extra: Mapping[str, Any] | None = None, price: Price | None = None, thinking: int = 0
    ) -> None:
        """Set up; arguments as for `Chat`."""
        self.model, self.price = model, price
        self.taken = Taken("max_output_tokens", 0)
        self._extra = dict(extra or {})
        self._thinking = thinking

    def text(self, question: Question) -> tuple[Body, Sent]:
        """The request for free text, for JSON, or for one word without probabilities."""
        sampling = question.sampling
        length = max(sampling.max_tokens, LABEL_TOKENS) if question.labels else sampling.max_tokens
        wanted = {
            "max_output_tokens": length + self._thinking,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "store": False,
        }
        dropped = self.taken.dropped
        sent: Sent = {name: value for name, value in wanted.items() if value is not None and name not in dropped}
        sent |= self._extra
        body: Body = {"model": self.model, "input": messages_of(question), **sent}
        refused = sorted(name for name in dropped if wanted.get(name) is not None)
        if refused:
            sent["dropped"] = [*refused]
        if "prompt_cache_key" not in dropped:
            body["prompt_cache_key"] = cache_key(question.prompt)
        schema = label_schema(question.labels) if question.labels else question.json_schema
        if schema is not None:
            self._ask_for_json(body, sent, schema)
        return body, sent

    def _ask_for_json(self, body: Body, sent: Sent, schema: Mapping[str, Any]) -> None:
        rung = JSON_RUNGS[self.taken.rung]
        sent["json"] = rung
        if rung == "json_object":
            body["text"] = {"format": {"type": "json_object"}}
        elif rung != "prompt":
            whole = schema if rung == "json_schema" else without_limits(schema)
            body["text"] = {"format": {"type": "json_schema", "name": "reply", "strict": True, "schema": whole}}

    def read(self, question: Question, payload: Mapping[str, Any], sent: Sent) -> Reply:
        """The reply to `text`.

        Raises:
            CallError: There is no answer in it.
        """
        usage = self.usage(payload)
        cut = self._cut(payload, usage)
        text = _written(payload["output"], usage)
        if not text:
            detail = "the model wrote nothing" + (" before its token limit" if cut else "")
            raise CallError(Failure(reason="parse", detail=detail), usage)
        return Reply(
            text=label_in(text) if question.labels else text,
            stop="length" if cut else "stop",
            usage=usage,
            served_model=served_model(payload),
            sent={**sent, "price": "unknown"} if self.price is None else sent,
        )

    def _cut(self, payload: Mapping[str, Any], usage: Usage) -> bool:
        """Whether the reply ran into its token limit; other ways not to be complete are failures."""
        status = payload.get("status", "completed")
        if status == "completed":
            return False
        why = str((payload.get("incomplete_details") or {}).get("reason") or "")
        if status == "incomplete" and why == "max_output_tokens":
            return True
        if why == "content_filter":
            raise CallError(Failure(reason="refusal", detail="refused by a content filter"), usage)
        said = (payload.get("error") or {}).get("code") or why or "no reason given"
        raise CallError(
            Failure(reason="infra", detail=one_line(f"{self.path}: {status}: {said}"), retryable=True), usage
        )

    def usage(self, payload: Mapping[str, Any]) -> Usage:
        """What the request cost."""
        usage = payload.get("usage") or {}
        cached = (usage.get("input_tokens_details") or {}).get("cached_tokens")
        return usage_of(usage.get("input_tokens"), cached, usage.get("output_tokens"), self.price)


def _written(output: Any, usage: Usage) -> str:
    """The text of the messages among the output's items; a refusal is a failure."""
    if not isinstance(output, list) or not output:
        raise broken("/responses: a reply without output")
    parts = [part for item in output if item.get("type") == "message" for part in item["content"]]
    for part in parts:
        if part.get("type") == "refusal":
            raise CallError(Failure(reason="refusal", detail=one_line(f"refused: {part.get('refusal')}")), usage)
    return "".join(part["text"] for part in parts if part.get("type") == "output_text")
