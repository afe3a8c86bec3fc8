"""Why an engine did not start, and where its output goes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from adjudge_vllm.startup import SETTINGS, Log, settings

START = RuntimeError("Engine core initialization failed. See root cause above.")


@pytest.fixture
def log():
    made = Log()
    yield made
    made.discard()


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "lower gpu_memory_utilization"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "lower gpu_memory_utilization"),
        ("ValueError: No available memory for the cache blocks. Try", "raise gpu_memory_utilization"),
        ("ValueError: To serve at least one request, (1.2 GiB KV cache is needed, which is", "smaller max_model_len"),
        ("ValueError: Free memory on device cuda:0 (1/80 GiB) on startup is less than desired", "or end them"),
        (
            "ValueError: first\nValueError: Unknown quantization method: x\n",
            "ValueError: Unknown quantization method: x",
        ),
        ("", "See root cause above"),
    ],
)
def test_the_cause_is_one_line_that_says_what_to_change(log, printed, told) -> None:
    log.path.write_text(printed)
    cause = log.cause(START)
    assert told in cause
    assert len(cause.splitlines()) == 1


def test_output_of_the_process_and_its_children_goes_to_the_log(log, capfd) -> None:
    with log.taking_output():
        os.write(1, b"from here\n")
        subprocess.run([sys.executable, "-c", "import sys; print('from a child', file=sys.stderr)"], check=True)
    os.write(1, b"after\n")
    assert log.path.read_text() == "from here\nfrom a child\n"
    assert capfd.readouterr().out == "after\n"


def test_output_can_be_given_back_early_and_twice(log, capfd) -> None:
    with log.taking_output():
        log.give_back()
        log.give_back()
        os.write(1, b"already back\n")
    os.write(1, b"still\n")
    assert capfd.readouterr().out == "already back\nstill\n"


def test_what_the_user_has_set_stays_and_nothing_is_left_behind(monkeypatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with settings() as added:
        assert os.environ["HF_HUB_OFFLINE"] == "0"
        assert os.environ["VLLM_NO_USAGE_STATS"] == "1"
        assert set(added) == SETTINGS.keys() - {"HF_HUB_OFFLINE"}
    assert not SETTINGS.keys() & os.environ.keys() - {"HF_HUB_OFFLINE"}


def test_a_log_may_be_discarded_twice(log) -> None:
    log.discard()
    log.discard()
    assert not log.path.exists()
