"""Judge and people side by side."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest

from adjudge.errors import InputError
from adjudge.submission import Label
from adjudge_validity.agreement import agreement, numeric_figures
from adjudge_validity.contrast import differences
from adjudge_validity.labels import FileLabel
from adjudge_validity.ratings import Rating, join

LEVELS = ("unmet", "met")


def rows(n, raters=2, seed=0, wrong=0.2):
    """Binary labels with errors of both sides."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)

    def noisy():
        return np.where(rng.random(n) < wrong, 1 - truth, truth)

    judge, humans = noisy(), [noisy() for _ in range(raters)]
    return [(f"s{i}", LEVELS[judge[i]], [LEVELS[human[i]] for human in humans]) for i in range(n)]


def test_each_criterion_dimension_and_all_are_told_with_people_beside_the_judge(record):
    found = agreement(join(record(rows(40))))
    assert [(one.kind, one.name) for one in found] == [("criterion", "good"), ("dimension", "quality"), ("all", "all")]
    sides = found[0].sides
    assert list(sides) == ["judge–human", "judge–consensus", "human–human"]
    assert {"exact", "kappa", "alpha", "ac1", "macro_f1", "icc", "spearman", "kendall", "sensitivity"} <= sides[
        "human–human"
    ].keys()
    assert "bias" in sides["judge–human"]
    assert "bias" not in sides["human–human"]
    for figures in sides.values():
        for name, figure in figures.items():
            assert figure.value is not None, name
            assert figure.low is not None, name
            assert figure.high is not None, name
            assert figure.low <= figure.value <= figure.high, name


def test_alpha_of_people_with_missing_labels_equals_krippendorff(record):
    made = rows(30, raters=4, seed=3)
    made = [(name, level, humans[: 2 + i % 3]) for i, (name, level, humans) in enumerate(made)]
    matrix = np.full((4, 30), np.nan)
    for i, (_, _, humans) in enumerate(made):
        matrix[: len(humans), i] = [LEVELS.index(human) for human in humans]
    expected = krippendorff.alpha(reliability_data=matrix, value_domain=[0, 1], level_of_measurement="nominal")
    found = agreement(join(record(made)))[0].sides["human–human"]
    assert found["alpha"].value == pytest.approx(expected)


def test_unscored_verdicts_and_split_raters_are_counted_and_left_out(record):
    made = [("a", None, ["met"]), ("b", "met", ["met", "unmet"]), ("c", "met", ["met"]), ("d", "unmet", ["unmet"])]
    found = agreement(join(record(made)))[0]
    assert (found.unscored, found.split) == (1, 1)
    assert found.sides["judge–human"]["exact"].n == 4
    assert found.sides["judge–consensus"]["exact"].value == 1


def test_what_is_undefined_is_said_in_words(record):
    found = agreement(join(record([(str(i), "met", ["met"]) for i in range(12)])))[0].sides
    assert found["judge–human"]["kappa"].value is None
    assert "one and the same level" in found["judge–human"]["kappa"].note
    assert found["judge–human"]["specificity"].note == "no human label is 'unmet'"
    assert found["human–human"]["kappa"].note == "no observations"
    assert found["judge–human"]["ac1"].value == 1


def test_perfect_agreement_has_no_interval_of_no_width(record):
    found = agreement(join(record([(str(i), LEVELS[i % 2], [LEVELS[i % 2]]) for i in range(20)])))[0].sides
    kappa, exact = found["judge–human"]["kappa"], found["judge–human"]["exact"]
    assert (kappa.value, kappa.low, kappa.high) == (1, None, None)
    assert kappa.note == "no interval: the same on every resample"
    assert (exact.low or 1) < 0.9


def test_fewer_than_ten_clusters_are_warned_of(record):
    made = rows(40)
    few = {name: {"cluster": i % 5} for i, (name, *_) in enumerate(made)}
    figures = agreement(join(record(made, metadata=few)))[0].sides["judge–human"]
    assert figures["exact"].clusters == figures["kappa"].clusters == 5
    assert "only 5 clusters" in figures["kappa"].note
    assert "only 5 clusters" in figures["exact"].note


def test_ordinal_scales_add_weighted_figures_and_labels_have_no_order(record):
    made = [(str(i), str(1 + i % 3), [str(1 + (i // 2) % 3)]) for i in range(30)]
    assert {"qwk", "ac2", "smd"} <= agreement(join(record(made, "1-3")))[0].sides["judge–human"].keys()
    scale = {"kind": "labels", "levels": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}
    assert (
        not {"qwk", "ac2", "icc", "spearman", "bias"}
        & agreement(join(record(made, scale)))[0].sides["judge–human"].keys()
    )


def test_the_worst_group_is_named(record):
    made = rows(40)
    groups = {name: {"ward": "A" if i % 2 else "B"} for i, (name, *_) in enumerate(made)}
    found = agreement(join(record(made, metadata=groups), group_by="ward"))[0].sides["judge–consensus"]
    assert "worst of 2 groups" in found["min_group_macro_f1"].note
    with pytest.raises(InputError, match="no metadata field 'team'"):
        join(record(made, metadata=groups), group_by="team")


def test_labels_from_a_file_win_over_the_submission_s_own_and_strangers_are_told(record):
    run = record([("a", "met", ["unmet"]), ("b", "unmet", [])])
    mine = [
        FileLabel("a", Label(criterion="good", score=1, rater="0"), "labels.csv:2"),
        FileLabel("z", Label(criterion="good", level="met"), "labels.csv:3"),
    ]
    joined = join(run, mine)
    assert joined.rows[0].levels == ("met",)
    assert joined.warnings == ("1 label is about submissions that the run does not have",)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (Label(criterion="god", level="met"), "labels.csv:2: no criterion 'god' in the rubric; known: good"),
        (Label(criterion="good", level="perhaps"), "labels.csv:2: no level 'perhaps' in 'good'; known: unmet, met"),
    ],
)
def test_a_label_that_names_nothing_is_refused_with_its_place(record, label, message):
    with pytest.raises(InputError, match=message):
        join(record([("a", "met", [])]), [FileLabel("a", label, "labels.csv:2")])


def test_a_run_without_labels_is_refused(record):
    with pytest.raises(InputError, match="no human label"):
        join(record([("a", "met", [])]))


def test_numbers_without_levels_have_ranks_icc_and_bias():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=60)
    made = [
        Rating(
            submission=str(i),
            criterion="overall",
            cluster=str(i),
            scale=None,
            value=float(x + 0.5),
            humans=(Label(criterion="overall", score=float(x)),),
        )
        for i, x in enumerate(truth)
    ]
    found = numeric_figures(made)
    assert found["spearman"].value == pytest.approx(1)
    assert found["kendall"].value == pytest.approx(1)
    assert found["bias"].value == pytest.approx(0.5)
    assert 0 < (found["icc"].value or 0) < 1


def test_a_better_judge_is_told_from_a_worse_one_on_the_same_submissions(record):
    good = rows(80, seed=1, wrong=0.05)
    bad = [(name, LEVELS[i % 2], humans) for i, (name, _, humans) in enumerate(good)]
    found = differences(join(record(good)), join(record(bad)))["good"]
    for name in ("exact", "kappa", "alpha", "ac1"):
        assert (found[name].low or 0) > 0, name
    same = differences(join(record(good)), join(record(good)))["good"]
    assert same["exact"].value == same["kappa"].value == 0
    with pytest.raises(InputError, match="no submission in common"):
        differences(join(record(good)), join(record([("other", "met", ["met"])])))


def test_intervals_of_clustered_items_cover_as_often_as_they_say(record):
    """20 clusters of 10 that share their difficulty (intraclass correlation .3): 95 % intervals of exact agreement."""
    from adjudge.metrics import clustered_rate

    rng = np.random.default_rng(2)
    covered, rounds = 0, 600
    a = 0.7 * (1 / 0.3 - 1)
    for _ in range(rounds):
        rate = np.repeat(rng.beta(a, a * 0.3 / 0.7, 20), 10)
        found = clustered_rate(list(rng.random(200) < rate), list(np.repeat(np.arange(20), 10)))
        covered += (found.low or 0) <= 0.7 <= (found.high or 0)
    assert 0.92 <= covered / rounds <= 0.98
