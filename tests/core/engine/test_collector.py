"""Long runs leave Python's garbage collector as they found it."""

from __future__ import annotations

import gc

import pytest

from adjudge import collector


@pytest.fixture(autouse=True)
def restored():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_run_collects_seldom_and_restores_what_was_set():
    gc.set_threshold(701, 11, 12)
    with collector.seldom():
        assert gc.get_threshold() == collector.SELDOM
    assert gc.get_threshold() == (701, 11, 12)


def test_of_two_runs_at_once_the_last_to_end_restores():
    gc.set_threshold(701, 11, 12)
    first, second = collector.seldom(), collector.seldom()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold() == collector.SELDOM
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (701, 11, 12)


def test_a_run_that_fails_restores_too():
    gc.set_threshold(701, 11, 12)
    with pytest.raises(ValueError), collector.seldom():
        raise ValueError
    assert gc.get_threshold() == (701, 11, 12)


def test_a_collector_that_collects_even_less_is_left_so():
    gc.set_threshold(90_000, 50, 1_000)
    with collector.seldom():
        assert gc.get_threshold() == (90_000, 50, 1_000)


def test_a_collector_that_was_switched_off_stays_off():
    gc.set_threshold(0)
    with collector.seldom():
        assert gc.get_threshold()[0] == 0
