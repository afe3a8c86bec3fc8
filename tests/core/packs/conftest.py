"""Packs to break: a complete synthetic one, and ways to change it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adjudge.errors import PackError, Problem
from adjudge.packs import Pack, parse_pack

GOOD_PACK = """\
id: demo/replies
version: "1.0"
role: adviser
charter:
  values: [honesty]
  authors: [A. Author]
  agreed_by: the team
licence:
  spdx: CC-BY-4.0
documentation:
  label_origin: synthetic
  intended_use: trying things out
criteria:
  - id: true
    text: It is true.
    values: [honesty]
  - id: clear
    text: It is clear.
    scale: 1-5
    values: [honesty]
tests:
  - {id: one, output: Yes., expect: {"true": met, clear: 5}}
  - {id: two, output: No., expect: {"true": unmet, clear: 1}}
"""

DRAFT = 'id: d\nversion: "1"\ndraft: true\n'


@pytest.fixture
def good_pack() -> str:
    return GOOD_PACK


@pytest.fixture
def load() -> Callable[[str | bytes], Pack]:
    def load_text(text: str | bytes) -> Pack:
        return parse_pack(text if isinstance(text, bytes) else text.encode(), "p.yaml")

    return load_text


@pytest.fixture
def load_draft(load: Callable[[str | bytes], Pack]) -> Callable[[str], Pack]:
    """Load a draft, given without its first three lines, so that the text begins on line 4."""
    return lambda text: load(DRAFT + text)


@pytest.fixture
def refusals(load: Callable[[str | bytes], Pack]) -> Callable[[str | bytes], list[Problem]]:
    """The problems for which a pack is refused."""

    def problems(text: str | bytes) -> list[Problem]:
        with pytest.raises(PackError) as caught:
            load(text)
        return list(caught.value.problems)

    return problems


@pytest.fixture
def places(refusals: Callable[[str | bytes], list[Problem]]) -> Callable[[str | bytes], list[tuple[int, int, str]]]:
    """Line, column and rule of each problem."""
    return lambda text: [(problem.line, problem.column, problem.rule) for problem in refusals(text)]


@pytest.fixture
def draft_places(
    places: Callable[[str | bytes], list[tuple[int, int, str]]],
) -> Callable[[str], list[tuple[int, int, str]]]:
    """The same for a draft, given without its first three lines."""
    return lambda text: places(DRAFT + text)
