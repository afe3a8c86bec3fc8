"""Judge cards say how far a judge agreed with what is known, and when that is no better than chance."""

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from adjudge.report import CardStore, HumanFigure, JudgeCard, confusion_table, identity_hash, line, measure
from adjudge.report.card_text import human_line, missing_line
from adjudge.report.store import default_folder

KEYS = ("backend_hash", "read_out", "rubric_hash")


def key(card):
    return tuple(getattr(card, name) for name in KEYS)


def test_agreement_counts_exact_levels_and_leaves_failures_out(card):
    measured = card(5)
    assert (measured.tests, measured.verdicts, measured.scored, measured.agreed) == (4, 8, 7, 5)
    assert measured.agreement == pytest.approx(5 / 7)
    # Wilson's interval of 5 in 7 from its formula with z = 1.959964.
    assert measured.interval == pytest.approx((0.35893, 0.91779), abs=1e-4)
    assert measured.label_mass == pytest.approx(0.5)
    assert [(row.criterion, row.verdicts, row.scored, row.agreed) for row in measured.criteria] == [
        ("escalates", 4, 4, 3),
        ("depth", 4, 3, 2),
    ]


def test_chance_is_the_commonest_expected_level_per_scale_weighted_by_verdicts(card):
    # escalates: 2 of 4 expect `met`; depth: 2 of the 3 scored ones expect `student`, more than one third.
    assert card(5).chance == pytest.approx((2 + 2) / 7)


@pytest.mark.parametrize("expected", ["sge", "ssg", "sgesge", "eeee", "g"])
def test_chance_is_never_below_guessing_among_the_levels(run, make, expected):
    verdict, result = make
    levels = {"s": "student", "g": "graduate", "e": "expert"}
    tests = tuple(
        run.rubric.tests[0].model_copy(update={"id": f"t{n}", "expect": {"depth": levels[name]}})
        for n, name in enumerate(expected)
    )
    results = [result(test.id, verdict(test.id, "depth", "student")) for test in tests]
    chance = _measure(run.rubric.model_copy(update={"tests": tests}), results).chance
    assert 1 / 3 <= chance == pytest.approx(max(map(expected.count, "sge")) / len(expected))


def test_without_golden_verdicts_a_judge_is_at_chance(run):
    measured = _measure(run.rubric, [])
    assert (measured.verdicts, measured.agreement, measured.at_chance) == (0, None, True)


def test_the_confusion_table_has_expected_rows_given_columns_and_failures(card):
    binary, grade = card(5).confusion
    assert (binary.levels, binary.criteria) == (("unmet", "met"), ("escalates",))
    assert (binary.counts, binary.unscored) == (((1, 1), (0, 2)), (0, 0))
    assert (grade.counts, grade.unscored) == (((2, 0, 0), (0, 0, 0), (1, 0, 0)), (0, 1, 0))


def test_the_line_gives_counts_interval_chance_and_the_verdict_on_the_judge(card):
    assert line(card(5)) == (
        "judge card: local:tiny, label, synthetic/ward 0.1.0: agrees with 5 of 7 golden verdicts (1 more unscored)"
        " (71 %, 95 % interval 36–92 %), chance 57 %: at chance: for trying out only"
    )
    assert line(card(8)).endswith("chance 57 %: above chance")


def test_a_judge_of_which_nothing_was_scored_is_not_fit(card, run, make):
    verdict, result = make
    results = [result(test.id, *(verdict(test.id, name) for name in test.expect)) for test in run.rubric.tests]
    measured = _measure(run.rubric, results)
    assert (measured.agreement, measured.interval, measured.at_chance) == (None, None, True)
    assert "none of 8 golden verdicts was scored: not fit to judge" in line(measured)


def test_verdicts_that_no_golden_test_expects_are_left_out(run, make):
    verdict, result = make
    results = [result("t1", verdict("t1", "harm", "met")), result("stranger", verdict("stranger", "depth", "expert"))]
    assert _measure(run.rubric, results).verdicts == 0


def _measure(rubric, results):
    names = {"backend": "b", "backend_hash": "h", "read_out": "label", "judge": "isolated", "date": "2026-11-23"}
    return measure(rubric, results, **names)


def test_agreement_with_people_is_shown_with_its_interval_or_as_undefined():
    known = HumanFigure(data_set="set A", metric="accuracy", value=0.5, low=0.4, high=0.6, n=200)
    assert human_line(known) == "set A: accuracy 0.500 (95 % interval 0.400 to 0.600), n 200"
    assert human_line(HumanFigure(data_set="B", metric="rho", value=None, n=1)) == "B: rho undefined, n 1"


def test_the_command_that_measures_a_card_is_safe_to_paste():
    assert missing_line("", "") == "judge card: not measured: run `adjudge test RUBRIC`"
    assert missing_line("a/b", "none", "phrase-structure").endswith("run `adjudge test a/b --judge phrase-structure`")
    assert missing_line("a/b", "x:y", "joint(4)").endswith(
        "run `adjudge test a/b --backend x:y --judge joint` with the options of this judge"
    )
    assert missing_line("a/b", "x:y", "isolated", "reasoned(level-first,400)").endswith("--read-out reasoned`")
    assert missing_line("a/b", "local:x; rm y").endswith("run `adjudge test a/b --backend 'local:x; rm y'`")


def test_the_identity_hash_depends_on_content_and_not_on_order():
    assert identity_hash({"a": 1, "b": [2]}) == identity_hash({"b": [2], "a": 1})
    assert identity_hash({"a": 1}) != identity_hash({"a": 2})


def test_the_tables_of_a_test_run_print(card, capsys):
    from rich.console import Console

    Console(width=100).print(confusion_table(card(5)))
    text = capsys.readouterr().out
    assert [words for row in text.splitlines() if (words := row.split())[:1] == ["student"]] == [
        ["student", "2", "0", "0", "0"]
    ]
    assert "escalates   75 %        3        4       4" in text


def test_a_saved_card_is_found_again_by_backend_read_out_and_rubric(card, tmp_path):
    store = CardStore(tmp_path / "cards")
    saved = card(5)
    assert store.save(saved).parent == tmp_path / "cards"
    assert store.find(*key(saved)) == saved
    for other in (("x", "label", saved.rubric_hash), (saved.backend_hash, "reasoned", saved.rubric_hash)):
        assert store.find(*other) is None
    assert store.find(saved.backend_hash, "label", "x") is None
    assert store.warnings == []


def test_a_newer_card_replaces_the_older_one_of_the_same_judge_and_no_other(card, tmp_path):
    store = CardStore(tmp_path)
    first = card(5)
    joint = card(8).model_copy(update={"judge": "joint(4)", "date": "2026-11-24"})
    for one in (first, joint, card(4)):
        store.save(one)
    assert len(list(tmp_path.iterdir())) == 2
    assert store.find(*key(first), judge="isolated") == card(4)
    assert store.find(*key(first)) == joint
    assert store.find(*key(first), judge="compare") is None


def test_a_card_that_came_with_the_backend_is_found_after_the_users_own(card, tmp_path):
    shipped = tmp_path / "shipped"
    CardStore(shipped).save(card(5))
    store = CardStore(tmp_path / "own", [shipped, tmp_path / "absent"])
    assert store.find(*key(card(5))) == card(5)
    assert len(store.warnings) == 1
    store.save(card(8))
    assert store.find(*key(card(5))) == card(8)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"backend": 1}', b"\xff\xfe", b"[" * 100_000, b" " * (1 << 21)],
    ids=["empty", "cut", "list", "other fields", "not UTF-8", "deep", "large"],
)
def test_a_file_that_is_no_card_is_passed_over_with_a_warning(card, tmp_path, content):
    store = CardStore(tmp_path)
    path = store.save(card(5))
    path.write_bytes(content)
    assert store.find(*key(card(5))) is None
    assert len(store.warnings) == 1
    assert str(path) in store.warnings[0]
    assert "\n" not in store.warnings[0]


def test_a_card_under_the_name_of_another_is_not_taken_for_it(card, tmp_path):
    store = CardStore(tmp_path)
    path = store.save(card(5))
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"rubric_hash": "0" * 64}))
    assert store.find(*key(card(5))) is None


def test_a_card_with_impossible_figures_is_refused(card):
    with pytest.raises(ValidationError):
        JudgeCard.model_validate(card(5).model_dump() | {"agreement": 1.5})


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("ADJUDGE_CACHE", raising=False)
    assert default_folder() == tmp_path / "xdg" / "adjudge" / "cards"
    monkeypatch.setenv("ADJUDGE_CACHE", str(tmp_path / "own"))
    assert CardStore().folder == tmp_path / "own" / "cards"


def test_a_card_with_hostile_names_stays_in_its_line(card, run):
    hostile = card(5).model_copy(update={"backend": "x\n\x1b[2Jy", "rubric": "r\u202e"})
    assert "\x1b" not in line(hostile)
    assert "\u202e" not in line(hostile)
    assert replace(run, card=hostile).card is hostile
