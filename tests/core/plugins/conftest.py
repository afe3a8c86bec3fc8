"""Real distributions, made in a temporary folder that is put on the path: metadata, entry points, modules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[..., str]

HEAD = "from adjudge import BackendSpec, JudgeSpec, TaskSpec, hookimpl\n"


def write_distribution(
    folder: Path, name: str, code: str | None, *, entry: str = "", commands: str = "", version: str = "1.2"
) -> str:
    """Write a distribution with one module, as an installer leaves it.

    Args:
        folder: A folder on the path.
        name: Name of the distribution; its module is called the same, with `_`.
        code: Source of the module; None leaves it out.
        entry: Name of its entry point; the distribution's name if empty.
        commands: Name in the entry-point group `adjudge.commands`, if any.
        version: Its version.

    Returns:
        Name of the module.
    """
    module = name.replace("-", "_")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    points = f"[adjudge]\n{entry or name} = {module}\n"
    if commands:
        points += f"[adjudge.commands]\n{commands} = {module}\n"
    (info / "entry_points.txt").write_text(points, "utf-8")
    if code is not None:
        (folder / f"{module}.py").write_text(HEAD + code, "utf-8")
    return module


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that installs one more distribution; its module is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delenv("ADJUDGE_PLUGINS", raising=False)
    monkeypatch.delenv("ADJUDGE_DISABLE", raising=False)
    modules: list[str] = []

    def write(name: str, code: str | None = "", **more: str) -> str:
        modules.append(write_distribution(tmp_path / "site", name, code, **more))
        return modules[-1]

    yield write
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def site(tmp_path: Path, install: Install) -> Path:
    """The folder that distributions are installed into."""
    return tmp_path / "site"
