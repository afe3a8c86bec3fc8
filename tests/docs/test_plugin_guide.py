"""The plugin of the how-to is written to a folder, file by file, and every command of the page is run there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md").read_text("utf-8")
STEP = re.compile(
    r'^```\w+ title="(?P<file>[^"]+)"\n(?P<text>.*?)^```|^```console\n(?P<lines>.*?)^```', re.MULTILINE | re.DOTALL
)
ADDED = " (added)"
PROGRAMS = {"adjudge": ["-m", "adjudge"], "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]}


def write(project: Path, name: str, text: str) -> None:
    """Write a block to its file, or add it at the end."""
    file = project / name.removesuffix(ADDED)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text("utf-8") + "\n\n" if name.endswith(ADDED) else ""
    file.write_text(before + text, "utf-8")


def install(project: Path) -> None:
    """What `pip install -e .` leaves: metadata beside the sources."""
    described = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    info = project / "src" / f"{described['name'].replace('-', '_')}-{described['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n"
    (info / "METADATA").write_text(head, "utf-8")
    points = "".join(f"{name} = {module}\n" for name, module in described["entry-points"]["adjudge"].items())
    (info / "entry_points.txt").write_text(f"[adjudge]\n{points}", "utf-8")


def run(project: Path, line: str) -> str:
    """Run one command line of the page and give what it printed."""
    program, *arguments = line.split()
    if line == "pip install -e .":
        install(project)
        return ""
    alone = {"ADJUDGE_PLUGINS": "letters", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment = {**os.environ, **alone, "PYTHONPATH": str(project / "src")}
    command = [sys.executable, *PROGRAMS[program], *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> dict[str, str]:
    """What every command of the page printed, by command; all files and commands in the order of the page."""
    project = tmp_path_factory.mktemp("adjudge-letters")
    printed: dict[str, str] = {}
    for step in STEP.finditer(PAGE):
        if step["file"]:
            write(project, step["file"], step["text"])
        else:
            lines = [line.removeprefix("$ ") for line in step["lines"].splitlines() if line.startswith("$ ")]
            printed |= {line: run(project, line) for line in lines}
    return printed


def test_the_plugin_is_healthy_once_installed(followed) -> None:
    assert "adjudge-letters 0.1.0       ok: judges" in followed["adjudge plugins --check"]


def test_the_pack_has_no_finding(followed) -> None:
    assert followed["adjudge lint src/adjudge_letters/packs"] == "1 pack, 0 errors, 0 warnings\n"


def test_the_pack_is_shown(followed) -> None:
    assert "The letter comes to the point." in followed["adjudge rubrics show letters/reply"]


def test_the_task_runs_with_the_backend_and_with_the_judge(followed) -> None:
    assert "letters/reply" in followed["adjudge run letters --backend short --out first"]
    assert "letters/reply" in followed["adjudge run letters --backend short --judge cautious -J lead=0.5 --out second"]


def test_its_tests_pass(followed) -> None:
    assert re.search(r"^\d+ passed", followed["pytest"].splitlines()[-1]), followed["pytest"]


def test_every_python_block_is_a_file_of_the_plugin() -> None:
    assert "```python\n" not in PAGE
    assert len(re.findall(r"^```python title=", PAGE, re.MULTILINE)) == 9
