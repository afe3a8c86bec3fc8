"""The calls of the engine that answer one question, and the order in which many questions are handed to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.verdict import Question, Usage
from adjudge_vllm.arguments import WIDE
from adjudge_vllm.engine import Engine, Output
from adjudge_vllm.labels import Tokens


@dataclass(slots=True)
class Session:
    """The calls that answer one question, and their cost by the engine's counts."""

    engine: Engine
    longest: int = 0
    evaluated: int = 0
    written: int = 0

    async def complete(self, tokens: Tokens, **parameters: Any) -> Output:
        """One call of the engine, counted."""
        found = await self.engine.complete(tokens, **parameters)
        self.longest = max(self.longest, found.prompt)
        self.evaluated += found.prompt - found.cached
        self.written += found.written
        return found

    async def next_tokens(self, place: Tokens, wanted: frozenset[int]) -> dict[int, float]:
        """Log-probabilities of the wanted tokens after these, unconstrained."""
        ordered = sorted(wanted)
        groups = [ordered[start : start + WIDE] for start in range(0, len(ordered), WIDE)]
        found = await asyncio.gather(
            *(
                self.complete(place, max_tokens=1, temperature=0.0, detokenize=False, logprob_token_ids=group)
                for group in groups
            )
        )
        return {token: value for output in found for token, value in output.top.items() if token in wanted}

    @property
    def usage(self) -> Usage:
        """Cached is what the prompt has beyond what was evaluated for it, all calls taken together."""
        total = max(self.longest, self.evaluated)
        return Usage(prompt_tokens=total, cached_tokens=total - self.evaluated, completion_tokens=self.written)


def by_beginning(questions: Sequence[Question]) -> list[int]:
    """Places of the questions with those of one submission side by side, and submissions of one input too."""
    inputs: dict[tuple[str, str], int] = {}
    outputs: dict[tuple[str, str, str], int] = {}
    keys = []
    for place, question in enumerate(questions):
        prompt = question.prompt
        first = inputs.setdefault((prompt.system, prompt.input), place)
        keys.append((first, outputs.setdefault((prompt.system, prompt.input, prompt.output), place), place))
    return [place for *_, place in sorted(keys)]
