"""The walk over the tree of label tokens, on a made-up model."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge_local.labels import NEGLIGIBLE, Tokens, label_logprobs, log_sum

VOCABULARY = range(4)


class Toy:
    """Next-token probabilities that depend on the prefix; remembers what was read."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.places: list[Tokens] = []

    def probability(self, prefix: Tokens, token: int) -> float:
        weights = [1 + hash((self.seed, prefix, other)) % 997 for other in VOCABULARY]
        return weights[token] / sum(weights)

    def mass(self, tokens: Tokens) -> float:
        return math.prod(self.probability(tokens[:place], token) for place, token in enumerate(tokens))

    def read(self, prefix: Tokens, wanted: frozenset[int]) -> dict[int, float]:
        self.places.append(prefix)
        return {token: math.log(self.probability(prefix, token)) for token in wanted}


def table(**rows: dict[int, float]) -> object:
    """A model given as `{prefix: {token: probability}}`."""

    def read(prefix: Tokens, wanted: frozenset[int]) -> dict[int, float]:
        row = rows["p" + "".join(map(str, prefix))]
        return {token: math.log(row[token]) for token in wanted}

    return read


SPELLINGS = st.lists(
    st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(tuple), min_size=2, max_size=8, unique=True
)


def longest_label(text: Tokens, spellings: list[Tokens]) -> Tokens | None:
    return max((one for one in spellings if text[: len(one)] == one), key=len, default=None)


@settings(max_examples=50)
@given(SPELLINGS, st.integers(0, 1000))
def test_masses_are_those_of_replies_sorted_by_the_longest_label_that_they_begin_with(
    spellings: list[Tokens], seed: int
) -> None:
    toy = Toy(seed)
    got = label_logprobs({str(one): [one] for one in spellings}, toy.read)
    # Enumerate all replies of four tokens: every spelling is at most that long.
    expected = dict.fromkeys(map(str, spellings), 0.0)
    for number in range(len(VOCABULARY) ** 4):
        reply = tuple(number // len(VOCABULARY) ** place % len(VOCABULARY) for place in range(4))
        if (longest := longest_label(reply, spellings)) is not None:
            expected[str(longest)] += toy.mass(reply)
    for label, mass in expected.items():
        assert math.exp(got[label]) == pytest.approx(mass, rel=1e-5, abs=1e-6)


@given(SPELLINGS, st.integers(0, 1000))
def test_labels_never_hold_more_than_all_mass_and_each_place_is_read_once(spellings: list[Tokens], seed: int) -> None:
    toy = Toy(seed)
    half = max(1, len(spellings) // 2)
    labels = {str(n): spellings[n::half] for n in range(half)}
    got = label_logprobs(labels, toy.read)
    assert sum(map(math.exp, got.values())) <= 1 + 1e-6
    assert all(value <= 0 for value in got.values())
    assert len(toy.places) == len(set(toy.places))


def test_a_label_that_begins_another_gives_it_its_share() -> None:
    read = table(p={1: 0.5, 2: 0.1}, p1={0: 0.2})
    got = label_logprobs({"1": [(1,)], "10": [(1, 0)], "2": [(2,)]}, read)
    assert {label: math.exp(value) for label, value in got.items()} == pytest.approx({"1": 0.4, "10": 0.1, "2": 0.1})


def test_spellings_of_one_label_add_up() -> None:
    read = table(p={1: 0.5, 2: 0.1, 3: 0.2})
    got = label_logprobs({"a": [(1,), (2,)], "b": [(3,), (3,)]}, read)
    assert math.exp(got["a"]) == pytest.approx(0.6)
    assert math.exp(got["b"]) == pytest.approx(0.2)


def test_a_negligible_spelling_is_not_followed_and_costs_no_reading() -> None:
    toy = table(p={1: 0.5, 2: 0.5 * NEGLIGIBLE * 0.9})
    got = label_logprobs({"a": [(1,), (2, 3)]}, toy)
    assert math.exp(got["a"]) == pytest.approx(0.5)


def test_a_label_keeps_something_when_float_noise_gives_all_to_the_longer_one() -> None:
    read = table(p={1: 0.5}, p1={0: 1.0})
    got = label_logprobs({"1": [(1,)], "10": [(1, 0)]}, read)
    assert -20 < got["1"] < -10


def test_the_sum_of_no_terms_is_nothing() -> None:
    assert log_sum([]) == -math.inf
    assert log_sum([math.log(0.25), math.log(0.5)]) == pytest.approx(math.log(0.75))
