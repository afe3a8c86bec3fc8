"""What prefix caching brings on a real vLLM: 64 questions with a long shared beginning, with it and without it.

The aim is at most half the wall time. It needs the Python of an environment that has vLLM; `.ci/vllm build` makes one:

    python bench/vllm_prefix.py --model FOLDER [--n 64] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from typing import Any

from adjudge.verdict import Prompt, Question
from adjudge_vllm.backend import VllmBackend
from adjudge_vllm.plugin import build

AIM = 2.0
# Synthetic: an advice text of about 420 tokens.
SENTENCES = (
    "Wash your hands before you touch the dressing, and lay out what you need on a clean surface.",
    "If the wound is warm, swollen or smells, do not cover it again but call the nurse on duty.",
    "Keep number {n} of the supplies in a dry place and note the date on the wrapper.",
)
LABELS = ("Yes", "No")


def questions(count: int, sentences: int) -> list[Question]:
    """Criteria of one submission, evidence first."""
    text = " ".join(SENTENCES[n % len(SENTENCES)].format(n=n) for n in range(sentences))
    shared = f"The submission to judge:\n<output>\n{text}\n</output>\n"
    asks = [
        f"Criterion: the text keeps rule {n} of the ward. Answer with one of these only: Yes or No."
        for n in range(count)
    ]
    system = "You judge whether a text meets a criterion."
    prompts = [Prompt(system=system, input="", output=shared, ask=ask) for ask in asks]
    return [Question(prompt=prompt, labels=LABELS) for prompt in prompts]


def measure(model: str, asked: list[Question], *, caching: bool) -> dict[str, Any]:
    """Start an engine, warm it up with another text, ask all questions at once."""
    begin = time.perf_counter()
    backend = build(model, prefix_caching=caching, enforce_eager=True, max_model_len=2048, max_num_seqs=32)
    assert isinstance(backend, VllmBackend)
    started = time.perf_counter()
    try:
        asyncio.run(backend.ask_many(questions(2, 4)))
        warm = time.perf_counter()
        replies = asyncio.run(backend.ask_many(asked))
        wall = time.perf_counter() - warm
    finally:
        backend.close()
    assert not any(reply.failure for reply in replies)
    return {
        "prefix_caching": caching,
        "start_s": round(started - begin, 1),
        "wall_s": round(wall, 2),
        "verdicts_per_s": round(len(asked) / wall, 1),
        "prompt_tokens": sum(reply.usage.prompt_tokens for reply in replies),
        "cached_tokens": sum(reply.usage.cached_tokens for reply in replies),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a checkpoint")
    parser.add_argument("--n", type=int, default=64, help="questions")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", f"0-{(os.cpu_count() or 1) - 1}")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    asked = questions(given.n, 21)
    rows = [measure(given.model, asked, caching=caching) for caching in (False, True)]
    gain = rows[0]["wall_s"] / rows[1]["wall_s"]
    if given.json:
        print(json.dumps({"rows": rows, "gain": round(gain, 2), "aim": AIM}))
    else:
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
        print(f"with prefix caching {gain:.1f} times as fast (aim: at least {AIM:g})")
    return 0 if given.json or gain >= AIM else 1


if __name__ == "__main__":
    raise SystemExit(main())
