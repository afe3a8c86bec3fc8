"""The backend `steering`: a model of transformers in this process that answers while it is steered."""

from __future__ import annotations

import asyncio
import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import JsonValue

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Capabilities
from adjudge.submission import Message
from adjudge.verdict import Failure, Question, Reply, Usage
from adjudge_steering.chat import Chat
from adjudge_steering.hooks import steered, watched
from adjudge_steering.labels import Tokens, label_logprobs
from adjudge_steering.options import Options
from adjudge_steering.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

T = TypeVar("T")
READ_OUT = 1
"""Version of how labels are read; part of the identity."""


class SteeringBackend:
    """Answers with a direction added to the model's hidden states."""

    def __init__(self, weights: Weights, additions: Mapping[int, Array], options: Options) -> None:
        """Take over a loaded model.

        Args:
            weights: The model.
            additions: What to add to the output of which block; nothing leaves the model as it is.
            options: Settings.
        """
        self._weights, self._options = weights, options
        self._additions = {layer: vector for layer, vector in additions.items() if vector.any()}
        self._context = min(options.context, weights.context)
        self._chat = Chat(weights.tokenizer)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="steering")
        self.capabilities = Capabilities(
            label_logprobs="raw", seed=True, hidden_states=True, local=True, context_tokens=self._context, concurrency=1
        )

    @property
    def name(self) -> str:
        """`steering:` and the model's name."""
        return f"steering:{self._weights.name}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Weights, precision, engine and what is added where: whatever changes an answer."""
        added = {str(layer): hashlib.sha256(v.tobytes()).hexdigest()[:16] for layer, v in self._additions.items()}
        return {
            "backend": "steering",
            "model": self._weights.name,
            "sha256": self._weights.fingerprint,
            "engine": f"transformers {version('transformers')}, torch {version('torch')}",
            "dtype": self._options.dtype,
            "context": self._context,
            "added": added,
            "read_out": READ_OUT,
        }

    async def ask(self, question: Question) -> Reply:
        """Answer one question; one at a time. Cancelling it stops at the next token."""
        stop = Event()
        try:
            return await self._run(lambda: self._answered(question, stop))
        except asyncio.CancelledError:
            stop.set()
            raise
        except _ClosedError:
            return Reply(stop="error", failure=Failure(reason="infra", detail="the backend steering is closed"))

    async def hidden_states(self, texts: Sequence[str], layer: int) -> list[list[float]]:
        """Mean hidden state of each text at the output of a block, steered as the answers are.

        Args:
            texts: Texts without a chat.
            layer: The block, from 0.
        """
        return await self._run(lambda: [self._state(text, layer) for text in texts])

    async def aclose(self) -> None:
        """Stop taking questions; may be called twice."""
        await asyncio.to_thread(self._worker.shutdown)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            future = self._worker.submit(work)
        except RuntimeError:
            raise _ClosedError from None
        return await asyncio.wrap_future(future)

    def _state(self, text: str, layer: int) -> list[float]:
        import torch

        tokens = [*self._chat.beginning(), *self._chat.text(text)] or [0]
        with torch.inference_mode(), self._steered(), watched(self._weights, [layer]) as seen:
            self._weights.model(input_ids=self._tensor(tokens), use_cache=False)
            return [float(x) for x in seen[layer][0].float().mean(dim=0)]

    def _steered(self) -> Any:
        return steered(self._weights, self._additions)

    def _tensor(self, tokens: Sequence[int]) -> Any:
        import torch

        return torch.tensor([list(tokens)], device=self._weights.model.device)

    def _answered(self, question: Question, stop: Event) -> Reply:
        import torch

        try:
            tokens = self._chat.prompt(_turns(question))
        except UnsupportedError as error:
            return Reply(stop="error", failure=Failure(reason="infra", detail=str(error)))
        if len(tokens) >= self._context:
            return self._too_long(tokens)
        try:
            with torch.inference_mode(), self._steered():
                if question.labels:
                    return self._labels(question, tokens)
                return self._text(question, tokens, stop)
        except RuntimeError as error:  # torch's word for out of memory and all else
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            return Reply(stop="error", failure=Failure(reason="infra", detail=detail))

    def _too_long(self, tokens: Sequence[int]) -> Reply:
        detail = f"the prompt has {len(tokens)} tokens, and prompt and reply together may have {self._context}"
        return Reply(stop="error", failure=Failure(reason="overflow", detail=detail))

    def _labels(self, question: Question, tokens: list[int]) -> Reply:
        """Read the probability of each label; nothing is sampled."""
        import torch

        model = self._weights.model
        first = model(input_ids=self._tensor(tokens), use_cache=True)

        def read(prefix: Tokens) -> Sequence[float]:
            logits = first.logits
            if prefix:  # the prompt's states are kept; what is added to them must not stay
                kept = copy.deepcopy(first.past_key_values)
                logits = model(input_ids=self._tensor(prefix), past_key_values=kept, use_cache=True).logits
            found: Sequence[float] = torch.log_softmax(logits[0, -1].float(), dim=-1).tolist()
            return found

        spellings = {label: self._spellings(label) for label in question.labels}
        logprobs = label_logprobs(spellings, read)
        return Reply(
            text=max(logprobs, key=logprobs.__getitem__),
            logprobs=logprobs,
            logprobs_are="raw",
            usage=Usage(prompt_tokens=len(tokens), completion_tokens=1),
            served_model=self._weights.name,
            sent={"read_out": "label", "labels": list(question.labels)},
        )

    def _spellings(self, label: str) -> list[Tokens]:
        """The label as the reply's first word: plain, and with a space in front."""
        return list(dict.fromkeys(tuple(self._chat.text(text)) for text in (label, f" {label}")))

    def _text(self, question: Question, tokens: list[int], stop: Event) -> Reply:
        import torch

        sampling = question.sampling
        room = self._context - len(tokens)
        most = min(sampling.max_tokens, room)
        sent: dict[str, JsonValue] = {"max_new_tokens": most, "do_sample": bool(sampling.temperature)}
        if sampling.temperature:
            wanted = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
            sent |= {name: value for name, value in wanted.items() if value is not None}
        ids = self._tensor(tokens)
        with torch.random.fork_rng():
            torch.manual_seed(question.sampling.seed or 0)
            made = self._weights.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                pad_token_id=self._padding(),
                stopping_criteria=[lambda found, *_a, **_k: _stopped(found, stop)],
                **sent,
            )[0, len(tokens) :].tolist()
        ended = bool(made) and made[-1] in self._ends()
        if not ended and most < sampling.max_tokens:
            return self._too_long(tokens)
        text = self._weights.tokenizer.decode(made, skip_special_tokens=True)
        usage = Usage(prompt_tokens=len(tokens), completion_tokens=len(made))
        if not text.strip():
            failure = Failure(reason="parse", detail="the model wrote nothing")
            return Reply(stop="error", failure=failure, usage=usage)
        sent["seed"] = question.sampling.seed
        served = self._weights.name
        return Reply(text=text, stop="stop" if ended else "length", usage=usage, sent=sent, served_model=served)

    def _ends(self) -> set[int]:
        """Tokens that end a reply."""
        given = self._weights.model.generation_config.eos_token_id
        listed = given if isinstance(given, list) else [given]
        return {int(token) for token in (*listed, self._weights.tokenizer.eos_token_id) if token is not None}

    def _padding(self) -> int:
        return next(iter(sorted(self._ends())), 0)


class _ClosedError(Exception):
    """No questions are taken any more."""


def _turns(question: Question) -> list[Message]:
    prompt = question.prompt
    system = [Message(role="system", content=prompt.system)] if prompt.system else []
    return [*system, Message(role="user", content=prompt.user), *question.follow_up]


def _stopped(found: Any, stop: Event) -> Any:
    """For each text of the batch whether it shall end."""
    import torch

    return torch.full((found.shape[0],), stop.is_set(), dtype=torch.bool, device=found.device)
