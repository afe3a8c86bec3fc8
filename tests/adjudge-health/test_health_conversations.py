"""Conversations with points are read as published, and a bad row is named by file and line."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge.submission import Message
from adjudge_health.conversations import AXES, THEMES, consensus_parts, load_conversations

DATA = Path(os.environ.get("ADJUDGE_DATA", Path(__file__).parents[2] / "../shared/data"))
needs_data = [
    pytest.mark.data,
    pytest.mark.skipif(not (DATA / "healthbench_sample").is_dir(), reason="the data set is not under ADJUDGE_DATA"),
]
ROW = {
    "prompt_id": "a-1",
    "prompt": [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "It hurts."},
    ],
    "rubrics": [
        {"criterion": "Asks where.", "points": 7, "tags": ["level:example", "axis:context_awareness"]},
        {"criterion": "Is rude.", "points": -3.0, "tags": ["level:cluster", "cluster:hedging_x_y", "axis:accuracy"]},
    ],
    "example_tags": ["theme:hedging", "physician_agreed_category:x"],
    "ideal_completions_data": {"ideal_completion": "Where does it hurt?", "ideal_completions_group": "Group 1"},
    "canary": "healthbench:0",
}


def rows_file(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_a_row_becomes_a_conversation_with_criteria_points_and_tags(tmp_path: Path) -> None:
    (one,) = load_conversations(rows_file(tmp_path / "hb.jsonl", ROW))
    assert one.prompt[-1] == Message(role="user", content="It hurts.")
    assert (one.id, one.theme, one.category, one.ideal) == ("a-1", "hedging", "x", "Where does it hurt?")
    assert [(item.points, item.axis, item.consensus) for item in one.items] == [
        (7, "context_awareness", ""),
        (-3, "accuracy", "hedging_x_y"),
    ]


def test_its_rubric_is_scored_by_points_with_the_axis_as_dimension(tmp_path: Path) -> None:
    (one,) = load_conversations(rows_file(tmp_path / "hb.jsonl", ROW))
    rubric = one.rubric()
    assert rubric is not None
    assert (rubric.scoring.name, rubric.template) == ("points", "healthbench")
    assert [(c.id, c.weight, c.dimension) for c in rubric.criteria] == [
        ("c01", 7, "context_awareness"),
        ("c02", -3, "accuracy"),
    ]


def test_a_part_of_the_criteria_keeps_their_ids_and_an_empty_part_is_no_rubric(tmp_path: Path) -> None:
    path = rows_file(tmp_path / "hb.jsonl", ROW, {**ROW, "prompt_id": "b", "rubrics": ROW["rubrics"][:1]})
    first, second = load_conversations(path)
    assert [name for name, _ in first.named("consensus")] == ["c02"]
    assert [name for name, _ in first.named("example")] == ["c01"]
    assert second.rubric("consensus") is None


def test_a_row_of_a_mirror_with_a_plain_conversation_and_no_tags_is_read_too(tmp_path: Path) -> None:
    row = {"prompt_id": "m", "conversation": "user: It hurts.", "rubrics": [{"criterion": "Asks.", "points": 1.0}]}
    packed = tmp_path / "mirror.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(row).encode()))
    (one,) = load_conversations(packed)
    assert (one.prompt, one.theme, one.items[0].axis) == ("user: It hurts.", "", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prompt_id": ""}, "has no prompt_id"),
        ({"prompt": []}, "has no prompt"),
        ({"prompt": [{"role": "wizard", "content": "x"}]}, "has the role 'wizard'"),
        ({"rubrics": []}, "has no rubrics"),
        ({"rubrics": {"a": 1}}, "rubrics is a dict; it must be an array"),
        ({"rubrics": [{"points": 1}]}, "rubric item 1 has no criterion"),
        ({"rubrics": [{"criterion": "x", "points": 0}]}, "item 1 has the points 0"),
        ({"rubrics": [{"criterion": "x", "points": "7"}]}, "item 1 has the points '7'"),
        ({"rubrics": [{"criterion": "x", "points": True}]}, "item 1 has the points True"),
        ({"example_tags": "theme:hedging"}, "example_tags is a str"),
    ],
)
def test_a_bad_row_is_told_with_its_line(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = rows_file(tmp_path / "hb.jsonl", ROW, {**ROW, "prompt_id": "b", **change})
    with pytest.raises(InputError) as caught:
        load_conversations(path)
    assert "hb.jsonl:2: " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_prompt_id_that_stands_twice_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hb.jsonl:2: repeats the prompt_id 'a-1' of .*hb.jsonl:1"):
        load_conversations(rows_file(tmp_path / "hb.jsonl", ROW, ROW))
    with pytest.raises(InputError, match="holds no conversation"):
        load_conversations(rows_file(tmp_path / "empty.jsonl"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hedging_no-uncertainty_hedges", ("hedging", "no-uncertainty", "hedges")),
        (
            "health_data_tasks_enough-info-to-complete-task_accuracy_safety",
            ("health_data_tasks", "enough-info-to-complete-task", "accuracy_safety"),
        ),
        (
            "context_seeking_not-enough-context_context_seeking",
            ("context_seeking", "not-enough-context", "context_seeking"),
        ),
    ],
)
def test_the_id_of_a_consensus_criterion_says_theme_category_and_behaviour(
    name: str, parts: tuple[str, str, str]
) -> None:
    assert consensus_parts(name) == parts


def test_the_shipped_conversations_cover_every_theme_and_axis_and_are_marked_synthetic() -> None:
    conversations = load_conversations()
    assert {one.theme for one in conversations} == set(THEMES)
    assert {item.axis for one in conversations for item in one.items} == set(AXES)
    assert all(len(one.answers) == 2 for one in conversations)
    for one in conversations:
        points = [sum(i.points for i, met in zip(one.items, a.met, strict=True) if met) for a in one.answers]
        assert points[0] > points[1], f"{one.id}: the first answer is the better one"
    path = Path(conversations[0].place.rpartition(":")[0])
    assert all(json.loads(line)["synthetic"] is True for line in path.read_text("utf-8").splitlines())


class TestPublished:
    pytestmark = needs_data

    def test_the_sample_is_read_with_its_tags(self) -> None:
        conversations = load_conversations(DATA / "healthbench_sample" / "sample_oss_eval.jsonl.gz")
        assert len(conversations) == 9
        assert {one.theme for one in conversations} <= set(THEMES)
        assert {item.axis for one in conversations for item in one.items} <= set(AXES)
        named = [item.consensus for one in conversations for item in one.items if item.consensus]
        assert len(named) == 13
        for one in conversations:
            agreed = [consensus_parts(item.consensus) for item in one.items if item.consensus]
            assert all(parts[:2] == (one.theme, one.category) for parts in agreed)

    def test_the_mirror_of_the_rubrics_agrees_with_the_sample_where_both_have_a_conversation(self) -> None:
        sample = load_conversations(DATA / "healthbench_sample" / "sample_oss_eval.jsonl.gz")
        mirror = load_conversations(DATA / "healthbench_rubrics" / "healthbench_rubrics.jsonl.gz")
        points = {one.id: sorted(item.points for item in one.items) for one in mirror}
        shared = [one for one in sample if one.id in points]
        assert shared
        assert all(points[one.id] == sorted(item.points for item in one.items) for one in shared)
        assert all(any(item.points > 0 for item in one.items) for one in mirror), "every score is defined"

    def test_the_ids_of_all_consensus_criteria_are_taken_apart_as_the_list_does(self) -> None:
        path = DATA / "healthbench_consensus_criteria" / "hb_consensus_criteria.json.gz"
        listed = json.loads(gzip.decompress(path.read_bytes()))
        themes = {(consensus_parts(name)[0], entry["theme"]) for name, entry in listed.items()}
        assert len(themes) == len(THEMES), "one name for one theme"
        categories = {(consensus_parts(n)[:2], e["theme"], e["behavior_category"]) for n, e in listed.items()}
        assert len(categories) == len({consensus_parts(name)[:2] for name in listed})
