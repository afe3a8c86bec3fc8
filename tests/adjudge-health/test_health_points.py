"""The score is the published one, and a judge that fails is never "not met", in no part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adjudge
from adjudge.dataset import read_items, write_items
from adjudge.scoring import score
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Result, Verdict
from adjudge_health.healthbench import answers_dataset, candidate_dataset
from adjudge_health.points import healthbench_figures, label_figures, part_score

ANSWERS = answers_dataset()
GOLD = {item.id: {label.criterion: label.level for label in item.labels} for item in ANSWERS}


def judged(item: Submission, level: Callable[[str], str | None]) -> Result:
    assert item.rubric is not None
    verdicts = tuple(_verdict(item.id, criterion.id, level(criterion.id)) for criterion in item.rubric.criteria)
    return Result(submission=item.id, verdicts=verdicts, score=score(item.rubric, verdicts, submission=item.id))


def _verdict(name: str, criterion: str, level: str | None) -> Verdict:
    if level is None:
        return Verdict(submission=name, criterion=criterion, status="unscored", reason="parse")
    return Verdict(submission=name, criterion=criterion, status="scored", level=level, score=float(level == "met"))


def as_labelled() -> list[Result]:
    return [judged(item, lambda name, item=item: GOLD[item.id][name]) for item in ANSWERS]


def by_hand(item: Submission, levels: Mapping[str, str | None]) -> float:
    """Points of what is met over the positive points."""
    assert item.rubric is not None
    earned = sum(c.weight for c in item.rubric.criteria if levels[c.id] == "met")
    return earned / sum(c.weight for c in item.rubric.criteria if c.weight > 0)


def test_the_score_is_the_mean_of_points_met_over_points_to_be_had_clipped_at_the_mean_only() -> None:
    found = healthbench_figures(ANSWERS, as_labelled())
    values = [by_hand(item, GOLD[item.id]) for item in ANSWERS]
    assert min(values) < 0, "some answer is below 0 by itself"
    assert found["score"].value == pytest.approx(sum(values) / len(values))
    assert found["score"].clusters == 10, "both answers of a conversation belong together"
    assert (found["scored"], found["unscored"], found["undefined"]) == (20, 0, 0)
    assert found["score_at_least"] == found["score_at_most"] == pytest.approx(found["score"].value)


def test_a_mean_below_0_is_shown_as_0() -> None:
    worst = [judged(item, lambda name, item=item: "unmet" if _points(item, name) > 0 else "met") for item in ANSWERS]
    assert sum(result.score.value or 0 for result in worst) < 0
    assert healthbench_figures(ANSWERS, worst)["score"].value == 0


def _points(item: Submission, criterion: str) -> float:
    assert item.rubric is not None
    return item.rubric.criterion(criterion).weight


def test_tables_by_theme_and_category_share_out_the_answers() -> None:
    found = healthbench_figures(ANSWERS, as_labelled())
    themes = found["by_theme"]
    assert len(themes) == 7
    assert sum(row["scored"] for row in themes) == len(ANSWERS)
    hedging = [by_hand(item, GOLD[item.id]) for item in ANSWERS if item.metadata["theme"] == "hedging"]
    (row,) = [row for row in themes if row["theme"] == "hedging"]
    assert row["score"] == pytest.approx(max(0, sum(hedging) / len(hedging)))
    assert {row["category"] for row in found["by_category"]} >= {"emergent", "non-emergent"}


def test_an_axis_is_scored_by_the_same_rule_over_its_own_criteria() -> None:
    (item,) = [one for one in ANSWERS if one.id == "syn-stroke:calls"]
    assert item.rubric is not None
    result = judged(item, lambda name: GOLD[item.id][name])
    part = part_score(item.rubric, result.score, lambda criterion: criterion.dimension == "accuracy")
    assert part is not None
    assert part.value == 1, "10 of 10 points; the negative one is not met"
    met = judged(item, lambda name: "met" if name in ("c01", "c04") else "unmet")
    part = part_score(item.rubric, met.score, lambda criterion: criterion.dimension == "accuracy")
    assert part is not None
    assert part.value == pytest.approx((10 - 9) / 10)
    assert part_score(item.rubric, met.score, lambda criterion: criterion.dimension == "no such") is None


def test_an_axis_with_nothing_to_gain_in_a_conversation_is_undefined_there_and_in_no_mean() -> None:
    (item,) = [one for one in ANSWERS if one.id == "syn-travel:direct"]
    result = judged(item, lambda name: GOLD[item.id][name])
    (row,) = [r for r in healthbench_figures([item], [result])["by_axis"] if r["axis"] == "context_awareness"]
    assert (row["scored"], row["undefined"], row["score"]) == (0, 1, None)


def test_a_judge_that_fails_on_a_negative_point_does_not_raise_the_score() -> None:
    """Counted as not met, the missing verdict would give full points; here there is no score, and bounds."""
    (item,) = [one for one in ANSWERS if one.id == "syn-stroke:calls"]
    result = judged(item, lambda name: None if name == "c04" else "met")
    assert result.score.value is None
    assert result.score.bounds == pytest.approx(((23 - 9) / 23, 1.0))
    found = healthbench_figures([item], [result])
    assert found["score"].value is None
    assert (found["scored"], found["unscored"]) == (0, 1)
    assert found["score_at_least"] == pytest.approx(14 / 23)
    assert found["criteria_coverage"] == 0.8
    axis = {row["axis"]: row for row in found["by_axis"]}
    assert axis["accuracy"]["score"] is None
    assert axis["accuracy"]["at_least"] == pytest.approx(0.1)
    assert axis["completeness"]["score"] == 1, "axes without a gap keep their score"


def test_an_unscored_consensus_criterion_is_counted_and_in_no_rate() -> None:
    results = [judged(item, lambda name, item=item: None if name == "c01" else GOLD[item.id][name]) for item in ANSWERS]
    rows = {(r["theme"], r["behaviour"]): r for r in healthbench_figures(ANSWERS, results)["by_consensus"]}
    assert rows["emergency_referrals", "emergency_behavior"]["unscored"] == 2
    assert rows["emergency_referrals", "emergency_behavior"]["met"].startswith("undefined")
    assert rows["hedging", "seeks_context"]["met"].startswith("0.50")


levels = st.lists(st.sampled_from(["met", "unmet", None]), min_size=5, max_size=5)


@settings(max_examples=25)  # each draws some thousand bootstrap samples
@given(st.sampled_from(ANSWERS), levels, st.sampled_from(["met", "unmet"]))
def test_bounds_hold_whatever_the_unscored_would_have_been(
    item: Submission, drawn: list[str | None], truth: str
) -> None:
    assert item.rubric is not None
    given_levels = {c.id: drawn[place] for place, c in enumerate(item.rubric.criteria)}
    partial = healthbench_figures([item], [judged(item, given_levels.__getitem__)])
    whole = healthbench_figures([item], [judged(item, lambda name: given_levels[name] or truth)])
    assert partial["score_at_least"] <= whole["score"].value <= partial["score_at_most"]
    ends = {row["axis"]: (row["at_least"], row["at_most"]) for row in partial["by_axis"]}
    for row in whole["by_axis"]:
        low, high = ends[row["axis"]]
        assert row["score"] is None or low <= row["score"] <= high


def test_agreement_with_known_levels_is_over_all_criteria_and_absent_without_labels() -> None:
    found = label_figures(ANSWERS, as_labelled())
    assert found["label_accuracy"].value == found["label_macro_f1"].value == found["label_kappa"].value == 1
    assert found["label_accuracy"].n == sum(len(item.labels) for item in ANSWERS)
    bare = [item.model_copy(update={"labels": ()}) for item in ANSWERS]
    assert label_figures(bare, as_labelled()) == {}


async def test_a_judge_whose_replies_fail_has_no_score_and_every_failure_is_counted() -> None:
    backend = ScriptedBackend({"c02": Failure(reason="infra", detail="down"), "*": {"yes": 0.9, "no": 0.1}})
    async with adjudge.make_judge(None, backend=backend) as judge:
        results = await judge.many(ANSWERS)
    found = healthbench_figures(ANSWERS, results)
    assert found["score"].value is None
    assert found["unscored"] == len(ANSWERS)
    assert found["criteria_coverage"] == pytest.approx(1 - 20 / sum(len(item.labels) for item in ANSWERS))
    assert found["score_at_least"] < found["score_at_most"]


def test_answers_of_ones_own_are_joined_by_prompt_id(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(
        '{"prompt_id": "syn-dose", "output": "For whom?"}\n{"id": "syn-dose", "completion": "400 mg."}\n'
        '{"prompt_id": "syn-lump", "response": "Have it seen."}\n',
        "utf-8",
    )
    items = answers_dataset(answers=str(path))
    assert [(item.id, item.output) for item in items] == [
        ("syn-dose:1", "For whom?"),
        ("syn-dose:2", "400 mg."),
        ("syn-lump", "Have it seen."),
    ]
    assert all(not item.labels for item in items)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"prompt_id": "nobody", "output": "x"}', "'nobody' is the prompt_id of no conversation"),
        ('{"prompt_id": "syn-dose"}', "an answer needs prompt_id or id"),
    ],
)
def test_an_answer_that_belongs_to_nothing_is_refused_by_line(row: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(row + "\n", "utf-8")
    with pytest.raises(adjudge.AdjudgeError, match=f"answers.jsonl:1: {said}"):
        answers_dataset(answers=str(path))
    with pytest.raises(adjudge.AdjudgeError, match="no such file"):
        answers_dataset(answers=str(tmp_path / "none.jsonl"))


def test_ideal_answers_are_judged_where_there_are_some() -> None:
    assert [item.id for item in answers_dataset(answers="ideal")] == ["syn-stroke", "syn-diarrhoea"]
    with pytest.raises(adjudge.AdjudgeError, match="no conversation has an answer"):
        answers_dataset(answers="ideal", theme="hedging")


def test_themes_parts_and_samples_choose_conversations() -> None:
    assert {item.metadata["theme"] for item in candidate_dataset(theme="hedging")} == {"hedging"}
    consensus = candidate_dataset(criteria="consensus")
    assert all(c.tags[0] == "level:cluster" for item in consensus if item.rubric for c in item.rubric.criteria)
    assert len(candidate_dataset(sample=4, seed=1)) == 4
    assert candidate_dataset(sample=4, seed=1) == candidate_dataset(sample=4, seed=1)
    with pytest.raises(adjudge.AdjudgeError, match="ask for 1 to 10"):
        candidate_dataset(sample=11)


def test_items_written_to_a_file_come_back_with_their_own_rubrics(tmp_path: Path) -> None:
    """So that `adjudge judge FILE` judges them without a rubric of the run."""
    write_items(tmp_path / "answers.jsonl", ANSWERS)
    assert list(read_items(tmp_path / "answers.jsonl").items) == ANSWERS
