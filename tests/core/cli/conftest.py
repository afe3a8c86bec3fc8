"""A plugin with a scripted backend and a task, installed for real, and a folder to work in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge import api
from adjudge.cli import main

PLUGIN = """
from adjudge import BackendSpec, Label, Parameter, Submission, SolverSpec, TaskSpec, hookimpl
from adjudge.errors import BackendError
from adjudge.metrics import level_agreement
from adjudge.rubric import Criterion, Rubric
from adjudge.interfaces import Capabilities
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure

REMOTE = Capabilities(label_logprobs="raw", json_schema=True)
RUBRIC = Rubric(id="cli", version="1", criteria=(Criterion(id="polite", text="The text is polite."),))


def answer(question):
    shown = question.prompt.user
    if not question.labels and question.json_schema is None:
        return "please and thank you"
    if "BROKEN" in shown:
        return Failure(reason="infra", detail="the line is dead")
    if "ODD" in shown:
        return "well, it depends"
    if "A" in question.labels:
        return {"A": 0.9, "B": 0.1} if "please" in shown.partition("Submission B")[0] else {"A": 0.1, "B": 0.9}
    return {"Yes": 0.9, "No": 0.1} if "please" in shown else {"Yes": 0.2, "No": 0.8}


def build(model=None, **options):
    if options:
        raise BackendError(f"scripted: no option {next(iter(options))!r}; it takes none")
    return ScriptedBackend(answer, name=model or "scripted")


def rows(size=2, kind="short"):
    return [
        Submission(id=str(n), input="say it", output="please" if n % 2 else "now",
                   labels=(Label(criterion="polite", level="met" if n % 2 else "unmet"),))
        for n in range(size)
    ]


def questions(**_):
    return [Submission(id=str(n), input=f"question {n}") for n in range(2)]


@hookimpl
def adjudge_backends():
    absent = BackendSpec(name="absent", build=build, summary="needs what is not there", requires=("not_installed_xyz",),
                         install="pip install xyz")
    remote = BackendSpec(name="remote", build=lambda **_: ScriptedBackend(answer, name="remote", capabilities=REMOTE),
                         summary="says that it is elsewhere")
    return [BackendSpec(name="scripted", build=build, summary="says what its script says"), absent, remote]


@hookimpl
def adjudge_tasks():
    parameters = (Parameter(name="size", summary="rows", default=2),
                  Parameter(name="kind", summary="which", default="short", choices=("short", "long")))
    return [
        TaskSpec(name="polite", summary="is it polite", kind="meta", dataset=rows, rubric=lambda **_: RUBRIC,
                 metrics=(level_agreement,), parameters=parameters),
        TaskSpec(name="answers", summary="a candidate answers", kind="candidate", dataset=questions,
                 rubric=lambda **_: RUBRIC),
    ]
"""

RUBRIC = """\
id: cli
version: "1"
draft: true
criteria:
  - id: polite
    text: The text is polite.
  - id: rude
    text: The text is rude.
    weight: -1
tests:
  - {id: good, input: hello, output: please come in, expect: {polite: met}}
  - {id: bad, input: hello, output: go away, expect: {polite: unmet}}
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder with a rubric, and the plugin installed."""
    site = tmp_path / "site"
    info = site / "scripted_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted-plugin\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[adjudge]\nscripted = scripted_plugin\n", "utf-8")
    (site / "scripted_plugin.py").write_text(PLUGIN, "utf-8")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "rubric.yaml").write_text(RUBRIC, "utf-8")
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ADJUDGE_CACHE", str(tmp_path / "cache"))
    api.installed.cache_clear()
    yield folder
    api.installed.cache_clear()
    sys.modules.pop("scripted_plugin", None)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def adjudge(work: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command: exit status, standard output, error stream."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
