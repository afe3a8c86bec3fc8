"""The commands, on runs made by the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from adjudge.cli import main
from adjudge_validity.labels import read_labels
from adjudge_validity.ratings import join, read_run

TEXTS = {f"s{i}": ("please come" if i % 2 else "come") + (" now" * (i % 7)) for i in range(24)}


def labels(path, texts=TEXTS, rater=("a", "b"), wrong=5):
    lines = ["submission,criterion,level,rater"]
    for place, (name, text) in enumerate(texts.items()):
        for number, who in enumerate(rater):
            polite = ("please" in text) != ((place + number) % wrong == 0)
            lines.append(f"{name},polite,{'met' if polite else 'unmet'},{who}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_agreement_prints_each_figure_with_people_beside_the_judge(judged, tmp_path, capsys):
    run = judged(TEXTS)
    capsys.readouterr()
    assert main(["agreement", str(run), "--labels", str(labels(tmp_path / "labels.csv"))]) == 0
    shown = capsys.readouterr().out
    assert "criterion polite" in shown
    assert "human–human" in shown
    assert "kappa" in shown


def test_what_is_to_be_known_of_a_figure_names_it_and_its_column(judged, tmp_path, capsys):
    run = judged(TEXTS)
    file = labels(tmp_path / "labels.csv", dict(list(TEXTS.items())[:5]))
    capsys.readouterr()
    assert main(["agreement", str(run), "--labels", str(file), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["runs"][0]["agreement"][0]["sides"]
    assert main(["agreement", str(run), "--labels", str(file)]) == 0
    shown = capsys.readouterr().out.partition("all criteria")[0]
    lines = [line.strip() for line in shown.splitlines() if line.startswith("  ")]
    assert sum(line.endswith("only 5 clusters: the interval is not to be trusted") for line in lines) == 1
    told = [(side, name, part) for side, figures in measured.items() for name, figure in figures.items()
            if figure["value"] is not None and figure["note"] for part in figure["note"].split("; ")]  # fmt: skip
    assert told
    for side, name, part in told:
        (line,) = [line for line in lines if line.endswith(f": {part}")]
        (about,) = [one for one in line.removesuffix(f": {part}").split("; ") if one.startswith(side)]
        names = about.removeprefix(side).replace(" except ", " ").strip().split(", ")
        assert about == side or (name in names) != (" except " in about)


def test_with_one_rater_the_column_between_people_is_left_out_and_one_line_says_why(judged, tmp_path, capsys):
    run = judged(TEXTS)
    capsys.readouterr()
    assert main(["agreement", str(run), "--labels", str(labels(tmp_path / "labels.csv", rater=("a",)))]) == 0
    shown = capsys.readouterr().out
    assert "human–human" not in shown
    assert "judge–human" in shown
    assert shown.count("No submission has labels of two raters, so people cannot be compared with each other.") == 1


def test_agreement_as_json_compares_runs(judged, tmp_path, capsys):
    run, other = judged(TEXTS), judged({name: f"please {text}" for name, text in TEXTS.items()}, "other")
    capsys.readouterr()
    file = labels(tmp_path / "labels.csv")
    assert main(["agreement", str(run), str(other), "--labels", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    exact = found["runs"][0]["agreement"][0]["sides"]["judge–human"]["exact"]
    assert exact["value"] == pytest.approx(39 / 48)
    assert found["first_less"][str(other)]["polite"]["exact"]["low"] > 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("s1,polite,met,a\ns1,polite,unmet,a", "labels.csv:3: the label of 's1' on 'polite' by 'a' stands at"),
        ("s1,polite,maybe,a", "labels.csv:2: no level 'maybe' in 'polite'; known: unmet, met"),
        ("s1,,met,a", "labels.csv:2: a row needs submission, criterion"),
        ("zz,polite,met,a", "no human label is about this run"),
    ],
)
def test_bad_labels_end_with_one_line_that_says_where(judged, tmp_path, capsys, row, message):
    run = judged(TEXTS)
    (tmp_path / "labels.csv").write_text(f"submission,criterion,level,rater\n{row}\n")
    capsys.readouterr()
    assert main(["agreement", str(run), "--labels", str(tmp_path / "labels.csv")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("s1,polite,,5", "labels.csv:2: the score 5 on 'polite' lies outside its scale, 0 to 1"),
        ("s1,polite,,-0.1", "labels.csv:2: the score -0.1 on 'polite' lies outside its scale, 0 to 1"),
        (
            "s1,polite,met,0",
            "labels.csv:2: the level 'met' on 'polite' is worth 1, and the score beside it is 0; leave",
        ),
    ],
)
@pytest.mark.parametrize("command", [["agreement"], ["estimate"], ["gate", "--criterion", "polite"], ["report"]])
def test_a_number_that_fits_neither_scale_nor_level_ends_every_command(
    judged, tmp_path, capsys, *, command, row, message
):
    run = judged(TEXTS)
    (tmp_path / "labels.csv").write_text(f"submission,criterion,level,score\n{row}\ns2,polite,met,1\n")
    capsys.readouterr()
    assert main([command[0], str(run), *command[1:], "--labels", str(tmp_path / "labels.csv")]) == 2
    assert message in capsys.readouterr().err


def test_numbers_between_levels_are_told_where_figures_of_levels_leave_them_out(judged, tmp_path, capsys):
    run, file = judged(TEXTS), tmp_path / "labels.csv"
    scores = {"s1": 1, "s2": 0, "s3": 0.5, "s4": 0.5, "s5": 1}
    file.write_text("submission,criterion,score\n" + "".join(f"{k},polite,{v}\n" for k, v in scores.items()))
    told = "2 of 5 labels on polite are no level of the scale: they count in means and stand in no figure of levels"
    capsys.readouterr()
    assert main(["agreement", str(run), "--labels", str(file), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["runs"]
    assert found["warnings"] == [told]
    assert found["agreement"][0]["sides"]["judge–human"]["exact"]["n"] == 3
    assert main(["agreement", str(run), "--labels", str(file)]) == 0
    assert f"warning: {told}" in capsys.readouterr().err
    assert main(["report", str(run), "--labels", str(file), "--out", str(tmp_path / "r.html")]) == 0
    assert told in (tmp_path / "r.html").read_text()


def test_misspelt_columns_of_a_label_file_are_named_once_with_the_first_line(tmp_path, caplog):
    file = tmp_path / "labels.csv"
    file.write_text(
        "submission,criterion,level,Rater,probabilty,note,ID\ns1,polite,met,ann,0.2,,7\ns2,polite,met,ann,0.2,,8\n"
    )
    assert [one.probability for one in read_labels(file)] == [None, None]
    assert [record.getMessage().rpartition("/")[2] for record in caplog.records] == [
        "labels.csv:2: the column 'Rater' is not read; if it is the rater, name it so",
        "labels.csv:2: the column 'probabilty' is not read; if it is the probability, name it so",
    ]


def test_columns_that_are_spelt_right_or_mean_another_thing_are_not_named(tmp_path, caplog):
    file = tmp_path / "labels.csv"
    file.write_text(
        "id,criterion,level,rater,probability,drawn,blind,rubric_hash,time,stage,Submission\ns1,polite,met,a,1,all,true,,,,\n"
    )
    assert len(read_labels(file)) == 1
    assert caplog.records == []


def test_a_misspelt_column_is_told_on_the_error_stream(judged, tmp_path):
    run = judged(TEXTS)
    (tmp_path / "labels.csv").write_text("submission,criterion,level,RATER\ns1,polite,met,a\n")
    command = [sys.executable, "-m", "adjudge", "agreement", str(run), "--labels", str(tmp_path / "labels.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "labels.csv:2: the column 'RATER' is not read; if it is the rater, name it so" in done.stderr


def test_levels_are_read_by_id_and_by_word_in_any_case(judged, tmp_path):
    run = judged(TEXTS)
    said = ["Yes", "NO", "Met", "unmet", " yes "]
    rows = "".join(f"s{place},polite,{level},a\n" for place, level in enumerate(said))
    (tmp_path / "labels.csv").write_text(f"submission,criterion,level,rater\n{rows},,,\n")
    rated = join(read_run(run), read_labels(tmp_path / "labels.csv"))
    assert [level for row in rated.rows for level in row.levels] == ["met", "unmet", "met", "unmet", "met"]
    assert rated.warnings == ()


def test_rows_without_a_level_yet_are_counted_and_told(judged, tmp_path, capsys):
    run, file = judged(TEXTS), tmp_path / "todo.csv"
    assert main(["draw", str(run), "-n", "24", "--out", str(file)]) == 0
    assert main(["estimate", str(run), "--labels", str(file)]) == 2
    assert "none of 48 rows has a level yet" in capsys.readouterr().err
    lines = file.read_text().splitlines()
    filled = [line.replace(",,,", ",Yes,a,") if i < 20 else line for i, line in enumerate(lines)]
    file.write_text("\n".join(filled) + "\n,,,,\n")
    assert main(["estimate", str(run), "--labels", str(file)]) == 0
    assert "29 of 48 rows have no level yet" in capsys.readouterr().err


def some(path, number=16):
    """Labels of the first submissions only, as if drawn at random."""
    return labels(path, dict(list(TEXTS.items())[:number]), rater=("a",))


def test_estimate_corrects_and_says_how_labels_were_drawn(judged, tmp_path, capsys):
    run, file = judged(TEXTS), some(tmp_path / "labels.csv")
    capsys.readouterr()
    assert main(["estimate", str(run), "--labels", str(file), "--drawn", "random", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["drawn"], said["warnings"]) == ("random", [])
    (found,) = said["estimates"]
    assert found["criterion"] == "polite"
    assert found["judge"]["value"] == 0.5
    assert found["corrected"]["low"] < found["labels"]["value"] < found["corrected"]["high"]
    assert found["rate"]["method"] == "rogan–gladen 95%"


def test_estimate_warns_where_nobody_said_how_labels_were_drawn(judged, tmp_path, capsys):
    run, file = judged(TEXTS), some(tmp_path / "labels.csv")
    capsys.readouterr()
    assert main(["estimate", str(run), "--labels", str(file)]) == 0
    shown = capsys.readouterr()
    assert "unless they are a random sample" in shown.err
    assert "labels drawn: unknown" in shown.out


def test_the_gate_passes_and_misses_by_exit_status(judged, tmp_path, capsys):
    run, worse = judged(TEXTS), judged(dict.fromkeys(TEXTS, "come"), "worse")
    file = some(tmp_path / "labels.csv")
    none = tmp_path / "none.csv"
    none.write_text("submission,criterion,level\n" + "".join(f"s{i},polite,unmet\n" for i in range(16)))
    common = ["--criterion", "polite", "--drawn", "random", "--labels"]
    assert main(["gate", str(run), *common, str(file), "--at-least", "0.2"]) == 0
    assert main(["gate", str(run), *common, str(file), "--at-least", "0.6"]) == 1
    against = ["--baseline", str(worse), "--baseline-labels", str(none)]
    capsys.readouterr()
    assert main(["gate", str(run), *common, str(file), *against]) == 0
    assert capsys.readouterr().out.startswith("passed: polite")
    against = ["--baseline", str(run), "--baseline-labels", str(file)]
    assert main(["gate", str(worse), *common, str(none), *against, "--at-least", "-0.1"]) == 1


def test_a_gate_without_labels_of_the_baseline_names_it_and_the_option(judged, tmp_path, capsys):
    run, other, file = judged(TEXTS), judged(TEXTS, "other"), some(tmp_path / "labels.csv")
    common = ["gate", str(run), "--labels", str(file), "--criterion", "polite", "--drawn", "random"]
    capsys.readouterr()
    assert main([*common, "--baseline", str(other)]) == 2
    assert f"no human label is about {other}; give --baseline-labels FILE" in capsys.readouterr().err
    assert main([*common, "--baseline-labels", str(file)]) == 2
    assert "--baseline-labels are labels of a --baseline; name it" in capsys.readouterr().err


def test_drawn_submissions_come_with_their_chance_and_are_estimated_from(judged, tmp_path, capsys):
    run, file = judged(TEXTS), tmp_path / "todo.csv"
    assert main(["draw", str(run), "-n", "12", "--out", str(file)]) == 0
    lines = file.read_text().splitlines()
    filled = [line.replace(",,,", f",{'unmet' if i % 3 else 'met'},a,") for i, line in enumerate(lines)]
    file.write_text("\n".join(filled) + "\n")
    capsys.readouterr()
    assert main(["estimate", str(run), "--labels", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["drawn"] == "active"
    assert said["estimates"][0]["corrected"]["method"].startswith("active")
    assert main(["draw", str(run), "-n", "12", "--out", str(file)]) == 2
    assert "todo.csv: is there already, perhaps with labels in it; name another file" in capsys.readouterr().err
