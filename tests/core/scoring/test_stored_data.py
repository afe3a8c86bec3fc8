"""Published scores, recomputed from stored gradings."""

from __future__ import annotations

import pytest

from adjudge.scoring import clipped_mean

pytestmark = pytest.mark.data

UNREAD = {
    (2, "gpt-oss-120b"): {"parse": 13},
    (2, "gpt-oss-20b"): {"parse": 8},
    (3, "gpt-oss-120b"): {"parse": 5},
    (3, "gpt-oss-20b"): {"parse": 16},
    (4, "gpt-oss-120b"): {"refusal": 29},
    (4, "gpt-oss-20b"): {"parse": 3, "refusal": 1},
}


@pytest.fixture(scope="module")
def gradings(reproduction, stored_data):
    return list(reproduction.morebench(stored_data))


def test_all_gradings_with_bare_replies_give_the_stored_morebench_score(gradings):
    bare = [g for g in gradings if g.bare]
    assert (len(gradings), len(bare)) == (84, 77)
    for grading in bare:
        assert 100 * grading.score().value == pytest.approx(grading.stored, abs=0.01), grading.name


def test_the_other_gradings_are_read_or_unscored_with_a_reason_and_never_rescaled(gradings):
    others = [g for g in gradings if not g.bare]
    read = [g for g in others if g.score().coverage == 1]
    assert [g.name for g in read] == ["dilemma 2, qwen3-235b-a22b-thinking-2507_reasoning_medium, thinking_trace"]
    assert 100 * read[0].score().value == pytest.approx(read[0].stored, abs=0.01)
    unread = [(g, g.score()) for g in others if g not in read]
    assert {(g.dilemma, g.model.removesuffix("_reasoning_medium")): g.unread() for g, _ in unread} == UNREAD
    for grading, found in unread:
        assert found.value is None
        assert found.coverage == pytest.approx(1 - sum(grading.unread().values()) / len(grading.replies))
        assert found.note.startswith("unscored: ")
        assert 100 * found.bounds[0] <= grading.stored + 0.01
        assert 100 * found.bounds[1] >= grading.stored - 0.01


def test_the_official_substring_reading_gives_every_stored_score(gradings):
    for grading in gradings:
        assert grading.official() == pytest.approx(grading.stored, abs=0.01), grading.name


@pytest.mark.parametrize(
    ("paper", "root", "leaves"), [("rice", 0.185681, 361), ("semantic-self-consistency", 0.91, 79)]
)
def test_a_hand_graded_paperbench_tree_gives_its_stored_root_score(reproduction, stored_data, paper, root, leaves):
    found, stored, count = reproduction.paperbench(stored_data, paper)
    assert count == leaves
    assert found.value == pytest.approx(root, abs=5e-7)
    assert found.value == pytest.approx(stored, abs=1e-12)


def test_points_of_healthbench_rubrics_run_between_their_ends(reproduction, stored_data):
    rubrics = reproduction.healthbench(stored_data)
    assert len(rubrics) == 9
    for place, rubric in enumerate(rubrics):
        points = [c.weight for c in rubric.criteria]
        positive = sum(p for p in points if p > 0)
        assert reproduction.profile(rubric, str(place), "good").value == 1
        assert reproduction.profile(rubric, str(place), "none").value == 0
        assert reproduction.profile(rubric, str(place), "all").value == pytest.approx(sum(points) / positive)
    bad = [reproduction.profile(rubric, str(place), "bad") for place, rubric in enumerate(rubrics)]
    assert min(s.value for s in bad) < 0
    assert clipped_mean(bad)["value"] == 0


def test_the_bench_prints_its_tables(reproduction, stored_data, capsys):
    assert reproduction.main() == 0
    printed = capsys.readouterr().out
    assert "77 of 77" in printed
    assert "84 of 84" in printed
