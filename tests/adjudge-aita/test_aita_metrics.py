"""Agreement with a crowd, hard and soft; what is unscored is in no figure and is counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import pytest

from adjudge.submission import Submission
from adjudge.verdict import Result, Score, Verdict
from adjudge_aita.labels import LABELS
from adjudge_aita.metrics import BANDS, comment_figures, crowd_figures
from adjudge_aita.soft import entropy, shares
from adjudge_aita.tasks import comment_dataset, verdict_dataset

POSTS = verdict_dataset()


def gold(item: Submission) -> str:
    (level,) = {str(label.level) for label in item.labels}
    return level


def crowd(item: Submission) -> dict[str, float]:
    votes = item.metadata["votes"]
    assert isinstance(votes, dict)
    return shares({name: float(str(count)) for name, count in votes.items()})


def result(item: Submission, answers: Sequence[str | Mapping[str, float] | None]) -> Result:
    verdicts = tuple(_verdict(item.id, answer, repeat) for repeat, answer in enumerate(answers))
    score = Score(
        submission=item.id, rubric="aita/verdict", scoring="none", value=None, bounds=None, coverage=1, criteria={}
    )
    return Result(submission=item.id, verdicts=verdicts, score=score)


def _verdict(name: str, answer: str | Mapping[str, float] | None, repeat: int) -> Verdict:
    if answer is None:
        return Verdict(submission=name, criterion="verdict", status="unscored", reason="parse", repeat=repeat)
    level = answer if isinstance(answer, str) else max(answer, key=lambda label: answer[label])
    known = None if isinstance(answer, str) else dict(answer)
    return Verdict(
        submission=name, criterion="verdict", status="scored", level=level, distribution=known, repeat=repeat
    )


def answered(answer: Callable[[Submission], str | Mapping[str, float] | None]) -> list[Result]:
    return [result(item, [answer(item)]) for item in POSTS]


def test_a_judge_equal_to_the_crowd_is_perfect_in_verdict_and_votes() -> None:
    found = crowd_figures(POSTS, answered(crowd))
    assert found["accuracy"].value == found["macro_f1"].value == found["kappa"].value == 1
    assert found["binary_accuracy"].value == found["binary_kappa"].value == 1
    assert found["js_divergence"].value == pytest.approx(0, abs=1e-12)
    assert found["entropy_spearman"].value == pytest.approx(1)
    assert found["crowd_entropy"].value == pytest.approx(sum(entropy(crowd(p)) for p in POSTS) / len(POSTS))
    assert found["cross_entropy"].value == pytest.approx(found["crowd_entropy"].value, abs=0.02)
    assert (found["coverage"], found["soft_coverage"], found["soft_samples"]) == (1, 1, 0)


def test_a_judge_that_always_says_the_same_has_the_accuracy_of_that_label_and_no_kappa() -> None:
    found = crowd_figures(POSTS, answered(lambda _: "NTA"))
    share = sum(gold(item) == "NTA" for item in POSTS) / len(POSTS)
    assert found["accuracy"].value == pytest.approx(share)
    assert found["kappa"].value == 0
    assert found["macro_f1"].value == pytest.approx(2 * share / (1 + share) / 4)


def test_two_classes_leave_out_info_on_either_side_and_say_how_many() -> None:
    swap = {"NTA": "NAH", "NAH": "NTA", "YTA": "ESH", "ESH": "YTA", "INFO": "NTA"}
    found = crowd_figures(POSTS, answered(lambda item: swap[gold(item)]))
    info = sum(gold(item) == "INFO" for item in POSTS)
    assert info > 0
    assert found["accuracy"].value == 0
    assert found["binary_accuracy"].value == 1
    assert found["binary_left_out"] == info


def test_info_is_a_miss_among_the_four_labels_and_not_a_fifth() -> None:
    told = [item for item in POSTS if gold(item) != "INFO"]
    found = crowd_figures(told, [result(item, [gold(item)]) for item in told])
    assert found["macro_f1"].value == 1
    half = [result(item, [gold(item) if place % 2 else "INFO"]) for place, item in enumerate(told)]
    assert 0.5 < crowd_figures(told, half)["macro_f1"].value < 0.8


def test_a_judge_disjoint_from_the_crowd_is_ln_2_away() -> None:
    item = POSTS[0].model_copy(update={"metadata": {"crowd": ["NTA"], "votes": {"NTA": 7}}})
    found = crowd_figures([item], [result(item, [{"YTA": 1.0}])])
    assert found["js_divergence"].value == pytest.approx(math.log(2))
    assert found["js_distance"].value == pytest.approx(math.sqrt(math.log(2)))


def test_answers_are_counted_where_probabilities_are_unknown() -> None:
    item = POSTS[0].model_copy(update={"metadata": {"crowd": ["NTA"], "votes": {"NTA": 2, "YTA": 1}}})
    found = crowd_figures([item], [result(item, ["NTA", "YTA", "NTA"])])
    assert found["js_divergence"].value == pytest.approx(0, abs=1e-12)
    assert (found["accuracy"].value, found["soft_samples"]) == (1, 3)


def test_votes_of_the_judge_that_are_even_give_no_verdict_but_a_distribution() -> None:
    item = POSTS[0]
    found = crowd_figures([item], [result(item, ["NTA", "YTA", None])])
    assert found["accuracy"].value is None
    assert (found["coverage"], found["soft_coverage"]) == (0, 1)


def test_what_is_unscored_bounds_the_accuracy_and_is_no_verdict() -> None:
    lost = {item.id for item in POSTS[:6]}
    found = crowd_figures(POSTS, answered(lambda item: None if item.id in lost else gold(item)))
    assert found["accuracy"].value == 1
    assert found["coverage"] == pytest.approx(1 - 6 / len(POSTS))
    assert found["accuracy_if_unscored_wrong"] == pytest.approx(1 - 6 / len(POSTS))
    assert found["accuracy_if_unscored_right"] == 1
    assert sum(row["unscored"] for row in found["confusion"]) == 6


def test_a_crowd_that_is_even_takes_part_in_soft_figures_alone() -> None:
    votes = {"NTA": 4, "YTA": 4}
    item = POSTS[0].model_copy(update={"metadata": {"crowd": ["NTA", "YTA"], "votes": votes}})
    found = crowd_figures([item], [result(item, [{"NTA": 0.5, "YTA": 0.5}])])
    assert (found["crowd_ties"], found["accuracy"].value) == (1, None)
    assert found["js_divergence"].value == pytest.approx(0, abs=1e-12)


def test_posts_without_votes_give_hard_figures_only() -> None:
    bare = [item.model_copy(update={"metadata": {"crowd": [gold(item)]}}) for item in POSTS]
    found = crowd_figures(bare, answered(gold))
    assert found["accuracy"].value == 1
    assert not {"js_divergence", "by_difficulty"} & found.keys()


def test_bands_of_difficulty_share_out_all_posts_and_each_has_some() -> None:
    rows = crowd_figures(POSTS, answered(gold))["by_difficulty"]
    assert [row["band"] for row in rows] == list(BANDS)
    assert sum(row["posts"] for row in rows) == len(POSTS)
    assert all(row["posts"] >= 3 for row in rows)


def commented(texts: Sequence[str]) -> list[Submission]:
    posts = comment_dataset()[: len(texts)]
    return [post.model_copy(update={"output": text}) for post, text in zip(posts, texts, strict=True)]


def test_the_verdict_of_a_comment_is_read_and_contradictions_are_no_verdict() -> None:
    items = commented(["NTA, you paid.", "YTA: ask first.", "NTA or YTA, who knows", "Talk to them.", ""])
    found = comment_figures(items, [result(item, [None]) for item in items])
    assert found["accuracy"].value == 1
    assert found["accuracy"].n == 2
    assert found["coverage"] == pytest.approx(2 / 5)
    assert found["unread"] == [
        {"reason": "contradiction", "comments": 1},
        {"reason": "no answer", "comments": 1},
        {"reason": "no label", "comments": 1},
    ]


def test_a_comment_equal_to_the_top_comment_overlaps_wholly() -> None:
    items = [post.model_copy(update={"output": str(post.reference)}) for post in comment_dataset()]
    found = comment_figures(items, [result(item, [None]) for item in items])
    assert found["top_comment_rouge_1"].value == found["top_comment_rouge_l"].value == 1
    assert found["accuracy"].value == 1, "the synthetic top comments give the crowd's verdict"
    assert found["unread"] == []


def test_every_label_has_a_row_and_a_column_in_the_confusion() -> None:
    rows = crowd_figures(POSTS, answered(gold))["confusion"]
    assert [row["gold"] for row in rows] == list(LABELS)
    assert all(row[row["gold"]] == sum(row[label] for label in LABELS) for row in rows)
