"""The domain of the how-to is made by its commands, file by file, and whatever the scaffold writes passes untouched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "add-a-domain.md").read_text("utf-8")
STEP = re.compile(
    r'^```\w+ title="(?P<file>[^"]+)"\n(?P<text>.*?)^```|^```console\n(?P<lines>.*?)^```', re.MULTILINE | re.DOTALL
)
PROGRAMS: Mapping[str, list[str]] = {
    "adjudge": [sys.executable, "-m", "adjudge"],
    "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
    "ruff": [sys.executable, "-m", "ruff"],
    "mypy": [sys.executable, "-m", "mypy", "--no-incremental"],
    "rm": ["rm"],
}


@dataclass
class Shell:
    """A reader who types the commands of the page in an empty folder, with the new plugin alone beside core."""

    folder: Path
    backend: str = ""
    printed: dict[str, str] = field(default_factory=dict)

    def type(self, line: str) -> None:
        """Run one line; `cd` and the installation are done here, the rest for real."""
        program, *arguments = line.split()
        if program == "cd":
            self.folder /= arguments[0]
        elif program == "pip":
            install(self.folder)
        else:
            self.printed[line] = self.run(PROGRAMS[program], arguments)

    def run(self, program: list[str], arguments: list[str]) -> str:
        alone = {"ADJUDGE_PLUGINS": "garden,local", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment = {**os.environ, **alone, "PYTHONPATH": str(self.folder / "src")}
        command = [*program, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"$ {' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


def install(project: Path) -> None:
    """What `pip install -e .` leaves: metadata beside the sources."""
    described = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    info = project / "src" / f"{described['name'].replace('-', '_')}-{described['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n"
    (info / "METADATA").write_text(head, "utf-8")
    points = "".join(f"{name} = {module}\n" for name, module in described["entry-points"]["adjudge"].items())
    (info / "entry_points.txt").write_text(f"[adjudge]\n{points}", "utf-8")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The plugin as the scaffold writes it, installed, nothing changed."""
    shell = Shell(tmp_path_factory.mktemp("fresh"))
    for line in ("adjudge new plugin garden", "cd adjudge-garden", "pip install -e .[test]"):
        shell.type(line)
    return shell


@pytest.mark.parametrize("line", ["ruff check .", "ruff format --check .", "mypy"])
def test_what_the_scaffold_writes_passes_its_own_checks(fresh: Shell, line: str) -> None:
    fresh.type(line)


def test_what_the_scaffold_writes_passes_its_own_tests_and_lint(fresh: Shell) -> None:
    fresh.type("pytest")
    assert re.search(r"^\d+ passed", fresh.printed["pytest"].splitlines()[-1]), fresh.printed["pytest"]
    fresh.type("adjudge lint --strict src")
    assert fresh.printed["adjudge lint --strict src"] == "1 pack, 0 errors, 0 warnings\n"


def test_its_task_is_listed_and_the_plugin_is_healthy(fresh: Shell) -> None:
    fresh.type("adjudge tasks")
    assert "adjudge run garden --backend local" in fresh.printed["adjudge tasks"]
    fresh.type("adjudge plugins --check")
    assert "adjudge-garden 0.1.0" in fresh.printed["adjudge plugins --check"]
    assert "ok: rubric_packs, tasks" in fresh.printed["adjudge plugins --check"]


def test_its_own_tests_fail_where_the_plugin_is_broken(fresh: Shell, tmp_path: Path) -> None:
    """The tests that come with it can fail: a criterion renamed, a level changed, the promise of the error gone."""
    breaks = {
        "src/adjudge_garden/packs/garden/answers.yaml": ("- id: next-step", "- id: step"),
        "src/adjudge_garden/data/examples.jsonl": ('"safe": "unmet"', '"safe": "met"'),
        "src/adjudge_garden/tasks.py": ("(licence: yours)", ""),
    }
    for number, (name, (old, new)) in enumerate(breaks.items()):
        broken = Shell(tmp_path / str(number))
        shutil.copytree(fresh.folder, broken.folder)
        path = broken.folder / name
        changed = path.read_text("utf-8").replace(old, new)
        assert changed != path.read_text("utf-8")
        path.write_text(changed, "utf-8")
        with pytest.raises(AssertionError, match=r"\d+ (failed|error)"):
            broken.type("pytest")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Every file written and every command typed, in the order of the page."""
    shell = Shell(tmp_path_factory.mktemp("followed"))
    for step in STEP.finditer(PAGE):
        if step["file"]:
            (shell.folder / step["file"]).write_text(step["text"], "utf-8")
        else:
            for line in step["lines"].splitlines():
                shell.type(line.removeprefix("$ "))
    return shell


@pytest.mark.model
def test_the_page_can_be_followed_to_the_end(followed: Shell) -> None:
    assert re.search(r"^\d+ passed", followed.printed["pytest"].splitlines()[-1])
    assert "How well does the advice find out" in followed.printed["adjudge rubrics show garden/answers"]
    assert "accuracy[cause]" in followed.printed["adjudge run garden --backend local"]


def test_every_file_and_command_of_the_page_is_found() -> None:
    assert "```python\n" not in PAGE
    files = re.findall(r'^```\w+ title="([^"]+)"', PAGE, re.MULTILINE)
    assert len(files) == 3
    assert [step["file"] for step in STEP.finditer(PAGE) if step["file"]] == files
    assert len([step for step in STEP.finditer(PAGE) if step["lines"]]) == 4
