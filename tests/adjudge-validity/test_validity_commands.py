"""The commands, on runs made by the command line."""

from __future__ import annotations

import json

import pytest

from adjudge.cli import main

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
