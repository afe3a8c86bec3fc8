"""What is measured of a model, steered or not: states, choice probabilities, perplexity."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adjudge.errors import InputError
from adjudge.submission import Message
from adjudge_steering.chat import Chat
from adjudge_steering.hooks import watched
from adjudge_steering.pairs import Pair
from adjudge_steering.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

BATCH = 12
"""Texts that go through the model at once."""


@dataclass(frozen=True, slots=True)
class Text:
    """Tokens, and where the part begins that is measured."""

    tokens: tuple[int, ...]
    start: int


def replies(weights: Weights, pairs: Sequence[Pair]) -> tuple[list[Text], list[Text]]:
    """The replies of pairs after their inputs, as a chat: those that follow the rule, those that break it."""
    chat = Chat(weights.tokenizer)
    follows: list[Text] = []
    breaks: list[Text] = []
    for pair in pairs:
        prompt = chat.prompt([Message(role="user", content=pair.input)])
        for found, reply in ((follows, pair.follows), (breaks, pair.breaks)):
            found.append(_fitting(weights, Text((*prompt, *chat.text(reply.strip())), len(prompt)), pair.id))
    return follows, breaks


def plain(weights: Weights, texts: Sequence[str]) -> list[Text]:
    """Texts without a chat, for perplexity; the first token is given."""
    chat = Chat(weights.tokenizer)
    beginning = chat.beginning()
    return [
        _fitting(weights, Text((*beginning, *chat.text(text)), max(1, len(beginning))), text[:30]) for text in texts
    ]


def _fitting(weights: Weights, text: Text, name: str) -> Text:
    if len(text.tokens) > weights.context:
        raise InputError(f"{name!r} has {len(text.tokens)} tokens, {weights.name} takes {weights.context}; shorten it")
    if text.start >= len(text.tokens):
        raise InputError(f"{name!r} has no tokens to measure")
    return text


def states(weights: Weights, texts: Sequence[Text], layers: Sequence[int]) -> dict[int, Array]:
    """Mean hidden state over the measured part of each text, at the output of each block: (texts, width) by block."""
    import numpy as np

    found: dict[int, list[Any]] = {layer: [] for layer in layers}
    with watched(weights, layers) as seen:
        for batch, _ in _passes(weights, texts):
            for layer in layers:
                for row, text in enumerate(batch):
                    part = seen[layer][row, text.start : len(text.tokens)]
                    found[layer].append(part.float().mean(dim=0).cpu().numpy())
    return {layer: np.stack(rows) for layer, rows in found.items()}


def log_likelihoods(weights: Weights, texts: Sequence[Text]) -> list[tuple[float, int]]:
    """For each text the log-probability (natural) of its measured tokens given all before them, and their number."""
    import torch

    found = []
    for batch, logits in _passes(weights, texts):
        for row, text in enumerate(batch):
            end = len(text.tokens)
            wanted = torch.tensor(text.tokens[text.start : end], device=logits.device)
            rows = torch.log_softmax(logits[row, text.start - 1 : end - 1].float(), dim=-1)
            total = rows.gather(1, wanted[:, None]).sum().item()
            found.append((total, end - text.start))
    return found


def choices(weights: Weights, follows: Sequence[Text], breaks: Sequence[Text]) -> list[float]:
    """Probability that of two replies the one that follows the rule is chosen, for each pair.

    Each reply counts by its mean log-probability per token, so that the shorter one has no advantage; the two are then
    normed to sum to 1.
    """
    both = log_likelihoods(weights, [*follows, *breaks])
    means = [total / count for total, count in both]
    half = len(follows)
    return [1 / (1 + math.exp(other - own)) for own, other in zip(means[:half], means[half:], strict=True)]


def perplexity(weights: Weights, texts: Sequence[Text]) -> float:
    """Exponential of the mean negative log-probability per token, over all texts together."""
    both = log_likelihoods(weights, texts)
    return math.exp(-math.fsum(total for total, _ in both) / sum(count for _, count in both))


def _passes(weights: Weights, texts: Sequence[Text]) -> Iterator[tuple[Sequence[Text], Any]]:
    """Batches of texts in their order, each with its logits: (texts, positions, vocabulary); padded on the right."""
    import torch

    for begin in range(0, len(texts), BATCH):
        batch = texts[begin : begin + BATCH]
        longest = max(len(text.tokens) for text in batch)
        # What pads is hidden by the mask and stands behind everything that is read: any token will do.
        ids = torch.tensor([[*text.tokens, *[text.tokens[0]] * (longest - len(text.tokens))] for text in batch])
        mask = torch.tensor([[1] * len(text.tokens) + [0] * (longest - len(text.tokens)) for text in batch])
        device = weights.model.device
        with torch.inference_mode():
            yield batch, weights.model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits
