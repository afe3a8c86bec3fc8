"""One real engine for the whole folder, where there is one; nothing here imports it anywhere else."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adjudge.verdict import Prompt, Question

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


@pytest.fixture(scope="session")
def question() -> Callable[..., Question]:
    """`question(ask, output=…, **fields)`: short synthetic evidence, criterion last."""

    def make(ask: str = "Is the text polite?", output: str = EVIDENCE, **fields: object) -> Question:
        prompt = Prompt(system="You judge texts.", input="<input>\nHow long?\n</input>\n", output=output, ask=ask)
        return Question.model_validate({"prompt": prompt, **fields})

    return make
