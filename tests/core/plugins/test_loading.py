"""A broken plugin is named with its reason, and the others go on working."""

from __future__ import annotations

import pytest

from adjudge.cli import main
from adjudge.errors import BackendError, PluginError, UnknownNameError, UnsupportedError
from adjudge.plugins import Plugins, build_backend, load_plugins, lookup

GOOD = """
@hookimpl
def adjudge_backends():
    return [BackendSpec(name="good", summary="works", build=lambda model=None: model)]
"""
JUDGE = """
@hookimpl
def adjudge_judges():
    return [JudgeSpec(name="twin", summary="one of two", build=dict)]
"""
BROKEN = {
    "raises at import": ("raise RuntimeError('out of\\norder')\n", "RuntimeError: out of order"),
    "leaves at import": ("raise SystemExit(3)\n", "SystemExit: 3"),
    "lacks a dependency": ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
    "is no Python": ("def (:\n", "SyntaxError"),
    "misspells a hook": (
        "@hookimpl\ndef adjudge_backend():\n    return []\n",
        "no hook named 'adjudge_backend'; did you mean 'adjudge_backends'?",
    ),
    "forgets the mark": ("def adjudge_backends():\n    return []\n", "adjudge_backends is not marked as a hook"),
    "adds an argument": ("@hookimpl\ndef adjudge_tasks(config):\n    return []\n", "PluginValidationError"),
    "raises in a hook": (
        "@hookimpl\ndef adjudge_judges():\n    raise ValueError('no\\nway')\n",
        "adjudge_judges: ValueError: no way",
    ),
    "leaves in a hook": ("@hookimpl\ndef adjudge_tasks():\n    raise SystemExit\n", "adjudge_tasks: SystemExit"),
    "returns nothing": ("@hookimpl\ndef adjudge_tasks():\n    pass\n", "returns a NoneType; a list of TaskSpec"),
    "returns one bare spec": (
        "@hookimpl\ndef adjudge_judges():\n    return JudgeSpec(name='j', summary='', build=dict)\n",
        "returns a JudgeSpec; a list of JudgeSpec is wanted",
    ),
    "returns another spec": (
        "@hookimpl\ndef adjudge_backends():\n    return [JudgeSpec(name='j', summary='', build=dict)]\n",
        "adjudge_backends: PluginError: gives a JudgeSpec; a BackendSpec is wanted",
    ),
    "returns text for a folder": (
        "@hookimpl\ndef adjudge_rubric_packs():\n    return ['packs']\n",
        "gives a str; a Traversable is wanted",
    ),
    "returns no click command": ("@hookimpl\ndef adjudge_commands():\n    return [print]\n", "a Command is wanted"),
}


@pytest.mark.parametrize("code", [code for code, _ in BROKEN.values()], ids=list(BROKEN))
def test_the_others_still_work_beside_a_broken_plugin(install, code) -> None:
    install("adjudge-broken", code)
    install("adjudge-good", GOOD)
    plugins = load_plugins()
    assert "good" in plugins.backends
    assert {"isolated", "joint", "compare"} <= plugins.judges.keys()
    assert plugins.packs.ids() is not None
    assert "adjudge-good" not in plugins.failures


@pytest.mark.parametrize(("code", "reason"), BROKEN.values(), ids=list(BROKEN))
def test_check_names_the_broken_plugin_and_the_reason_in_one_line(install, capsys, code, reason) -> None:
    install("adjudge-broken", code, entry="broken")
    install("adjudge-good", GOOD)
    assert main(["plugins", "--check"]) == 1
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("broken ")]
    assert "BROKEN: " in line
    assert reason in line
    assert "adjudge-good 1.2            ok: backends" in out


def test_check_lists_hooks_and_ends_well_if_all_is_well(install, capsys) -> None:
    install("adjudge-good", GOOD + JUDGE, entry="good")
    assert main(["plugins", "--check"]) == 0
    assert "good           adjudge-good 1.2            ok: backends, judges" in capsys.readouterr().out


def test_two_plugins_with_one_spec_name_are_refused_and_both_named(install, capsys) -> None:
    install("adjudge-one", JUDGE)
    install("adjudge-two", JUDGE)
    with pytest.raises(PluginError) as caught:
        _ = load_plugins().judges
    assert str(caught.value) == (
        "two plugins bring a judge named 'twin': adjudge-one and adjudge-two; "
        "uninstall one, or switch one off with ADJUDGE_DISABLE=adjudge-two"
    )
    assert main(["plugins", "--check"]) == 2
    assert "adjudge-one and adjudge-two" in capsys.readouterr().err


def test_a_built_in_name_cannot_be_taken_over(install) -> None:
    install("adjudge-one", JUDGE.replace("twin", "isolated"))
    with pytest.raises(PluginError, match=r"a judge named 'isolated': .*adjudge"):
        _ = load_plugins().judges


def test_one_distribution_that_gives_a_name_twice_is_refused(install) -> None:
    install("adjudge-one", JUDGE.replace("return [", "return 2 * ["))
    with pytest.raises(PluginError, match="adjudge-one and adjudge-one"):
        _ = load_plugins().judges


def test_a_switched_off_plugin_brings_nothing(install, monkeypatch) -> None:
    install("adjudge-good", GOOD)
    monkeypatch.setenv("ADJUDGE_DISABLE", "adjudge-good")
    assert "good" not in load_plugins().backends


def test_an_unknown_name_tells_of_the_plugin_that_did_not_load(install) -> None:
    install("adjudge-broken", "raise RuntimeError('out of order')\n", entry="broken")
    plugins = load_plugins()
    with pytest.raises(UnknownNameError, match="plugin 'broken' did not load: RuntimeError: out of order"):
        lookup(plugins, plugins.judges, "judge", "brilliant")


def test_a_backend_gets_its_model(install) -> None:
    install("adjudge-good", GOOD)
    plugins = load_plugins()
    assert build_backend(plugins, "good") is None
    assert build_backend(plugins, "good:a:b") == "a:b"


def test_an_option_that_a_backend_does_not_take_is_one_line(install) -> None:
    install("adjudge-good", GOOD)
    with pytest.raises(UnsupportedError, match=r"the backend 'good' does not take these options: .*'speed'"):
        build_backend(load_plugins(), "good", {"speed": 3})


def test_a_type_error_inside_a_backends_build_is_not_taken_for_a_wrong_option(install) -> None:
    install("adjudge-good", GOOD.replace("model=None: model", "model=None: len(3)"))
    with pytest.raises(TypeError, match="len"):
        build_backend(load_plugins(), "good")


def test_a_backend_whose_library_is_absent_says_the_pip_line(install) -> None:
    spec = 'summary="", requires=("no_such_sdk.client",), install="pip install no-such-sdk", '
    install("adjudge-good", GOOD.replace('summary="works", ', spec))
    with pytest.raises(BackendError, match=r"needs no_such_sdk\.client: pip install no-such-sdk"):
        build_backend(load_plugins(), "good")


COMMAND = """
import click

@click.command("{name}")
def command():
    '''Greet.'''
    click.echo("hello from a plugin")

@hookimpl
def adjudge_commands():
    return [command]
"""


def test_a_subcommand_of_a_plugin_runs(install, capsys) -> None:
    install("adjudge-good", COMMAND.format(name="greet"), commands="greet")
    assert main(["greet"]) == 0
    assert capsys.readouterr().out == "hello from a plugin\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("greet", "command 'greet' is not in the entry-point group 'adjudge.commands'; add it"),
        ("judge", "command 'judge' is core's own; the plugin must rename it"),
    ],
)
def test_check_tells_of_a_subcommand_that_cannot_be_called(install, capsys, name, reason) -> None:
    install("adjudge-good", COMMAND.format(name=name))
    assert main(["plugins", "--check"]) == 1
    assert reason in capsys.readouterr().out


def test_check_tells_of_a_broken_pack(install, site, capsys) -> None:
    code = (
        "import pathlib\n@hookimpl\ndef adjudge_rubric_packs():\n    return [pathlib.Path(__file__).parent / 'packs']\n"
    )
    install("adjudge-good", code)
    (site / "packs").mkdir()
    (site / "packs" / "demo.yaml").write_text("id: demo\nid: demo\n", "utf-8")
    assert main(["plugins", "--check"]) == 1
    assert "adjudge-good/demo.yaml:2:1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("backend", "brings"), [("vllm:m", "vllm"), ("openai-compatible:m", "openai"), ("lokal", "local")]
)
def test_a_backend_that_is_not_installed_is_told_with_the_distribution_that_brings_it(backend, brings) -> None:
    with pytest.raises(UnknownNameError, match=rf"for example: pip install adjudge-{brings}\)"):
        build_backend(Plugins([]), backend)
