"""What the plugin registers, and what it says where torch is not installed or something is wrong."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from adjudge.cli import main
from adjudge.errors import BackendError, UnknownNameError, UnsupportedError
from adjudge_steering import plugin
from adjudge_steering.options import Options
from adjudge_steering.vectors import About, Figure, Vector, Vectors
from adjudge_steering.weights import load_weights

from .conftest import pair, write_pairs


@pytest.fixture
def run(capsys):
    def _run(*arguments) -> tuple[int, str]:
        status = main(["steer", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return _run


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr("adjudge_steering.weights.is_present", lambda _: False)


def test_the_backend_says_what_it_needs():
    (spec,) = plugin.adjudge_backends()
    assert (spec.name, spec.requires) == ("steering", ("torch", "transformers"))
    assert "adjudge-steering[torch]" in spec.install


def test_registering_imports_neither_torch_nor_numpy(tmp_path):
    import subprocess

    code = (
        "import sys; from adjudge_steering import plugin; plugin.adjudge_backends(); plugin.adjudge_commands();"
        "print([n for n in ('torch', 'transformers', 'numpy', 'safetensors') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[]\n"


def test_without_torch_the_pip_line_is_told(run, without_torch, tmp_path):
    with pytest.raises(BackendError, match=r"needs torch and transformers: pip install 'adjudge-steering\[torch\]'"):
        load_weights(tmp_path)
    status, said = run("fit", "--model", tmp_path, "--out", tmp_path / "v")
    assert (status, said.count("\n"), "pip install" in said) == (2, 1, True)


def test_a_model_must_be_named():
    with pytest.raises(BackendError, match="needs a model"):
        plugin.build()


@pytest.mark.parametrize(
    ("given", "error", "what"),
    [
        ({"stength": 1}, UnknownNameError, "did you mean 'strength'"),
        ({"strength": "much"}, UnsupportedError, "strength"),
        ({"strength": 11}, UnsupportedError, "strength"),
        ({"dtype": "int8"}, UnsupportedError, "dtype"),
        ({"threads": 0}, UnsupportedError, "threads"),
    ],
)
def test_options_are_checked_before_a_model_is_loaded(given, error, what):
    with pytest.raises(error, match=what):
        plugin.build("model", **given)


def test_rules_come_as_a_list_or_separated_by_commas():
    assert Options.parse({"rules": "a,b"}).rules == Options.parse({"rules": ["a", "b"]}).rules == ("a", "b")


def test_bad_pairs_are_told_before_a_model_is_looked_for(run, tmp_path):
    few = write_pairs(tmp_path / "few.jsonl", *(pair(n) for n in range(4)))
    for arguments, what in [
        ([few], "has pairs of 4 sources"),
        ([tmp_path / "none.jsonl"], "No such file"),
        (["--rule", "name-the-rik"], "did you mean 'name-the-risk'"),
    ]:
        status, said = run("fit", *arguments, "--model", tmp_path / "none", "--out", tmp_path / "v")
        assert (status, said.count("\n"), what in said) == (2, 1, True)


def test_show_tells_what_was_measured(run, tmp_path):
    known = {"method": "means", "layer": 2, "strength": 0.3, "scale": 8.0}
    figure = Figure(value=0.125, low=0.05, high=0.2, n=11)
    vectors = (Vector(rule="warm", choice=figure, perplexity=1.04, **known), Vector(rule="calm", **known))
    about = About(model="tiny", fingerprint="a" * 64, layers=4, width=2, vectors=vectors)
    ones = np.array([1, 0], dtype=np.float32)
    Vectors(about, {"warm": ones, "calm": ones}).save(tmp_path)
    status, said = run("show", tmp_path)
    assert status == 0
    where = "means at block 2, strength 0.3"
    assert said.splitlines() == [
        "for tiny (aaaaaaaaaaaa…), 4 blocks of width 2",
        f"warm: {where}; probability of following +0.125 [+0.050, +0.200] n=11; perplexity x 1.040",
        f"calm: {where}; probability of following not measured; perplexity not measured",
    ]
    assert run("show", tmp_path / "none")[0] == 2
