"""What every backend must keep, on the real model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from adjudge.interfaces import Capabilities
from adjudge.testing import BackendContract
from adjudge.verdict import Question, Reply
from adjudge_local.backend import LocalBackend
from adjudge_local.plugin import build


class Shared:
    """The folder's one engine, which no test may close: loading a model for each test would take most of the time."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend

    @property
    def name(self) -> str:
        return self._backend.name

    @property
    def identity(self) -> Mapping[str, Any]:
        return self._backend.identity

    @property
    def capabilities(self) -> Capabilities:
        return self._backend.capabilities

    async def ask(self, question: Question) -> Reply:
        return await self._backend.ask(question)

    async def aclose(self) -> None:
        """Leave it open."""


@pytest.mark.model
class TestLocalBackend(BackendContract):
    @pytest.fixture(autouse=True)
    def _engine(self, backend: LocalBackend) -> None:
        self.backend = backend

    def make_backend(self) -> Shared:
        return Shared(self.backend)

    def make_failing_backend(self) -> LocalBackend:
        closed = build(context=256)
        assert isinstance(closed, LocalBackend)
        closed.close()
        return closed
