from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from adjudge.rubric import Criterion, Rubric, ScoringChoice
from adjudge.verdict import Verdict


def build_rubric(*criteria, scoring="weighted", groups=(), params=None, use="level"):
    choice = ScoringChoice(name=scoring, params=params or {}, use=use)
    return Rubric(id="test", version="1", draft=True, criteria=criteria, groups=groups, scoring=choice)


def build_criterion(name, weight=1.0, **fields):
    return Criterion(id=name, text=f"asks for {name}", weight=weight, **fields)


def build_verdict(criterion, level=None, *, reason=None, **fields):
    given = {"submission": "s", **fields}
    if level is not None:
        return Verdict(criterion=criterion, status="scored", level=level, **given)
    if reason is not None:
        return Verdict(criterion=criterion, status="unscored", reason=reason, **given)
    return Verdict(criterion=criterion, status="skipped", **given)


@pytest.fixture(scope="session")
def rubric_of():
    return build_rubric


@pytest.fixture(scope="session")
def criterion_of():
    return build_criterion


@pytest.fixture(scope="session")
def verdict_of():
    return build_verdict


@pytest.fixture(scope="session")
def reproduction():
    """The module bench/reproduce_scorings.py, so that test and bench read the data in one way."""
    path = Path(__file__).resolve().parents[3] / "bench/reproduce_scorings.py"
    spec = importlib.util.spec_from_file_location("reproduce_scorings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reproduce_scorings"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def stored_data(reproduction):
    folder = reproduction.data_folder()
    if folder is None:
        pytest.skip("no public data sets: set ADJUDGE_DATA")
    return folder
