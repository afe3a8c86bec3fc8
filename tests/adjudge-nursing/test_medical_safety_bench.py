"""The benchmark on medical safety reads the published file by what its labels mean."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest


def bench_module() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "nursing_medical_safety.py"
    spec = importlib.util.spec_from_file_location("nursing_medical_safety", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCH = bench_module()
needs_data = [
    pytest.mark.data,
    pytest.mark.skipif(not BENCH.data_file().is_file(), reason="the data set is not under ADJUDGE_DATA"),
]
pytestmark = needs_data


def test_all_rows_are_read_and_clustered_by_query() -> None:
    items = BENCH.load(BENCH.data_file())
    assert len({item.id for item in items}) == len(items) == 3701
    assert len({item.metadata["cluster"] for item in items}) == 1416


def test_an_answer_that_says_nothing_is_labelled_so() -> None:
    """The file calls it "Non-medical"; a judge compared with that name would be compared with nonsense."""
    items = BENCH.load(BENCH.data_file())
    silent = [item for item in items if item.output.startswith("Sorry, I don't know")]
    labels = Counter(item.labels[1].level for item in silent)
    assert len(silent) > 100
    assert labels["nothing"] / len(silent) > 0.95


def test_a_sample_keeps_the_shares_of_the_whole_and_depends_on_its_seed_alone() -> None:
    items = BENCH.load(BENCH.data_file())
    sample = BENCH.stratified(items, 200, seed=0)
    assert len({item.id for item in sample}) == 200
    assert sample == BENCH.stratified(items, 200, seed=0)
    assert sample != BENCH.stratified(items, 200, seed=1)
    for place in (0, 1):
        whole, part = (Counter(item.labels[place].level for item in some) for some in (items, sample))
        assert all(abs(part[level] - 200 * count / 3701) < 5 for level, count in whole.items())
