"""A judge model on this machine that answers at once and is always right: chat completions, responses, messages.

    python bench/mock_server.py [--latency-ms 50] [--too-many 0.05] [--broken 0.02] …

Prints its port and serves until it is ended. It reads from a prompt of `overhead.py` which sample and which criteria
are asked about and answers with `truth`, so that every score can be checked. Latency and faults are drawn from (seed,
sample, criteria, attempt) and so meet every client alike, in whatever order it asks. `GET /stats` tells what came in,
`POST /reset` begins anew.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from mock_truth import MET, UNMET, draw, truth

SAMPLE = re.compile(r"Case (\d+):")
CRITERION = re.compile(r"names measure (\d+),")
BLOCK = 64
"""Characters: 16 tokens at four characters each, what a prefix cache usually keeps as one."""
FAULTS = ("too_many", "broken", "malformed", "hanging", "cut")
LONGEST_LIFE = 3600.0
"""Seconds; no server is left behind by a bench that was killed."""
_SORRY = "I would rather talk about the weather."

Key = tuple[int, tuple[int, ...]]
"""A sample and the criteria asked about."""


@dataclass
class Count:
    """What came in since the last reset."""

    requests: int = 0
    characters: int = 0
    shared: int = 0
    """Characters of prompts, in whole blocks, that an earlier prompt began with."""
    in_flight: int = 0
    peak: int = 0
    warm: int = 0
    """First attempts at a sample's later questions that came after the first reply about it had begun."""
    cold: int = 0
    """Those that came before."""
    faults: Counter[str] = field(default_factory=Counter)
    answered: Counter[Key] = field(default_factory=Counter)
    attempts: Counter[Key] = field(default_factory=Counter)
    begun: set[int] = field(default_factory=set)
    """Samples of which a reply has begun."""
    seen: set[int] = field(default_factory=set)
    """Samples of which anything was asked."""
    blocks: set[int] = field(default_factory=set)

    def arrived(self, prompt: str, key: Key) -> int:
        """Count a request.

        Returns:
            Characters of it that a prefix cache would have served.
        """
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        shared = self._prefix(prompt)
        self.characters += len(prompt)
        self.shared += shared
        if not self.attempts[key] and key[0] in self.seen:
            self.warm += key[0] in self.begun
            self.cold += key[0] not in self.begun
        self.seen.add(key[0])
        self.attempts[key] += 1
        return shared

    def _prefix(self, text: str) -> int:
        state, known = 0, 0
        for start in range(0, len(text) - BLOCK + 1, BLOCK):
            state = hash((state, text[start : start + BLOCK]))
            if state in self.blocks and known == start:
                known = start + BLOCK
            self.blocks.add(state)
        return known

    def report(self) -> dict[str, Any]:
        """The counts as JSON."""
        samples = max(1, len(self.seen))
        return {
            "requests": self.requests,
            "answered": sum(self.answered.values()),
            "answered_again": sum(count - 1 for count in self.answered.values()),
            "peak": self.peak,
            "in_flight": self.in_flight,
            "samples": len(self.seen),
            "tokens_per_sample": self.characters / 4 / samples,
            "uncached_per_sample": (self.characters - self.shared) / 4 / samples,
            "shared_share": self.shared / max(1, self.characters),
            "warm": self.warm,
            "cold": self.cold,
            "faults": dict(self.faults),
        }


def texts_of(body: Mapping[str, Any]) -> str:
    """All that the model would read."""
    parts: list[Any] = [body.get("system"), body.get("instructions")]
    turns = body.get("messages") or body.get("input") or ()
    parts += [turn["content"] for turn in turns]
    return "".join(_text(part) for part in parts if part)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def schema_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema that the reply must follow, wherever the protocol puts it."""
    form = body.get("response_format") or body.get("text", {}).get("format")
    form = form or body.get("output_config", {}).get("format") or {}
    schema = form.get("json_schema", form).get("schema")
    if schema is None and body.get("tools"):
        schema = body["tools"][0]["input_schema"]
    return schema if isinstance(schema, Mapping) else None


def answer(schema: Mapping[str, Any] | None, sample: int, criteria: Sequence[int]) -> Any:
    """What the model says: a word, or JSON for one criterion or for several."""
    if schema is None:
        return truth(sample, criteria[0] if criteria else 0)
    names = list(schema["properties"])
    if "level" in names:
        return _entry(names, sample, criteria[0])
    pairs = zip(names, criteria, strict=True)
    return {name: _entry(list(schema["properties"][name]["properties"]), sample, one) for name, one in pairs}


def _entry(names: Sequence[str], sample: int, criterion: int) -> dict[str, str]:
    level = truth(sample, criterion)
    return {name: level if name == "level" else "Compared with the criterion." for name in names}


def likeliest(word: str, sample: int, criterion: int, top: int) -> list[dict[str, Any]]:
    """The first token with what could have stood there: the two levels hold nearly all."""
    sure = -0.05 - 0.2 * draw("sure", sample, criterion)
    other = UNMET if word == MET else MET
    tokens = [(word, sure), (other, -3.0), *((f"alt{place}", -8.0 - place) for place in range(max(0, top - 2)))]
    entries: list[dict[str, Any]] = [
        {"token": token, "logprob": value, "bytes": list(token.encode())} for token, value in tokens
    ]
    return [{**entries[0], "top_logprobs": entries}]


def spoilt(said: str, which: float) -> str:
    """What a model says that got out of step: cut JSON, nothing, prose."""
    if which < 1 / 3:
        return said[: max(1, len(said) // 2)]
    return "" if which < 2 / 3 else _SORRY


class Mock:
    """The server."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.count = options, Count()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        if request.path == "/stats":
            return _json(self.count.report())
        if request.path == "/reset":
            self.count = Count()
            return _json({})
        if request.method == "GET":
            return _json({"object": "list", "data": [{"id": "mock", "object": "model", "owned_by": "bench"}]})
        body = orjson.loads(await request.read())
        prompt, count = texts_of(body), self.count
        found = SAMPLE.search(prompt)
        key: Key = (int(found[1]) if found else -1, tuple(dict.fromkeys(map(int, CRITERION.findall(prompt)))))
        shared = count.arrived(prompt, key)
        try:
            return await self._serve(request, body, key, (len(prompt) // 4, shared // 4))
        finally:
            count.in_flight -= 1

    async def _serve(
        self, request: web.BaseRequest, body: Mapping[str, Any], key: Key, tokens: tuple[int, int]
    ) -> web.StreamResponse:
        seed, count = self.options.seed, self.count
        drawn = (*key, count.attempts[key])
        spread = 1 + self.options.jitter * (2 * draw(seed, "latency", *drawn) - 1)
        await asyncio.sleep(self.options.latency_ms * spread / 1000)
        fault = self._fault(draw(seed, "fault", *drawn))
        count.faults[fault] += bool(fault)
        if fault == "hanging":
            await asyncio.sleep(self.options.hang_seconds)
        if fault in ("too_many", "broken", "hanging"):
            return _refusal(429 if fault == "too_many" else 500)
        payload = _payload(request.path, body, key, tokens, draw(seed, "how", *drawn) if fault == "malformed" else None)
        count.begun.add(key[0])
        if fault == "cut":
            return await _cut(request, orjson.dumps(payload))
        count.answered[key] += fault != "malformed"
        return _json(payload)

    def _fault(self, drawn: float) -> str:
        for name in FAULTS:
            drawn -= getattr(self.options, name)
            if drawn < 0:
                return name
        return ""


def _payload(
    path: str, body: Mapping[str, Any], key: Key, tokens: tuple[int, int], malformed: float | None
) -> dict[str, Any]:
    """The reply in the protocol's form."""
    said = answer(schema_of(body), *key)
    text = said if isinstance(said, str) else orjson.dumps(said).decode()
    text = text if malformed is None else spoilt(text, malformed)
    prompt, cached = tokens
    written = max(1, len(text) // 4)
    if path.endswith("/messages"):
        usage = {"input_tokens": prompt - cached, "cache_read_input_tokens": cached, "output_tokens": written}
        content = [{"type": "text", "text": text}]
        return _common(body, "msg-1", type="message", role="assistant", content=content, usage=usage) | {
            "stop_reason": "end_turn",
            "stop_sequence": None,
        }
    if path.endswith("/responses"):
        usage = {"input_tokens": prompt, "output_tokens": written, "total_tokens": prompt + written}
        part = {"type": "output_text", "text": text, "annotations": []}
        output = [{"id": "m-1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}]
        details = {"input_tokens_details": {"cached_tokens": cached}, "output_tokens_details": {"reasoning_tokens": 0}}
        return _common(body, "r-1", object="response", status="completed", output=output, usage=usage | details)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    if body.get("logprobs"):
        content = (
            likeliest(text, key[0], key[1][0] if key[1] else 0, body.get("top_logprobs", 0))
            if malformed is None
            else []
        )
        choice["logprobs"] = {"content": content, "refusal": None}
    usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    usage["prompt_tokens_details"] = {"cached_tokens": cached}  # type: ignore[assignment] # the protocol nests it
    return _common(body, "c-1", object="chat.completion", created=1_700_000_000, choices=[choice], usage=usage)


def _common(body: Mapping[str, Any], name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "model": body.get("model"), **fields}


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _refusal(status: int) -> web.Response:
    error = {"error": {"message": "busy" if status == 429 else "out of order", "type": "server_error"}}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.Response(status=status, body=orjson.dumps(error), content_type="application/json", headers=headers)


async def _cut(request: web.BaseRequest, data: bytes) -> web.StreamResponse:
    """Promise all of it, send half and hang up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def parser() -> argparse.ArgumentParser:
    """The options, of which the faults are shares of all requests."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--latency-ms", type=float, default=50.0)
    made.add_argument("--jitter", type=float, default=0.3, help="the latency varies by this share of it")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--hang-seconds", type=float, default=60.0)
    for name in FAULTS:
        made.add_argument(f"--{name.replace('_', '-')}", type=float, default=0.0)
    return made


async def serve(options: argparse.Namespace) -> None:
    """Serve on a free port of this machine until ended, or for an hour if its parent was lost."""
    runner = web.ServerRunner(web.Server(Mock(options), access_log=None, handler_cancellation=True))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.sleep(LONGEST_LIFE)


if __name__ == "__main__":
    asyncio.run(serve(parser().parse_args()))
