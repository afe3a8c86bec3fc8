"""For authors of plugins: a scripted backend, and contracts to inherit in pytest.

    from adjudge.testing import BackendContract

    class TestMyBackend(BackendContract):
        def make_backend(self):
            return MyBackend()

A contract is a class of tests that hold for every backend, judge, pack, task or scoring. Contracts need pytest;
`ScriptedBackend` and `Loopback`, a real HTTP server that answers as a test says, do not.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudge.testing.backends import BackendContract
    from adjudge.testing.judges import ComparingJudgeContract, JudgeContract
    from adjudge.testing.loopback import Loopback, Seen, Served
    from adjudge.testing.packs import PackContract
    from adjudge.testing.scorings import ScoringContract
    from adjudge.testing.scripted import Answer, ScriptedBackend
    from adjudge.testing.tasks import TaskContract

_MODULE_OF = {
    "Answer": "scripted",
    "BackendContract": "backends",
    "ComparingJudgeContract": "judges",
    "JudgeContract": "judges",
    "Loopback": "loopback",
    "PackContract": "packs",
    "ScoringContract": "scorings",
    "ScriptedBackend": "scripted",
    "Seen": "loopback",
    "Served": "loopback",
    "TaskContract": "tasks",
}

__all__ = [
    "Answer",
    "BackendContract",
    "ComparingJudgeContract",
    "JudgeContract",
    "Loopback",
    "PackContract",
    "ScoringContract",
    "ScriptedBackend",
    "Seen",
    "Served",
    "TaskContract",
]


def _explain_asserts() -> None:
    """Have pytest, where it runs, show the values in failed asserts of contracts as it does for an author's own."""
    if "pytest" in sys.modules:
        import pytest

        names = {f"{__name__}.{module}" for module in _MODULE_OF.values()}
        pytest.register_assert_rewrite(*sorted(names - sys.modules.keys()))


_explain_asserts()


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
