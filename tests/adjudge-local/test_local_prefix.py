"""How prompts are laid over what a slot holds, on an engine that only counts."""

from __future__ import annotations

from threading import Event
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adjudge_local.engine import Completion
from adjudge_local.labels import Tokens
from adjudge_local.prefix import Session, Slot
from adjudge_local.template import Tokenised


class CountingEngine:
    """Keeps the longest common beginning, as llama.cpp does; notes which spans it evaluated."""

    def __init__(self) -> None:
        self.held: Tokens = ()
        self.spans: list[tuple[int, int]] = []

    def __call__(self, tokens: Tokens, slot: int, stop: Event, **parameters: Any) -> Completion:
        common = next((n for n, (a, b) in enumerate(zip(self.held, tokens, strict=False)) if a != b), None)
        start = min(len(self.held), len(tokens)) if common is None else common
        start = min(start, len(tokens) - 1)
        self.held = tokens
        self.spans.append((start, len(tokens)))
        return Completion(evaluated=len(tokens) - start, written=1)


def prompt(system: int, output: int, ask: int) -> Tokenised:
    """Turns of 4 + 6 tokens, then 5 for the criterion, of which the first three are the same for all criteria."""
    head = (*range(100, 103), 1000 + system)
    evidence = (*range(200, 205), 2000 + output)
    return Tokenised((*head, *evidence, 300, 301, 302, 3000 + ask, 400), (4, 10))


PROMPTS = st.builds(prompt, st.integers(0, 1), st.integers(0, 1), st.integers(0, 2))


@given(st.lists(PROMPTS, min_size=1, max_size=8))
def test_evaluation_always_goes_from_bound_to_bound_whatever_was_asked_before(prompts: list[Tokenised]) -> None:
    engine, slot = CountingEngine(), Slot(0)
    for one in prompts:
        before = len(engine.spans)
        session = Session(engine, slot, Event())
        session.lay(one)
        session.read(one.tokens)
        full = [(0, 4), (4, 10), (10, 14), (14, 15)]
        spans = [span for span in engine.spans[before:] if span in full]
        assert spans == full[-len(spans) :]
        # Beside these at most one token that cuts off what the last question left.
        assert len(engine.spans) - before <= len(spans) + 1
        assert session.evaluated <= sum(end - start for start, end in spans) + 1


def test_the_second_criterion_evaluates_only_itself() -> None:
    engine, slot = CountingEngine(), Slot(0)
    for ask in (0, 1):
        session = Session(engine, slot, Event())
        session.lay(prompt(0, 0, ask))
        session.read(prompt(0, 0, ask).tokens)
    assert session.evaluated == 5 + 1


def test_after_a_call_that_broke_off_nothing_is_taken_for_granted() -> None:
    engine, slot = CountingEngine(), Slot(0)
    Session(engine, slot, Event()).lay(prompt(0, 0, 0))
    slot.held = None
    session = Session(engine, slot, Event())
    session.lay(prompt(0, 0, 0))
    assert session.evaluated == 14 + 1
