"""The crisis gate: every shipped message, what it misses, and that nothing unscored is cleared."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjudge
from adjudge.api import build_judge, installed, make_judge
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Capabilities, Judge
from adjudge.rubric import Rubric
from adjudge.submission import Message, Submission
from adjudge.testing import JudgeContract, ScriptedBackend
from adjudge.verdict import Failure
from adjudge_counselling.crisis import Finding, client_text, find_risk
from adjudge_counselling.datasets import crisis_dataset
from adjudge_counselling.metrics import crisis_figures
from adjudge_counselling.rubrics import pack

CASES = [
    json.loads(line)
    for line in (files("adjudge_counselling") / "data" / "crisis_cases.jsonl").read_text("utf-8").splitlines()
]
ALWAYS_NO = {"No": 0.9, "Yes": 0.1, "否": 0.9, "是": 0.1}


class TestLexicon(JudgeContract):
    asks = False

    def make_judge(self) -> Judge:
        return build_judge(installed(), "crisis-lexicon", {})

    def rubric(self) -> Rubric:
        return pack("crisis")


class TestGate(JudgeContract):
    def make_judge(self) -> Judge:
        return build_judge(installed(), "crisis-gate", {})

    def rubric(self) -> Rubric:
        return pack("crisis")


class TestReasonedGate(JudgeContract):
    def make_judge(self) -> Judge:
        return build_judge(installed(), "crisis-gate", {"read_out": "reasoned"})

    def rubric(self) -> Rubric:
        return pack("crisis-zh")


def test_there_are_enough_cases_of_every_sort_each_with_a_benign_twin() -> None:
    assert len(CASES) >= 60
    assert len({case["text"] for case in CASES}) == len({case["id"] for case in CASES}) == len(CASES)
    assert all(case["synthetic"] for case in CASES)
    for case in CASES:
        twins = [other for other in CASES if other["pair"] == case["pair"]]
        assert sorted(twin["level"] for twin in twins) == ["met", "unmet"]
        assert len({(twin["language"], twin["kind"], twin["split"]) for twin in twins}) == 1
    sorts = Counter((case["language"], case["kind"]) for case in CASES if case["level"] == "met")
    assert set(sorts) == {("en", "open"), ("en", "hinted"), ("zh", "open"), ("zh", "hinted")}
    assert min(sorts.values()) >= 8


def test_seen_messages_are_told_apart_but_for_two_hints_and_no_benign_twin_alarms() -> None:
    wrong = [case["id"] for case in CASES if (find_risk(case["text"]) is None) == (case["level"] == "met")]
    assert {name for name in wrong if name.endswith("benign")} == set()
    assert [name for name in wrong if {c["id"]: c["split"] for c in CASES}[name] == "seen"] == [
        "en-18-risk",
        "zh-40-risk",
    ]


@pytest.mark.parametrize(
    ("message", "sign"),
    [
        ("I want to kill myself", "open"),
        ("I WANT TO KILL MYSELF", "open"),
        ("i don’t want to live any more", "open"),
        ("Ｉ ｗａｎｔ ｔｏ ｄｉｅ", "open"),
        ("I want to d\u200bie", "open"),
        ("我  想 自杀".replace(" ", ""), "open"),
        ("You'd all be better off without me.", "hinted"),
        ("我撑不下去了", "hinted"),
        ("This traffic is killing me, and I want to die.", "open"),
        ("笑死我了，不过我真的不想活了", "open"),
    ],
)
def test_a_sign_is_found_in_any_spelling_and_beside_a_figure_of_speech(message: str, sign: str) -> None:
    found = find_risk(message)
    assert found is not None
    assert found.sign == sign


@pytest.mark.parametrize(
    "message",
    [
        "",
        "I could kill for a coffee, this deadline is killing me.",
        "We killed time at the station and died laughing.",
        "She works in suicide prevention training.",
        "I have never thought about suicide.",
        "热死了，笑死我了，电脑又死机了。",
        "跳楼价大甩卖",
    ],
)
def test_figures_of_speech_are_left_alone(message: str) -> None:
    assert find_risk(message) is None


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    assert find_risk(text) is None or isinstance(find_risk(text), Finding)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_plain_statement_is_found_whatever_stands_around_it(before: str, after: str) -> None:
    found = find_risk(f"{before}\n— I am suicidal. —\n{after}")
    assert found is not None
    assert found.sign == "open"


def test_of_a_conversation_only_the_client_is_looked_at() -> None:
    turns = (
        Message(role="user", content="I argued with my sister."),
        Message(role="assistant", content="Do you think of suicide?"),
        Message(role="user", content="No, I am only angry."),
    )
    assert client_text(turns) == "I argued with my sister.\nNo, I am only angry."
    assert find_risk(client_text(turns)) is None


def test_of_a_transcript_only_the_clients_lines_are_looked_at() -> None:
    asked = "[1] client: I argued with my sister.\n[2] counsellor: Do you think of suicide?\n[3] client: No."
    assert client_text(asked) == "I argued with my sister.\nNo."
    assert find_risk(client_text(asked)) is None
    assert find_risk(client_text(asked.replace("No.", "Yes, I want to die."))) is not None


def test_the_verdict_points_at_the_words_that_were_found() -> None:
    text = "Nobody knows. I want to end my life."
    (quote,) = adjudge.judge(text, "counselling/crisis", judge="crisis-lexicon").verdict("risk").quotes
    assert text[quote.start : quote.end] == quote.text == "end my life"


async def test_the_gate_reads_reasons_from_a_backend_without_log_probabilities() -> None:
    backend = ScriptedBackend(ALWAYS_NO, capabilities=Capabilities())
    async with make_judge("counselling/crisis", backend=backend, judge="crisis-gate") as judge:
        result = await judge("I had soup for lunch.")
        assert judge.downgraded
    assert result.verdicts[0].status == "scored"


@pytest.mark.parametrize("judge", ["crisis-lexicon", "crisis-gate"])
def test_another_rubric_is_refused(judge: str) -> None:
    with pytest.raises(UnsupportedError, match="use --rubric counselling/crisis"):
        make_judge("counselling/mi-quality", judge=judge, backend=ScriptedBackend(ALWAYS_NO))


async def test_a_model_is_asked_only_about_what_the_lexicon_does_not_flag() -> None:
    items = crisis_dataset()
    backend = ScriptedBackend(ALWAYS_NO)
    async with make_judge(None, backend=backend, judge="crisis-gate") as judge:
        results = await judge.many(items)
    flagged = {r.submission for r in results for v in r.verdicts if "escalate" in v.flags}
    assert flagged == {case["id"] for case in CASES if find_risk(case["text"]) is not None}
    assert backend.asked == len(items) - len(flagged)


async def test_what_the_model_flags_or_does_not_answer_goes_to_a_person() -> None:
    message = Submission(id="m", output="I have put everything away neatly.")
    for script, status in (({"Yes": 0.9, "No": 0.1}, "scored"), (Failure(reason="refusal", detail="no"), "unscored")):
        async with make_judge("counselling/crisis", backend=ScriptedBackend(script), judge="crisis-gate") as judge:
            (verdict,) = (await judge(message)).verdicts
        assert verdict.status == status
        assert "escalate" in verdict.flags
    async with make_judge("counselling/crisis", backend=ScriptedBackend(ALWAYS_NO), judge="crisis-gate") as judge:
        (verdict,) = (await judge(message)).verdicts
    assert (verdict.level, "escalate" in verdict.flags) == ("unmet", False)


async def gate_figures(script: object, split: str = "both") -> dict[str, object]:
    items = crisis_dataset(split=split)
    async with make_judge(None, backend=ScriptedBackend(script), judge="crisis-gate") as judge:
        return crisis_figures(items, await judge.many(items))


async def test_figures_of_a_gate_whose_model_sees_everything() -> None:
    found = await gate_figures({"Yes": 1.0, "是": 1.0, "No": 0.0, "否": 0.0})
    assert found["recall"].value == 1
    assert found["recall_at_least"] == found["recall"].low == pytest.approx(0.9124, abs=1e-4)
    assert found["false_alarms"].value == 1
    assert found["missed"] == []


async def test_figures_of_a_gate_whose_model_never_sees_anything() -> None:
    found = await gate_figures(ALWAYS_NO)
    missed = [case["id"] for case in CASES if case["level"] == "met" and find_risk(case["text"]) is None]
    assert [row["id"] for row in found["missed"]] == missed
    assert found["recall"].value == pytest.approx(1 - len(missed) / 40)
    assert found["recall[open]"].value > found["recall[hinted]"].value
    assert found["recall[seen]"].n == found["recall[unseen]"].n == 20
    assert found["false_alarms"].value == 0


async def test_unscored_messages_are_told_and_count_as_missed_at_worst() -> None:
    found = await gate_figures(Failure(reason="refusal", detail="it will not say"))
    unscored = {row["id"] for row in found["unscored"]}
    assert unscored == {case["id"] for case in CASES if find_risk(case["text"]) is None}
    assert found["recall"].value == 1
    assert found["recall_if_unscored_missed"].value == pytest.approx(
        sum(find_risk(case["text"]) is not None for case in CASES if case["level"] == "met") / 40
    )
    assert found["coverage"] == pytest.approx(1 - len(unscored) / len(CASES))


def test_the_lexicon_judges_without_a_backend() -> None:
    result = adjudge.judge("I want to end my life.", "counselling/crisis", judge="crisis-lexicon")
    verdict = result.verdict("risk")
    assert verdict.level == "met"
    assert verdict.explanation == "open sign: end my life"
    assert verdict.judge.startswith("crisis-lexicon(1)")
