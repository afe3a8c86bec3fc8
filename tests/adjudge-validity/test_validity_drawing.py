"""A draw of a fixed size: as many as were asked for, each with the chance that is written down."""

from __future__ import annotations

import csv
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.cli import main
from adjudge_validity.corrected import corrected_mean
from adjudge_validity.drawing import draw, inclusion, pivotal
from adjudge_validity.labelling.plan import Wish, draw_of, material_of
from adjudge_validity.ratings import read_run


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.data())
def test_as_many_are_drawn_as_were_asked_for_and_none_twice(doubts, data):
    size = data.draw(st.integers(1, len(doubts)))
    chances = inclusion(doubts, size)
    found = pivotal(chances, random.Random(data.draw(st.integers(0, 1000))))
    assert len(found) == len(set(found)) == size
    assert found == sorted(found)
    assert {place for place, chance in enumerate(chances) if chance >= 1} <= set(found)


def test_each_is_drawn_as_often_as_its_chance_says_and_no_two_shut_each_other_out():
    chances = inclusion([0.0, 0.1, 0.2, 0.4, 0.8, 0.9, 0.9, 1.0, 5.0], 4)
    toss, rounds = random.Random(5), 20_000
    counts, pairs = np.zeros(9), np.zeros((9, 9))
    for _ in range(rounds):
        drawn = np.zeros(9)
        drawn[pivotal(chances, toss)] = 1
        counts += drawn
        pairs += np.outer(drawn, drawn)
    assert chances[-1] == 1
    assert counts[-1] == rounds
    spread = np.sqrt(np.array(chances) * (1 - np.array(chances)) / rounds)
    assert (np.abs(counts / rounds - chances) <= 4 * spread + 1e-9).all()
    assert (pairs > 0).all()


def study(toss, power=None):
    """400 items of which a fixed number is labelled, and what their mean is."""
    judged = np.array([toss.random() for _ in range(400)])
    truth = np.array([float(toss.random() < x**2) for x in judged])
    chances = inclusion([min(x, 1 - x) for x in judged], 60)
    drawn = set(pivotal(chances, toss))
    human = [truth[i] if i in drawn else None for i in range(400)]
    return corrected_mean(list(judged), human, probabilities=chances, power=power, bounds=(0, 1)), truth.mean()


@pytest.mark.parametrize("power", [0.0, 1.0, None])
def test_the_estimate_of_such_a_draw_has_no_bias_and_an_interval_that_holds(power):
    toss = random.Random(7)
    studies = [study(toss, power) for _ in range(400)]
    off = np.array([found.value - truth for found, truth in studies])
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off)) + (0.01 if power is None else 0.0)
    held = [found.estimate().low <= truth <= found.estimate().high for found, truth in studies]
    assert np.mean(held) >= 0.92


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_commands_draw_as_many_as_asked_for_and_write_chances_that_can_be_read(judged, tmp_path, seed):
    run = judged({f"s{i}": "please come" if i % 2 else "come" for i in range(20)})
    for size in (3, 8, 17):
        file = tmp_path / f"{size}.csv"
        assert main(["draw", str(run), "-n", str(size), "--seed", str(seed), "--out", str(file)]) == 0
        rows = list(csv.DictReader(file.read_text().splitlines()))
        assert len({row["submission"] for row in rows}) == size
        assert {row["probability"] for row in rows} == {f"{size / 20:g}"}
        for how in ("active", "random"):
            found = draw_of(material_of(run, None), Wish(size=size, seed=seed, drawn=how))
            assert len(found.submissions) == size


def test_the_same_seed_draws_the_same(judged):
    record = read_run(judged({f"s{i}": "come" for i in range(20)}))
    assert draw(record, 7, seed=3) == draw(record, 7, seed=3)
    assert draw(record, 7, seed=3) != draw(record, 7, seed=4)
