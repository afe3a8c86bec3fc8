"""Difference scaling of a judge whose steps are known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from adjudge.errors import InputError
from adjudge_validity.ruler import Quadruple, difference_scale, straightened

LADDER = np.linspace(0, 1, 11)


def answers(psi, noise=0.1, seed=0):
    """All 330 quadruples of 11 stimuli, each asked once."""
    rng = np.random.default_rng(seed)
    found = []
    for a, b, c, d in combinations(range(len(psi)), 4):
        gap = psi[d] - psi[c] - psi[b] + psi[a] + rng.normal() * noise
        found.append(Quadruple(a, b, c, d, second=bool(gap > 0)))
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_ruler_with_growing_steps_is_recovered(seed):
    made = answers(LADDER**2, seed=seed)
    assert len(made) == 330
    found = difference_scale(made, 11)
    assert np.abs(np.array(found.psi) - LADDER**2).max() <= 0.08
    assert found.noise == pytest.approx(0.1, abs=0.03)


def test_an_even_ruler_stays_even():
    found = difference_scale(answers(LADDER), 11)
    assert np.array(found.psi) == pytest.approx(LADDER, abs=0.08)
    assert found.rises


def test_the_order_of_answers_changes_nothing():
    made = answers(LADDER**2)
    one, other = difference_scale(made, 11), difference_scale(made[::-1], 11)
    assert other.psi == pytest.approx(one.psi, abs=1e-4)


def test_scores_are_moved_to_where_the_judge_means_them_and_keep_their_order():
    ruler = difference_scale(answers(LADDER**2), 11)
    scores = (1 + 4 * LADDER).tolist()
    moved = [straightened(score, scores, ruler) for score in scores]
    assert (moved[0], moved[-1]) == (1, 5)
    assert moved == sorted(moved)
    assert moved[5] == pytest.approx(1 + 4 * 0.25, abs=0.35)
    with pytest.raises(ValueError, match="2 scores for a ruler of 11"):
        straightened(1, [1, 5], ruler)


def test_answers_that_make_no_scale_are_refused():
    with pytest.raises(InputError, match="outside of 0 to 3"):
        difference_scale([Quadruple(0, 1, 2, 9, second=True)], 4)
    with pytest.raises(InputError, match="there is no scale"):
        difference_scale([Quadruple(0, 1, 2, 3, second=False)] * 5, 4)
