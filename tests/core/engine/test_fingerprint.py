"""The fingerprint: everything that reaches the model and who answers is in it, bookkeeping is not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from adjudge.engine import Engine
from adjudge.judges.joint import JointJudge
from adjudge.judges.settings import Settings
from adjudge.ledger import Ledger
from adjudge.readout import LabelReadOut, ReasonedReadOut
from adjudge.rubric import Criterion, Example, Level, Rubric, Scale
from adjudge.submission import Message, Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Prompt, Question, Sampling

PROMPT = Prompt(system="s", input="i", output="o", ask="a", digest=b"digest")
QUESTION = Question(
    prompt=PROMPT,
    labels=("No", "Yes"),
    sampling=Sampling(temperature=0.0, top_p=0.5, top_k=5, max_tokens=10, seed=1),
    identity=b"identity",
)
TURN = Message(role="assistant", content="what?")
IDENTITY = {"backend": "b", "endpoint": "http://one", "model": "m", "weights": "abc", "options": {"context": 1}}


def key_of(question=QUESTION, identity=IDENTITY):
    backend = ScriptedBackend()
    backend.identity = identity
    with Ledger() as ledger:
        return Engine(backend, ledger).fingerprint(question)


BOOKKEEPING = {"submission", "criterion"}
CHANGES = {
    "prompt": PROMPT.model_copy(update={"digest": b"other"}),
    "follow_up": (TURN,),
    "labels": ("Yes", "No"),
    "json_schema": {"type": "object"},
    "sampling": Sampling(temperature=1.0),
    "repeat": 1,
    "identity": b"other",
}
SAMPLING_CHANGES = {"temperature": 0.1, "top_p": 0.6, "top_k": 6, "max_tokens": 11, "seed": 2}


def test_every_field_of_a_question_is_a_case_here():
    """A new field fails this until it is said whether it belongs to the fingerprint."""
    assert set(Question.model_fields) == BOOKKEEPING | set(CHANGES)
    assert set(Sampling.model_fields) == set(SAMPLING_CHANGES)
    assert set(Prompt.model_fields) == {"system", "input", "output", "ask", "digest"}
    assert set(Message.model_fields) == {"role", "content", "kind", "name", "call"}


@pytest.mark.parametrize("field", CHANGES)
def test_each_field_of_the_question_changes_it(field):
    without = {"labels": ()} if field == "json_schema" else {}
    before = QUESTION.model_copy(update=without)
    assert key_of(before.model_copy(update={field: CHANGES[field]})) != key_of(before)


@pytest.mark.parametrize("field", SAMPLING_CHANGES)
@pytest.mark.parametrize("value", ["other", None])
def test_each_decoding_parameter_changes_it(field, value):
    changed = SAMPLING_CHANGES[field] if value == "other" else value
    sampling = QUESTION.sampling.model_copy(update={field: changed})
    assert key_of(QUESTION.model_copy(update={"sampling": sampling})) != key_of()


@pytest.mark.parametrize("field", sorted(BOOKKEEPING))
def test_bookkeeping_does_not_change_it(field):
    assert key_of(QUESTION.model_copy(update={field: "another"})) == key_of()


@pytest.mark.parametrize(
    "change", [{"role": "user"}, {"content": "why?"}, {"kind": "thinking"}, {"name": "n"}, {"call": "1"}]
)
def test_each_field_of_a_follow_up_changes_it(change):
    first, second = (
        QUESTION.model_copy(update={"follow_up": (turn,)}) for turn in (TURN, TURN.model_copy(update=change))
    )
    assert key_of(first) != key_of(second)


@pytest.mark.parametrize("name", [*IDENTITY, "another"])
def test_who_answers_changes_it(name):
    assert key_of(identity={**IDENTITY, name: "other"}) != key_of()


@pytest.mark.parametrize("name", IDENTITY)
def test_a_part_of_who_answers_that_goes_missing_changes_it(name):
    assert key_of(identity={key: value for key, value in IDENTITY.items() if key != name}) != key_of()


def test_the_order_in_which_a_backend_names_itself_does_not_change_it():
    assert key_of(identity=dict(reversed(IDENTITY.items()))) == key_of()


def test_the_order_of_a_schemas_properties_changes_it():
    """It is the order in which the judge writes: explanation first is another question than level first."""
    a, b = {"explanation": {"type": "string"}}, {"level": {"type": "string"}}
    schemas = [{"type": "object", "properties": properties} for properties in (a | b, b | a)]
    keys = {key_of(QUESTION.model_copy(update={"labels": (), "json_schema": schema})) for schema in schemas}
    assert len(keys) == 2


@pytest.mark.parametrize("field", ["system", "input", "output", "ask"])
def test_a_prompt_without_a_digest_is_told_apart_by_its_text(field):
    bare = QUESTION.model_copy(update={"prompt": PROMPT.model_copy(update={"digest": b""})})
    other = bare.prompt.model_copy(update={field: "another"})
    assert key_of(bare.model_copy(update={"prompt": other})) != key_of(bare)


def test_digest_and_identity_do_not_run_into_each_other():
    def split(digest, identity):
        prompt = PROMPT.model_copy(update={"digest": digest})
        return key_of(QUESTION.model_copy(update={"prompt": prompt, "identity": identity}))

    assert split(b"ab", b"c") != split(b"a", b"bc")


SCALE = Scale(kind="ordinal", levels=(Level(id="low", score=0), Level(id="high", score=1, anchor="clear")))
CRITERION = Criterion(id="c", text="It is clear.", scale=SCALE)
SUBMISSION = Submission(id="s", input="Why?", output="So.", reference="REF", context="CON")


def rubric_of(criterion=CRITERION, **fields):
    return Rubric(id="test", version="1", draft=True, criteria=(criterion,), **fields)


def judged_key(criterion=CRITERION, submission=SUBMISSION, *, rubric=None, settings=None, secret=None, parts=None):
    with Ledger() as ledger:
        engine = Engine(ScriptedBackend(), ledger)
        if secret is not None:
            ledger.secret = secret
        used = rubric or rubric_of(criterion)
        inquiry = (settings or Settings()).inquire(engine, used, [submission], frozenset(parts or criterion.evidence))
        return engine.fingerprint(inquiry.question([criterion]))


def changed(**fields):
    return CRITERION.model_copy(update=fields)


def relevelled(**fields):
    top = SCALE.levels[1].model_copy(update=fields)
    return changed(scale=SCALE.model_copy(update={"levels": (SCALE.levels[0], top)}))


ALL = ("input", "output", "reference", "context")


SEEN = {
    "text of the criterion": {"criterion": changed(text="It is short.")},
    "evidence that is left out": {"criterion": changed(evidence=("output",))},
    "evidence that is shown": {"criterion": changed(evidence=("input", "output", "reference"))},
    "judged examples": {"criterion": changed(examples=(Example(output="x", level="low"),))},
    "score of a level": {"criterion": relevelled(score=2)},
    "anchor of a level": {"criterion": relevelled(anchor="very clear")},
    "word of a level": {"criterion": relevelled(label="superb")},
    "id of a level": {"criterion": relevelled(id="top")},
    "input": {"submission": SUBMISSION.model_copy(update={"input": "Who?"})},
    "output": {"submission": SUBMISSION.model_copy(update={"output": "Thus."})},
    "role": {"rubric": rubric_of(role="nurse")},
    "instructions": {"rubric": rubric_of(instructions="Be strict.")},
    "template of the rubric": {"rubric": rubric_of(template="healthbench")},
    "template that was chosen": {"settings": Settings(template="morebench")},
    "read-out": {"settings": Settings(read_out=ReasonedReadOut())},
    "order of explanation and level": {"settings": Settings(read_out=ReasonedReadOut(order="level-first"))},
    "levels alone": {"settings": Settings(read_out=ReasonedReadOut(order="level-only"))},
    "quotes": {"settings": Settings(read_out=ReasonedReadOut(quotes=True))},
    "tokens of a reply": {"settings": Settings(read_out=ReasonedReadOut(max_tokens=30))},
    "least label mass": {"settings": Settings(read_out=LabelReadOut(min_mass=0.2))},
    "numbers or words for levels": {"settings": Settings(read_out=LabelReadOut(keys="words"))},
    "sampling": {"settings": Settings(sampling=Sampling(temperature=1.0))},
}
"""By what is changed: one thing at a time that the judge sees, or how it is read."""


@pytest.mark.parametrize("name", SEEN)
def test_what_the_judge_sees_or_how_it_is_read_changes_it(name):
    assert judged_key(**SEEN[name]) != judged_key()


def test_the_documentation_lists_each_thing_that_changes_it():
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "verdict.md").read_text("utf-8")
    listed = page.partition("## 2.")[2].partition("## 3.")[0]
    fields = {*CHANGES, *SAMPLING_CHANGES, *Message.model_fields, *IDENTITY}
    cases = {*SEEN, *(f"`{name}`" for name in fields)}
    assert len(cases) >= 22
    assert not [name for name in cases if name not in listed]


@pytest.mark.parametrize(
    "different",
    [
        {"criterion": changed(id="other")},
        {"criterion": changed(weight=-5.0, dimension="d", importance="must", tags=("t",), feedback="f")},
        {"submission": SUBMISSION.model_copy(update={"id": "other", "metadata": {"a": 1}})},
        {"submission": SUBMISSION.model_copy(update={"reference": "other", "context": "other"})},
        {"rubric": rubric_of(title="another", languages=("de",))},
        {"secret": b"another secret"},
    ],
    ids=lambda different: str(different)[:60],
)
def test_what_the_judge_never_sees_does_not_change_it(different):
    assert judged_key(**different) == judged_key()


def test_reference_and_context_change_it_where_they_are_shown():
    for field in ("reference", "context"):
        other = SUBMISSION.model_copy(update={field: "other"})
        assert judged_key(submission=other, parts=ALL) != judged_key(parts=ALL)


def test_template_versions_change_it(monkeypatch):
    before = judged_key()
    from adjudge.judges import settings as module

    newer = module.template_named("default").model_copy(update={"version": "next"})
    monkeypatch.setattr(module, "template_named", lambda name: newer)
    assert judged_key() != before


def test_every_setting_of_a_read_out_is_a_case_above():
    assert {field.name for field in dataclasses.fields(LabelReadOut)} == {"min_mass", "keys"}
    assert {field.name for field in dataclasses.fields(ReasonedReadOut)} == {"order", "quotes", "max_tokens"}
    # A check of consistency asks a second question, which has a fingerprint of its own.
    # A read-out left open and a budget of evidence decide what is asked; nothing of them reaches the model.
    beside = {"check_consistency", "left_open", "evidence_tokens"}
    settings = {field.name for field in dataclasses.fields(Settings)} - beside
    assert settings == {"read_out", "template", "sampling", "repeats"}


def test_criteria_asked_together_are_another_question_in_another_order():
    two = (changed(id="a"), changed(id="b", text="It is short."))
    with Ledger() as ledger:
        engine = Engine(ScriptedBackend(), ledger)
        rubric = Rubric(id="test", version="1", draft=True, criteria=two)
        inquiry = JointJudge().settings.inquire(engine, rubric, [SUBMISSION], frozenset({"output"}))
        assert engine.fingerprint(inquiry.question(two)) != engine.fingerprint(inquiry.question(two[::-1]))
