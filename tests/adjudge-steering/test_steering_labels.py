"""Labels are read from next-token probabilities as disjoint events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_steering.labels import label_logprobs


def reader(seed: int, size: int = 5):
    """Random next-token log-probabilities, the same for the same prefix."""

    def read(prefix):
        values = np.random.default_rng([seed, *prefix]).exponential(size=size)
        return np.log(values / values.sum())

    return read


SPELLINGS = st.dictionaries(
    st.sampled_from("abcd"),
    st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple), min_size=1, max_size=2),
    min_size=2,
)


@given(SPELLINGS, st.integers(0, 99))
def test_labels_with_different_spellings_hold_no_more_than_everything(spellings, seed):
    every = [tokens for options in spellings.values() for tokens in dict.fromkeys(options)]
    if len(set(every)) < len(every):
        return
    found = label_logprobs(spellings, reader(seed))
    assert set(found) == set(spellings)
    assert math.fsum(math.exp(value) for value in found.values()) <= 1 + 1e-6


def test_the_longer_label_takes_its_mass_from_the_one_it_begins_with():
    read = reader(1)
    found = label_logprobs({"long": [(2, 3)], "short": [(2,)], "other": [(0,)]}, read)
    first, second = read(()), read((2,))
    assert found["long"] == pytest.approx(first[2] + second[3])
    assert found["short"] == pytest.approx(math.log(math.exp(first[2]) * (1 - math.exp(second[3]))))
    assert found["other"] == pytest.approx(first[0])


def test_each_place_is_read_once():
    places = []

    def read(prefix):
        places.append(prefix)
        return reader(0)(prefix)

    label_logprobs({"a": [(1, 2), (3,)], "b": [(1, 4)]}, read)
    assert sorted(places) == [(), (1,)]
