"""vLLM's engine, in an event loop and a thread of its own.

So it can be asked from any event loop, one after the other, and what it does never holds up the caller's.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import multiprocessing
import signal
import threading
from collections.abc import Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Literal, TypeVar

from adjudge.errors import BackendError
from adjudge_vllm.arguments import arguments
from adjudge_vllm.models import Model
from adjudge_vllm.options import Options
from adjudge_vllm.startup import Log, quieten, settings
from adjudge_vllm.tie import tied

T = TypeVar("T")
_END_SECONDS = 20.0


class EngineError(Exception):
    """A call failed."""

    def __init__(
        self, detail: str, reason: Literal["infra", "overflow", "parse"] = "infra", *, fatal: bool = False
    ) -> None:
        super().__init__(detail)
        self.reason: Literal["infra", "overflow", "parse"] = reason
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class Output:
    """What one call gave."""

    text: str
    """What was written."""
    stop: Literal["stop", "length"]
    """Why it ended."""
    top: Mapping[int, float] = field(default_factory=dict)
    """Natural log-probabilities at the first written token, of that and of those asked for, before any constraint."""
    prompt: int = 0
    """Tokens of the prompt."""
    cached: int = 0
    """Those of them that were in the cache."""
    written: int = 0
    """Tokens written."""


class Engine:
    """One running engine. Safe to use from several threads."""

    def __init__(self, model: Model, options: Options) -> None:
        """Start it and load the model.

        Raises:
            BackendError: It does not start; the text says what to change.
        """
        self.log = Log()
        """What it prints."""
        self._numbers = itertools.count()
        self._closed = threading.Event()
        self._llm: Any = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="adjudge-vllm", daemon=True)
        self._thread.start()
        before = {process.pid for process in multiprocessing.active_children()}
        try:
            self.submit(self._start(model, options)).result()
        except Exception as error:  # noqa: BLE001 - whatever the engine raises, the user needs one line
            cause = self.log.cause(error)
            self._end_processes(before)
            self.close()
            raise BackendError(f"vllm cannot start {model.name}: {cause}{_kept(self.log)}") from None
        except BaseException:
            # Ctrl-C: the start goes on for a while in a thread that nobody waits for.
            self._closed.set()
            self.log.give_back()
            self._end_processes(before)
            self.log.discard()
            raise
        # Registered now, so that it runs before the exit functions of what was imported for the start.
        atexit.register(self.close)

    async def _start(self, model: Model, options: Options) -> None:
        with self.log.taking_output(), settings() as added, tied():
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.lora.request import LoRARequest
            from vllm.v1.engine.async_llm import AsyncLLM

            self._llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments(model, options)))
            quieten(added)
        config = self._llm.vllm_config
        self._lora = LoRARequest("judge", 1, _home(options.lora)) if options.lora else None
        self.tokenizer: Any = self._llm.get_tokenizer()
        """The model's tokenizer."""
        self.context: int = config.model_config.max_model_len
        """Tokens of prompt and reply together."""
        self.together: int = config.scheduler_config.max_num_seqs * options.data_parallel
        """Questions computed together."""
        self.dtype = str(config.model_config.dtype).removeprefix("torch.")
        """Type that it computes in."""

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine beside the engine.

        Raises:
            EngineError: The engine is closed.
        """
        if self._closed.is_set():
            work.close()
            raise EngineError("the vllm backend is closed", fatal=True)
        return asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop)

    async def _tracked(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def complete(self, tokens: Sequence[int], **parameters: Any) -> Output:
        """Evaluate a prompt and write; only within `submit`.

        Args:
            tokens: The whole prompt.
            parameters: Of vLLM's `SamplingParams`; `json_schema` constrains the reply.

        Raises:
            EngineError: It failed.
        """
        prompt = {"type": "token", "prompt_token_ids": list(tokens)}
        try:
            chosen = _sampling(parameters)
            last: Any = None
            number = str(next(self._numbers))
            async for output in self._llm.generate(prompt, chosen, number, lora_request=self._lora):
                last = output
        except Exception as error:
            raise self._told(error) from error
        if last is None or last.outputs[0].finish_reason not in ("stop", "length"):
            raise EngineError("the engine gave up on the question")
        return _output(last)

    def _told(self, error: Exception) -> EngineError:
        if getattr(self._llm, "errored", False) or type(error).__name__ == "EngineDeadError":
            return EngineError(f"the engine died: {self.log.cause(error)}{_kept(self.log)}", fatal=True)
        return EngineError(" ".join(str(error).split())[:300] or type(error).__name__)

    def close(self) -> None:
        """End the engine and its processes; may be called twice, and from any thread."""
        if self._closed.is_set():
            return
        self._closed.set()
        atexit.unregister(self.close)
        asyncio.run_coroutine_threadsafe(_cancel(self._tasks), self._loop).result()
        died = self._llm is None or bool(getattr(self._llm, "errored", False))
        if self._llm is not None:
            with self.log.taking_output(), contextlib.suppress(Exception):
                self._llm.shutdown(timeout=_END_SECONDS)
        asyncio.run_coroutine_threadsafe(_cancel(asyncio.all_tasks(self._loop)), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._llm = None
        if not died:
            self.log.discard()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed.is_set()

    def _run(self) -> None:
        # Processes that this thread starts inherit the mask: Ctrl-C reaches this process alone, which then ends them
        # after it has drained. Without it the engine would die of the first Ctrl-C, before the replies in flight. The
        # start of multiprocessing's tracker takes the mask away, so that comes first.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _end_processes(self, but: set[int | None]) -> None:
        """End what a start that failed or was interrupted has left."""
        for process in multiprocessing.active_children():
            if process.pid not in but:
                process.kill()
                process.join(_END_SECONDS)


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end, so that nobody waits for a reply that never comes."""
    chosen = [task for task in tasks if task is not asyncio.current_task()]
    for task in chosen:
        task.cancel()
    await asyncio.gather(*chosen, return_exceptions=True)


def _home(path: str) -> str:
    return str(Path(path).expanduser())


def _kept(log: Log) -> str:
    return f" (its log: {log.path})"


def _sampling(parameters: dict[str, Any]) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    schema = parameters.pop("json_schema", None)
    if schema is not None:
        parameters["structured_outputs"] = StructuredOutputsParams(json=schema, disable_any_whitespace=True)
    return SamplingParams(**parameters, output_kind=RequestOutputKind.FINAL_ONLY)


def _output(last: Any) -> Output:
    written = last.outputs[0]
    top = {token: entry.logprob for token, entry in written.logprobs[0].items()} if written.logprobs else {}
    return Output(
        text=written.text,
        stop=written.finish_reason,
        top=top,
        prompt=len(last.prompt_token_ids),
        cached=last.num_cached_tokens or 0,
        written=len(written.token_ids),
    )
