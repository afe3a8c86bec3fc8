"""The plain solver: the candidate's answer, or why there is none."""

from __future__ import annotations

import pytest

from adjudge.api import installed
from adjudge.engine import Engine
from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge.ledger import Ledger
from adjudge.solvers import GenerateSolver
from adjudge.submission import Message, Submission, as_text
from adjudge.testing import ScriptedBackend
from adjudge.unanswered import FAILURE
from adjudge.verdict import Failure, Reply

ASKED = Submission(id="s", input="Name a colour.", metadata={"kept": 1})


async def solve(script, submission=ASKED, **options):
    backend = ScriptedBackend(script)
    solver = installed().solvers["generate"].build(**options)
    with Ledger() as ledger:
        return await solver.solve(submission, Engine(backend, ledger)), backend


async def test_the_reply_becomes_the_output():
    solved, backend = await solve("Blue.")
    assert solved == ASKED.model_copy(update={"output": "Blue."})
    assert backend.prompts == ["Name a colour."]


def turns(*said):
    """Messages as `role: text`, a kind in brackets."""
    found = []
    for role, _, content in (one.partition(": ") for one in said):
        name, _, kind = role.partition(" ")
        found.append(Message(role=name, content=content, kind=kind or "text"))
    return tuple(found)


async def test_a_conversation_is_put_turn_by_turn():
    talk = turns("system: Be kind.", "user: Hello.", "assistant: Yes?", "user: A colour.")
    _, backend = await solve("Blue.", Submission(id="s", input=talk), system="Be brief.")
    (question,) = backend.questions
    assert question.prompt.system == "Be brief.\n\nBe kind."
    assert question.prompt.user == "Hello."
    assert question.follow_up == talk[2:]


@pytest.mark.parametrize(
    "talk",
    [
        turns("user: Hello.", "assistant: Yes?"),
        turns("assistant: Yes?", "user: Hello."),
        turns("user: Hello.", "user: Are you there?", "user: Hm."),
        turns("user: Hello.", "assistant thinking: Hm.", "user: Well?"),
        turns("system: Be kind."),
    ],
)
async def test_a_conversation_that_does_not_alternate_is_put_as_labelled_turns(talk):
    _, backend = await solve("Blue.", Submission(id="s", input=talk), system="Be brief.")
    (question,) = backend.questions
    assert (question.prompt.user, question.follow_up) == (as_text(talk), ())
    assert question.prompt.system == "Be brief."


async def test_a_failed_call_leaves_the_output_empty_and_says_why():
    solved, _ = await solve(Failure(reason="infra", detail="down"))
    assert solved.output == ""
    assert solved.metadata == {"kept": 1, FAILURE: "infra: down"}


async def test_a_cut_reply_is_kept_and_marked():
    solved, _ = await solve(Reply(text="Blue, and", stop="length"))
    assert solved.output == "Blue, and"
    assert solved.metadata == {"kept": 1, "solver_cut": True}


async def test_system_and_input_never_run_into_each_other():
    keys = set()
    with Ledger() as ledger:
        backend = ScriptedBackend("x")
        engine = Engine(backend, ledger)
        for system, text in (("a", "bc"), ("ab", "c"), ("", "abc")):
            await GenerateSolver(system).solve(Submission(id="s", input=text), engine)
        keys = {engine.fingerprint(question) for question in backend.questions}
    assert len(keys) == 3


def test_options_are_checked():
    build = installed().solvers["generate"].build
    assert build(temperature=0.7).sampling.temperature == 0.7
    assert build(temperature=0.7).sampling.max_tokens == 600
    with pytest.raises(UnknownNameError, match="did you mean 'temperature'"):
        build(temprature=1)
    with pytest.raises(UnsupportedError, match="max_tokens='many'"):
        build(max_tokens="many")
