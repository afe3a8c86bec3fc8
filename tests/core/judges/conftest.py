from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from adjudge import make_judge
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Submission
from adjudge.testing import ScriptedBackend

YES, NO = {"yes": 0.9, "no": 0.1}, {"yes": 0.2, "no": 0.8}


def build_rubric(*criteria, **fields):
    return Rubric(id="test", version="1", draft=True, criteria=criteria, **fields)


def build_criterion(name, weight=1.0, **fields):
    return Criterion(id=name, text=f"asks for {name}", weight=weight, **fields)


def build_backend(name, script=None, **fields):
    return ScriptedBackend(script, name=name, **fields)


def build_submission(name="s", **fields):
    return Submission(**{"id": name, "input": "What is 6 times 7?", "output": "It is 42.", **fields})


def build_pair(first="one answer", second="another answer"):
    given = [build_submission(text, output=text) for text in (first, second)]
    return Comparison(id="c", submissions=tuple(given))


def judge_once(rubric, item, **options):
    """Result of judging one item with a judge made from options."""

    async def once():
        async with make_judge(rubric, **options) as bound:
            return await bound(item)

    return asyncio.run(once())


@pytest.fixture(scope="session")
def kit():
    """What the tests here are made of."""
    return SimpleNamespace(
        judged=judge_once,
        rubric=build_rubric,
        criterion=build_criterion,
        backend=build_backend,
        submission=build_submission,
        pair=build_pair,
        yes=YES,
        no=NO,
    )
