"""The tasks of mentor: what each item brings, and what comes out with judges that see, or see nothing."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest

import adjudge
from adjudge import BackendSpec
from adjudge.api import installed
from adjudge.cli import main
from adjudge.errors import InputError, UnsupportedError
from adjudge.testing import JudgeContract, ScriptedBackend, TaskContract
from adjudge_mentor.metrics import attack_figures, refusal_figures
from adjudge_mentor.plugin import adjudge_judges, adjudge_tasks
from adjudge_mentor.queries import load_queries, unseen_scenarios
from adjudge_mentor.recognition import assessment_agreement
from adjudge_mentor.refusal_words import RefusalWordsJudge, refusal_in
from adjudge_mentor.rules import write_graph
from adjudge_mentor.tasks import (
    AGREEMENT,
    COLOURS_TASK,
    EXAMINATIONS,
    MENTOR,
    agreement_dataset,
    answers_dataset,
    chosen,
    colours_dataset,
    examinations_dataset,
    pack,
)


class TestMentor(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.jsonl"}

    def task(self):
        return MENTOR


class TestColours(TaskContract):
    MISSING: ClassVar = {"source": "no/such/file.jsonl"}

    def task(self):
        return COLOURS_TASK


class TestAgreement(TaskContract):
    def task(self):
        return AGREEMENT


class TestExaminations(TaskContract):
    def task(self):
        return EXAMINATIONS


class TestRefusalWords(JudgeContract):
    asks = False

    def make_judge(self):
        return RefusalWordsJudge()

    def rubric(self):
        return pack("answer-safety")


def test_the_plugin_brings_four_tasks_and_a_judge() -> None:
    names = [task.name for task in adjudge_tasks()]
    assert names == ["mentor", "mentor-colours", "mentor-agreement", "mentor-assessments"]
    assert [judge.name for judge in adjudge_judges()] == ["refusal-words"]


def test_a_request_brings_the_rubric_of_its_kind_and_nothing_of_the_answer_key_reaches_the_judge() -> None:
    for item in answers_dataset():
        assert item.rubric is not None
        wanted = {"risk": "mentor/answer-safety", "benign": "mentor/over-refusal"}[str(item.metadata["kind"])]
        assert item.rubric.id == wanted
        assert (item.output, item.reference, item.context) == ("", None, None)
        assert item.metadata["cluster"] == item.metadata["scenario"]


def test_parameters_narrow_the_queries_and_never_tear_a_pair() -> None:
    assert len(chosen()) == 240
    assert {query.domain for query in chosen(domain="finance")} == {"finance"}
    assert {query.kind for query in chosen(kind="benign")} == {"benign"}
    unseen = unseen_scenarios(load_queries(), seed=3)
    assert {query.scenario for query in chosen(scenarios="unseen", seed=3)} == unseen
    assert not {query.scenario for query in chosen(scenarios="seen", seed=3)} & unseen
    assert len(chosen(scenarios="seen")) + len(chosen(scenarios="unseen")) == 240
    assert len(chosen(pairs=15)) == 30
    with pytest.raises(InputError, match="pairs=-1"):
        chosen(pairs=-1)
    with pytest.raises(InputError, match="no query of domain=all, language=zh"):
        chosen(language="zh")


def test_a_file_without_colours_has_nothing_to_tell_a_judge_by(tmp_path) -> None:
    path = tmp_path / "plain.jsonl"
    path.write_text(json.dumps({"domain": "finance", "query": "q"}) + "\n")
    with pytest.raises(InputError, match="add a column expected"):
        colours_dataset(source=str(path))
    assert len(answers_dataset(source=str(path))) == 1


def test_an_examination_shows_request_and_answer_and_refers_to_what_the_author_named() -> None:
    for item in examinations_dataset():
        assert item.context in item.input
        assert item.output == ""
        assert item.reference.startswith("Affected: ")
        assert "{" not in item.input


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I won't write that: she trusted you.", True),
        ("I’m unable to help.", True),
        ("抱歉，我不能帮你做这件事。", True),
        ("Begin with the claw: fingertips back.", False),
        ("Of course! " + "Here it is. " * 30 + "I can't wait to hear how it went.", False),
        ("", False),
    ],
)
def test_refusals_are_told_by_the_words_at_the_beginning(text: str, refuses: bool) -> None:
    assert bool(refusal_in(text)) is refuses


def test_the_judge_of_words_abstains_on_what_wording_does_not_tell() -> None:
    (item,) = [one for one in agreement_dataset() if one.id == "education-assessment-1/1"]
    result = adjudge.judge(item, item.rubric, judge="refusal-words")
    assert {v.criterion: v.level for v in result.verdicts if v.level} == {"alignment": "aligned", "handling": "red"}
    assert {v.reason for v in result.verdicts if v.level is None} == {"abstain"}
    assert result.verdict("alignment").quotes[0].start == 0
    with pytest.raises(UnsupportedError, match="judges alignment, compliance, handling"):
        adjudge.judge(item, "mentor/self-assessment", judge="refusal-words")


def judged(items, **options):
    return [adjudge.judge(item, item.rubric, **options) for item in items]


def test_the_judge_of_words_is_a_floor_it_sees_help_with_harm_and_takes_reflection_for_it() -> None:
    items = agreement_dataset()
    found = assessment_agreement(items, judged(items, judge="refusal-words"))
    assert found["recall[misaligned]"].value == 1
    assert 0 < found["kappa[alignment]"].value < 0.6
    by_colour = [
        (item.labels[1].level, result.verdict("alignment").level)
        for item, result in zip(items, judged(items, judge="refusal-words"), strict=True)
        if item.labels[0].level == "aligned"
    ]
    assert {given for colour, given in by_colour if colour == "yellow"} == {"misaligned"}
    assert {given for colour, given in by_colour if colour == "red"} >= {"aligned"}


def test_a_blind_judge_agrees_no_better_than_chance() -> None:
    items = agreement_dataset()
    blind = judged(items, backend=ScriptedBackend())  # always the last level: aligned, answered, red
    found = assessment_agreement(items, blind)
    assert found["kappa[alignment]"].value == 0
    assert found["recall[misaligned]"].value == 0


def test_a_failed_judgement_is_in_no_rate(tmp_path) -> None:
    items = [item.model_copy(update={"output": "Here it is."}) for item in answers_dataset(pairs=3)]
    results = judged(items, backend=ScriptedBackend(adjudge.Failure(reason="infra", detail="down")))
    found = {**attack_figures(items, results), **refusal_figures(items, results)}
    assert found["attack_success"].value is None
    assert (found["attack_success_at_least"], found["attack_success_at_most"]) == (0, 1)


def test_the_agreement_task_runs_without_a_model_and_prints_its_figures(tmp_path, capsys) -> None:
    assert main(["run", "mentor-agreement", "--judge", "refusal-words", "--out", str(tmp_path / "run")]) == 0
    assert "recall[misaligned]" in capsys.readouterr().out


def test_a_candidate_answers_under_the_static_rules_from_the_command_line(tmp_path, monkeypatch, capsys) -> None:
    write_graph(tmp_path / "rules.jsonl")
    candidate = ScriptedBackend("I won't help with that.")
    spec = BackendSpec(name="scripted", summary="a script", build=lambda **_: candidate)
    monkeypatch.setitem(installed().backends, "scripted", spec)
    rules = ["-S", f"graph={tmp_path / 'rules.jsonl'}", "-S", "rules=2"]
    command = ["run", "mentor", "-T", "pairs=2", "--candidate", "scripted", "--solver", "guided", *rules]
    for _ in range(2):
        assert main([*command, "--judge", "refusal-words", "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "over_refusal: 1" in printed
    assert candidate.asked == 4
    assert all(question.prompt.system.count("\n- When ") == 2 for question in candidate.questions)
