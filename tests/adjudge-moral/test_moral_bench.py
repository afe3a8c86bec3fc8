"""The published figures that bench/reproduce_moral.py checks are the ones that come out here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.data
def test_every_published_figure_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    rows = list(import_module("reproduce_moral").rows())
    assert len(rows) >= 18
    assert [row.what for row in rows if not row.agrees] == []
