"""Labels given in the page: drawn, stood over, taken back, exported, and counted by the other commands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.cli import main
from adjudge.errors import InputError
from adjudge_validity.estimating import how_drawn
from adjudge_validity.guarding import free, guard
from adjudge_validity.labelling.export import export_labels, read_file
from adjudge_validity.labelling.plan import Wish, material_of
from adjudge_validity.labelling.session import Session
from adjudge_validity.labelling.standing import counts
from adjudge_validity.labelling.standing import given as in_hand
from adjudge_validity.labels import read_labels
from adjudge_validity.ratings import join, read_run

TEXTS = {f"s{i}": ("please come" if i % 2 else "come") + (" now" * (i % 7)) for i in range(24)}


@pytest.fixture
def run(judged):
    return judged(TEXTS)


@pytest.fixture
def opened(run, tmp_path):
    """Open a labels file on the run, as often as wanted."""

    def open_it(rater="ann", name="labels.jsonl", *, show_verdict=False, material=None, **wish):
        return Session(
            tmp_path / name, material or material_of(run, None), Wish(**wish), rater=rater, show_verdict=show_verdict
        )

    return open_it


def say(session, place, levels, **more):
    """Answer the criteria of a place: criterion to level."""
    kind = more.pop("kind", "label")
    for criterion, level in levels.items():
        session.answer(place, criterion, kind, level, more.get("reason", ""))


def standing(path):
    return {(one.submission, one.label.criterion, one.label.rater): one.label.level for one in read_labels(path)}


def test_each_label_is_on_disk_with_rater_time_chance_and_rubric(opened, run, tmp_path):
    with opened(size=8, drawn="random") as session:
        say(session, 0, {"polite": "met"})
        row = json.loads((tmp_path / "labels.jsonl").read_text().splitlines()[-1])
        rubric = read_run(run).rubric
    assert row["submission"] == session.draw.submissions[0].submission
    assert (row["kind"], row["criterion"], row["level"], row["rater"]) == ("label", "polite", "met", "ann")
    assert (row["probability"], row["drawn"]) == (pytest.approx(8 / 24), "random")
    assert row["rubric"] == {"id": "letters", "version": "1", "hash": rubric.hash}
    assert row["time"].endswith("Z")
    assert "machine" not in row


def test_what_was_said_is_there_when_the_file_is_opened_again(opened):
    with opened(size=10) as first:
        order = [one.submission for one in first.draw.submissions]
        say(first, 0, {"polite": "met", "short": "unmet"})
        say(first, 1, {"polite": "unmet"})
    with opened() as again:
        assert [one.submission for one in again.draw.submissions] == order
        assert again.progress.submissions == 1
        assert again.next_open() == 1
        assert [act.act.level for act in again.own] == ["met", "unmet", "unmet"]


def test_a_later_label_stands_and_undo_brings_the_earlier_one_back(opened, tmp_path):
    path = tmp_path / "labels.jsonl"
    with opened(size=5, drawn="random") as session:
        name = session.at(0).id
        say(session, 0, {"polite": "met"})
        say(session, 0, {"polite": "unmet"})
        assert standing(path)[name, "polite", "ann"] == "unmet"
        assert session.undo() == 0
        assert standing(path)[name, "polite", "ann"] == "met"
        session.undo()
        assert session.undo() is None
        with pytest.raises(InputError, match="holds no labels yet"):
            read_labels(path)
    assert len(path.read_text().splitlines()) == 5


def test_cannot_tell_is_an_answer_and_no_label(opened, tmp_path):
    with opened(size=5, drawn="random") as session:
        say(session, 0, {"polite": None}, kind="cannot-tell")
        say(session, 0, {"short": "met"})
        assert not session.is_open(0)
    assert list(standing(tmp_path / "labels.jsonl")) == [(session.at(0).id, "short", "ann")]
    assert list(counts(read_file(tmp_path / "labels.jsonl"))) == ["levels given: 1", "cannot tell: 1"]


def test_put_off_submissions_come_last_in_the_order_they_were_put_off(opened):
    with opened(size=24) as session:
        session.skip(0)
        session.skip(1)
        assert session.next_open(0) == 2
        for place in range(2, 24):
            say(session, place, {"polite": "met", "short": "met"})
        assert session.next_open(23) == 0
        session.skip(0)
        assert session.next_open(0) == 1
        for place in (0, 1):
            say(session, place, {"polite": "met", "short": "met"})
        assert session.next_open() is None


def test_raters_share_the_draw_and_not_the_answers(opened, tmp_path):
    with opened("ann", size=6, drawn="random") as ann:
        say(ann, 0, {"polite": "met", "short": "met"})
    with opened("ben") as ben:
        assert ben.draw == ann.draw
        assert ben.progress.answers == 0
        say(ben, 0, {"polite": "unmet"})
        assert ben.undo() == 0
        assert ben.undo() is None
        say(ben, 0, {"polite": "unmet"})
    name = ann.at(0).id
    found = standing(tmp_path / "labels.jsonl")
    assert (found[name, "polite", "ann"], found[name, "polite", "ben"]) == ("met", "unmet")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"size": 7}, "was drawn with -n 6; leave -n out"),
        ({"seed": 3}, "was drawn with --seed 0"),
        ({"drawn": "active"}, "was drawn with --drawn random"),
        ({"purpose": "review"}, "was begun to label; name another --out to review"),
    ],
)
def test_a_file_keeps_its_draw(opened, wish, message):
    opened(size=6, drawn="random").__exit__(None, None, None)
    with pytest.raises(InputError, match=message):
        opened(**wish)


def test_a_file_stays_with_its_data_and_rubric(opened, judged):
    opened(size=6, drawn="random").__exit__(None, None, None)
    other = judged({"t1": "please"}, "other")
    with pytest.raises(InputError, match="was begun on other data"):
        opened(material=material_of(other, None))


def test_labels_of_a_part_weigh_by_how_far_the_labelling_got(opened, run, tmp_path):
    path = tmp_path / "labels.jsonl"
    with opened(size=12, drawn="random") as session:
        for place in range(6):
            say(session, place, {"polite": "met"})
        say(session, 0, {"short": "met"})
    chances = {one.done.act.criterion: one.probability for one in in_hand(read_file(path))}
    assert chances == pytest.approx({"polite": 12 / 24 * 6 / 12, "short": 12 / 24 * 1 / 12})
    assert how_drawn(join(read_run(run), read_labels(path)), None) == "random"


def test_an_unfinished_round_of_all_submissions_is_a_random_part(opened, tmp_path):
    path = tmp_path / "labels.jsonl"
    with opened(size=24) as session:
        assert session.draw.drawn == "all"
        for place in range(23):
            say(session, place, {"polite": "met"})
        assert {one.drawn for one in read_labels(path)} == {"random"}
        say(session, 23, {"polite": "met"})
    assert {(one.drawn, one.probability) for one in read_labels(path)} == {("all", 1.0)}


def test_the_order_of_a_draw_is_a_random_one(opened, run):
    with opened(size=24) as session:
        order = [one.submission for one in session.draw.submissions]
    assert sorted(order) == sorted(TEXTS)
    assert order != list(TEXTS)
    with opened(name="more.jsonl", size=24, seed=1) as session:
        assert [one.submission for one in session.draw.submissions] != order


def test_labels_of_the_page_are_taken_by_every_command(opened, run, tmp_path, capsys):
    path = tmp_path / "labels.jsonl"
    for rater, wrong in (("ann", 5), ("ben", 4), ("cec", 3)):
        with opened(rater, size=24) as session:
            for place in range(20):
                polite = "please" in session.at(place).output
                say(session, place, {"polite": "met" if polite != (place % wrong == 0) else "unmet"})
    for command in (["agreement"], ["estimate"], ["raters"], ["calibrate"], ["gate", "--criterion", "polite"]):
        assert main([command[0], str(run), *command[1:], "--labels", str(path), "--json"]) in (0, 1), command
    capsys.readouterr()
    assert main(["estimate", str(run), "--labels", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["drawn"], said["warnings"]) == ("random", [])
    assert said["estimates"][0]["corrected"]["method"].startswith("ppi++")


def test_labels_drawn_by_doubt_are_weighed_by_their_chance(opened, run, tmp_path, capsys):
    with opened(size=12, drawn="active") as session:
        for place in range(len(session.draw.submissions)):
            say(session, place, {"polite": "met" if place % 3 else "unmet"})
    capsys.readouterr()
    assert main(["estimate", str(run), "--labels", str(tmp_path / "labels.jsonl"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["drawn"] == "active"
    assert said["estimates"][0]["corrected"]["method"].startswith("active")


def test_agreement_says_that_labels_drawn_by_doubt_are_the_hard_ones(opened, run, tmp_path, capsys):
    with opened(size=12, drawn="active") as session:
        say(session, 0, {"polite": "met"})
    capsys.readouterr()
    assert main(["agreement", str(run), "--labels", str(tmp_path / "labels.jsonl")]) == 0
    assert "drawn where the judge is unsure" in capsys.readouterr().err


def test_a_shown_verdict_stands_in_the_label_and_is_warned_of(opened, run, tmp_path):
    with opened(size=5, drawn="random", show_verdict=True) as session:
        say(session, 0, {"polite": "met"})
        act = session.own[0].act
    assert act.machine is not None
    assert act.machine.level in ("met", "unmet")
    (one,) = read_labels(tmp_path / "labels.jsonl")
    assert not one.blind
    assert "1 label is by raters who saw the verdict" in join(read_run(run), [one]).warnings[0]


def test_labels_of_another_version_of_the_rubric_are_warned_of(run, tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("submission,criterion,level,rubric_hash\ns1,polite,met,abc\n")
    assert "1 label was given by another version" in join(read_run(run), read_labels(file)).warnings[0]


def test_a_data_file_is_drawn_from_with_one_chance(tmp_path, run):
    data = tmp_path / "run.jsonl"
    material = material_of(data, read_run(run).rubric)
    with Session(tmp_path / "l.jsonl", material, Wish(size=6), rater="ann") as session:
        assert session.draw.drawn == "random"
        assert {one.probability for one in session.draw.submissions} == {0.25}
    with pytest.raises(InputError, match="give the folder of a run"):
        Session(tmp_path / "m.jsonl", material, Wish(size=6, drawn="active"), rater="ann")
    with pytest.raises(InputError, match="give its folder rather than a data file"):
        Session(tmp_path / "m.jsonl", material, Wish(purpose="review"), rater="ann")
    with pytest.raises(InputError, match="brings no rubric; name one with --rubric"):
        material_of(data, None)
    with pytest.raises(InputError, match="25 to draw of 24 submissions"):
        Session(tmp_path / "m.jsonl", material, Wish(size=25), rater="ann")
    assert not (tmp_path / "m.jsonl").exists()


def test_submissions_with_rubrics_of_their_own_are_labelled_by_them(tmp_path):
    own = {"id": "own", "version": "1", "draft": True, "criteria": [{"id": "kind", "text": "It is kind."}]}
    data = tmp_path / "own.jsonl"
    data.write_text(json.dumps({"id": "a", "output": "Dear all", "rubric": own}) + "\n")
    with Session(tmp_path / "l.jsonl", material_of(data, None), Wish(), rater="ann") as session:
        say(session, 0, {"kind": "met"})
        assert session.own[0].act.rubric.id == "own"
        with pytest.raises(InputError, match="no answer here"):
            say(session, 0, {"polite": "met"})


def test_answers_that_the_scale_does_not_have_are_refused(opened):
    with opened(size=5, drawn="random") as session:
        with pytest.raises(InputError, match="choose a level of 'polite'"):
            say(session, 0, {"polite": "maybe"})
        with pytest.raises(InputError, match="no answer here"):
            say(session, 0, {"polite": "met"}, kind="agree")
        assert session.own == []


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_exported_labels_are_the_same_labels(opened, tmp_path, suffix):
    path, out = tmp_path / "labels.jsonl", tmp_path / f"out.{suffix}"
    for rater in ("=1+1", "'-b", "ann, Ö\n"):
        with opened(rater, size=12, drawn="random") as session:
            say(session, 0, {"polite": "met"}, reason="=HYPERLINK(1)")
            say(session, 1, {"polite": "unmet", "short": "met"})
            say(session, 2, {"short": None}, kind="cannot-tell")
    assert main(["label", str(path), "--export", str(out)]) == 0

    def plain(found):
        return sorted(
            (one.submission, one.label.criterion, one.label.level, one.label.rater, one.probability, one.drawn)
            for one in found
        )

    assert plain(read_labels(out)) == plain(read_labels(path))
    if suffix == "csv":
        assert not any(cell.startswith("=") for cell in out.read_text().replace('"', "").split(","))


@given(st.text())
def test_guarded_cells_are_freed_as_they_were(text):
    assert free(guard(text)) == text
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_files_of_two_raters_are_exported_as_one(opened, tmp_path):
    for rater, places in (("ann", 4), ("ben", 6)):
        with opened(rater, f"{rater}.jsonl", size=12, drawn="random") as session:
            for place in range(places):
                say(session, place, {"polite": "met"})
    files = [tmp_path / "ann.jsonl", tmp_path / "ben.jsonl"]
    assert export_labels(files, tmp_path / "all.csv") == 10
    assert {one.probability for one in read_labels(tmp_path / "all.csv")} == {12 / 24 * 6 / 12}
    with pytest.raises(InputError, match="is there already"):
        export_labels(files, tmp_path / "all.csv")
    with pytest.raises(InputError, match=r"written as \.csv or \.jsonl"):
        export_labels(files, tmp_path / "all.xlsx")
    with opened("ann", "again.jsonl", size=12, drawn="random") as session:
        say(session, 0, {"polite": "unmet"})
    with pytest.raises(InputError, match=r"by 'ann' stands at .*ann.jsonl:2 already; leave one file out"):
        export_labels([*files, tmp_path / "again.jsonl"], tmp_path / "more.csv")


def test_chances_of_different_draws_are_left_out(opened, tmp_path):
    for rater, seed in (("ann", 0), ("ben", 1)):
        with opened(rater, f"{rater}.jsonl", size=12, seed=seed, drawn="random") as session:
            say(session, 0, {"polite": "met"})
    export_labels([tmp_path / "ann.jsonl", tmp_path / "ben.jsonl"], tmp_path / "all.csv")
    assert {(one.probability, one.drawn) for one in read_labels(tmp_path / "all.csv")} == {(None, None)}


def test_verify_finds_the_first_changed_line(opened, tmp_path, capsys):
    path = tmp_path / "labels.jsonl"
    with opened(size=5, drawn="random") as session:
        for place in range(3):
            say(session, place, {"polite": "met"})
        head = session.log.lines[-1].hash
    assert main(["label", "--verify", str(path)]) == 0
    assert f"4 lines hold; the last has the hash {head}\n  levels given: 3\n" in capsys.readouterr().out
    with path.open("ab") as file:
        file.write(b'{"kind": "lab')
    assert main(["label", "--verify", str(path)]) == 0
    assert "13 bytes after it are a line cut off while it was written" in capsys.readouterr().out
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace('"level": "met"', '"level": "unmet"')
    path.write_text("\n".join(lines) + "\n")
    assert main(["label", "--verify", str(path)]) == 1
    assert "labels.jsonl:3: the line was changed after it was written" in capsys.readouterr().out
    assert main(["agreement", str(tmp_path / "run"), "--labels", str(path)]) == 2
    assert "labels of a file that was changed are not used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "--rater and --out are needed to label"),
        (["run", "run", "--rater", "a", "--out", "l.jsonl"], "give one SOURCE to label"),
        (["--verify", "none.jsonl"], "none.jsonl: No such file"),
    ],
)
@pytest.mark.usefixtures("run")
def test_what_is_missing_is_said_in_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["label", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_file_begun_on_the_data_goes_on_with_its_run_and_after_it_was_judged_again(run, judged, tmp_path):
    rubric = read_run(run).rubric
    with Session(tmp_path / "l.jsonl", material_of(tmp_path / "run.jsonl", rubric), Wish(size=6), rater="ann") as first:
        say(first, 0, {"polite": "met"})
    judged(TEXTS)
    with Session(tmp_path / "l.jsonl", material_of(run, None), Wish(), rater="ann") as again:
        assert again.draw == first.draw
        assert again.progress.answers == 1


def test_a_run_without_texts_has_nothing_to_show(run, tmp_path):
    arguments = [str(tmp_path / "run.jsonl"), "--rubric", str(tmp_path / "letters.yaml"), "--judge", "rules"]
    main(["judge", *arguments, "--store", "hashes", "--out", str(tmp_path / "hashed")])
    with pytest.raises(InputError, match="holds no texts to show; give the data file"):
        material_of(tmp_path / "hashed", None)
