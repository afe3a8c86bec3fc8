"""Options as vLLM names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adjudge.errors import BackendError
from adjudge_vllm.models import Model
from adjudge_vllm.options import Options

WIDE = 128
"""Log-probabilities that the engine gives for one place at once."""
_CPU_BLOCK = 32


def arguments(model: Model, options: Options) -> dict[str, Any]:
    """Arguments of vLLM's `AsyncEngineArgs`; what is None stays away, so that its defaults hold.

    Raises:
        BackendError: The adapter is unusable.
    """
    given = {
        "model": str(model.path),
        "tokenizer": options.tokenizer,
        "dtype": options.dtype,
        "quantization": options.quantization,
        "kv_cache_dtype": options.kv_cache_dtype,
        "load_format": options.load_format,
        "max_model_len": options.max_model_len,
        "gpu_memory_utilization": options.gpu_memory_utilization,
        "kv_cache_memory_bytes": None if options.kv_cache_gib is None else int(options.kv_cache_gib * 2**30),
        "tensor_parallel_size": options.tensor_parallel,
        "pipeline_parallel_size": options.pipeline_parallel,
        "data_parallel_size": options.data_parallel,
        "enable_prefix_caching": options.prefix_caching,
        "block_size": options.block_size or _block(),
        "max_num_seqs": options.max_num_seqs,
        "enforce_eager": options.enforce_eager,
        "seed": options.seed,
        "structured_outputs_config": {"backend": options.structured_outputs, "disable_any_whitespace": True},
        "max_logprobs": WIDE,
        # Sampling is the question's business; a file beside the weights must not change it.
        "generation_config": "vllm",
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
    if options.lora:
        given |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": _rank(Path(options.lora).expanduser())}
    return {name: value for name, value in given.items() if value is not None}


def _block() -> int | None:
    from vllm.platforms import current_platform

    return _CPU_BLOCK if current_platform.is_cpu() else None


_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


def _rank(folder: Path) -> int:
    """The least rank that the engine can be built for and that holds the adapter.

    Raises:
        BackendError: The adapter's file does not tell its rank, or it is too large.
    """
    path = folder / "adapter_config.json"
    try:
        rank = json.loads(path.read_text(encoding="utf-8"))["r"]
        return next(size for size in _RANKS if size >= rank)
    except (OSError, ValueError, TypeError, KeyError, StopIteration):
        raise BackendError(f"vllm: {path} does not tell a rank r up to {_RANKS[-1]}") from None
