"""A scripted interviewer for the tests of elicitation; every person and card here is made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from adjudge.engine import Engine
from adjudge.ledger import Ledger
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Question
from adjudge_metacog.elicit.events import Accepted, Began, Case, Draft, Drafted, Finding, Opened, Said
from adjudge_metacog.elicit.store import Store

CASES = (
    Case(id="garage", text="I want to leave school. What now?", context="Young people want something else"),
    Case(id="debt", text="He lent me money and wants me to lie. Do I?", context="Debts between friends"),
)
FINE = {"attendable": True, "meaningful": True, "fits": True, "reason": ""}
CARD = {
    "title": "Room to find out",
    "short": "The assistant should help the person to find out what they want.",
    "detailed": "It asks before it advises. It leaves the choice where it belongs.",
    "policies": ["MOMENTS when the person lights up", "FEARS that belong to somebody else"],
}


def card(title: str = "Room to find out", **fields: Any) -> Draft:
    return Draft.model_validate({**CARD, "title": title, **fields})


def script(**answers: Any) -> Callable[[Question], Any]:
    """Answers by step: a value is sent as JSON, text and failures as they are; of a list one after the other."""
    ready = {"ready": True, "question": ""}
    checks = {"policies": [FINE, FINE]}
    story = {"from_card": "A", "story": "She pushed him for years, until he fell silent, and then she began to ask."}
    usual = {"ask": ready, "draft": CARD, "check": checks, "same": {"reason": "", "same": True}, "story": story}
    table: dict[str, Any] = {**usual, **answers}

    def answer(question: Question) -> Any:
        step = question.criterion.removeprefix("elicit:")
        said = table[step]
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        if callable(said):
            said = said(question)
        return json.dumps(said) if isinstance(said, Mapping) else said

    return answer


def engine(backend: ScriptedBackend) -> Engine:
    return Engine(backend, Ledger(":memory:"))


def with_cards(path, *people: tuple[str, str], case: str = "garage", findings: tuple[Finding, ...] = ()) -> Store:
    """An elicitation in which each person (name, title) accepted a card; no two cards have the same words."""
    store = Store(path)
    if not store.state.cases:
        store.append(Opened(type="opened", cases=CASES))
    for person, title in people:
        store.append(
            Began(type="began", person=person, case=case),
            Said(type="said", person=person, role="person", text="It matters to me."),
            Drafted(
                type="drafted",
                person=person,
                draft=card(title, short=f"{CARD['short']} Says {person}."),
                checked=True,
                findings=findings,
            ),
            Accepted(type="accepted", person=person, card=f"card-{person}"),
        )
    return store


DOWN = Failure(reason="infra", detail="the server is down")
