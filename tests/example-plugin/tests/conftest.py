"""Makes the plugin installed for its tests where only its sources are there, as in the repository of adjudge."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from adjudge.api import installed

ROOT = Path(__file__).resolve().parents[1]


def is_installed() -> bool:
    try:
        distribution("adjudge-example")
    except PackageNotFoundError:
        return False
    return True


INSTALLED = is_installed()
if not INSTALLED:
    sys.path.append(str(ROOT / "src"))


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory):
    """Put the plugin's metadata on the path for the tests of one module."""
    if INSTALLED:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(write_metadata(tmp_path_factory.mktemp("site")))
        installed.cache_clear()
        yield
    installed.cache_clear()


def write_metadata(site: Path) -> Path:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"adjudge_example-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", "utf-8"
    )
    points = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["adjudge"].items())
    (info / "entry_points.txt").write_text(f"[adjudge]\n{points}", "utf-8")
    return site
