"""The served way: `vllm serve` on the loopback interface, driven by the backend `openai-compatible`."""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adjudge.testing import BackendContract
from adjudge.verdict import Sampling

pytestmark = pytest.mark.vllm

FLAGS = (
    "--dtype=bfloat16 --enforce-eager --max-model-len=1024 --block-size=32 --max-num-seqs=32 --served-model-name=small"
)
STRUCTURED = '{"backend":"xgrammar","disable_any_whitespace":true}'
SCHEMA = {
    "type": "object",
    "properties": {"level": {"type": "string", "enum": ["unmet", "met"]}},
    "required": ["level"],
    "additionalProperties": False,
}


class Server:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def healthy(self) -> bool:
        try:
            return self._call("/health", None) is not None
        except (OSError, urllib.error.URLError):
            return False

    def ask(self, content: str, **parameters: Any) -> dict[str, Any]:
        """One chat completion; gives its only choice."""
        body = {"model": "small", "messages": [{"role": "user", "content": content}], "temperature": 0, **parameters}
        choice: dict[str, Any] = json.loads(self._call("/v1/chat/completions", body))["choices"][0]
        return choice

    def tokens(self, text: str) -> list[int]:
        body = {"model": "small", "prompt": text, "add_special_tokens": False}
        found: list[int] = json.loads(self._call("/tokenize", body))["tokens"]
        return found

    def _call(self, path: str, body: dict[str, Any] | None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as response:
            return bytes(response.read())


@pytest.fixture(scope="module")
def server(checkpoint: Path, small_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from adjudge_vllm.startup import SETTINGS

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(checkpoint), "--host=127.0.0.1"]
    command += [f"--port={port}", f"--structured-outputs-config={STRUCTURED}", *FLAGS.split()]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **SETTINGS})
    running = Server(port)
    try:
        end = time.monotonic() + 400
        while not running.healthy():
            assert process.poll() is None, f"the server ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < end, "the server did not start in 400 s"
            time.sleep(1)
        yield running
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def make(server: Server) -> Any:
    """Makes the backend `openai-compatible` for that server."""
    from adjudge_openai import plugin

    options = {"base_url": f"{server.url}/v1", "key_env": "", "context_tokens": 1024}
    return lambda **more: plugin.build_compatible("small", **options, **more)


def asked(make: Any, question: Any) -> Any:
    async def work() -> Any:
        backend = make()
        try:
            return await backend.ask(question)
        finally:
            await backend.aclose()

    return asyncio.run(work())


class TestServedVllm(BackendContract):
    @pytest.fixture(autouse=True)
    def _server(self, make: Any) -> None:
        self.make = make

    def make_backend(self) -> Any:
        return self.make()

    def make_failing_backend(self) -> Any:
        return self.make(timeout=0.001)


def test_the_server_is_recognised_and_labels_are_those_of_the_engine_in_the_process(make, question, backend) -> None:
    labels = question("Is it polite?", labels=["Yes", "No", "not at all"])
    served, direct = asked(make, labels), asyncio.run(backend.ask(labels))
    assert served.failure is None, served.failure
    assert served.logprobs_are == "raw"
    for label in served.logprobs:
        assert served.logprobs[label] == pytest.approx(direct.logprobs[label], abs=0.5), label


def test_json_replies_follow_their_schema(make, question) -> None:
    reply = asked(make, question(json_schema=SCHEMA, sampling=Sampling(max_tokens=40)))
    assert reply.failure is None, reply.failure
    assert json.loads(reply.text)["level"] in ("unmet", "met")


def test_logprob_token_ids_are_raw_and_of_the_tokens_asked_for(server) -> None:
    ids = [server.tokens(word)[0] for word in ("yes", "no", "zebra")]  # of the last one its beginning
    choice = server.ask("Is snow white?", max_tokens=1, logprobs=True, logprob_token_ids=ids)
    rows = choice["logprobs"]["content"][0]["top_logprobs"]
    found = {row["token"]: row["logprob"] for row in rows}
    assert {"yes", "no", "ze"} <= found.keys()
    assert len(found) <= 4
    assert math.fsum(math.exp(value) for value in found.values()) < 1


def test_choice_is_masked_so_the_labels_hold_everything(server) -> None:
    choice = server.ask(
        "Is snow white?", max_tokens=2, logprobs=True, top_logprobs=5, structured_outputs={"choice": ["zebra", "yak"]}
    )
    assert choice["message"]["content"] in ("zebra", "yak")
    first = choice["logprobs"]["content"][0]["top_logprobs"]
    assert math.fsum(math.exp(row["logprob"]) for row in first) == pytest.approx(1, abs=1e-3)


def test_the_old_name_of_a_constraint_is_ignored_in_silence(server) -> None:
    # Why replies are always checked: no error tells that the constraint was not applied.
    choice = server.ask("What is 2 + 2? Answer with a number.", max_tokens=4, guided_choice=["zebra", "yak"])
    assert choice["message"]["content"] not in ("zebra", "yak")
