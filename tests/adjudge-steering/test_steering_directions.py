"""Directions, and the choice of a setting: pure functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_steering.choosing import CAP, Trial, best, layers_to_try
from adjudge_steering.directions import METHODS, direction, projections


def planted(noise: float, seed: int = 0):
    """States whose pairs differ along a known direction, with an offset of each pair that says nothing."""
    draw = np.random.default_rng(seed)
    unit = draw.normal(size=24)
    unit /= np.linalg.norm(unit)
    offset = draw.normal(size=(30, 24)) * 5
    follows = offset + unit + draw.normal(size=(30, 24)) * noise
    breaks = offset - unit + draw.normal(size=(30, 24)) * noise
    return unit, follows.astype(np.float32), breaks.astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_a_planted_direction_is_found_with_its_sign(method):
    unit, follows, breaks = planted(noise=0.2)
    found = direction(follows, breaks, method)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    assert found @ unit > 0.98
    assert (projections(follows, found) > projections(breaks, found)).all()
    assert direction(breaks, follows, method) == pytest.approx(-found, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 50), scale=st.floats(0.1, 100))
def test_neither_scale_nor_a_shift_of_all_states_changes_it(method, seed, scale):
    _, follows, breaks = planted(noise=1.0, seed=seed)
    found = direction(follows, breaks, method)
    moved = direction(follows * scale + 3, breaks * scale + 3, method)
    assert moved == pytest.approx(found, abs=1e-3)


def test_the_two_ways_differ_where_pairs_disagree():
    follows = np.array([[4, 1], [-4, 1], [4, 1]], dtype=np.float32)
    breaks = np.zeros((3, 2), dtype=np.float32)
    assert abs(direction(follows, breaks, "component")[0]) > 0.95
    assert direction(follows, breaks, "means") == pytest.approx(np.array([0.8, 0.6]), abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_states_that_do_not_differ_or_are_not_finite_are_refused(method):
    same = np.ones((3, 4), dtype=np.float32)
    with pytest.raises(InputError, match="no direction between them"):
        direction(same, same, method)
    with pytest.raises(InputError, match="not finite"):
        direction(same, same * np.inf, method)


TRIALS = st.lists(
    st.builds(
        Trial,
        method=st.sampled_from(METHODS),
        layer=st.integers(0, 9),
        strength=st.sampled_from([0.1, 0.2, 0.4]),
        choice=st.floats(0, 1),
        perplexity=st.floats(0.5, 3),
    ),
    max_size=12,
    unique_by=lambda trial: (trial.method, trial.layer, trial.strength),
)


@given(TRIALS, st.floats(0, 1))
def test_the_choice_gains_stays_within_the_cap_and_is_beaten_by_none(trials, before):
    found = best(trials, before)
    able = [trial for trial in trials if trial.perplexity <= CAP and trial.choice > before]
    assert (found is None) is (not able)
    if found is not None:
        assert found in able
        assert all(found.choice >= trial.choice for trial in able)
        assert best(trials[::-1], before) == found


def test_of_equal_gains_the_weakest_is_taken():
    weak, strong = (Trial("means", 3, strength, 0.7, 1.0) for strength in (0.1, 0.4))
    assert best([strong, weak], 0.5) == weak


@pytest.mark.parametrize(
    ("blocks", "layers"), [(30, [6, 9, 13, 16, 20, 23]), (4, [1, 2]), (1, [0]), (12, [2, 3, 5, 6, 8, 9])]
)
def test_layers_are_spread_over_the_middle(blocks, layers):
    assert layers_to_try(blocks) == layers
