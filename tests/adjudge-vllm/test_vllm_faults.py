"""The column `vllm` of docs/reference/faults.md, on a real engine whose model is made to have written the fault."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adjudge.testing.faults import REFUSED, WRITTEN, outcome_of

pytestmark = pytest.mark.vllm

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
LIMIT, DEADLINE = 0.25, 60.0


def column(name: str) -> dict[str, str]:
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    place = rows[0].index(name)
    return {row[0]: row[place] for row in rows[2:] if row[place] != "—"}


class Open:
    """The folder's one engine, which no judge may close."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.name, self.identity, self.capabilities = backend.name, backend.identity, backend.capabilities

    async def ask(self, question: Any) -> Any:
        return await self._backend.ask(question)

    async def aclose(self) -> None:
        """Leave it open."""


@pytest.mark.parametrize("fault", column("vllm"))
def test_a_fault_gives_what_the_table_says(fault: str, backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = backend._engine.complete
    slow = fault.startswith(("timeout", "hang"))

    async def complete(tokens: Any, **parameters: Any) -> Any:
        found = await real(tokens, **parameters)
        if slow:
            await asyncio.sleep(20 * LIMIT)
            return found
        return replace(found, text=REFUSED if fault == "the model refuses" else WRITTEN[fault], stop="stop")

    monkeypatch.setattr(backend._engine, "complete", complete)
    monkeypatch.setattr("adjudge_vllm.backend._is_json", lambda text: True)  # the constraint is what failed here
    found = asyncio.run(outcome_of(Open(backend), fault, LIMIT if slow else DEADLINE))
    assert found == column("vllm")[fault]
