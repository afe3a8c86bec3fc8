"""What all tests share: no wall-clock time in hypothesis either, and one real browser per module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("adjudge", deadline=None)
settings.load_profile("adjudge")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that the system has; none is ever downloaded.

    Its event loop runs until the module ends: what needs one of its own goes into another process.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=found)
        yield chromium
        chromium.close()
