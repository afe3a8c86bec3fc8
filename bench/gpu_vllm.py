"""Verdicts per second of the vllm backend on one device, against one criterion per call without prefix sharing.

Both ways ask the same criteria about the same synthetic submissions and read one label each. `shared` puts the evidence
first and lets the engine keep it; `apart` puts the criterion first, as most judges' prompts do, and keeps nothing.

    python bench/gpu_vllm.py --model FOLDER --shape 8b            an 8B shape, weights made up: speed needs no others
    python bench/gpu_vllm.py --model FOLDER                       a model of your own
    python bench/gpu_vllm.py --model FOLDER --cpu --n 16          smoke test on a processor

With --shape only the tokenizer of FOLDER is used; a configuration is written beside it. How to bring vLLM to a machine
without network stands in docs/plugins/vllm.md. Needs the Python of an environment that has vLLM and adjudge-vllm.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from adjudge.verdict import Prompt, Question
from adjudge_vllm.backend import VllmBackend
from adjudge_vllm.plugin import build

SYSTEM = "You judge whether a text meets a criterion. Answer with one of the given words and nothing else."
SENTENCE = (
    "Case {case}, note {n}: the dressing was changed, hands were washed before, and the next visit was agreed on."
)
CRITERION = "Criterion: note {n} was taken by the person who signed it. Answer with one of these only: Yes or No."
LABELS = ("Yes", "No")
SHAPES: dict[str, dict[str, Any]] = {
    # As published for Llama 3.1 8B.
    "8b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "rope_theta": 500000.0,
    },
    "1b": {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "rope_theta": 500000.0,
    },
}
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "tokenizer.model",
)


def shaped(model: Path, shape: str, folder: Path) -> Path:
    """A folder with a configuration of that shape and the model's tokenizer."""
    common = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    (folder / "config.json").write_text(json.dumps(common | SHAPES[shape]), encoding="utf-8")
    for name in _TOKENIZER:
        if (model / name).is_file():
            shutil.copy(model / name, folder / name)
    return folder


def questions(submissions: int, criteria: int, sentences: int, *, shared: bool) -> list[Question]:
    """Every criterion about every submission; the evidence before the criterion if shared, else after it."""
    asked = []
    for case in range(submissions):
        text = " ".join(SENTENCE.format(case=case, n=n) for n in range(sentences))
        evidence = f"<output>\n{text}\n</output>\n"
        for number in range(criteria):
            ask = CRITERION.format(n=number)
            parts = {"output": evidence, "ask": ask} if shared else {"output": f"{ask}\n", "ask": evidence}
            asked.append(Question(prompt=Prompt(system=SYSTEM, input="", **parts), labels=LABELS))
    return asked


def measure(way: str, model: Path, given: argparse.Namespace, options: dict[str, Any]) -> dict[str, Any]:
    """Start an engine, warm it up, ask everything at once."""
    shared = way == "shared"
    backend = build(str(model), prefix_caching=shared, max_model_len=4096, **options)
    assert isinstance(backend, VllmBackend)
    try:
        asyncio.run(backend.ask_many(questions(2, 2, 5, shared=shared)))
        asked = questions(given.n, given.criteria, given.sentences, shared=shared)
        begin = time.perf_counter()
        replies = asyncio.run(backend.ask_many(asked))
        wall = time.perf_counter() - begin
    finally:
        backend.close()
    failures = sorted({reply.failure.detail for reply in replies if reply.failure})
    assert not failures, failures
    prompt = sum(reply.usage.prompt_tokens for reply in replies)
    cached = sum(reply.usage.cached_tokens for reply in replies)
    return {
        "way": way,
        "verdicts": len(replies),
        "wall_s": round(wall, 2),
        "verdicts_per_s": round(len(replies) / wall, 1),
        "prompt_tokens_per_verdict": round(prompt / len(replies)),
        "cached_share": round(cached / prompt, 3),
    }


def device() -> str:
    """Name of the first GPU, or of the processor's kind."""
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return f"CPU, {os.cpu_count()} cores"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, required=True, help="folder of a checkpoint, or of a tokenizer with --shape"
    )
    parser.add_argument("--shape", choices=sorted(SHAPES), help="made-up weights of this shape")
    parser.add_argument("--n", type=int, default=200, help="submissions")
    parser.add_argument("--criteria", type=int, default=8, help="criteria per submission")
    parser.add_argument("--sentences", type=int, default=60, help="length of a submission, about 24 tokens each")
    parser.add_argument("--max-num-seqs", type=int, help="questions computed together")
    parser.add_argument("--cpu", action="store_true", help="smoke test: short texts, few criteria, no compiling")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    options: dict[str, Any] = {"max_num_seqs": given.max_num_seqs, "load_format": "dummy" if given.shape else None}
    if given.cpu:
        given.criteria, given.sentences = min(given.criteria, 4), min(given.sentences, 16)
        options |= {"enforce_eager": True, "max_num_seqs": given.max_num_seqs or 32}
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", f"0-{(os.cpu_count() or 1) - 1}")
    with tempfile.TemporaryDirectory() as folder:
        model = shaped(given.model, given.shape, Path(folder)) if given.shape else given.model
        rows = [measure(way, model, given, options) for way in ("apart", "shared")]
    gain = rows[1]["verdicts_per_s"] / rows[0]["verdicts_per_s"]
    name = f"made-up {given.shape}" if given.shape else given.model.name
    if given.json:
        print(json.dumps({"device": device(), "model": name, "rows": rows, "gain": round(gain, 2)}))
        return 0
    print(f"{device()}; {name}; {given.n} submissions, {given.criteria} criteria")
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    print(f"shared is {gain:.1f} times as fast")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
