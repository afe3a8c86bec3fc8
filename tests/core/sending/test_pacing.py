"""The gate, the rates, the breaker and the budget, on a clock of their own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.pacing import Breaker, Budget, Gate, Rate
from adjudge.verdict import Usage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_the_gate_never_lets_more_in_than_its_limit_and_nobody_is_left_outside():
    gate, most, done = Gate(3), 0, 0

    async def work() -> None:
        nonlocal most, done
        async with gate:
            most = max(most, gate.inside)
            await asyncio.sleep(0)
            done += 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert (most, done, gate.inside) == (3, 20, 0)


async def test_a_question_cancelled_while_waiting_or_just_let_in_leaves_no_gap():
    gate = Gate(1)
    async with gate:
        waiting = [asyncio.create_task(gate.__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    # The second was let in on leaving; cancel it before it runs.
    waiting[1].cancel()
    await waiting[2]
    assert gate.inside == 1
    assert [task.cancelled() for task in waiting] == [True, True, False]


def test_overload_closes_the_gate_a_little_and_calm_opens_it_again():
    gate = Gate(10)
    for _ in range(10):
        gate.note(overloaded=True)
    assert gate.limit == 7
    for _ in range(7):
        gate.note(overloaded=False)
    assert gate.limit == 8


@given(st.lists(st.booleans(), max_size=400))
def test_the_limit_stays_between_one_and_the_most(replies):
    gate = Gate(8)
    for overloaded in replies:
        gate.note(overloaded=overloaded)
        assert 1 <= gate.limit <= 8


def test_single_failures_among_many_replies_do_not_slow_anything():
    gate = Gate(64)
    for number in range(640):
        gate.note(overloaded=number % 20 == 0)
    assert gate.limit == 64


@given(st.lists(st.floats(0, 30), min_size=1, max_size=100), st.floats(1, 600))
def test_a_rate_is_kept_however_the_questions_arrive(gaps, per_minute):
    clock = Clock()
    rate = Rate(per_minute, clock)
    times = []
    for gap in gaps:
        clock.now += gap
        times.append(clock.now + rate.wait())
    for first in range(len(times)):
        for last in range(first + 1, len(times)):
            # n questions in a stretch of time fit into it, a burst of one second and the one that opens it.
            allowed = (times[last] - times[first] + 1) * per_minute / 60 + 1
            assert last - first <= allowed + 1e-6


def test_no_limit_means_no_wait():
    assert Rate(None, Clock()).wait(1e9) == 0


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through_after_the_pause():
    clock = Clock()
    breaker = Breaker(3, 5.0, 2, clock)
    for _ in range(2):
        breaker.note(failed=True)
    breaker.note(failed=False)
    for _ in range(3):
        assert breaker.wait() == 0
        breaker.note(failed=True)
    assert breaker.wait() == 5
    clock.now += 5
    assert breaker.wait() == 0  # the probe
    assert breaker.wait() == 5  # everybody else
    breaker.note(failed=False)
    assert breaker.wait() == 0


def test_failures_of_questions_that_were_in_flight_when_it_opened_are_not_probes():
    clock = Clock()
    breaker = Breaker(3, 5.0, 2, clock)
    for _ in range(60):
        breaker.note(failed=True)
    assert not breaker.is_down
    assert breaker.wait() == 5


def test_failed_probes_double_the_pause_until_the_server_counts_as_down():
    clock = Clock()
    breaker = Breaker(1, 5.0, 2, clock)
    breaker.note(failed=True)
    for pause in (5, 10):
        assert breaker.wait() == pause
        clock.now += pause
        assert breaker.wait() == 0
        breaker.note(failed=True)
    assert breaker.is_down


@pytest.mark.parametrize(
    ("budget", "fits", "said"),
    [
        (Budget(calls=3), 3, "3 calls"),
        (Budget(tokens=25), 3, "25 tokens"),
        (Budget(cost=0.02), 2, "0.02 US dollars"),
        (Budget(), 50, ""),
    ],
)
def test_a_budget_takes_calls_until_its_cap_is_reached_and_says_which(budget, fits, said):
    for _ in range(fits):
        assert budget.book() == ""
        budget.spend(Usage(prompt_tokens=8, completion_tokens=2, cost=0.01))
    assert said in budget.book()
