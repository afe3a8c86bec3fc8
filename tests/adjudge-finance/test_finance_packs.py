"""The finance packs: names that stay, sources with their jurisdiction, gates that cannot be bought back."""

from __future__ import annotations

from typing import ClassVar

import pytest

from adjudge.scoring.gated import Gated
from adjudge.testing import PackContract
from adjudge_finance.plugin import adjudge_rubric_packs
from adjudge_finance.rubrics import pack

MUSTS = ("suitability", "risk_disclosure", "fair_claims")


class TestPacks(PackContract):
    IDS: ClassVar = {
        "finance/advice": [*MUSTS, "calculation", "conflicts", "client_fit"],
        "finance/investor-sentiment": ["sentiment"],
        "finance/policy-stance": ["stance"],
        "finance/writing": ["task", "grounds", "reasoning", "reader"],
    }

    def folders(self):
        return adjudge_rubric_packs()


@pytest.mark.parametrize("name", ["advice", "investor-sentiment", "policy-stance", "writing"])
def test_a_pack_is_published_in_full_and_its_tests_are_synthetic(name: str) -> None:
    rubric = pack(name)
    assert rubric.charter is not None
    assert rubric.licence is not None
    assert rubric.licence.spdx == "Apache-2.0"
    assert rubric.documentation is not None
    assert rubric.documentation.label_origin == "synthetic"
    assert rubric.documentation.limits
    assert all(test.synthetic for test in rubric.tests)


def test_every_criterion_of_advice_rests_on_norms_with_their_jurisdiction() -> None:
    for criterion in pack("advice").criteria:
        assert len(criterion.sources) >= 2, criterion.id
        assert all(source.clause and source.jurisdiction and source.url for source in criterion.sources), criterion.id
        assert criterion.feedback, criterion.id
    places = {source.jurisdiction for name in MUSTS for source in pack("advice").criterion(name).sources}
    assert places == {"US", "EU", "UK"}


def test_every_criterion_is_tested_at_two_levels_or_more() -> None:
    for name in ("advice", "writing", "investor-sentiment", "policy-stance"):
        rubric = pack(name)
        for criterion in rubric.criteria:
            levels = {test.expect[criterion.id] for test in rubric.tests if criterion.id in test.expect}
            assert len(levels) >= 2, f"{name}: {criterion.id}"


def test_no_clarity_buys_back_a_promise() -> None:
    rubric = pack("advice")
    assert [c.id for c in rubric.criteria if c.importance == "must"] == list(MUSTS)
    best = {criterion.id: 2.0 for criterion in rubric.criteria}
    gated = Gated()
    assert gated(rubric, best) == 1
    for name in MUSTS:
        assert gated(rubric, best | {name: 1.0}) == 1
        assert gated(rubric, best | {name: 0.0}) == 0
    assert gated(rubric, best | {"calculation": 0.0}) == pytest.approx(2 / 3)


def test_a_part_of_a_rubric_knows_only_its_own_criteria() -> None:
    part = pack("advice").with_criteria(["conflicts"])
    assert [criterion.id for criterion in part.criteria] == ["conflicts"]
    assert part.tests == ()
    assert part.hash != pack("advice").hash


def test_writing_has_ten_levels_in_five_described_bands() -> None:
    for criterion in pack("writing").criteria:
        levels = criterion.scale.levels
        assert [level.score for level in levels] == list(range(1, 11))
        assert [level.anchor for level in levels[1::2]] == [f"As {n}, at its upper end." for n in (1, 3, 5, 7, 9)]
        assert len({level.anchor for level in levels}) == 10
