"""Every Python block of the README and the documentation runs as it stands, page by page."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _pages() -> list[Path]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if _FENCE.search(page.read_text("utf-8"))]


@pytest.fixture
def my_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that the README's plugin example imports."""
    module = ModuleType("my_judges")
    module.build = lambda **_: None
    monkeypatch.setitem(sys.modules, "my_judges", module)


@pytest.mark.model
@pytest.mark.usefixtures("my_judges")
@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in _FENCE.findall(page.read_text("utf-8")):
        exec(compile(block, str(page), "exec"), names)


def test_pages_with_python_are_found() -> None:
    assert ROOT / "README.md" in _pages()
    assert ROOT / "docs" / "tutorial.md" in _pages()
