"""The example plugin and core, built as wheels and installed alone in a bare environment, work together from there."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def load_script():
    """The module .ci/check_wheels, so that test and script build and install in one way."""
    loader = SourceFileLoader("check_wheels", str(ROOT / ".ci" / "check_wheels"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


CI = load_script()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="module")
def uv(work):
    return CI.find_uv(work)


@pytest.fixture(scope="module")
def wheels(uv, work):
    named = {project.name: project for project in CI.projects()}
    return [CI.build(uv, named[name], work) for name in ("adjudge", "adjudge-example")]


@pytest.fixture(scope="module")
def bare(uv, work, wheels):
    """A bare environment with these two wheels and what they depend on."""
    return CI.install(uv, work, "bare", *wheels)


@pytest.fixture
def adjudge(bare, tmp_path):
    """Runs `adjudge` of the bare environment, far from this tree."""
    return lambda *arguments, status=0: CI.run(bare / "bin" / "adjudge", *arguments, cwd=tmp_path, status=status)


def test_wheels_hold_their_package_with_types_and_data(wheels) -> None:
    named = {project.module: project for project in CI.projects()}
    for wheel in wheels:
        CI.check_contents(named[wheel.name.partition("-")[0]], wheel)


def test_check_lists_core_and_the_example_and_nothing_else(adjudge) -> None:
    lines = adjudge("plugins", "--check").stdout.splitlines()
    names = [["core", "adjudge"], ["example", "adjudge-example"], ["inspect", "adjudge"]]
    assert sorted(line.split()[:2] for line in lines[:-1]) == names
    assert any("ok: backends, judges, rubric_packs, tasks" in line for line in lines if line.startswith("example"))
    assert {"2 backends", "1 tasks", "1 rubrics"} <= set(lines[-1].split(", "))


def test_nothing_of_this_tree_is_on_the_path(bare, tmp_path) -> None:
    code = (
        "import sys, json, adjudge as a, adjudge_example as e; print(json.dumps([*sys.path, a.__file__, e.__file__]))"
    )
    places = json.loads(CI.run(bare / "bin" / "python", "-c", code, cwd=tmp_path).stdout)
    assert not [place for place in places if Path(place).is_relative_to(ROOT)]
    assert all(Path(place).is_relative_to(bare) for place in places[-2:])


def test_its_pack_is_found_and_shown(adjudge) -> None:
    shown = adjudge("rubrics", "show", "example/courtesy").stdout
    assert "adjudge-example" in shown
    assert 'The reply says "thank you" or "thanks".' in shown


def test_its_task_is_listed_with_the_line_to_run_it(adjudge) -> None:
    assert "adjudge run example-courtesy" in adjudge("tasks").stdout


def test_its_task_runs_to_the_report_with_its_backend(adjudge, tmp_path) -> None:
    adjudge("run", "example-courtesy", "--backend", "keywords", "--out", "out")
    verdicts = [json.loads(line) for line in (tmp_path / "out" / "verdicts.jsonl").read_text("utf-8").splitlines()]
    assert len(verdicts) == 24
    assert {verdict["status"] for verdict in verdicts} == {"scored"}
    assert "example/courtesy" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_its_judge_is_used_by_name(adjudge, tmp_path) -> None:
    adjudge("run", "example-courtesy", "--backend", "keywords", "--judge", "generous", "--out", "out")
    verdicts = [json.loads(line) for line in (tmp_path / "out" / "verdicts.jsonl").read_text("utf-8").splitlines()]
    assert {(v["criterion"], v["level"]) for v in verdicts} == {("greets", "met"), ("thanks", "met"), ("tone", "warm")}


def test_a_backend_that_is_not_installed_is_one_line_with_the_pip_line(adjudge) -> None:
    done = adjudge("run", "example-courtesy", "--backend", "local", "--out", "out", status=2)
    assert "pip install adjudge-local" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_its_own_tests_pass_where_it_is_installed(uv, work, wheels, tmp_path) -> None:
    environment = CI.install(uv, work, "tested", *wheels)
    CI.run(uv, "pip", "install", "--quiet", "--python", environment / "bin" / "python", "pytest", cwd=tmp_path)
    shutil.copytree(ROOT / "tests" / "example-plugin" / "tests", tmp_path / "tests")
    command = (environment / "bin" / "python", "-m", "pytest", "-q", "-W", "error", "--import-mode=importlib", "tests")
    done = CI.run(*command, cwd=tmp_path)
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


def test_a_new_plugin_builds_and_passes_its_own_tests_beside_core_alone(uv, work, wheels, tmp_path) -> None:
    environment = CI.install(uv, work, "new", wheels[0])
    python = environment / "bin" / "python"
    CI.run(environment / "bin" / "adjudge", "new", "plugin", "demo", cwd=tmp_path)
    project = tmp_path / "adjudge-demo"
    CI.run(uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist", project, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    CI.check_contents(CI.Project("adjudge-demo", project), wheel)
    CI.run(uv, "pip", "install", "--quiet", "--python", python, wheel, "pytest", cwd=tmp_path)
    shutil.copytree(project / "tests", tmp_path / "tests")
    done = CI.run(python, "-m", "pytest", "-q", "-W", "error", "--import-mode=importlib", "tests", cwd=tmp_path)
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
    assert "adjudge run demo" in CI.run(environment / "bin" / "adjudge", "tasks", cwd=tmp_path).stdout
