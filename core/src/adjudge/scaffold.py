"""Writes a domain plugin to start from: a distribution whose own tests pass at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from adjudge.errors import InputError

PREFIX = "adjudge-"
"""How the name of a distribution begins."""
FILES: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    ".gitignore": "gitignore",
    "src/@module@/__init__.py": "__init__.py",
    "src/@module@/plugin.py": "plugin.py",
    "src/@module@/tasks.py": "tasks.py",
    "src/@module@/packs/@name@/answers.yaml": "answers.yaml",
    "src/@module@/data/examples.jsonl": "examples.jsonl",
    "tests/test_@module@.py": "test_plugin.py",
}
"""Each file of the plugin, and the template that it is made from."""
_NAME = re.compile(r"(?=.{1,40}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new_plugin(name: str, folder: Path) -> Path:
    """Write a domain plugin: metadata, hooks, a rubric pack, a task with synthetic cases, tests.

    Args:
        name: Of the domain: `garden` or `adjudge-garden`; small letters, digits and `-`, at most 40.
        folder: Where to; made if it does not exist.

    Returns:
        The folder of the new distribution, `adjudge-<name>`.

    Raises:
        InputError: The name cannot be one, the folder exists already, or nothing can be written there.
    """
    short = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(short):
        raise InputError(f"{name!r} cannot be a plugin's name; write up to 40 small letters, digits and `-`")
    project = folder / f"{PREFIX}{short}"
    words = _words(short)
    try:
        project.mkdir(parents=True)
        for target, template in FILES.items():
            path = project / _filled(target, words)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(_template(template), words), encoding="utf-8")
        (project / "src" / words["module"] / "py.typed").touch()
    except FileExistsError:
        raise InputError(f"{project}: exists already; choose another name or remove it") from None
    except OSError as error:
        raise InputError(f"{project}: cannot be written: {error.strerror}; choose another folder with --dir") from None
    return project


def _words(short: str) -> dict[str, str]:
    """What stands for each placeholder."""
    distribution = f"{PREFIX}{short}"
    return {
        "name": short,
        "title": short.replace("-", " "),
        "distribution": distribution,
        "module": distribution.replace("-", "_"),
        "adjudge": version("adjudge"),
    }


def _template(name: str) -> str:
    return (files("adjudge") / "starter_plugin" / f"{name}.txt").read_text(encoding="utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([a-z]+)@", lambda match: words[match[1]], text)
