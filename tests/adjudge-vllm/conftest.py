"""One real engine for the whole folder, where there is one; nothing here imports it anywhere else."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adjudge.verdict import Prompt, Question, Reply

if TYPE_CHECKING:
    from adjudge_vllm.backend import VllmBackend

HOME = "ADJUDGE_VLLM_ENV"
"""Set by `.ci/vllm`: the folder of the engine's environment. Where it is set, nothing may be skipped."""
EVIDENCE = "<output>\nBoil the egg for eight minutes and cool it in cold water. Thank you for asking!\n</output>\n"
SMALL = {"max_model_len": 1024, "max_num_seqs": 32, "enforce_eager": True}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    present = importlib.util.find_spec("vllm") is not None
    absent = pytest.mark.skip(reason="vllm is not installed here; .ci/vllm builds its environment and runs these")
    for item in items:
        if item.get_closest_marker("vllm") is None:
            continue
        # The engine and what it imports warn of their own affairs.
        item.add_marker(pytest.mark.filterwarnings("default"))
        if not present and HOME not in os.environ:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """The small model that `.ci/vllm` converts."""
    home = os.environ.get(HOME) or "~/.cache/adjudge/vllm-cpu"
    return Path(home).expanduser() / "models" / "SmolLM2-135M-Instruct"


@pytest.fixture(scope="session")
def small_machine() -> Iterator[None]:
    """Room for a cache of 1 GiB and both cores for the engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("VLLM_CPU_OMP_THREADS_BIND", f"0-{(os.cpu_count() or 1) - 1}")
        yield


@pytest.fixture(scope="session")
def backend(checkpoint: Path, small_machine: None) -> Iterator[VllmBackend]:
    from adjudge_vllm.backend import VllmBackend
    from adjudge_vllm.plugin import build

    built = build(str(checkpoint), **SMALL)
    assert isinstance(built, VllmBackend)
    yield built
    built.close()


@dataclass(frozen=True)
class Adapted:
    """A second engine, with an adapter, that answered once and was then killed."""

    reply: Reply
    backend: VllmBackend


@pytest.fixture(scope="session")
def adapted(
    checkpoint: Path, small_machine: None, tmp_path_factory: pytest.TempPathFactory, question: Callable[..., Question]
) -> Iterator[Adapted]:
    from adjudge_vllm.plugin import build

    folder = tmp_path_factory.mktemp("adapter")
    write_adapter(folder, checkpoint)
    before = set(multiprocessing.active_children())
    tuned: Any = build(str(checkpoint), lora=str(folder), **SMALL)
    reply = asyncio.run(tuned.ask(question(labels=["Yes", "No"])))
    for process in set(multiprocessing.active_children()) - before:
        process.kill()
    yield Adapted(reply, tuned)
    tuned.close()
    tuned._engine.log.discard()


def write_adapter(folder: Path, checkpoint: Path) -> None:
    """A random adapter of rank 8 on all value projections, strong enough to show."""
    import torch
    from safetensors.torch import save_file

    config = json.loads((checkpoint / "config.json").read_text())
    wide = config["hidden_size"]
    narrow = wide // config["num_attention_heads"] * config["num_key_value_heads"]
    torch.manual_seed(0)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        name = f"base_model.model.model.layers.{layer}.self_attn.v_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(8, wide) * 0.1
        weights[f"{name}.lora_B.weight"] = torch.randn(narrow, 8) * 0.1
    save_file(weights, str(folder / "adapter_model.safetensors"))
    about = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["v_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(about))


@pytest.fixture(scope="session")
def question() -> Callable[..., Question]:
    """`question(ask, output=…, **fields)`: short synthetic evidence, criterion last."""

    def make(ask: str = "Is the text polite?", output: str = EVIDENCE, **fields: object) -> Question:
        prompt = Prompt(system="You judge texts.", input="<input>\nHow long?\n</input>\n", output=output, ask=ask)
        return Question.model_validate({"prompt": prompt, **fields})

    return make
