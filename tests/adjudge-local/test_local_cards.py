"""The judge cards that are shipped: for the packs as they are, found by the store, and honest."""

from __future__ import annotations

import pytest

from adjudge.api import installed
from adjudge.report import CardStore, JudgeCard, line
from adjudge_local.plugin import adjudge_backends

(SPEC,) = adjudge_backends()
CARDS = {
    file.name: JudgeCard.model_validate_json(file.read_bytes())
    for file in SPEC.cards.iterdir()
    if file.name.endswith(".json")
}


@pytest.mark.parametrize("name", sorted(CARDS))
def test_a_shipped_card_is_for_the_installed_version_of_its_pack(name: str) -> None:
    card = CARDS[name]
    rubric = installed().packs.get(card.rubric).rubric
    assert card.rubric_hash == rubric.hash, "the pack changed: measure again with bench/cards.py"
    assert card.verdicts == sum(len(test.expect) for test in rubric.tests)


def test_every_installed_pack_with_golden_tests_has_a_card_of_the_default_model() -> None:
    packs = installed().packs
    tested = {name for name in packs.ids() if packs.get(name).rubric.tests}
    assert {card.rubric for card in CARDS.values() if card.read_out.startswith("label")} == tested


def test_the_default_model_is_shown_as_what_it_is(tmp_path) -> None:
    store = CardStore(tmp_path, shipped=[SPEC.cards])
    for card in CARDS.values():
        found = store.find(card.backend_hash, card.read_out, card.rubric_hash, card.judge)
        assert found == card
        assert "for trying out only" in line(found) or "not fit to judge" in line(found)
