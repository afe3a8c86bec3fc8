"""Prompt tokens that the local engine evaluates per sample, by its own counters.

The aim is at most 1.15 times one copy of the evidence plus the criteria. Run it with
`python bench/local_tokens.py [--model PATH] [--samples N] [--json]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from adjudge.verdict import Prompt, Question
from adjudge_local.backend import LocalBackend
from adjudge_local.plugin import build

AIM = 1.15
SYSTEM = "You judge whether a text meets a criterion. Answer with one of the given words and nothing else."
# Synthetic: an advice text of about 330 tokens, another one for each sample.
SENTENCES = (
    "Wash your hands before you touch the dressing, and lay out what you need on a clean surface.",
    "If the wound is warm, swollen or smells, do not cover it again but call the nurse on duty.",
    "Keep number {n} of the supplies in a dry place and note the date on the wrapper.",
    "Write down what you saw and when, so that the next shift can compare.",
)
CRITERIA = (
    "The text tells the reader when to ask for help.",
    "The text names the supplies that are needed.",
    "The text warns of signs of infection.",
    "The text is free of jargon that a lay reader would not know.",
    "The text says in which order the steps are to be done.",
    "The text respects the privacy of the person who is cared for.",
    "The text asks for a record of what was observed.",
    "The text gives no advice that could do harm.",
)
LABELS = {
    "met / unmet": ("met", "unmet"),
    "1 to 5": ("1", "2", "3", "4", "5"),
    "1 to 10": tuple(map(str, range(1, 11))),
    "aligns with / does not align with": ("aligns with", "does not align with"),
}


def question(sample: int, criterion: str, labels: tuple[str, ...]) -> Question:
    """One criterion of one sample."""
    text = " ".join(sentence.format(n=sample) for sentence in SENTENCES * 4)
    prompt = Prompt(
        system=SYSTEM,
        input=f"<input>\nHow do I change dressing {sample}?\n</input>\n",
        output=f"<output>\n{text}\n</output>\n",
        ask=f"Criterion: {criterion}\nIs it so? Answer with one of: {', '.join(labels)}.",
    )
    return Question(prompt=prompt, labels=labels)


async def measure(backend: LocalBackend, labels: tuple[str, ...], first: int, samples: int) -> dict[str, float]:
    """Judge the samples on all criteria and add up what was evaluated and what had to be."""
    evaluated = needed = 0
    started = time.perf_counter()
    for sample in range(first, first + samples):
        for number, criterion in enumerate(CRITERIA):
            asked = question(sample, criterion, labels)
            usage = (await backend.ask(asked)).usage
            evaluated += usage.prompt_tokens - usage.cached_tokens
            prompt = backend._template.tokenised(asked)  # noqa: SLF001 (the bounds are nobody else's business)
            # The system turn is shared by all samples, so only the very first one may pay for it.
            evidence = prompt.bounds[-1] - (prompt.bounds[0] if sample else 0)
            needed += len(prompt.tokens) - prompt.bounds[-1] + (evidence if number == 0 else 0)
    seconds = time.perf_counter() - started
    return {
        "evaluated": evaluated / samples,
        "needed": needed / samples,
        "ratio": evaluated / needed,
        "verdicts_per_second": samples * len(CRITERIA) / seconds,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="path of a GGUF file or name of a preset")
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    backend = build(chosen.model)
    assert isinstance(backend, LocalBackend)
    rows = {}
    for place, (name, labels) in enumerate(LABELS.items()):
        rows[name] = await measure(backend, labels, place * chosen.samples, chosen.samples)
    await backend.aclose()
    if chosen.json:
        print(json.dumps({"model": backend.name, "criteria": len(CRITERIA), "aim": AIM, "rows": rows}))
        return
    print(f"{backend.name}, {len(CRITERIA)} criteria, {chosen.samples} samples per row (aim: ratio at most {AIM})")
    print(f"{'labels':<36}{'evaluated':>10}{'needed':>8}{'ratio':>7}{'verdicts/s':>12}")
    for name, row in rows.items():
        counts = f"{row['evaluated']:>10.0f}{row['needed']:>8.0f}{row['ratio']:>7.3f}"
        print(f"{name:<36}{counts}{row['verdicts_per_second']:>12.2f}")


if __name__ == "__main__":
    asyncio.run(main())
