"""Scripted candidates for searches, and the public data sets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.engine import Engine
from adjudge.ledger import Ledger
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Question
from adjudge_counselling.search.solver import SPEC

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[2] / "../shared/data"))
CASE = Submission(id="case", input="A baker cannot sleep before the fair.", metadata={"kept": 1})


@pytest.fixture
def data() -> Callable[[str], Path]:
    """`data(file)`: a file of the public data sets; the test is skipped where it is absent."""

    def find(name: str) -> Path:
        if not (DATA / name).is_file():
            pytest.skip(f"{name} is not under ADJUDGE_DATA")
        return DATA / name

    return find


@pytest.fixture
def solve():
    """`await solve(script, **options)`: what mctsr-zero makes of a case, and the backend that it asked."""

    async def run(script: Callable[[Question], object], submission: Submission = CASE, **options: object):
        backend = ScriptedBackend(script)
        solver = SPEC.build(**options)
        with Ledger() as ledger:
            return await solver.solve(submission, Engine(backend, ledger)), backend

    return run
