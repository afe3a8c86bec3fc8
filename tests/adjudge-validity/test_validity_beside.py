"""Labels and reviews of files in the report of a run: at every verdict, in every figure, and in the overview."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace

import pytest

from adjudge.api import installed
from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.interfaces import Table
from adjudge.report.epochs import with_epoch
from adjudge.report.folder import read_record
from adjudge.report.payload import unpacked
from adjudge.report.people import people_lines
from adjudge.submission import Label
from adjudge_validity.beside import with_labels
from adjudge_validity.labelling.chain import seal, unchain
from adjudge_validity.labelling.plan import Wish, material_of
from adjudge_validity.labelling.session import Session
from adjudge_validity.sections import agreement_sections

TEXTS = {f"s{i}": "please come" if i % 2 else "come" for i in range(8)}
RULE = {name: "met" if "please" in text else "unmet" for name, text in TEXTS.items()}


def other(level):
    return "unmet" if level == "met" else "met"


@pytest.fixture
def run(judged):
    return judged(TEXTS)


@pytest.fixture
def record(run):
    return read_record(run, installed())


@pytest.fixture
def reviewing(run, tmp_path):
    def open_it(rater="chief", name="review.jsonl", folder=run):
        return Session(tmp_path / name, material_of(folder, None), Wish(purpose="review"), rater=rater)

    return open_it


@pytest.fixture
def labelled(run, tmp_path):
    """Label all submissions blind on `polite`: as the rule does, but for some."""

    def label(rater, name, but=()):
        with Session(tmp_path / name, material_of(run, None), Wish(drawn="random"), rater=rater) as session:
            for place in range(len(TEXTS)):
                submission = session.at(place).id
                level = RULE[submission]
                session.answer(place, "polite", "label", other(level) if submission in but else level, "")
        return tmp_path / name

    return label


@pytest.fixture
def reviewed(reviewing, tmp_path):
    """s0 agreed, s1 edited and signed off by another, s2 signed off, s3 cannot be told, s4 agreed and taken back."""
    with reviewing() as session:
        at = {session.at(place).id: place for place in range(len(TEXTS))}
        session.answer(at["s0"], "polite", "agree", None, "")
        session.answer(at["s1"], "polite", "edit", "unmet", "It only orders.")
        session.answer(at["s2"], "polite", "sign-off", None, "")
        session.answer(at["s3"], "polite", "cannot-tell", None, "")
        session.answer(at["s4"], "polite", "agree", None, "")
        session.undo()
    with reviewing("head") as session:
        session.answer(at["s1"], "polite", "sign-off", None, "")
    return tmp_path / "review.jsonl"


def page(folder):
    """The text of a report, its index, and what is said of each verdict by submission and criterion."""
    html = (folder / "report.html").read_text("utf-8")
    index, *blocks = (unpacked(one) for one in re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', html))
    said = {
        (entry["id"], one["criterion"]): one
        for block in blocks
        for entry in block["entries"]
        for one in entry["results"][0]["verdicts"]
    }
    return html, index, said


def test_labels_of_a_file_stand_at_every_verdict_and_count_in_every_figure(run, labelled, capsys):
    files = [labelled("ann", "ann.jsonl", but=("s1",)), labelled("bea", "bea.jsonl")]
    assert main(["report", str(run), *(part for file in files for part in ("--labels", str(file)))]) == 0
    html, index, said = page(run)
    assert said["s1", "polite"]["humans"] == [["unmet (No)", "ann", True], ["met (Yes)", "bea", False]]
    assert "humans" not in said["s1", "short"]
    assert sum(verdict[4] for row in index["rows"] for verdict in row[4]) == 1
    assert "16 labels by ann, bea on 8 of 8 submissions." in html
    assert "Agreement with people" in html
    assert "No label of a person stands" not in html
    assert "polite: what people say (rows) and the judge (columns)" in html
    assert "Difficulty of the criteria" in html
    assert "16 labels by ann, bea" in capsys.readouterr().out


def test_agreement_in_the_report_is_that_of_the_command(run, record, labelled, tmp_path, capsys):
    file = labelled("ann", "ann.jsonl", but=("s1", "s4", "s6"))
    (section,) = agreement_sections([with_labels(record, [file])])
    table = next(part for part in section.parts if isinstance(part, Table))
    shown = next(row for row in table.rows if row[0] == "polite")[1]
    assert main(["agreement", str(run), "--labels", str(file), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["runs"]
    exact = next(row for row in one["agreement"] if row["name"] == "polite")["sides"]["judge–human"]["exact"]
    assert exact["value"] == 5 / 8
    assert shown == f"{exact['value']:.2f} ({exact['low']:.2f} to {exact['high']:.2f})"


def test_a_table_of_labels_is_read_as_the_command_reads_it(record, tmp_path):
    table = tmp_path / "labels.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["submission", "criterion", "score"], ["s1", "polite", 0], ["gone", "polite", 1]])
    found = with_labels(record, [table])
    (label,) = [label for item in found.items for label in item.labels]
    assert (label.level, label.score) == ("unmet", 0)
    assert "1 label is about submissions that the run does not have" in found.warnings
    assert found.people.files == ("labels.csv: a table of 2 labels, without a chain of hashes.",)


def test_a_review_stands_at_the_verdict_that_it_is_about(run, reviewed):
    assert main(["report", str(run), "--labels", str(reviewed)]) == 0
    html, index, said = page(run)
    (agreed,) = said["s0", "polite"]["reviews"]
    assert agreed[:2] == ["chief agreed with unmet (No)", ""]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC · review\.jsonl, line 2; the chain holds", agreed[2])
    assert [one[:2] for one in said["s1", "polite"]["reviews"]] == [
        ["chief edited it to unmet (No)", "It only orders."],
        ["head signed off unmet (No)", ""],
    ]
    assert said["s1", "polite"]["stands"] == "Stands: unmet (No), edited by chief, signed off by head"
    assert said["s1", "polite"]["level"] == "met (Yes)", "the verdict itself is as it was"
    assert said["s1", "polite"]["humans"] == [["unmet (No)", "chief", True]]
    assert said["s2", "polite"]["stands"] == "Stands: unmet (No), as the judge gave it, signed off by chief"
    assert "humans" not in said["s2", "polite"], "a signature is no label"
    assert said["s3", "polite"]["reviews"][0][0] == "chief cannot tell"
    assert "reviews" not in said["s4", "polite"], "it was taken back"
    assert sum(verdict[7] for row in index["rows"] for verdict in row[4]) == 4
    told = "4 of 16 verdicts reviewed by chief, head: 1 agreed to, 1 edited, 1 cannot be told, 2 signed off."
    assert told in html
    assert "its chain of 8 lines holds" in html
    assert "2 labels are by raters who saw the verdict: they lean towards it" in html


def test_a_broken_chain_is_said_in_one_line_and_what_stands_before_it_counts(run, reviewed):
    lines = reviewed.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"sign-off", b"sign-up!")
    reviewed.write_bytes(b"".join(lines))
    assert main(["report", str(run), "--labels", str(reviewed)]) == 0
    html, _, said = page(run)
    problem = "review.jsonl:4: the line was changed after it was written; the 3 lines before it count, it and those"
    assert html.count(problem) == 1
    assert "review.jsonl: the chain is broken at line 4; before it agreed to: 1, edited: 1." in html
    assert said["s0", "polite"]["reviews"][0][2].endswith("review.jsonl, line 2; the chain is broken at line 4")
    assert said["s1", "polite"]["stands"] == "Stands: unmet (No), edited by chief, signed off by nobody"
    assert "reviews" not in said["s2", "polite"]
    assert "Agreement with people" in html


def test_a_file_of_which_no_line_holds_costs_nothing_but_itself(record, reviewed, labelled):
    good = labelled("ann", "ann.jsonl")
    reviewed.write_bytes(reviewed.read_bytes().replace(b'"format": 1', b'"format": 2', 1))
    found = with_labels(record, [reviewed, good])
    assert found.people.files[0] == "review.jsonl: no line of its chain holds."
    assert [one for one in found.warnings if "review.jsonl:1:" in one and "nothing in it counts" in one]
    assert {label.rater for item in found.items for label in item.labels} == {"ann"}


def test_a_review_of_another_verdict_changes_nothing_of_what_stands(judged, reviewing, tmp_path):
    run = judged({"s": "come please"}, "first-run")
    with reviewing(folder=run, name="first.jsonl") as session:
        session.answer(0, "polite", "agree", None, "")
        session.answer(0, "polite", "sign-off", None, "")
    changed = read_record(judged({"s": "come"}, "second-run"), installed())
    found = with_labels(changed, [tmp_path / "first.jsonl"])
    one = found.people.reviews["s", "polite", 0]
    assert (one.level, one.signed_by, one.about_this) == ("unmet", "", False)
    assert {review.other for review in one.reviews} == {"met by rules"}


def test_a_level_of_its_own_in_a_review_is_a_label_and_no_review(record, reviewed):
    chain = unchain(reviewed.read_bytes())
    label = {"kind": "label", "time": "2026-11-29T00:00:00.000Z", "rater": "ann", "submission": "s5",
             "criterion": "polite", "level": "unmet"}  # fmt: skip
    line, _ = seal(label, chain.head)
    reviewed.write_bytes(reviewed.read_bytes() + line)
    found = with_labels(record, [reviewed])
    assert ("s5", "polite", 0) not in found.people.reviews
    (item,) = [item for item in found.items if item.id == "s5"]
    assert [(label.rater, label.level) for label in item.labels] == [("ann", "unmet")]


def test_a_blind_label_counts_before_one_given_in_sight_of_the_verdict(record, labelled, reviewed):
    blind = labelled("chief", "chief.jsonl", but=("s0",))
    found = with_labels(record, [reviewed, blind])
    levels = {item.id: [label.level for label in item.labels if label.criterion == "polite"] for item in found.items}
    assert levels["s0"] == ["met"], "blind, where the review agreed with unmet"
    assert levels["s1"] == ["met"]
    assert ("s0", "polite", 0) in found.people.reviews
    assert not [one for one in found.warnings if "saw the verdict" in one]


def test_two_files_in_which_one_rater_says_two_things_are_refused(run, labelled, capsys):
    files = [labelled("ann", "one.jsonl"), labelled("ann", "two.jsonl", but=("s3",))]
    assert main(["report", str(run), "--labels", str(files[0]), "--labels", str(files[1])]) == 2
    assert "'s3' on 'polite' by 'ann' is another one at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("submission,criterion,level\ns1,kind,met\n", "no criterion 'kind' in the rubric"),
        ("submission,criterion,level\ns1,polite,good\n", "no level 'good' in 'polite'"),
        ("submission,criterion\ns1,polite\n", "level or score"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_line(run, tmp_path, capsys, content, message):
    (tmp_path / "bad.csv").write_text(content)
    before = (run / "report.html").read_bytes()
    assert main(["report", str(run), "--labels", str(tmp_path / "bad.csv")]) == 2
    told = capsys.readouterr().err
    assert "bad.csv:2" in told
    assert message in told
    assert (run / "report.html").read_bytes() == before


def test_several_runs_each_get_what_is_about_them(judged, labelled, run, tmp_path):
    second = judged({"s0": "please", "t": "come"}, "second")
    file = labelled("ann", "ann.jsonl")
    arguments = ["report", str(run), str(second), "--together", "--out", str(tmp_path / "both"), "--labels", str(file)]
    assert main(arguments) == 0
    html, *_ = page(tmp_path / "both")
    assert "8 labels by ann on 8 of 8 submissions." in html
    assert "1 label by ann on 1 of 2 submissions." in html
    assert "7 labels are about submissions that the run does not have" in html


def test_labels_are_for_the_page_alone(run, labelled, capsys):
    file = labelled("ann", "ann.jsonl")
    assert main(["report", str(run), "--labels", str(file), "--format", "csv"]) == 2
    assert "leave it out with the format csv" in capsys.readouterr().err


@pytest.mark.parametrize("again", ["itself", "a copy"])
def test_a_review_that_is_given_twice_is_counted_once(record, reviewed, tmp_path, again):
    second = reviewed if again == "itself" else shutil.copy(reviewed, tmp_path / "copy.jsonl")
    once, twice = with_labels(record, [reviewed]), with_labels(record, [reviewed, second])
    assert twice.people.reviews == once.people.reviews
    assert people_lines(twice)[:2] == people_lines(once)[:2]
    assert "1 agreed to, 1 edited, 1 cannot be told, 2 signed off" in people_lines(twice)[1]


def test_signatures_under_verdicts_of_another_run_are_counted_once(judged, reviewed):
    other = read_record(judged({"t": "come"}, "other"), installed())
    told = "2 signatures are under verdicts that the run does not have"
    assert [told in with_labels(other, [reviewed] * times).warnings for times in (1, 2)] == [True, True]


def in_epochs(record, *names):
    """The run as the log of an eval with these epochs has it."""
    pairs = [
        (item.model_copy(update={"id": name}), result.model_copy(update={"submission": name}))
        for item, result in zip(record.items, record.results, strict=True)
        for name in (with_epoch(item.id, epoch) for epoch in names)
    ]
    return replace(record, items=[item for item, _ in pairs], results=[result for _, result in pairs])


def table(path, *rows):
    path.write_text("submission,criterion,level,rater,blind\n" + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def levels(record):
    return {item.id: [(one.criterion, one.level) for one in item.labels] for item in record.items if item.labels}


def test_labels_of_a_sample_count_in_every_epoch_of_it_unless_they_name_one(record, tmp_path):
    file = table(tmp_path / "l.csv", "s1,polite,met,ann,true", "s1 (epoch 2),polite,unmet,ann,true",
                 "s1,short,met,ann,false", "gone,polite,met,ann,true")  # fmt: skip
    found = with_labels(in_epochs(record, 1, 2), [file])
    assert levels(found) == {
        "s1 (epoch 1)": [("polite", "met"), ("short", "met")],
        "s1 (epoch 2)": [("polite", "unmet"), ("short", "met")],
    }
    assert "1 label is about submissions that the run does not have" in found.warnings
    assert "2 labels are by raters who saw the verdict: they lean towards it" in found.warnings


def test_a_submission_whose_own_id_ends_like_an_epoch_has_its_own_labels_alone(judged, tmp_path):
    run = read_record(judged({"s": "come", "s (epoch 1)": "come"}, "odd"), installed())
    found = with_labels(run, [table(tmp_path / "l.csv", "s,polite,met,ann,true")])
    assert levels(found) == {"s": [("polite", "met")]}


def test_labels_in_the_rows_stay_beside_those_of_a_file_where_the_rubric_is_unknown(record, tmp_path):
    own = (Label(criterion="polite", level="met", rater="ann"), Label(criterion="polite", level="unmet", rater="bea"))
    items = [item.model_copy(update={"labels": own if item.id == "s1" else ()}) for item in record.items]
    unknown = replace(record, rubric=None, items=items)
    found = with_labels(unknown, [table(tmp_path / "l.csv", "s1,polite,met,bea,true")])
    (item,) = [item for item in found.items if item.labels]
    assert [(one.rater, one.level) for one in item.labels] == [("ann", "met"), ("bea", "met")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_where_a_rater_labelled_blind_too_what_was_said_in_sight_of_the_verdict_does_not_count(record, tmp_path, order):
    said = ("s1,polite,met,ann,false", "s1,polite,unmet,ann,false", "s1,polite,unmet,ann,true")
    files = [table(tmp_path / f"{place}.csv", said[place]) for place in order]
    assert levels(with_labels(record, files)) == {"s1": [("polite", "unmet")]}
    with pytest.raises(InputError, match="'s1' on 'polite' by 'ann' is another one at"):
        with_labels(record, [file for file in files if file.stem != "2"])


def test_a_criterion_that_is_unknown_is_refused_in_a_file_and_not_in_the_rows(record, tmp_path):
    own = (Label(criterion="kind", level="met", rater="ann"),)
    mine = replace(record, items=[item.model_copy(update={"labels": own}) for item in record.items])
    found = with_labels(mine, [table(tmp_path / "l.csv", "s1,polite,met,bea,true")])
    assert levels(found)["s1"] == [("kind", "met"), ("polite", "met")]
    with pytest.raises(InputError, match=r"l\.csv:2: no criterion 'kind' in the rubric"):
        with_labels(mine, [table(tmp_path / "l.csv", "s1,kind,met,bea,true")])


def test_warnings_speak_of_labels_that_count_alone(record, tmp_path):
    (tmp_path / "l.csv").write_text(
        "submission,criterion,level,blind,drawn,probability\ns1,polite,met,true,random,1\ngone,polite,met,false,active,0.5\n"
    )
    told = with_labels(record, [tmp_path / "l.csv"]).warnings
    assert [one for one in told if one not in record.warnings] == [
        "1 label is about submissions that the run does not have"
    ]
