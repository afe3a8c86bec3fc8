"""Engines that do not start, die, are closed, or are left behind by their process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adjudge.errors import BackendError

pytestmark = pytest.mark.vllm

SCRIPT = """
import asyncio, os, signal, sys
from adjudge.testing.backends import question
from adjudge_vllm.plugin import build

if __name__ == "__main__":
    backend = build(sys.argv[1], max_model_len=512, max_num_seqs=8, enforce_eager=True)
    (reply,) = asyncio.run(backend.ask_many([question(labels=("no", "yes"))]))
    print(reply.model_dump_json(), flush=True)
    if sys.argv[2] == "interrupted":
        async def drain():
            task = asyncio.ensure_future(backend.ask(question(labels=("no", "maybe"))))
            await asyncio.sleep(0)
            os.killpg(0, signal.SIGINT)
            return await task
        signal.signal(signal.SIGINT, lambda *_: None)
        print(asyncio.run(drain()).model_dump_json(), flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def processes_of(group: int) -> list[int]:
    """Processes of a process group that still run."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            state, _, grp = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(grp) == group and state != "Z":
            found.append(int(folder.name))
    return found


def run(checkpoint: Path, tmp_path: Path, how: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run the script in a process group of its own; gives what it printed and the group."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "home").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "home")}
    command = [sys.executable, str(script), str(checkpoint), how]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=environment) as one:
        out, err = one.communicate(timeout=400)
        return subprocess.CompletedProcess(command, one.returncode, out, err), one.pid


def test_a_process_that_ends_leaves_nothing_behind_and_prints_nothing_of_its_own(
    checkpoint, small_machine, tmp_path
) -> None:
    done, group = run(checkpoint, tmp_path, "interrupted")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    # The second reply was in flight when Ctrl-C reached the whole group: it is drained, not lost.
    assert [reply["failure"] for reply in replies] == [None, None]
    assert done.stderr == ""
    assert done.returncode == 0
    assert processes_of(group) == []
    assert list((tmp_path / "home").glob("adjudge-vllm-*.log")) == []


def test_a_process_that_is_killed_takes_its_engine_along(checkpoint, small_machine, tmp_path) -> None:
    done, group = run(checkpoint, tmp_path, "killed")
    assert done.returncode == -signal.SIGKILL
    for _ in range(300):
        if not processes_of(group):
            break
        time.sleep(0.1)
    assert processes_of(group) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_model_len": 1 << 20}, r"max_model_len"),
        ({"kv_cache_gib": 0.005}, r"the cache does not hold one question .* smaller max_model_len"),
        ({"kv_cache_gib": 4000}, r"other programs hold too much of the memory; lower gpu_memory_utilization"),
    ],
    ids=["longer than trained", "cache too small", "more than the machine has"],
)
def test_an_engine_that_cannot_start_says_what_to_change(checkpoint, small_machine, monkeypatch, options, told) -> None:
    from adjudge_vllm.plugin import build

    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE")
    with pytest.raises(BackendError, match=told) as raised:
        build(str(checkpoint), enforce_eager=True, **{"max_model_len": 2048, **options})
    assert len(str(raised.value).splitlines()) == 1
    log = str(raised.value).partition("its log: ")[2].rstrip(")")
    Path(log).unlink()


def test_an_adapter_changes_answers_and_an_engine_that_dies_is_a_fatal_failure(
    checkpoint, small_machine, backend, tmp_path, question
) -> None:
    from adjudge_vllm.plugin import build

    write_adapter(tmp_path, checkpoint)
    tuned = build(str(checkpoint), lora=str(tmp_path), max_model_len=1024, max_num_seqs=8, enforce_eager=True)
    asked = question(labels=["Yes", "No"])

    async def both():
        return await tuned.ask(asked), await backend.ask(asked)

    with_adapter, without = asyncio.run(both())
    assert with_adapter.failure is None
    assert abs(with_adapter.logprobs["Yes"] - without.logprobs["Yes"]) > 0.5
    assert tuned.identity["lora"] != backend.identity["lora"] == ""

    for child in children_named("VLLM::EngineCore"):
        if child not in children_of(backend):
            os.kill(child, signal.SIGKILL)
    died = asyncio.run(tuned.ask(asked))
    assert died.failure is not None
    assert (died.failure.reason, died.failure.fatal, died.logprobs) == ("infra", True, None)
    tuned.close()
    tuned.close()
    closed = asyncio.run(tuned.ask(asked))
    assert closed.failure is not None
    assert "closed" in closed.failure.detail
    assert asyncio.run(backend.ask(asked)).failure is None
    tuned._engine.log.discard()


def children_of(backend) -> set[int]:
    """Processes of this backend's engine."""
    resources = backend._engine._llm.engine_core.resources
    return {process.pid for process in resources.engine_manager.processes}


def children_named(name: str) -> list[int]:
    """Processes of this one with that name."""
    found = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=True
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if name in line]


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
