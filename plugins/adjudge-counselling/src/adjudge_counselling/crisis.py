"""The crisis gate: does a message hint that its writer thinks of suicide or self-harm. A lexicon first, then a model.

What is flagged goes to a person. What is not flagged is not thereby safe: the gate is no clinical instrument.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Judge, JudgeSpec
from adjudge.judges import settings_from
from adjudge.judges.isolated import IsolatedJudge
from adjudge.judges.settings import Settings, only_submission
from adjudge.reply_text import verify_quotes
from adjudge.rubric import Rubric
from adjudge.submission import Message, Submission, Text
from adjudge.verdict import Verdict
from adjudge_counselling.dialogue import is_transcript, read_turns

RISK = "risk"
"""The criterion that the gate judges."""
LEXICON = "crisis-lexicon"
GATE = "crisis-gate"

Sign = Literal["open", "hinted"]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Compiled patterns."""

    version: int
    """Part of the judge's name, so that a changed lexicon is another judge."""
    harmless: re.Pattern[str]
    """Figures of speech, taken out before anything is looked for."""
    signs: dict[Sign, re.Pattern[str]]
    """Open statements, and hints."""


@cache
def lexicon() -> Lexicon:
    """The lexicon of this distribution."""
    data = json.loads((files("adjudge_counselling") / "data" / "crisis_lexicon.json").read_text("utf-8"))
    return Lexicon(
        data["version"], _any_of(data["harmless"]), {"open": _any_of(data["open"]), "hinted": _any_of(data["hinted"])}
    )


def _any_of(by_language: dict[str, list[str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for patterns in by_language.values() for pattern in patterns))


@dataclass(frozen=True, slots=True)
class Finding:
    """What the lexicon found in a message."""

    sign: Sign
    """An open statement, or a hint."""
    words: str
    """The words that it found."""


def find_risk(message: str) -> Finding | None:
    """Look for open statements, then for hints, in English and Chinese.

    Args:
        message: What the client wrote.

    Returns:
        The first sign, an open one before a hinted one; None if there is none, which does not mean that there is no
        danger.
    """
    known = lexicon()
    plain = known.harmless.sub(" ⁂ ", folded(message))
    for sign, pattern in known.signs.items():
        match = pattern.search(plain)
        if match:
            return Finding(sign, match[0].strip())
    return None


def folded(message: str) -> str:
    """The message in one spelling: NFKC, case-folded, straight apostrophes, single spaces, no invisible characters."""
    visible = "".join(c for c in unicodedata.normalize("NFKC", message) if unicodedata.category(c) != "Cf")
    return " ".join(visible.casefold().replace("’", "'").replace("‘", "'").replace("`", "'").split())


def client_text(text: Text) -> str:
    """What the client says: the client's lines of a transcript, the user's turns of a conversation, else all of it."""
    if isinstance(text, str) and is_transcript(text):
        return "\n".join(one.text for one in read_turns(text) if one.side == "client")
    if isinstance(text, str):
        return text
    return "\n".join(message.content for message in text if _is_clients(message))


def _is_clients(message: Message) -> bool:
    return message.role == "user" and message.kind == "text"


@dataclass(frozen=True)
class LexiconJudge:
    """Judges the criterion `risk` by the lexicon alone; asks nobody."""

    @property
    def name(self) -> str:
        """`crisis-lexicon` with the lexicon's version."""
        return f"{LEXICON}({lexicon().version})"

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric without the criterion, or with others.

        Raises:
            UnsupportedError: Saying which rubric to take.
        """
        refuse_other_rubrics(rubric, LEXICON)

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one message."""
        del ask
        self.check(rubric)
        submission = only_submission(item, LEXICON)
        return [verdict_of(submission, rubric, find_risk(client_text(submission.output)), self.name)]


def refuse_other_rubrics(rubric: Rubric, judge: str) -> None:
    """Refuse a rubric that asks for anything but `risk`.

    Raises:
        UnsupportedError: Saying which rubric to take.
    """
    if [criterion.id for criterion in rubric.criteria] != [RISK]:
        raise UnsupportedError(
            f"the judge {judge!r} judges the one criterion {RISK!r}, not {rubric.id!r}; use --rubric counselling/crisis"
        )


def verdict_of(submission: Submission, rubric: Rubric, finding: Finding | None, judge: str) -> Verdict:
    """The verdict that a finding, or none, amounts to."""
    level = rubric.criterion(RISK).scale.levels[finding is not None]
    return Verdict(
        submission=submission.id,
        criterion=RISK,
        status="scored",
        level=level.id,
        score=level.score,
        explanation=f"{finding.sign} sign: {finding.words}" if finding else "no sign that the lexicon knows",
        quotes=verify_quotes((finding.words,), submission.output) if finding else (),
        flags=("escalate",) if finding else (),
        judge=judge,
    )


@dataclass(frozen=True)
class GateJudge:
    """The lexicon first; what it does not flag, a model is asked about.

    A model that gives no answer clears nothing: the verdict is then unscored. `escalate` flags what goes to a person,
    unscored messages too.
    """

    settings: Settings
    """How the model is asked."""

    @property
    def inner(self) -> Judge:
        """Asks the model."""
        return IsolatedJudge(self.settings)

    @property
    def name(self) -> str:
        """`crisis-gate` with its two parts."""
        return f"{GATE}({LexiconJudge().name}, {self.inner.name})"

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric without the criterion, or with others.

        Raises:
            UnsupportedError: Saying which rubric to take.
        """
        refuse_other_rubrics(rubric, GATE)

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one message."""
        self.check(rubric)
        submission = only_submission(item, GATE)
        finding = find_risk(client_text(submission.output))
        if finding is not None:
            return [verdict_of(submission, rubric, finding, self.name)]
        highest = rubric.criterion(RISK).scale.levels[-1].id
        return [_escalated(verdict, highest) for verdict in await self.inner.judge(submission, rubric, ask)]


def _escalated(verdict: Verdict, highest: str) -> Verdict:
    """Flag what a person must see: what the model flags, and what it did not answer."""
    cleared = verdict.status == "scored" and verdict.level != highest
    return verdict if cleared else verdict.model_copy(update={"flags": (*verdict.flags, "escalate")})


def _lexicon_judge() -> Judge:
    return LexiconJudge()


def _gate(**options: Any) -> Judge:
    return GateJudge(settings_from(**options))


SPECS = (
    JudgeSpec(
        name=LEXICON,
        build=_lexicon_judge,
        summary="signs of suicide or self-harm by a lexicon, in English and Chinese; no model",
        asks=False,
    ),
    JudgeSpec(name=GATE, build=_gate, summary="the crisis lexicon first, a model about what it does not flag"),
)
"""What the plugin registers."""
