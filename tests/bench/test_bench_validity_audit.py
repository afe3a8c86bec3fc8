"""The bench of audits prints what its table promises."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


async def test_a_row_tells_what_was_dialled_in_measured_and_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])
    bench = importlib.import_module("validity_audit")
    row = await bench.measured(bench.Fault("injection", "injection", 1.0), 2, 40)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["injection 1", "injection", "1.000"]
    assert cells[4:] == ["100%", "fail 100%"]
    undecided = "all | | | | too few 100% |"
    assert await bench.clean(1, 12) == [f"| none | {undecided}", f"| all at 1, but one item only | {undecided}"]
