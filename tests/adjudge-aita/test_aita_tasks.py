"""The tasks keep the contracts, run end to end, and never show the judge what the crowd said."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar

import pytest

from adjudge.api import load_rubric
from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.interfaces import TaskSpec
from adjudge.testing import PackContract, TaskContract
from adjudge_aita.labels import LABELS
from adjudge_aita.plugin import adjudge_rubric_packs, adjudge_tasks
from adjudge_aita.tasks import AITA, COMMENT, comment_dataset, load_sample, verdict_dataset, verdict_options

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[2] / "../shared/data")) / "aita_buhler"


class TestPacks(PackContract):
    IDS: ClassVar = {
        "aita/comment": ["stance", "reasons", "other-side", "advice", "invented", "civil"],
        "aita/verdict": ["verdict"],
    }

    def folders(self) -> Sequence[Traversable]:
        return adjudge_rubric_packs()


class TestVerdict(TaskContract):
    MISSING: ClassVar = {"source": "no/such/posts.csv"}

    def task(self) -> TaskSpec:
        return AITA


class TestComment(TaskContract):
    MISSING: ClassVar = {"source": "no/such/posts.csv"}

    def task(self) -> TaskSpec:
        return COMMENT


def test_the_plugin_brings_both_tasks() -> None:
    assert [task.name for task in adjudge_tasks()] == ["aita", "aita-comment"]


@pytest.mark.parametrize("name", ["aita/verdict", "aita/comment"])
def test_golden_tests_see_every_criterion_at_two_levels_or_more(name: str) -> None:
    rubric = load_rubric(name)
    for criterion in rubric.criteria:
        levels = {test.expect[criterion.id] for test in rubric.tests if criterion.id in test.expect}
        assert len(levels) >= 2, criterion.id
    assert all(test.synthetic for test in rubric.tests)


def test_golden_tests_of_the_verdict_have_every_label() -> None:
    assert {test.expect["verdict"] for test in load_rubric("aita/verdict").tests} == set(LABELS)


def test_a_sample_is_seeded_in_file_order_and_of_the_size_asked_for() -> None:
    chosen = [post.id for post in load_sample(sample=10, seed=3)]
    every = [post.id for post in load_sample()]
    assert chosen == [post.id for post in load_sample(sample=10, seed=3)]
    assert chosen != [post.id for post in load_sample(sample=10, seed=4)]
    assert sorted(chosen, key=every.index) == chosen
    assert len(set(chosen)) == 10
    with pytest.raises(InputError, match="ask for 1 to 36"):
        load_sample(sample=37)


def test_one_answer_takes_probabilities_and_several_are_counted() -> None:
    assert verdict_options(samples=1) == {}
    assert verdict_options(samples=5) == {"read_out": "reasoned", "sampling": {"temperature": 0.7}, "repeats": 5}
    with pytest.raises(InputError, match="1 answer or more"):
        verdict_options(samples=0)


def test_even_votes_become_labels_of_two_raters(tmp_path: Path) -> None:
    path = tmp_path / "even.jsonl"
    path.write_text('{"id": "x", "title": "t", "body": "b", "votes": {"NTA": 2, "ESH": 2}}\n', "utf-8")
    (item,) = verdict_dataset(source=str(path))
    assert [(label.level, label.rater) for label in item.labels] == [("NTA", "crowd for NTA"), ("ESH", "crowd for ESH")]


def test_a_candidate_is_shown_the_story_and_neither_votes_nor_comments() -> None:
    for item in comment_dataset():
        assert item.output == ""
        assert isinstance(item.input, str)
        assert str(item.reference) not in item.input
        assert not any(mark in item.input for mark in ("synthetic", "votes", "top_comment"))


@pytest.mark.model
def test_a_run_judges_posts_and_a_candidate_writes_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "aita", "--backend", "local", "--limit", "3", "--out", "verdicts"]) == 0
    assert "js_divergence" in capsys.readouterr().out
    status = main(
        ["run", "aita-comment", "--candidate", "local", "--backend", "local", "--limit", "1", "--out", "comments"]
    )
    assert status == 0
    said = capsys.readouterr().out
    assert "stance" in said
    assert "top_comment_rouge_l" in said


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the data set is not under ADJUDGE_DATA")
def test_the_published_posts_become_items_with_one_label_each() -> None:
    items = verdict_dataset(source=str(DATA / "Data_cleaned.csv.gz"), sample=50, seed=1)
    assert all(len(item.labels) == 1 and "votes" not in item.metadata for item in items)
