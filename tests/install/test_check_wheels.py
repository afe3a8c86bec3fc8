"""The script .ci/check_wheels notices what is wrong with a wheel; nothing is installed here."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADER = SourceFileLoader("check_wheels_script", str(ROOT / ".ci" / "check_wheels"))
SPEC = importlib.util.spec_from_loader(LOADER.name, LOADER)
assert SPEC is not None
CI = importlib.util.module_from_spec(SPEC)
sys.modules[LOADER.name] = CI
LOADER.exec_module(CI)

FILES = ("adjudge_demo/__init__.py", "adjudge_demo/py.typed", "adjudge_demo/packs/demo.yaml")


@pytest.fixture
def project(tmp_path):
    for name in FILES:
        file = tmp_path / "src" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", "utf-8")
    return CI.Project("adjudge-demo", tmp_path)


def wheel(folder: Path, *names: str) -> Path:
    path = folder / "adjudge_demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*names, "adjudge_demo-1.dist-info/METADATA"):
            archive.writestr(name, "")
    return path


def test_a_whole_wheel_passes(project, tmp_path) -> None:
    CI.check_contents(project, wheel(tmp_path, *FILES))


@pytest.mark.parametrize("lost", FILES)
def test_a_wheel_that_lost_a_file_is_noticed(project, tmp_path, lost) -> None:
    with pytest.raises(AssertionError, match="lacks"):
        CI.check_contents(project, wheel(tmp_path, *(name for name in FILES if name != lost)))


@pytest.mark.parametrize("extra", ["tests/test_demo.py", "core/__init__.py"])
def test_a_wheel_that_brings_another_package_is_noticed(project, tmp_path, extra) -> None:
    with pytest.raises(AssertionError, match="not adjudge_demo alone"):
        CI.check_contents(project, wheel(tmp_path, *FILES, extra))


def test_all_workspace_members_and_the_example_are_checked() -> None:
    names = {project.name for project in CI.projects()}
    assert {"adjudge", "adjudge-rubrics", "adjudge-local", "adjudge-nursing", "adjudge-example"} <= names
    assert all((project.folder / "src" / project.module).is_dir() for project in CI.projects())


def test_a_domain_is_installed_with_the_method_that_it_builds_on() -> None:
    known = {project.name: project for project in CI.projects()}
    assert [one.name for one in CI.needed(known["adjudge-mentor"], list(known.values()))] == ["adjudge-metacog"]
    assert CI.needed(known["adjudge-nursing"], list(known.values())) == []
    assert CI.needed(known["adjudge"], list(known.values())) == []


def test_a_command_that_fails_shows_what_it_said(tmp_path) -> None:
    with pytest.raises(AssertionError, match="ended with 3\nsaid this"):
        CI.run(sys.executable, "-c", "print('said this'); raise SystemExit(3)", cwd=tmp_path)


def test_nothing_that_leads_back_to_this_tree_is_handed_on(monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("ADJUDGE_DISABLE", "core")
    assert not {"PYTHONPATH", "ADJUDGE_DISABLE"} & CI.clean_environment().keys()


def test_an_unknown_name_is_refused_with_the_known_ones(capsys) -> None:
    assert CI.main(["adjudge-nope"]) == 2
    assert "known: adjudge, " in capsys.readouterr().out
