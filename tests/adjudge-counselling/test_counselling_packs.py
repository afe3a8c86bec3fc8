"""The counselling packs load, agree between languages, and reach what they are out of."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from adjudge.cli.packs import lint
from adjudge.errors import ScoringError
from adjudge.interfaces import ScoringSpec
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring import check_scoring
from adjudge.testing import PackContract, ScoringContract
from adjudge_counselling.dialogue import read_turns
from adjudge_counselling.plugin import adjudge_rubric_packs, adjudge_scorings
from adjudge_counselling.psyeval import FIELDS
from adjudge_counselling.rubrics import pack
from adjudge_counselling.total import Total, reachable

DIMENSIONS = list(FIELDS.values())
NAMES = (
    "crisis",
    "crisis-response",
    "crisis-zh",
    "mi-quality",
    "mi-utterance",
    "psyeval",
    "psyeval-zh",
    "support-session",
    "support-strategy",
)


class TestPacks(PackContract):
    IDS: ClassVar[dict[str, list[str]]] = {
        "counselling/crisis": ["risk"],
        "counselling/crisis-response": ["no_means", "help_now", "asks", "stays"],
        "counselling/crisis-zh": ["risk"],
        "counselling/mi-quality": ["quality"],
        "counselling/mi-utterance": ["therapist_behaviour", "client_talk"],
        "counselling/psyeval": DIMENSIONS,
        "counselling/psyeval-zh": DIMENSIONS,
        "counselling/support-session": ["empathy", "relevance"],
        "counselling/support-strategy": ["strategy"],
    }

    def folders(self) -> Sequence[Traversable]:
        return adjudge_rubric_packs()


class TestTotal(ScoringContract):
    def spec(self) -> ScoringSpec:
        return adjudge_scorings()[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_is_published_in_full_and_says_what_it_is_not(name: str) -> None:
    rubric = pack(name)
    assert rubric.charter is not None
    assert rubric.role
    assert rubric.licence is not None
    assert rubric.licence.spdx == "Apache-2.0"
    assert rubric.documentation is not None
    assert rubric.documentation.label_origin == "synthetic"
    assert rubric.documentation.limits
    if name.startswith(("crisis", "psyeval")):
        assert any("linical" in limit or "临床" in limit for limit in rubric.licence.use_limits)


@pytest.mark.parametrize("name", NAMES)
def test_golden_tests_expect_every_criterion_at_several_levels(name: str) -> None:
    rubric = pack(name)
    for criterion in rubric.criteria:
        assert len({test.expect[criterion.id] for test in rubric.tests if criterion.id in test.expect}) >= 2


@pytest.mark.parametrize(("english", "chinese"), [("psyeval", "psyeval-zh"), ("crisis", "crisis-zh")])
def test_the_two_languages_ask_for_the_same(english: str, chinese: str) -> None:
    one, other = pack(english), pack(chinese)
    assert [(c.id, c.weight, c.dimension) for c in one.criteria] == [
        (c.id, c.weight, c.dimension) for c in other.criteria
    ]
    assert [(test.id, test.expect) for test in one.tests] == [(test.id, test.expect) for test in other.tests]
    assert one.scoring == other.scoring
    assert (one.languages, other.languages) == (("en",), ("zh",))


def test_four_dimensions_weigh_one_and_twelve_a_half_so_that_a_perfect_session_has_100() -> None:
    weights = [criterion.weight for criterion in pack("psyeval").criteria]
    assert (weights.count(1.0), weights.count(0.5)) == (4, 12)
    assert reachable(pack("psyeval")) == 100


@pytest.mark.parametrize("name", ["psyeval", "psyeval-zh"])
def test_transcripts_of_golden_tests_have_both_speakers_in_numbered_lines(name: str) -> None:
    for test in pack(name).tests:
        turns = read_turns(test.output)
        assert {turn.side for turn in turns} == {"client", "counsellor"}
        assert len(turns) == len(test.output.splitlines())


def test_a_pack_whose_maximum_is_not_what_it_is_out_of_is_found_by_lint(tmp_path: Path) -> None:
    with as_file(files("adjudge_counselling") / "packs" / "counselling" / "psyeval.yaml") as path:
        text = path.read_text("utf-8")
    slipped = tmp_path / "slipped.yaml"
    slipped.write_text(text.replace("    weight: 1\n", "    weight: 0.5\n", 1), "utf-8")
    found = CliRunner().invoke(lint, ["--strict", str(slipped)])
    assert found.exit_code == 2
    assert "the maximum reachable is 95.00, not 100" in found.output
    assert "[scoring-misfit]" in found.output


def test_eleven_of_sixteen_equal_shares_are_caught_as_the_slip_that_they_are() -> None:
    criteria = tuple(Criterion(id=f"c{n}", text=f"Is it {n}?", scale="0-10", weight=100 / 160) for n in range(11))
    rubric = Rubric(id="slip", version="1", draft=True, criteria=criteria)
    with pytest.raises(ScoringError, match=r"the maximum reachable is 68\.75, not 100"):
        check_scoring(rubric, Total())


def test_a_part_of_the_rubric_is_scored_and_its_note_says_what_it_is_out_of() -> None:
    part = pack("psyeval").with_criteria(DIMENSIONS[:-1])
    best = dict.fromkeys(DIMENSIONS[:-1], 10.0)
    assert Total()(part, best) == 95
    assert Total().note(part, best) == "the maximum reachable is 95.00, not 100"
    assert Total().note(pack("psyeval"), dict.fromkeys(DIMENSIONS, 0.0)) == ""


def test_labels_without_scores_have_no_total() -> None:
    with pytest.raises(ScoringError, match="labels without scores"):
        reachable(pack("mi-utterance"))


@given(st.dictionaries(st.sampled_from(DIMENSIONS), st.floats(0, 10)))
def test_a_total_lies_between_0_and_100(scores: dict[str, float]) -> None:
    total = Total()(pack("psyeval"), scores)
    assert (total is None) == (not scores)
    assert total is None or 0 <= total <= 100 + 1e-9
