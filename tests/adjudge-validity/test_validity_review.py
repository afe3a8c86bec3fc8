"""A supervisor's review: beside the verdict, never over it, and part of agreement."""

from __future__ import annotations

import json

import pytest

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge_validity.labelling.acts import Act, Done, Machine
from adjudge_validity.labelling.plan import Wish, material_of
from adjudge_validity.labelling.session import Session
from adjudge_validity.labelling.standing import Outcome, outcome
from adjudge_validity.labels import read_labels

TEXTS = {f"s{i}": "please come" if i % 2 else "come" for i in range(8)}
MACHINE = Machine(run="r", judge="rules", status="scored", level="met")


@pytest.fixture
def reviewed(judged, tmp_path):
    run = judged(TEXTS)

    def open_it(rater="sup"):
        return Session(tmp_path / "review.jsonl", material_of(run, None), Wish(purpose="review"), rater=rater)

    return open_it


def test_agreeing_editing_and_signing_off_leave_the_verdict_as_it_was(reviewed, tmp_path):
    before = (tmp_path / "run" / "verdicts.jsonl").read_bytes()
    with reviewed() as session:
        session.answer(0, "polite", "agree", None, "")
        machine = session.verdict(session.at(1).id, "polite").level
        other = "unmet" if machine == "met" else "met"
        session.answer(1, "polite", "edit", other, "The letter says so.")
        session.answer(2, "polite", "sign-off", None, "")
    assert (tmp_path / "run" / "verdicts.jsonl").read_bytes() == before
    rows = [json.loads(line) for line in (tmp_path / "review.jsonl").read_text().splitlines()[1:]]
    assert [row["kind"] for row in rows] == ["agree", "edit", "sign-off"]
    assert rows[1]["machine"]["level"] == machine
    assert (rows[1]["level"], rows[1]["reason"]) == (other, "The letter says so.")
    assert rows[0]["machine"]["judge"] == "rules"


def test_an_edit_to_the_judge_s_own_level_is_agreeing_with_a_reason_or_without(reviewed, tmp_path):
    with reviewed() as session:
        for place, reason in enumerate(["Please is said.", ""]):
            session.answer(place, "polite", "edit", session.verdict(session.at(place).id, "polite").level, reason)
    rows = [json.loads(line) for line in (tmp_path / "review.jsonl").read_text().splitlines()[1:]]
    assert [(row["kind"], row.get("reason", "")) for row in rows] == [("agree", "Please is said."), ("agree", "")]
    assert all(row["level"] == row["machine"]["level"] for row in rows)


def test_agreed_and_edited_levels_are_labels_and_signatures_are_not(reviewed, tmp_path):
    with reviewed() as session:
        names = [session.at(place).id for place in range(3)]
        session.answer(0, "polite", "agree", None, "")
        session.answer(0, "polite", "sign-off", None, "")
        machine = session.verdict(names[1], "polite").level
        session.answer(1, "polite", "edit", "unmet" if machine == "met" else "met", "No.")
        session.answer(2, "polite", "sign-off", None, "")
    found = {one.submission: one for one in read_labels(tmp_path / "review.jsonl")}
    assert set(found) == set(names[:2])
    assert found[names[0]].label.level == session.verdict(names[0], "polite").level
    assert not any(one.blind for one in found.values())


def test_a_review_feeds_agreement_and_says_that_the_verdict_was_seen(reviewed, tmp_path, capsys):
    with reviewed() as session:
        for place in range(8):
            level = session.verdict(session.at(place).id, "polite").level
            if place < 2:
                session.answer(place, "polite", "edit", "unmet" if level == "met" else "met", "No.")
            else:
                session.answer(place, "polite", "agree", None, "")
    capsys.readouterr()
    assert main(["agreement", str(tmp_path / "run"), "--labels", str(tmp_path / "review.jsonl"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["runs"][0]
    assert said["agreement"][0]["sides"]["judge–human"]["exact"]["value"] == 6 / 8
    assert any("saw the verdict" in warning for warning in said["warnings"])


@pytest.mark.parametrize(
    ("answer", "level", "reason", "message"),
    [
        ("edit", "other", "", "an edit needs a reason"),
        ("edit", None, "Why not.", "choose a level"),
        ("label", "other", "", "no answer here"),
    ],
)
def test_a_review_takes_no_half_answers(reviewed, answer, level, reason, message):
    with reviewed() as session:
        own = session.verdict(session.at(0).id, "polite").level
        levels = {"same": own, "other": "unmet" if own == "met" else "met", None: None}
        with pytest.raises(InputError, match=message):
            session.answer(0, "polite", answer, levels[level], reason)
        assert session.own == []


def acts(*said):
    """Acts on one verdict: (kind, rater, level)."""
    return [
        Done(
            line,
            f"hash {line}",
            Act(
                kind=kind,
                time="2026",
                rater=rater,
                submission="s",
                criterion="c",
                level=level,
                reason="because",
                machine=MACHINE,
                undoes=undoes[0] if undoes else "",
            ),
        )
        for line, (kind, rater, level, *undoes) in enumerate(said, start=2)
    ]


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ([], Outcome("met")),
        ([("agree", "a", "met")], Outcome("met")),
        ([("edit", "a", "unmet")], Outcome("unmet", "a")),
        ([("sign-off", "b", "met")], Outcome("met", "", "b")),
        ([("edit", "a", "unmet"), ("sign-off", "b", "unmet")], Outcome("unmet", "a", "b")),
        ([("sign-off", "b", "met"), ("edit", "a", "unmet")], Outcome("unmet", "a")),
        ([("sign-off", "b", "met"), ("agree", "a", "met")], Outcome("met", "", "b")),
        ([("edit", "a", "unmet"), ("agree", "b", "met")], Outcome("met")),
        ([("edit", "a", "unmet"), ("undo", "a", None, "hash 2")], Outcome("met")),
        ([("edit", "a", "unmet"), ("sign-off", "b", "unmet"), ("undo", "a", None, "hash 2")], Outcome("met")),
    ],
)
def test_what_stands_of_a_verdict(said, stands):
    assert outcome(acts(*said), MACHINE) == stands


def test_an_unscored_verdict_can_be_edited_and_signed_off_and_not_agreed_with(tmp_path, capsys):
    (tmp_path / "told.yaml").write_text(
        'id: told\nversion: "1"\ndraft: true\ncriteria:\n'
        "  - {id: as-told, text: It says what it was told to., options: {check: {kind: contains}}}\n"
    )
    (tmp_path / "d.jsonl").write_text('{"id": "a", "output": "come"}\n{"id": "b", "output": "go"}\n')
    out = str(tmp_path / "out")
    main(
        ["judge", str(tmp_path / "d.jsonl"), "--rubric", str(tmp_path / "told.yaml"), "--judge", "rules", "--out", out]
    )
    material = material_of(tmp_path / "out", None)
    with Session(tmp_path / "r.jsonl", material, Wish(purpose="review"), rater="sup") as session:
        with pytest.raises(InputError, match="gave no level to agree with"):
            session.answer(0, "as-told", "agree", None, "")
        session.answer(0, "as-told", "edit", "met", "It does.")
        session.answer(1, "as-told", "sign-off", None, "")
    assert [one.label.level for one in read_labels(tmp_path / "r.jsonl")] == ["met"]


def test_an_export_of_a_review_says_what_stands_and_who_signed(reviewed, tmp_path):
    with reviewed() as session:
        names = [session.at(place).id for place in range(3)]
        machine = [session.verdict(name, "polite").level for name in names]
        other = "unmet" if machine[0] == "met" else "met"
        session.answer(0, "polite", "edit", other, "No.")
        session.answer(1, "polite", "cannot-tell", None, "")
    with reviewed("chief") as session:
        session.answer(0, "polite", "sign-off", None, "")
        session.answer(2, "polite", "sign-off", None, "")
    review, out = tmp_path / "review.jsonl", tmp_path / "out.jsonl"
    assert main(["label", str(review), "--export", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    told = [
        (row["kind"], row["level"], row["machine"], row["stands"], row["edited_by"], row["signed_by"]) for row in rows
    ]
    assert told == [
        ("edit", other, machine[0], other, "sup", "chief"),
        ("cannot-tell", None, machine[1], machine[1], None, None),
        ("sign-off", None, machine[0], other, "sup", "chief"),
        ("sign-off", None, machine[2], machine[2], None, "chief"),
    ]
    assert [(one.submission, one.label.level, one.blind) for one in read_labels(out)] == [(names[0], other, False)]
