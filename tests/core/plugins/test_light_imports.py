"""Starting up costs next to nothing: heavy libraries are imported by what needs them and by nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "pydantic",
    "yaml",
    "click",
    "rich",
    "pandas",
    "numpy",
    "jinja2",
    "jsonschema",
    "inspect_ai",
    "pytest",
    "xllamacpp",
]
PROBE = """
import sys
{work}
print("heavy:", sorted(set({heavy!r}) & sys.modules.keys()), file=sys.stderr)
"""


def heavy_after(work: str, path: str = "") -> str:
    code = PROBE.format(work=work, heavy=HEAVY)
    environment = {"PYTHONPATH": path} if path else {}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "work",
    [
        "import adjudge",
        "import adjudge; adjudge.__version__; dir(adjudge)",
        "from adjudge import hookimpl",
        "from adjudge.cli import main; main(['--help'])",
        "from adjudge.cli import main; main([])",
        "from adjudge.cli import main; main(['--version'])",
        "from adjudge.discovery import find_plugins; find_plugins()",
    ],
)
def test_it_imports_nothing_heavy(work) -> None:
    assert heavy_after(work) == "heavy: []"


def test_listing_plugins_needs_click_alone() -> None:
    assert heavy_after("from adjudge.cli import main; main(['plugins'])") == "heavy: ['click']"


def test_the_probe_sees_what_is_imported() -> None:
    assert heavy_after("import yaml, jinja2") == "heavy: ['jinja2', 'yaml']"
