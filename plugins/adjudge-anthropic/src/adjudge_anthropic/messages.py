"""The messages API: a question as a request body, and a reply from what came back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from adjudge.verdict import Failure, Prompt, Question, Reply, Usage
from adjudge_anthropic.failures import CallError, broken, one_line
from adjudge_anthropic.options import Options
from adjudge_anthropic.prices import Price

PATH = "/v1/messages"
RUNGS = ("output schema", "forced tool", "prompt")
"""How JSON is asked for, from the strictest way."""
LONG = 4096
"""Characters from which the input gets a breakpoint of its own: about what the service keeps at least."""
_SAMPLING = ("temperature", "top_p", "top_k")
_TOOL = "reply"
_LABEL_TOKENS = 64
_HOUR_FACTOR = 1.6
_UNSUPPORTED = {"maxLength", "minLength", "maxItems", "minItems", "pattern", "minimum", "maximum", "multipleOf"}

Body = dict[str, Any]
Sent = dict[str, JsonValue]


class Messages:
    """The dialect of `/v1/messages`, and what was learnt of what the service takes."""

    def __init__(self, model: str, options: Options, accepted: Sequence[str], price: Price | None) -> None:
        """Set up.

        Args:
            model: What to ask for.
            options: Settings.
            accepted: Parameters that the installed SDK knows; one that it has dropped is not sent.
            price: What tokens cost, if known.
        """
        self._model, self._options, self._price = model, options, price
        self._dropped = {name for name in _SAMPLING if name not in accepted}
        first = ("schema", "tool", "prompt").index(options.json)
        self._rung = first if "output_config" in accepted else max(first, 1)

    def body(self, question: Question) -> tuple[Body, Sent]:
        """The request."""
        sampling, options = question.sampling, self._options
        wanted = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
        room = max(sampling.max_tokens, _LABEL_TOKENS) if question.labels else sampling.max_tokens
        sent: Sent = {name: value for name, value in wanted.items() if value is not None and name not in self._dropped}
        sent["max_tokens"] = room + (0 if options.thinking == "disabled" else options.thinking_tokens)
        if options.thinking:
            sent["thinking"] = {"type": options.thinking}
        if options.effort:
            sent["output_config"] = {"effort": options.effort}
        sent |= options.extra
        body: Body = {"model": self._model, "messages": self._turns(question), **sent}
        if question.prompt.system:
            body["system"] = question.prompt.system
        refused = sorted(name for name in self._dropped if wanted.get(name) is not None)
        if refused:
            sent["dropped"] = list[JsonValue](refused)
        schema = _label_schema(question.labels) if question.labels else question.json_schema
        if schema is not None:
            self._ask_for_json(body, sent, schema)
        return body, sent

    def _turns(self, question: Question) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = [{"role": "user", "content": self._blocks(question.prompt)}]
        return turns + [{"role": turn.role, "content": turn.content} for turn in question.follow_up]

    def _blocks(self, prompt: Prompt) -> list[dict[str, Any]]:
        """The user's turn: what all candidates share, what all criteria share, the criterion."""
        parts = ((prompt.input, len(prompt.input) >= LONG), (prompt.output, True), (prompt.ask, False))
        blocks = []
        for text, breakpoint_after in parts:
            if text.strip():  # the service refuses an empty block
                mark = self._mark() if breakpoint_after else {}
                blocks.append({"type": "text", "text": text, **mark})
        return blocks

    def _mark(self) -> dict[str, Any]:
        if self._options.cache == "off":
            return {}
        kept = {"ttl": "1h"} if self._options.cache == "1h" else {}
        return {"cache_control": {"type": "ephemeral", **kept}}

    def _ask_for_json(self, body: Body, sent: Sent, schema: Mapping[str, Any]) -> None:
        rung = RUNGS[self._rung]
        sent["json"] = rung
        if rung == "output schema":
            form = {"type": "json_schema", "schema": without_limits(schema)}
            body["output_config"] = {**body.get("output_config", {}), "format": form}
        elif rung == "forced tool":
            body["tools"] = [{"name": _TOOL, "description": "Give the reply.", "input_schema": schema}]
            body["tool_choice"] = {"type": "tool", "name": _TOOL}

    def step_down(self, body: Mapping[str, Any], sent: Sent, said: str) -> bool:
        """Learn from a refusal; True if the same question is worth another try in another form."""
        said = said.lower()
        refused = [name for name in _SAMPLING if name in body and name in said]
        self._dropped.update(refused)
        if refused:
            return True
        way = sent.get("json")
        about = ("output_config", "schema", "format", "tool", "structured")
        if way not in RUNGS[:-1] or not any(word in said for word in about):
            return False
        # Of many questions in flight each may come here; all of them together make one step.
        self._rung = max(self._rung, RUNGS.index(str(way)) + 1)
        return True

    def read(self, question: Question, payload: Mapping[str, Any], sent: Sent) -> Reply:
        """The reply.

        Raises:
            CallError: There is no answer in it.
        """
        usage, stop = self.usage(payload), payload.get("stop_reason")
        _refuse_failed(stop, payload, usage)
        text = _text(payload["content"])
        if not text:
            why = " before its token limit" if stop == "max_tokens" else ""
            raise CallError(Failure(reason="parse", detail=f"the model wrote nothing{why}"), usage)
        served = payload.get("model")
        return Reply(
            text=_label_in(text) if question.labels else text,
            stop="length" if stop == "max_tokens" else "stop",
            usage=usage,
            served_model=served if isinstance(served, str) else "",
            sent={**sent, "price": "unknown"} if self._price is None else sent,
        )

    def usage(self, payload: Mapping[str, Any]) -> Usage:
        """Tokens and cost; what is read from and written to the cache counts to the prompt."""
        usage = payload.get("usage") or {}
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
        fresh, read, written, out = (_count(usage.get(name)) for name in names)
        counted = Usage(prompt_tokens=fresh + read + written, cached_tokens=read, completion_tokens=out)
        if self._price is None:
            return counted
        factor = _HOUR_FACTOR if self._options.cache == "1h" else 1.0
        return counted.model_copy(update={"cost": self._price.cost(counted, written, factor)})


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _refuse_failed(stop: object, payload: Mapping[str, Any], usage: Usage) -> None:
    """Ways to stop that leave no answer, even if something was written."""
    if stop == "refusal":
        details = payload.get("stop_details") or {}
        said = details.get("explanation") or details.get("category") or ""
        raise CallError(Failure(reason="refusal", detail=one_line(f"refused: {said}".rstrip(": "))), usage)
    if stop == "model_context_window_exceeded":
        raise CallError(Failure(reason="overflow", detail="the reply ran into the end of the context"), usage)
    if stop == "pause_turn":
        raise CallError(Failure(reason="infra", detail="the service paused the turn", retryable=True), usage)


def _text(content: Any) -> str:
    """The text of a reply, or the arguments of the tool as JSON; thinking is left out."""
    if not isinstance(content, list):
        raise broken(f"{PATH}: a reply without content")
    for block in content:
        if block.get("type") == "tool_use":
            return json.dumps(block["input"], ensure_ascii=False)
    return "".join(block["text"] for block in content if block.get("type") == "text")


def _label_schema(labels: Sequence[str]) -> dict[str, Any]:
    level = {"type": "string", "enum": list(labels)}
    return {"type": "object", "properties": {"level": level}, "required": ["level"], "additionalProperties": False}


def _label_in(text: str) -> str:
    """The word in a reply of that schema; the reply itself if it is none."""
    try:
        level = json.loads(text)["level"]
    except (ValueError, KeyError, TypeError):
        return text
    return level if isinstance(level, str) else text


def without_limits(schema: Any) -> Any:
    """A schema without the keywords that the service refuses; the reply is checked against the whole one later."""
    if isinstance(schema, list):
        return [without_limits(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # A property may be called as a keyword is (`pattern`, `format`); then it is a schema and not a keyword's value.
    kept = ((name, value) for name, value in schema.items() if name not in _UNSUPPORTED or isinstance(value, dict))
    return {name: without_limits(value) for name, value in kept}
