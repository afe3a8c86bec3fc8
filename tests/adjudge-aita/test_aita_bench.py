"""What is published of the public file is recomputed, and the majority is the floor that it must be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ADJUDGE_DATA", ROOT / "../shared/data"))


def bench(script: str, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "bench" / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def test_the_identities_of_the_metrics_hold() -> None:
    said = bench("reproduce.py", "aita")
    assert "ln 2" in said
    assert ", 0 of them differ" in said


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "aita_buhler").is_dir(), reason="the data set is not under ADJUDGE_DATA")
def test_counts_are_a_part_of_the_published_ones_and_the_majority_has_no_kappa() -> None:
    assert "5 figures, 0 of them differ" in bench("reproduce.py", "aita")
    said = " ".join(bench("baselines.py", "aita", "--no-model").split())
    assert "majority" in said
    assert "kappa 0.00 [0.00, 0.00]" in said
