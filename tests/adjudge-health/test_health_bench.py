"""The scoring by hand, the counts of the files and the ids of the consensus criteria are recomputed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ADJUDGE_DATA", ROOT / "../shared/data"))


def reproduced() -> str:
    command = [sys.executable, str(ROOT / "bench" / "reproduce.py"), "health"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def test_the_scoring_by_hand_agrees() -> None:
    assert ", 0 of them differ" in reproduced()


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "healthbench_rubrics").is_dir(), reason="the data set is not under ADJUDGE_DATA")
def test_the_files_agree_with_what_is_published() -> None:
    assert "8 figures, 0 of them differ" in reproduced()
