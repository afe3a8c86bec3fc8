"""No mean without what is missing from it."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.report import RunRecord, print_record, render_html, summary
from adjudge.report.text import figure, number, percent
from adjudge.report.words import headline
from adjudge.rubric import Criterion, Rubric, ScoringChoice
from adjudge.scoring import score, scoring_of
from adjudge.submission import Submission
from adjudge.verdict import Result, Score, Verdict


def test_counts_means_and_bounds_keep_unscored_and_skipped_apart(run):
    figures = summary(run)
    assert (figures.items, figures.scored, figures.unscored, figures.skipped) == (3, 7, 1, 1)
    assert figures.reasons == {"parse": 1}
    assert figures.coverage == pytest.approx(7 / 8)
    assert (figures.mean, figures.n_scored, figures.n_unscored, figures.n_undefined) == (0.5, 2, 1, 0)
    assert figures.bounds == pytest.approx((1 / 3, 0.5))


def test_tokens_and_cost_are_summed_with_the_cached_share(run):
    figures = summary(run)
    assert (figures.usage.prompt_tokens, figures.usage.cached_tokens, figures.usage.completion_tokens) == (300, 240, 3)
    assert figures.usage.cost == pytest.approx(0.003)
    assert figures.cached_share == pytest.approx(0.8)


def test_each_criterion_counts_its_levels_and_its_failures(run):
    rows = {row.name: row for row in summary(run).criteria}
    assert list(rows) == ["escalates", "depth", "harm"]
    assert rows["escalates"].levels == {"unmet": 2, "met": 1}
    assert rows["escalates"].mean == pytest.approx(1 / 3)
    depth = rows["depth"]
    assert (depth.levels, depth.mean) == ({"student": 0, "graduate": 1, "expert": 0}, 2.0)
    assert (depth.scored, depth.unscored, depth.skipped, depth.reasons) == (1, 1, 1, {"parse": 1})


@pytest.fixture
def two_rubrics(run, make):
    """The second submission brings a rubric of its own: a new criterion, and one whose id the first rubric has too."""
    verdict, result = make
    depth = run.rubric.criterion("depth")
    own = Rubric(
        id="synthetic/night",
        version="3",
        criteria=(
            Criterion(id="quiet", text="It is quiet.", dimension="manner", scale=depth.scale),
            Criterion(id="harm", text="It wakes patients.", weight=-1.0),
        ),
    )
    first, second, third = run.items
    night = result("b", verdict("b", "quiet", "expert", score=3.0), verdict("b", "harm", "met", score=1.0))
    items = [first, second.model_copy(update={"rubric": own}), third]
    return replace(run, items=items, results=[run.results[0], night, run.results[2]])


def test_criteria_of_a_second_rubric_have_its_text_scale_and_name(two_rubrics):
    rows = {(row.name, *row.rubrics): row for row in summary(two_rubrics).criteria}
    assert list(rows)[3:] == [("quiet", "synthetic/night"), ("harm", "synthetic/night")]
    quiet = rows["quiet", "synthetic/night"]
    assert (quiet.criterion.text, quiet.criterion.dimension, quiet.mean) == ("It is quiet.", "manner", 3.0)
    assert quiet.levels == {"student": 0, "graduate": 0, "expert": 1}
    assert rows["harm", "synthetic/night"].levels == {"unmet": 0, "met": 1}
    assert rows[("harm",)].levels == {"unmet": 2, "met": 0}, "one id, another criterion"


def brought(run, make, *rubrics):
    """The run with these rubrics brought by its submissions, none for None; one verdict each on the first criterion."""
    verdict, result = make
    items = [item.model_copy(update={"rubric": one}) for item, one in zip(run.items, rubrics, strict=True)]
    name = run.rubric.criteria[0].id
    results = [result(item.id, verdict(item.id, name, "met", score=1.0)) for item in items]
    return replace(run, items=items, results=results)


def test_a_criterion_that_two_rubrics_share_word_for_word_is_one_row_that_names_both(run, make):
    (first, *_) = run.rubric.criteria
    one, two = (Rubric(id=name, version="1", criteria=(first,)) for name in ("synthetic/one", "synthetic/two"))
    (row, *_) = summary(brought(run, make, one, two, None)).criteria
    assert (row.name, row.rubrics, row.scored) == (first.id, ("synthetic/one", "synthetic/two", run.rubric.id), 3)
    (row, *_) = summary(brought(run, make, one, None, None)).criteria
    assert row.rubrics == ("synthetic/one", run.rubric.id)
    (row, *_) = summary(brought(run, make, run.rubric, None, None)).criteria
    assert row.rubrics == (), "the very same rubric is no other one"


def test_a_criterion_with_another_scale_is_a_row_of_its_own(run, make):
    (first, *_) = run.rubric.criteria
    other = first.model_copy(update={"scale": run.rubric.criterion("depth").scale})
    verdict, result = make
    record = brought(run, make, Rubric(id="synthetic/other", version="1", criteria=(other,)), None, None)
    results = [result("a", verdict("a", first.id, "expert", score=3.0)), *record.results[1:]]
    rows = {(row.name, *row.rubrics): row for row in summary(replace(record, results=results)).criteria}
    assert (rows[first.id,].levels, rows[first.id,].mean) == ({"unmet": 0, "met": 2}, 1.0)
    assert rows[first.id, "synthetic/other"].levels == {"student": 0, "graduate": 0, "expert": 1}
    assert rows[first.id, "synthetic/other"].mean == 3.0


def test_another_version_of_the_run_s_own_rubric_is_told_by_version_or_hash(run, make):
    changed = tuple(one.model_copy(update={"text": f"{one.text} Always."}) for one in run.rubric.criteria)
    newer = run.rubric.model_copy(update={"version": "99", "criteria": changed})
    record = brought(run, make, newer, None, None)
    assert summary(record).criteria[-1].rubrics == (f"{run.rubric.id} 99",)
    html = render_html(record)
    assert f"rubric of submissions</th><td>{run.rubric.id} 99" in html
    assert newer.hash in html
    variant = run.rubric.model_copy(update={"criteria": changed})
    name = f"{run.rubric.id} {run.rubric.version} ({variant.hash[:8]})"
    assert summary(brought(run, make, variant, None, None)).criteria[-1].rubrics == (name,)


def test_of_very_many_rubrics_of_one_criterion_the_number_is_told(run, make, monkeypatch):
    monkeypatch.setattr(sys.modules["adjudge.report.summary"], "MOST_NAMED", 1)
    one = Rubric(id="synthetic/one", version="1", criteria=run.rubric.criteria[:1])
    assert summary(brought(run, make, one, None, None)).criteria[0].rubrics == ("2 rubrics",)


def test_very_many_criteria_of_submissions_own_are_counted_by_dimension(two_rubrics, monkeypatch):
    monkeypatch.setattr(sys.modules["adjudge.report.summary"], "MOST_OWN", 1)
    rows = {row.name: row for row in summary(two_rubrics).criteria}
    assert list(rows) == ["escalates", "depth", "harm", "manner", "(no dimension)"]
    assert (rows["manner"].criterion, rows["manner"].levels, rows["manner"].mean) == (None, {"expert": 1}, 3.0)


def test_the_page_and_the_screen_name_the_second_rubric(two_rubrics, capsys):
    from rich.console import Console

    html = render_html(two_rubrics)
    assert 'It is quiet.<div class="soft">quiet of synthetic/night · should' in html
    assert "It wakes patients." in html
    assert "synthetic/night 3, content hash " in html
    print_record(two_rubrics, Console(width=120))
    assert "harm of synthetic/night" in capsys.readouterr().out


def test_a_negative_criterion_that_is_never_met_reached_the_best_and_is_not_called_hard(run, make, capsys):
    from rich.console import Console

    verdict, result = make
    levels = {"escalates": "unmet", "depth": "graduate", "harm": "unmet"}
    results = [result(item.id, *(verdict(item.id, *one) for one in levels.items())) for item in run.items]
    record = replace(run, results=results)
    assert {row.name: row.reached for row in summary(record).criteria} == {"escalates": 0, "depth": 0.5, "harm": 1}
    assert "Hardest: escalates (0 % of the best), depth (50 % of the best)." in " ".join(render_html(record).split())
    print_record(record, Console(width=100))
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["harm"]]
    assert row.split() == ["harm", "unmet", "3", "·", "met", "0", "100", "%", "0", "3", "0"]


def test_a_run_with_nothing_scored_has_no_mean(run, make):
    verdict, result = make
    results = [result(item.id, verdict(item.id, "depth"), coverage=0.0, bounds=(0.0, 1.0)) for item in run.items]
    figures = summary(replace(run, results=results))
    assert (figures.mean, figures.coverage, figures.bounds) == (None, 0.0, (0.0, 1.0))
    assert figures.criteria[1].mean is None


def test_an_empty_run_has_no_figures(run):
    figures = summary(replace(run, items=[], results=[]))
    assert (figures.mean, figures.coverage, figures.bounds, figures.cached_share) == (None, None, None, None)


def test_a_missing_score_without_bounds_leaves_the_mean_unbounded(run):
    first, failed, last = run.results
    unbounded = failed.model_copy(update={"score": failed.score.model_copy(update={"bounds": None})})
    results = [first, unbounded, last]
    assert summary(replace(run, results=results)).bounds is None


def test_a_score_that_is_undefined_with_every_verdict_there_is_counted_apart(run, make):
    verdict, result = make
    results = [result("a", verdict("a", "escalates", "met")), *run.results[1:]]
    figures = summary(replace(run, results=results))
    assert (figures.n_undefined, figures.n_unscored, figures.n_scored) == (1, 1, 1)
    assert figures.bounds == pytest.approx((0.125, 0.375))


class Silent:
    """A scoring of a plugin that gives no number."""

    def __call__(self, rubric, scores):
        return None


@pytest.mark.parametrize("scoring", ["none", "pareto", Silent()])
def test_a_scoring_without_numbers_is_told_as_that_and_misses_none(run, scoring):
    """Whatever its name is: a score says itself that no verdict is missed for it."""
    if isinstance(scoring, str):
        scoring = scoring_of(ScoringChoice(name=scoring))
    results = [
        one.model_copy(update={"score": score(run.rubric, one.verdicts, scoring, submission=one.submission)})
        for one in run.results
    ]
    assert {one.score.scoring for one in results} == {run.rubric.scoring.name}
    figures = summary(replace(run, results=results))
    assert (figures.unscored, figures.n_scored, figures.n_unscored, figures.n_undefined) == (1, 0, 0, 3)
    first, coverage, *rest = headline(figures)
    assert first == "No mean score: this scoring gives a submission no number; the levels given are the result."
    assert coverage.startswith("Coverage 88 %: 7 of 8")
    assert rest == []


def test_submissions_for_which_the_scoring_has_no_number_are_told_beside_the_mean_of_the_others(run, make):
    verdict, result = make
    figures = summary(replace(run, results=[result("a", verdict("a", "escalates", "met")), *run.results[1:]]))
    assert headline(figures)[0].startswith("Mean score")
    assert headline(figures)[-1] == "The scoring gives no number for 1 submission, left out of the mean."


def test_comparisons_are_counted_once_by_their_overall_preference(pairs):
    figures = summary(pairs)
    assert figures.preferences == {"first": 1, "second": 0, "tie": 0, "incomparable": 0}
    assert (figures.scored, figures.unscored, figures.order_inconsistent) == (1, 1, 1)
    assert figures.mean is None


@given(st.lists(st.sampled_from(["met", "unmet", None]), max_size=30))
def test_a_failure_never_moves_the_mean(levels):
    verdicts = [_binary(f"s{n}", level) for n, level in enumerate(levels)]
    known = [value for value in levels if value is not None]
    figures = summary(_record(verdicts))
    assert figures.n_scored == len(known)
    assert figures.n_scored + figures.n_unscored == len(levels)
    assert figures.mean == (pytest.approx(known.count("met") / len(known)) if known else None)
    if levels:
        low, high = figures.bounds
        missing = levels.count(None)
        assert low == pytest.approx(known.count("met") / len(levels))
        assert high == pytest.approx((known.count("met") + missing) / len(levels))


def _binary(name, level):
    if level is None:
        return Verdict(submission=name, criterion="c", status="unscored", reason="infra")
    return Verdict(submission=name, criterion="c", status="scored", level=level, score=float(level == "met"))


def _record(verdicts):
    results = [
        Result(
            submission=one.submission,
            verdicts=(one,),
            score=Score(
                submission=one.submission,
                rubric="r",
                scoring="mean",
                value=one.score,
                bounds=(0.0, 1.0) if one.score is None else (one.score, one.score),
                coverage=float(one.score is not None),
                criteria={},
            ),
        )
        for one in verdicts
    ]
    items = [Submission(id=one.submission) for one in verdicts]
    return RunRecord(title="t", created="", rubric=None, items=items, results=results)


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "undefined"), (0, "0 %"), (1, "100 %"), (0.999, "> 99 %"), (0.001, "< 1 %"), (0.55, "55 %")],
)
def test_a_share_is_rounded_but_never_to_all_or_nothing(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "undefined"),
        (float("nan"), "undefined"),
        (0.0, "0"),
        (1234, "1,234"),
        (0.12345, "0.123"),
        (0.00012, "0.00012"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_short_and_undefined_is_said(value, text):
    assert number(value) == text
    assert figure(value) == text


def test_the_terminal_shows_one_screen_without_control_characters_or_markup(run, pairs, card, capsys):
    from rich.console import Console

    nasty = "[bold]x[/bold]\x1b[31m\u202e"
    rubric = run.rubric.model_copy(update={"id": nasty})
    record = replace(run, title=nasty, rubric=rubric, warnings=(nasty,), figures={nasty: nasty}, card=card(5))
    print_record(record, Console(width=100))
    text = capsys.readouterr().out
    assert text.count("[bold]x[/bold]⟨U+001B⟩[31m⟨U+202E⟩") == 4
    assert "\x1b" not in text
    assert "Mean score 0.500 over 2 of 3 submissions; 1 unscored." in text
    assert "1 (parse 1)" in text
    assert "at chance: for trying out only" in " ".join(text.split())
    assert len(text.splitlines()) <= 30
    print_record(pairs, Console(width=100))
    assert "judge card: none, since golden tests measure single answers" in capsys.readouterr().out


def test_many_criteria_are_cut_to_one_screen_with_a_count(run, capsys):
    from rich.console import Console

    criteria = tuple(run.rubric.criteria[0].model_copy(update={"id": f"c{n}"}) for n in range(50))
    record = replace(run, rubric=run.rubric.model_copy(update={"criteria": criteria}), items=[], results=[])
    print_record(record, Console(width=100))
    text = capsys.readouterr().out
    assert "… and 30 more; see the report" in text
    assert "c19" in text
    assert "c20" not in text


def test_importing_the_reports_loads_no_heavy_library():
    code = "import sys, adjudge.report; print([n for n in ('jinja2', 'rich', 'pandas', 'numpy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
