"""One engine with the real model for the whole folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adjudge.verdict import Prompt, Question
from adjudge_local.backend import LocalBackend
from adjudge_local.plugin import build

EVIDENCE = "<output>\nBoil the egg for eight minutes and cool it in cold water. Thank you for asking!\n</output>\n"


@pytest.fixture(scope="session")
def backend() -> Iterator[LocalBackend]:
    built = build(context=1024)
    assert isinstance(built, LocalBackend)
    yield built
    built.close()


@pytest.fixture(scope="session")
def question() -> Callable[..., Question]:
    """`question(ask, output=…, **fields)`: short synthetic evidence, criterion last."""

    def make(ask: str = "Is the text polite?", output: str = EVIDENCE, **fields: object) -> Question:
        prompt = Prompt(system="You judge texts.", input="<input>\nHow long?\n</input>\n", output=output, ask=ask)
        return Question.model_validate({"prompt": prompt, **fields})

    return make
