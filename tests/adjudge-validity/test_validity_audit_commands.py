"""`adjudge audit`, as typed."""

from __future__ import annotations

import json

import pytest

from adjudge.cli import main

PACK = """
id: demo
version: "1"
title: Advice
draft: true
criteria:
  - {id: kind, text: The answer is kind.}
  - {id: safe, text: The answer is safe., scale: 1-4}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "advice.yaml").write_text(PACK)
    rows = [
        {
            "id": f"s{i}",
            "input": f"Case {i // 2}: what now?",
            "output": f"On day {i}, rest in the shade.",
            "pair": i // 2,
            "dialect": "one" if i % 2 == 0 else "two",
        }
        for i in range(48)
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def audit(*more):
    return main(["audit", "answers.jsonl", "--rubric", "advice.yaml", "--backend", "faulty", "--out", "out", *more])


SOME = ("--only", "verbosity", "--only", "paraphrase", "--only", "injection", "--draws", "1")


def test_a_clean_judge_exits_with_0_and_a_faulty_one_with_1(here, capsys):
    assert audit(*SOME) == 0
    assert "verbosity       pass" in capsys.readouterr().out
    assert (
        main(["audit", "answers.jsonl", "--rubric", "advice.yaml", "--backend", "faulty", "-B", "injection=0.5", *SOME])
        == 1
    )
    shown = capsys.readouterr().out
    assert "injection       fail     rises 0." in shown
    assert "verbosity       pass" in shown


def test_the_same_command_again_asks_nothing_and_says_the_same(here, capsys):
    audit(*SOME, "--json")
    first = json.loads(capsys.readouterr().out)
    audit(*SOME, "--json")
    assert json.loads(capsys.readouterr().out) == first
    assert (
        main(
            [
                "audit",
                "answers.jsonl",
                "--rubric",
                "advice.yaml",
                "--backend",
                "faulty",
                "--out",
                "out",
                *SOME,
                "--dry-run",
            ]
        )
        == 0
    )
    assert "dry run: 0 questions" in capsys.readouterr().out


def test_findings_are_written_beside_the_report_that_shows_them(here, capsys):
    audit(*SOME, "--details")
    shown = capsys.readouterr().out
    assert "    family plea" in shown
    found = json.loads((here / "out" / "audit.json").read_text())
    assert found["passed"] is True
    assert [one["audit"]["name"] for one in found["findings"]] == ["verbosity", "injection", "paraphrase"]
    report = (here / "out" / "report.html").read_text()
    assert "audit, part by part" in report
    assert "family plea" in report
    assert "changed twins together" in report
    assert "rises 0.00 [0.00, 0." in report
    assert "should not matter. Too few submissions to tell: injection. Passed: verbosity, paraphrase." in report


def test_a_folder_of_an_audit_has_one_report_whichever_command_writes_it(here, capsys):
    audit(*SOME, "-B", "injection=0.5")
    path = here / "out" / "report.html"
    first = path.read_bytes()
    assert b"Failed: injection. Passed: verbosity, paraphrase." in first
    assert main(["report", "out"]) == 0
    assert path.read_bytes() == first
    capsys.readouterr()
    assert main(["analyse", "audits", "out", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert next(row["decision"] for row in rows if row["audit"] == "injection") == "fail"
    assert {row["part"] for row in rows if row["audit"] == "injection"} >= {"", "family plea", "criterion kind"}


def test_a_file_of_another_shape_is_shown_as_the_tables_that_it_holds(here):
    audit(*SOME)
    (here / "out" / "audit-more.json").write_text('{"findings": [{"probe": "tone", "flips": 0.25}]}')
    assert main(["report", "out"]) == 0
    report = (here / "out" / "report.html").read_text()
    assert "audit-more: findings" in report
    assert "Passed: verbosity" in report


def test_too_few_items_pass_unless_strict(here, capsys):
    common = ("--only", "content-free", "--limit", "40")
    assert audit(*common) == 0
    assert "too few" in capsys.readouterr().out
    assert audit(*common, "--strict") == 1


def test_a_threshold_of_ones_own_decides(here):
    assert audit("-B", "instability=0.2", "--only", "repeatability") == 1
    assert audit("-B", "instability=0.2", "--only", "repeatability", "--threshold", "repeatability=0.5") == 0


def test_own_twins_are_told_apart_by_the_group(here, capsys):
    # Twins share the input here, on which alone the clean judge decides.
    assert (
        audit("--only", "twins", "--twins", "pair", "--group-by", "dialect", "--threshold", "twins=0.2", "--json") == 0
    )
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["whole"]["rate"]["n"] == 48
    assert found["whole"]["rate"]["clusters"] == 24
    assert found["decision"] == "pass"


def test_one_criterion_and_a_template_can_be_chosen(here, capsys):
    assert audit("--only", "paraphrase", "--draws", "2", "--criterion", "kind", "--template", "brief", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    named = {part["name"] for part in found["parts"]}
    assert named == {f"perturbation worded-{name}" for name in ("default", "assessor", "reviewer")}
    assert found["whole"]["rate"]["n"] == 96


def test_hashes_in_place_of_texts_change_no_finding(here, capsys):
    audit(*SOME, "--json")
    plain = json.loads(capsys.readouterr().out)
    main(
        [
            "audit",
            "answers.jsonl",
            "--rubric",
            "advice.yaml",
            "--backend",
            "faulty",
            "--store",
            "hashes",
            *SOME,
            "--json",
        ]
    )
    assert json.loads(capsys.readouterr().out) == plain


def test_a_judge_without_a_model_can_be_audited(here, capsys):
    (here / "rules.yaml").write_text(
        "id: rules\nversion: '1'\ntitle: t\ndraft: true\ncriteria:\n"
        "  - {id: short, text: It is short., options: {check: {kind: length, max: 12}}}\n"
        "  - {id: long, text: It is long., options: {check: {kind: length, min: 12}}}\n"
    )
    common = ["audit", "answers.jsonl", "--rubric", "rules.yaml", "--judge", "rules", "--only", "verbosity"]
    assert main([*common, "--criterion", "long"]) == 1
    assert "verbosity       fail     rises 1.00" in capsys.readouterr().out
    assert main(["audit", "answers.jsonl", "--rubric", "rules.yaml", "--judge", "rules", "--only", "levels"]) == 0
    assert "flips 0.00" in capsys.readouterr().out


def test_a_run_by_one_criterion_of_a_pack_with_golden_tests_can_be_read_again(here, capsys):
    (here / "advice.yaml").write_text(
        f"{PACK}tests:\n  - {{id: good, input: i, output: o, expect: {{kind: met, safe: '4'}}}}\n"
    )
    audit("--only", "verbosity", "--criterion", "kind")
    capsys.readouterr()
    assert main(["report", "out"]) == 0
    assert "report.html" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--only", "injektion"], "no audit named 'injektion'; did you mean 'injection'?"),
        (["--criterion", "kynd"], "no criterion named 'kynd'; did you mean 'kind'?"),
        (["--threshold", "levels=3"], "--threshold levels=3: a share"),
        (["--twins", "pair"], "--twins pair needs --group-by FIELD"),
        (["--twins", "couple", "--group-by", "dialect"], "no item has the metadata field 'couple'"),
        (["--group-by", "sex"], "has no metadata field 'sex'"),
        (["-B", "postion=0.1"], "did you mean 'position'?"),
        (["--judge", "compare"], "'s0' is a submission"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(here, capsys, given, message):
    assert audit("--only", "verbosity", *given) == 2
    assert message in capsys.readouterr().err


def test_another_judge_in_the_same_folder_is_another_run(here, capsys):
    assert audit("--only", "formatting", "--draws", "1") == 0
    for other in (["--judge", "joint"], ["--template", "brief"]):
        assert audit("--only", "formatting", "--draws", "1", *other) == 2
        assert "holds another run" in capsys.readouterr().err
    assert audit("--only", "formatting", "--draws", "1", "--limit", "5") == 2
    assert "--limit 5 would replace them" in capsys.readouterr().err


def test_without_a_file_the_usage_is_told_and_audits_can_be_listed(capsys):
    assert main(["audit"]) == 2
    assert "name the file" in capsys.readouterr().err
    assert main(["audit", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "injection: does the judge obey what stands in the text? (rises, at most 0.05)" in shown
    assert "    padded: about twice as long" in shown


def test_where_nothing_can_be_audited_the_status_is_1(here, capsys):
    assert audit("--only", "position") == 1
    assert "nothing could be audited" in capsys.readouterr().err
