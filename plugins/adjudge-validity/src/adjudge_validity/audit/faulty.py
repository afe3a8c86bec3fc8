"""A scripted judge with dialled-in faults, to try audits on: what an audit measures must be what was dialled."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated

from pydantic import Field

from adjudge.options import refuse_unknown, validated
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Question
from adjudge_validity.audit.corpus import rows
from adjudge_validity.audit.speech import GENDERED, SPELLINGS
from adjudge_validity.audit.surface import CITATION, CREDENTIALS, CROWD, FILLERS, ONCE_MORE, PREFACE

DIALS = ("position", "levels", "verbosity", "injection", "content_free", "instability")
"""Each the chance, from 0 to 1, that an item has the fault."""
SURE = 0.9
"""Probability that it gives to the level that it chooses."""

_TAG = re.compile(r"<(output)(-[ab])?-[0-9a-f]+>")
_INPUT = re.compile(r"<input-[0-9a-f]+>\n(.*)\n</input-", re.DOTALL)
_GENDERED = {*GENDERED, *GENDERED.values(), "ms", "hers"}
_LISTED = re.compile(r"^- (\S+): (.*)$", re.MULTILINE)
_SIGNATURE = re.compile(r"\(Written by [^)]*\)")
_LITTLE = {"the", "a", "an", "in", "on", "at", "answer", "output", "lt"}
_FIRST_LETTERS = 40


class FaultyBackend(ScriptedBackend):
    """Answers label questions without any model, the same every time.

    What is right depends on the input alone (of a comparison, also on how its sides begin), so that a changed output
    changes no verdict unless a fault is dialled in. An item has a fault by chance, once for all times that it is asked
    about:

    - `position`: the submission shown first wins
    - `levels`: the level listed first is chosen
    - `verbosity`: an answer with filler gets the highest level
    - `injection`: an answer with an injection gets the highest level
    - `content_free`: an answer without content gets the highest level
    - `instability`: asked again, it says something else
    """

    def __init__(self, *, seed: int = 0, **dials: float) -> None:
        """Dial faults in.

        Raises:
            UnknownNameError: There is no such dial.
            UnsupportedError: A dial is not from 0 to 1.
        """
        refuse_unknown("dial of the backend 'faulty'", dials, DIALS)
        self._dials = {name: _chance(name, dials.get(name, 0.0)) for name in DIALS}
        self._seed = seed
        super().__init__(self._said, name="faulty", keep=False)
        self.identity = {"backend": "faulty", "version": 1, "seed": seed, **self._dials}

    def _said(self, question: Question) -> Mapping[str, float] | Failure:
        if not question.labels:
            return Failure(reason="infra", detail="the backend 'faulty' answers with labels only; use --read-out label")
        word = self._word(question)
        rest = (1 - SURE) / (len(question.labels) - 1)
        return {label: SURE if label == word else rest for label in question.labels}

    def _word(self, question: Question) -> str:
        labels, item = question.labels, _Item.of(question)
        right = self._preferred(item, labels) if item.sides else self._level(item, _meanings(question))
        if question.repeat and self._has("instability", item):
            others = [label for label in sorted(labels) if label != right]
            return others[self._draw("other", item.key) * len(others) // _WHOLE]
        return right

    def _preferred(self, item: _Item, labels: Sequence[str]) -> str:
        if self._has("position", item):
            return labels[0]
        first, second = (self._draw("worth", item.key, side) if side else -1 for side in item.sides)
        return labels[0] if first > second else labels[1]

    def _level(self, item: _Item, meanings: Mapping[str, str]) -> str:
        labels = list(meanings)
        if self._has("levels", item):
            return labels[0]
        if item.output.strip() in _content_free():
            return _best(labels) if self._has("content_free", item) else _worst(labels)
        tempted = (_holds(item.output, (*FILLERS, PREFACE, ONCE_MORE)) and self._has("verbosity", item)) or (
            _holds(item.output, _injections()) and self._has("injection", item)
        )
        in_order = sorted(labels, key=meanings.__getitem__)  # whatever letter or number stands for it
        return _best(labels) if tempted else in_order[self._draw("right", item.key) * len(in_order) // _WHOLE]

    def _has(self, fault: str, item: _Item) -> bool:
        return self._draw(fault, item.key) < self._dials[fault] * _WHOLE

    def _draw(self, *parts: str) -> int:
        """A whole number under `_WHOLE`, the same for the same parts."""
        return int.from_bytes(hashlib.sha256(repr((self._seed, *parts)).encode("utf-8", "replace")).digest()[:4], "big")


_WHOLE = 2**32


class _Item:
    """What a question shows."""

    def __init__(self, key: str, output: str, sides: tuple[str, ...]) -> None:
        self.key, self.output, self.sides = key, output, sides

    @classmethod
    def of(cls, question: Question) -> _Item:
        """Read a prompt: the input as key, the output, of a comparison how each side begins."""
        prompt = question.prompt
        asked = _INPUT.search(prompt.input)
        words = re.findall(r"\w+", asked[1].casefold() if asked else "")
        key = f"{question.criterion}: {' '.join(word for word in words if word not in _GENDERED)}"
        blocks = {"".join(m.groups("")): m.end() for m in _TAG.finditer(prompt.output)}
        texts = {name: prompt.output[start:].split("</output", 1)[0].strip("\n") for name, start in blocks.items()}
        sides = tuple(_plain(text) for name, text in sorted(texts.items()) if name != "output")
        return cls(key, texts.get("output", ""), sides)


def _meanings(question: Question) -> dict[str, str]:
    """What each label stands for, as the question says; the label itself where it says nothing."""
    said = dict(_LISTED.findall(question.prompt.ask))
    return {label: said.get(label, label) for label in question.labels}


def _plain(text: str) -> str:
    """How a text begins, without what perturbations add or change; empty if it has no content."""
    if text.strip() in _content_free():
        return ""
    text = text.partition(ONCE_MORE)[0]
    for marker in (*_injections(), *FILLERS, PREFACE, CREDENTIALS, CITATION, CROWD):
        text = text.replace(marker, "")
    words = re.findall(r"[^\W_]+", _SIGNATURE.sub("", text).casefold())
    kept = (SPELLINGS.get(word, word) for word in words if word not in _LITTLE | _GENDERED)
    return "".join(kept)[:_FIRST_LETTERS]


def _chance(name: str, value: float) -> float:
    chance: float = validated(f"backend 'faulty': {name}", Annotated[float, Field(ge=0, le=1)], value)
    return chance


@cache
def _content_free() -> frozenset[str]:
    return frozenset(row["text"] for row in rows("content_free"))


@cache
def _injections() -> tuple[str, ...]:
    """Of each injection the longest line, which no neutralising of markers touches."""
    return tuple(max(row["text"].split("\n"), key=len) for row in rows("injections"))


def _holds(text: str, markers: Iterable[str]) -> bool:
    return any(marker in text for marker in markers)


def _best(labels: Sequence[str]) -> str:
    return "Yes" if "Yes" in labels else labels[-1]


def _worst(labels: Sequence[str]) -> str:
    return "No" if "No" in labels else labels[0]
