"""Label probabilities from next-token probabilities, on made-up models."""

from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from adjudge_vllm.labels import label_logprobs

VOCABULARY = 4


def reader(table, asked=None):
    """A model with a fixed distribution after each prefix; uniform where none is given."""

    async def read(prefix, wanted):
        if asked is not None:
            asked.append(prefix)
        row = table.get(prefix, [1 / VOCABULARY] * VOCABULARY)
        return {token: math.log(row[token]) for token in wanted}

    return read


def probabilities(spellings, table, asked=None):
    found = asyncio.run(label_logprobs(spellings, reader(table, asked)))
    return {label: math.exp(value) for label, value in found.items()}


def test_labels_of_one_token_are_read_at_once() -> None:
    asked = []
    found = probabilities({"no": [(0,)], "yes": [(1,)]}, {(): [0.5, 0.2, 0.2, 0.1]}, asked)
    assert found == {"no": 0.5, "yes": 0.2}
    assert asked == [()]


def test_labels_that_share_tokens_are_products_and_each_branch_is_read_once() -> None:
    asked = []
    table = {(): [0.6, 0.2, 0.1, 0.1], (0,): [0.1, 0.7, 0.1, 0.1], (0, 1): [0.2, 0.2, 0.3, 0.3]}
    found = probabilities({"a": [(0, 1, 2)], "b": [(0, 1, 3)], "c": [(0, 0)]}, table, asked)
    assert found["a"] == found["b"] == math.prod((0.6, 0.7, 0.3)) or math.isclose(found["a"], 0.126)
    assert math.isclose(found["c"], 0.06)
    assert sorted(asked) == [(), (0,), (0, 1)]


def test_a_label_that_begins_another_gives_it_its_share() -> None:
    table = {(): [0.8, 0.1, 0.05, 0.05], (0,): [0.25, 0.25, 0.25, 0.25]}
    found = probabilities({"1": [(0,)], "10": [(0, 1)]}, table)
    assert math.isclose(found["10"], 0.2)
    assert math.isclose(found["1"], 0.6)


def test_spellings_add_up_and_a_negligible_one_is_not_followed() -> None:
    asked = []
    likely = {(): [0.5, 0.3, 0.1, 0.1], (1,): [0.9, 0.05, 0.03, 0.02]}
    assert math.isclose(probabilities({"x": [(0,), (1, 0)]}, likely, asked)["x"], 0.5 + 0.27)
    asked.clear()
    unlikely = {(): [0.9, 0.001, 0.05, 0.049]}
    assert math.isclose(probabilities({"x": [(0,), (1, 0)]}, unlikely, asked)["x"], 0.9)
    assert asked == [()]


ROWS = st.lists(st.floats(0.01, 1), min_size=VOCABULARY, max_size=VOCABULARY).map(
    lambda row: [value / math.fsum(row) for value in row]
)
SEQUENCES = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=3).map(tuple)


@given(
    st.lists(SEQUENCES, min_size=2, max_size=8, unique=True),
    st.dictionaries(st.lists(st.integers(0, VOCABULARY - 1), max_size=2).map(tuple), ROWS),
)
def test_labels_never_hold_more_than_everything(sequences, table) -> None:
    half = len(sequences) // 2
    spellings = {str(n): [sequences[n], sequences[half + n]] for n in range(half)}
    found = probabilities(spellings, table)
    assert all(0 < value <= 1 for value in found.values())
    assert math.fsum(found.values()) <= 1 + 1e-9
