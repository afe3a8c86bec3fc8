"""Registration and options, where vllm is not installed too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adjudge.errors import BackendError, UnknownNameError, UnsupportedError
from adjudge.interfaces import BackendSpec
from adjudge.plugins import build_backend, load_plugins
from adjudge_vllm.options import Options
from adjudge_vllm.plugin import adjudge_backends, build


def test_the_hook_offers_one_backend_with_what_it_needs() -> None:
    (spec,) = adjudge_backends()
    assert isinstance(spec, BackendSpec)
    assert (spec.name, spec.requires) == ("vllm", ("vllm",))
    assert spec.install == "pip install 'adjudge-vllm[vllm]'"
    assert (Path(str(spec.cards)) / "README.md").is_file()


def test_registering_imports_neither_the_engine_nor_torch() -> None:
    code = "import sys, adjudge_vllm.plugin as p; p.adjudge_backends(); print({'vllm', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_without_vllm_the_backend_says_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge.plugins.is_present", lambda name: name != "vllm")
    with pytest.raises(BackendError, match=r"needs vllm: pip install 'adjudge-vllm\[vllm\]'"):
        build_backend(load_plugins(), "vllm:somewhere")


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'tensor_parallel'"):
        build("x", tensor_paralel=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_model_len", 0),
        ("max_model_len", "many"),
        ("max_model_len", 1.5),
        ("gpu_memory_utilization", 0),
        ("gpu_memory_utilization", 1.2),
        ("gpu_memory_utilization", "nan"),
        ("kv_cache_gib", -1),
        ("tensor_parallel", 0),
        ("data_parallel", -1),
        ("dtype", "int3"),
        ("quantization", ""),
        ("quantization", "two words"),
        ("structured_outputs", "none"),
        ("prefix_caching", "perhaps"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(UnsupportedError, match=f"vllm: {name}="):
        Options.parse({name: value})


def test_numbers_and_flags_may_come_as_text() -> None:
    given = {"max_model_len": "2048", "gpu_memory_utilization": "0.8", "prefix_caching": "false", "download": "yes"}
    assert Options.parse(given) == Options(
        max_model_len=2048, gpu_memory_utilization=0.8, prefix_caching=False, download=True
    )


def test_download_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADJUDGE_DOWNLOAD", raising=False)
    assert not Options.parse({}).download
    monkeypatch.setenv("ADJUDGE_DOWNLOAD", "1")
    assert Options.parse({}).download
    assert not Options.parse({"download": "false"}).download
