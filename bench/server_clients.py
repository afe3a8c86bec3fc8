"""Clients of `mock_server.py`: adjudge, and beside it the barest that can do the same requests. Called by `servers.py`.

    python bench/server_clients.py compare|judge '{"url": …, "backend": …, …}'

Each prints one JSON line. Everything runs on asyncio's own event loop, on both sides.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import mock_truth
from overhead import CRITERIA, Clock, rubric, samples

MODEL = "mock"
IN_FLIGHT = 64
TIMEOUT = 2.0
LEVELS = {mock_truth.MET: "met", mock_truth.UNMET: "unmet"}
KEY = "bench-key-of-nobody"
Asked = tuple[str, str, str]
"""System text, what the criteria of a sample share of the user's turn, the criterion."""
Settings = Mapping[str, Any]


def judge_of(settings: Settings, ledger: str | Path) -> Any:
    """The judge under test; imports what it needs, and no more, since start-up is measured too."""
    from adjudge.api import make_judge

    kind = settings["backend"]
    os.environ |= {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    base = settings["url"] if kind == "anthropic" else f"{settings['url']}/v1"
    more = {"api": "responses"} if settings.get("api") == "responses" else {}
    options: dict[str, Any] = {}
    if settings["read_out"] == "reasoned" and settings["judge"] == "isolated":
        from adjudge.readout import build_read_out

        options["read_out"] = build_read_out("reasoned", order="level-only", max_tokens=40)
    given = {"base_url": base, "timeout": settings.get("timeout", 120.0), "concurrency": IN_FLIGHT, **more}
    named = f"{kind}:{MODEL}"
    return make_judge(rubric(), backend=named, judge=settings["judge"], ledger=ledger, backend_options=given, **options)


def checked(results: Sequence[Any]) -> dict[str, Any]:
    """Right, lost and wrong samples against the truth, and a digest of all that was judged."""
    outcome = {"right": 0, "lost": 0, "wrong": 0}
    told = hashlib.sha256()
    for result in results:
        number = int(result.submission.removeprefix("sample-"))
        pairs = [(v, LEVELS[mock_truth.truth(number, place + 1)]) for place, v in enumerate(result.verdicts)]
        wrong = len(pairs) != CRITERIA or any(v.level not in (None, level) for v, level in pairs)
        lost = result.score.value is None or any(v.level is None for v, _ in pairs)
        outcome["wrong" if wrong else "lost" if lost else "right"] += 1
        said = [result.score.value, [(v.criterion, v.level, v.distribution) for v in result.verdicts]]
        told.update(json.dumps(said).encode())
    return {**outcome, "digest": told.hexdigest()}


async def judge(settings: Settings) -> dict[str, Any]:
    """One run of adjudge over the samples: what it cost and what came out."""
    items = samples(settings["n"])
    with tempfile.TemporaryDirectory() as folder:
        ledger = settings.get("ledger") or str(Path(folder) / "ledger.sqlite")
        bound = judge_of(settings, ledger)
        if hasattr(bound.backend, "prepare"):
            await bound.backend.prepare()
        ready = time.process_time()
        clock = Clock()
        results = await bound.many(items, lambda *_: clock.tick())
        spent = clock.milliseconds
        tally = bound.engine.tally
        await bound.aclose()
    return {
        **checked(results),
        "ready_s": ready,
        "ms": spent / (len(items) * CRITERIA),
        "loop_ms": fmean(clock.loops),
        "asked": tally.asked,
        "served": tally.served,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def rendered(settings: Settings) -> list[tuple[Asked, Any]]:
    """The prompts that adjudge sends, with the schema of the reply, for the bare client to send the same."""
    from adjudge.verdict import Failure, Question, Reply

    bound = judge_of(settings, ":memory:")
    caught: list[tuple[Asked, Any]] = []

    async def ask(question: Question) -> Reply:
        prompt = question.prompt
        caught.append(((prompt.system, prompt.shared, prompt.ask), question.json_schema))
        return Reply(stop="error", failure=Failure(reason="budget", detail="not asked"))

    bound.engine._sender.backend.ask = ask  # noqa: SLF001 - catches what would be sent
    await bound.many(samples(settings["n"]))
    await bound.aclose()
    return caught


Call = Callable[[Asked, Any], Awaitable[str]]


def aiohttp_call(settings: Settings) -> tuple[Call, Callable[[], Awaitable[None]]]:
    """aiohttp and orjson, nothing else."""
    import aiohttp
    import orjson

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=IN_FLIGHT), headers={"Content-Type": "application/json"}
    )
    url = f"{settings['url']}/v1/chat/completions"

    async def call(asked: Asked, schema: Any) -> str:
        body = chat_body(asked, schema)
        async with session.post(url, data=orjson.dumps(body)) as response:
            choice = orjson.loads(await response.read())["choices"][0]
        if schema is not None:
            said: str = choice["message"]["content"]
            orjson.loads(said)
            return said
        tops = {top["token"]: top["logprob"] for top in choice["logprobs"]["content"][0]["top_logprobs"]}
        return max(LEVELS, key=tops.__getitem__)

    return call, session.close


def chat_body(asked: Asked, schema: Any) -> dict[str, Any]:
    """A request to chat completions."""
    system, shared, ask = asked
    turns = [{"role": "system", "content": system}, {"role": "user", "content": shared + ask}]
    body: dict[str, Any] = {"model": MODEL, "messages": turns, "temperature": 0.0}
    if schema is None:
        return {**body, "max_tokens": 1, "logprobs": True, "top_logprobs": 20}
    form = {"name": "reply", "strict": True, "schema": schema}
    return {**body, "max_tokens": 40, "response_format": {"type": "json_schema", "json_schema": form}}


def openai_call(settings: Settings) -> tuple[Call, Callable[[], Awaitable[None]]]:
    """The official SDK, used as its documentation shows."""
    import openai

    client: Any = openai.AsyncOpenAI(base_url=f"{settings['url']}/v1", api_key=KEY, max_retries=0)

    async def call(asked: Asked, schema: Any) -> str:
        if settings.get("api") == "responses":
            body = chat_body(asked, schema)
            form = {"type": "json_schema", **body["response_format"]["json_schema"]}
            done = await client.responses.create(
                model=MODEL, input=body["messages"], text={"format": form}, temperature=0.0, max_output_tokens=64
            )
            return str(done.output_text)
        reply = await client.chat.completions.create(**chat_body(asked, schema))
        choice = reply.choices[0]
        if schema is not None:
            return str(choice.message.content)
        tops = {top.token: top.logprob for top in choice.logprobs.content[0].top_logprobs}
        return max(LEVELS, key=tops.__getitem__)

    return call, client.close


def anthropic_call(settings: Settings) -> tuple[Call, Callable[[], Awaitable[None]]]:
    """The official SDK, with a cache breakpoint after what the criteria share."""
    import anthropic

    client = anthropic.AsyncAnthropic(base_url=settings["url"], api_key=KEY, max_retries=0)

    async def call(asked: Asked, schema: Any) -> str:
        system, shared, ask = asked
        blocks: list[Any] = [
            {"type": "text", "text": shared, "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": ask},
        ]
        done = await client.messages.create(
            model=MODEL,
            max_tokens=64,
            system=system,
            messages=[{"role": "user", "content": blocks}],
            output_config={"format": {"type": "json_schema", "schema": schema}},
        )
        return "".join(block.text for block in done.content if block.type == "text")

    return call, client.close


BARE = {"openai-compatible": aiohttp_call, "openai": openai_call, "anthropic": anthropic_call}


async def bare_ms(settings: Settings, questions: Sequence[tuple[Asked, Any]]) -> float:
    """CPU milliseconds per verdict of the bare client, as many in flight as adjudge may have."""
    call, close = BARE[settings["backend"]](settings)
    queue, said = iter(questions), []

    async def worker() -> None:
        for asked, schema in queue:
            said.append(await call(asked, schema))

    begin = time.process_time()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    spent = time.process_time() - begin
    await close()
    assert len(said) == len(questions)
    assert all(said)
    return 1000 * spent / (int(settings["n"]) * CRITERIA)


async def adjudge_ms(settings: Settings) -> float:
    """CPU milliseconds per verdict of adjudge, with a ledger on disk."""
    items = samples(settings["n"])
    with tempfile.TemporaryDirectory() as folder:
        bound = judge_of(settings, Path(folder) / "ledger.sqlite")
        if hasattr(bound.backend, "prepare"):
            await bound.backend.prepare()
        begin = time.process_time()
        results: Sequence[Any] = await bound.many(items)
        spent = time.process_time() - begin
        await bound.aclose()
    assert checked(results)["right"] == len(items), checked(results)
    return 1000 * spent / (len(results) * CRITERIA)


async def compare(settings: Settings) -> dict[str, Any]:
    """Both, in alternating rounds in one process after a warming-up that does not count."""
    few = {**settings, "n": 8}
    await bare_ms(few, await rendered(few))
    await adjudge_ms(few)
    questions = await rendered(settings)
    found: dict[str, list[float]] = {"bare": [], "adjudge": []}
    for _ in range(settings["rounds"]):
        gc.collect()
        found["bare"].append(await bare_ms(settings, questions))
        gc.collect()
        found["adjudge"].append(await adjudge_ms(settings))
    return found


def main() -> None:
    """Do one task."""
    task, settings = {"compare": compare, "judge": judge}[sys.argv[1]], json.loads(sys.argv[2])
    if settings.get("profile"):
        import cProfile
        import pstats

        with cProfile.Profile() as profile:
            found = asyncio.run(task(settings))
        pstats.Stats(profile, stream=sys.stderr).sort_stats(settings["profile"]).print_stats(60)
    else:
        found = asyncio.run(task(settings))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
