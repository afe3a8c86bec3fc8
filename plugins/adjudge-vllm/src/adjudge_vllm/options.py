"""What can be set on the vllm backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from adjudge.options import refuse_unknown, validated

Count = Annotated[int, Field(ge=1, le=1 << 20)]
Word = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of the engine; None leaves vLLM's own default.

    Numbers and flags may come as text, as they do from a command line.
    """

    max_model_len: Count | None = None
    """Tokens of prompt and reply together; what the model was trained for if None."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the device's memory for weights and cache; on the CPU build, of the machine's memory."""
    kv_cache_gib: Annotated[float, Field(gt=0, le=1 << 20)] | None = None
    """Memory for the cache of prompts, in GiB, in place of what `gpu_memory_utilization` leaves for it."""
    tensor_parallel: Count = 1
    """Devices that share one copy of the model."""
    pipeline_parallel: Count = 1
    """Groups of devices that each hold some of the layers."""
    data_parallel: Count = 1
    """Copies of the model, each with questions of its own."""
    dtype: Literal["auto", "half", "float16", "bfloat16", "float", "float32"] = "auto"
    """Type of weights and activations."""
    quantization: Word | None = None
    """Kind of quantisation, where the checkpoint does not say it itself."""
    kv_cache_dtype: Word | None = None
    """Type of the cache, for example `fp8`."""
    load_format: Word | None = None
    """How weights are read; `dummy` makes them up, to measure speed."""
    tokenizer: str | None = None
    """Folder of the tokenizer, where the model has none of its own (GGUF)."""
    lora: str | None = None
    """Folder of a LoRA adapter that all questions go through."""
    preset: str | None = None
    """Prompt format of a preset for a model that is given by path."""
    prefix_caching: bool = True
    """Keep what was computed for a prompt's beginning; off only to measure what it brings."""
    block_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Tokens per block of the cache: a prefix is kept in whole blocks. 32 on the CPU build, where vLLM's is 128."""
    max_num_seqs: Count | None = None
    """Questions computed together."""
    enforce_eager: bool = False
    """Start faster, without compiled graphs."""
    structured_outputs: Literal["xgrammar", "guidance", "outlines"] = "xgrammar"
    """What keeps a JSON reply to its schema."""
    seed: int = 0
    """Of the engine; a question's own seed comes with the question."""
    download: bool = False
    """Fetch a model that is not on this machine; `ADJUDGE_DOWNLOAD=1` does the same."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Options:
        """Check options as they come from a command line or a file.

        Raises:
            UnknownNameError: There is no such option.
            UnsupportedError: One has a value that it cannot take.
        """
        refuse_unknown("option of the backend vllm", given, [field.name for field in fields(cls)])
        asked = os.environ.get("ADJUDGE_DOWNLOAD") or "false"
        options: Options = validated("vllm", cls, {"download": asked, **given})
        return options
