"""What the report says of agreement and confidence, beside what the commands measure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from adjudge.api import installed
from adjudge.cli import main
from adjudge.interfaces import Plot, Table
from adjudge.metrics import Estimate
from adjudge.report import RunRecord, render_html
from adjudge.report.sections import sections_of
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Result, Score
from adjudge_validity.agreement import agreement
from adjudge_validity.confidence_section import confidence_sections, trusted
from adjudge_validity.plots import Series, forest
from adjudge_validity.ratings import join
from adjudge_validity.sections import agreement_sections

PACK = """
id: letters
version: "1"
draft: true
criteria:
  - {id: polite, text: The letter is polite., options: {check: {kind: contains, value: please}}}
"""
ROWS = [
    *((f"a{n}", "met", ("met", "met")) for n in range(12)),
    *((f"b{n}", "unmet", ("unmet", "unmet")) for n in range(9)),
    *((f"c{n}", "met", ("unmet", "met")) for n in range(3)),
    ("d", None, ("met", "met")),
]


def parts(section, kind):
    return [part for part in section.parts if isinstance(part, kind)]


def with_probabilities(record, shares):
    """The run, each scored verdict with these probabilities of `met`."""
    results = []
    for result, share in zip(record.results, shares, strict=True):
        (verdict,) = result.verdicts
        told = verdict.model_copy(update={"distribution": {"met": share, "unmet": 1 - share}})
        results.append(result.model_copy(update={"verdicts": (told if verdict.level else verdict,)}))
    return replace(record, results=results)


def test_the_table_says_what_the_command_measures(record):
    run = record(ROWS)
    (section,) = agreement_sections([run])
    table = parts(section, Table)[0]
    (measured,) = [one for one in agreement(join(run)) if one.name == "good"]
    row = dict(zip(table.columns, next(row for row in table.rows if row[0] == "good"), strict=True))
    for column, side, figure in (
        ("judge: same level", "judge–human", "exact"),
        ("people: same level", "human–human", "exact"),
        ("judge: beyond chance", "judge–human", "kappa"),
        ("finds the top level", "judge–human", "sensitivity"),
    ):
        estimate = measured.sides[side][figure]
        assert row[column] == f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def test_the_confusion_table_counts_every_label_and_what_is_unscored(record):
    (section,) = agreement_sections([record(ROWS)])
    confusion = parts(section, Table)[1]
    assert confusion.columns == ("people", "unmet", "met", "unscored")
    assert confusion.rows == (("unmet", 18, 3, 0), ("met", 0, 27, 2))
    assert confusion.shades[0] == (None, 18 / 21, 3 / 21, 0)


def test_the_pictures_show_judge_and_people_and_say_so_in_words(record):
    (section,) = agreement_sections([record(ROWS)])
    same, beyond, difficulty = parts(section, Plot)
    assert [plot.title for plot in (same, beyond)] == ["Same level", "Beyond chance"]
    assert "good, judge and person: 0.94" in same.says
    assert "good, two people: 0.88" in same.says
    assert "good, people: 0.58" in difficulty.says
    for plot in (same, beyond, difficulty):
        ET.fromstring(plot.svg)
        assert "var(--accent)" in plot.svg
        assert not re.search(r"#0[1-7]0[1-7]0[1-7]", plot.svg)


def test_a_thing_that_should_not_appear_is_turned_round_in_the_difficulty(record):
    run = record(ROWS)
    (criterion,) = run.rubric.criteria
    harm = run.rubric.model_copy(update={"criteria": (criterion.model_copy(update={"weight": -1.0}),)})
    (section,) = agreement_sections([replace(run, rubric=harm)])
    assert "good, people: 0.42" in parts(section, Plot)[2].says


def test_several_runs_stand_in_one_picture(record):
    run = record(ROWS)
    (section,) = agreement_sections([run, replace(run, title="second")])
    first = parts(section, Plot)[0]
    assert first.says.count("two people") == first.says.count("judge and person: second") == 3
    assert len([part for part in parts(section, Table) if part.title.startswith("Agreement: ")]) == 2


def test_equal_runs_give_equal_pictures(record):
    one, two = (agreement_sections([record(ROWS)])[0].parts[0] for _ in range(2))
    assert one.svg == two.svg


def test_without_labels_there_is_one_line_and_nothing_heavy_is_imported(record):
    code = (
        "import sys; from adjudge.report import RunRecord; from adjudge_validity.sections import agreement_sections;"
        "from adjudge_validity.confidence_section import confidence_sections;"
        "run = RunRecord(title='t', created='', rubric=None, items=[], results=[]);"
        "(one,) = agreement_sections([run]); assert not one.parts and 'adjudge report RUN' in one.lead;"
        "assert confidence_sections([run]) == ();"
        "print(sorted({'numpy', 'scipy', 'matplotlib', 'pandas'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_without_matplotlib_the_figures_stand_and_the_pip_line_in_place_of_the_pictures(record, monkeypatch):
    monkeypatch.setattr("adjudge_validity.plots.can_draw", lambda: False)
    (section,) = agreement_sections([record(ROWS)])
    assert parts(section, Plot) == []
    assert 'pip install "adjudge-validity[plots]"' in parts(section, str)[0]
    assert len(parts(section, Table)) == 2


def test_of_very_many_criteria_only_dimensions_and_the_whole_are_measured(record, monkeypatch):
    monkeypatch.setattr("adjudge_validity.sections.MOST_CRITERIA", 0)
    (section,) = agreement_sections([record(ROWS)])
    assert [row[0] for row in parts(section, Table)[0].rows] == ["quality", "all"]


def test_confidence_is_measured_on_verdicts_with_probabilities_and_a_consensus(record):
    run = with_probabilities(record(ROWS), [*[0.95] * 12, *[0.15] * 9, *[0.6] * 3, 0.5])
    known = trusted(run)
    assert len(known) == 21, "three are split between the raters, one is unscored"
    assert {one.sure for one in known} == {0.95, 0.85}
    assert all(one.is_right for one in known)
    (section,) = confidence_sections([run])
    curve, abstention = parts(section, Plot)
    assert "85% sure: people agree with 1.00" in curve.says
    assert "the surest 57%: people agree with 100%" in abstention.says
    (table,) = parts(section, Table)
    assert table.rows[0][1].value == pytest.approx((12 * 0.05 + 9 * 0.15) / 21)


def test_the_analyses_give_the_same_figures_as_rows(tmp_path, capsys):
    (tmp_path / "letters.yaml").write_text(PACK)
    rows = [("a", "please", "met"), ("b", "now", "unmet"), ("c", "please", "unmet")]
    lines = [
        {"id": name, "output": text, "labels": [{"criterion": "polite", "level": level}]} for name, text, level in rows
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    where = [str(tmp_path / name) for name in ("rows.jsonl", "letters.yaml", "run")]
    assert main(["judge", where[0], "--rubric", where[1], "--judge", "rules", "--out", where[2]]) == 0
    capsys.readouterr()
    assert main(["analyse", "agreement", where[2], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert next(row["exact"] for row in found if row["name"] == "polite").startswith("0.67")
    assert main(["analyse", "confidence", where[2], "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["n"], row["sure"], row["right"][:4]) == (3, 1.0, "0.67")


def test_a_run_of_comparisons_is_told_where_its_figures_stand():
    pair = Comparison(id="p", submissions=(Submission(id="1", output="x"), Submission(id="2", output="y")))
    score = Score(submission="p", rubric="", scoring="", value=None, bounds=None, coverage=0.0, criteria={})
    results = [Result(submission="p", verdicts=(), score=score)]
    run = RunRecord(title="t", created="", rubric=None, items=[pair], results=results)
    (section,) = agreement_sections([run])
    assert "compare submissions" in section.lead
    assert confidence_sections([run]) == ()


def test_a_judge_without_probabilities_is_told_so(record):
    (section,) = confidence_sections([record(ROWS)])
    assert not section.parts
    assert "read-out label" in section.lead


def test_the_page_holds_the_sections_of_the_installed_plugin(record):
    run = with_probabilities(record(ROWS), [0.9] * 25)
    html = render_html(run, sections=sections_of([run], installed()))
    assert html.count('class="plot"') == 5
    assert "Not shown" not in html


def test_a_name_is_never_taken_for_a_formula_or_markup():
    hostile = r"$\frac{1}{0}$ <script>alert(1)</script> & more than fits into the margin"
    plot = forest("t", [hostile], [Series(hostile, {hostile: Estimate(value=0.5, low=0.4, high=0.6, n=3)})], "x")
    text = "".join(ET.fromstring(plot.svg).itertext())
    assert r"$\frac{1}{0}$ <script>" in text
    assert "…" in text


def test_an_undefined_figure_has_no_mark_and_is_said_in_words():
    plot = forest("t", ["a"], [Series("judge", {"a": Estimate(value=None, n=3, note="constant")})], "x")
    assert plot.says == "a, judge: undefined (constant) n=3"


def test_with_one_rater_there_is_no_figure_of_people_and_one_line_says_why(record):
    rows = [(name, level, humans[:1]) for name, level, humans in ROWS]
    (section,) = agreement_sections([record(rows)])
    assert [part for part in parts(section, str) if "No submission has labels of two raters" in part]
    table = parts(section, Table)[0]
    assert [name for name in table.columns if "people" in name] == []
    assert table.columns[:3] == ("", "judge: same level", "judge: beyond chance")
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert not [plot for plot in parts(section, Plot) if "two people" in plot.says]


def test_of_verdicts_that_are_all_equally_sure_no_curve_is_drawn_and_one_line_says_so(record):
    run = with_probabilities(record(ROWS), [*[0.9] * 12, *[0.1] * 9, *[0.9] * 3, 0.5])
    (section,) = confidence_sections([run])
    assert [plot.title for plot in parts(section, Plot)] == ["How sure, how often right"]
    (line,) = parts(section, str)
    assert line.startswith("The judge was 90% sure of each of the 21 verdicts")
