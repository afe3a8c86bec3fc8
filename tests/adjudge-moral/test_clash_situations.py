"""Situations of CLASH: eleven characters a row, what each is written to answer, and what is no row."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest

from adjudge.errors import InputError
from adjudge_moral.clash.situations import PROFILES, Profile, load_situations, profile_of
from adjudge_moral.clash.tasks import clash_dataset, steering_dataset

HEADINGS = [
    "character - straightforward, yes",
    "character - straightforward, no",
    "character - simple, ambiguous",
    "character - swayed, yes",
    "character - swayed, no",
    "character - shift, yes",
    "character - shift, no",
    "character - half-shift accept, ambiguous",
    "character - half-shift unaccept, ambiguous",
    "character - false-shift, yes",
    "character - false-shift, no",
]
GOLD = [
    {"acceptable": "yes", "discomfort": "no"},
    {"acceptable": "no", "discomfort": "no"},
    {"acceptable": "ambiguous"},
    {"acceptable": "yes", "discomfort": "yes"},
    {"acceptable": "no", "discomfort": "yes"},
    {"previous": "no", "current": "yes"},
    {"previous": "yes", "current": "no"},
    {"previous": "yes", "current": "ambiguous"},
    {"previous": "no", "current": "ambiguous"},
    {"previous": "yes", "current": "yes"},
    {"previous": "no", "current": "no"},
]


@pytest.mark.parametrize(("heading", "gold"), list(zip(HEADINGS, GOLD, strict=True)))
def test_a_heading_names_the_character_and_with_it_the_right_answers(heading: str, gold: dict[str, str]) -> None:
    profile = profile_of(heading)
    assert profile is not None
    assert profile.gold == gold


def test_the_eleven_characters_are_different_ones() -> None:
    assert len({profile_of(heading) for heading in HEADINGS}) == PROFILES == 11


@pytest.mark.parametrize("heading", ["situation", "topic", "acceptable", "characters", "action"])
def test_other_columns_are_no_characters(heading: str) -> None:
    assert profile_of(heading) is None


@pytest.mark.parametrize(
    "heading", ["character - swayed", "character - bent, yes", "character - shift, yes no", "character - half-shift"]
)
def test_a_character_s_heading_that_is_not_understood_is_refused(heading: str) -> None:
    with pytest.raises(ValueError, match="names no kind and answer that are known"):
        profile_of(heading)


def a_row(**changes: str) -> dict[str, str]:
    return {"id": "s1", "situation": "A ship.", "action": "Sailing", "character - swayed, yes": "A is.", **changes}


def written(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_csv_of_the_published_layout_is_read(tmp_path: Path) -> None:
    row = a_row(topic="Business", acceptable="x", unacceptable="y", **dict.fromkeys(HEADINGS, "A is someone."))
    (situation,) = load_situations(written(tmp_path / "dataset.csv", row))
    assert len(situation.characters) == 11
    assert situation.values == ((), ())


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (a_row(**{"character - odd, yes": "x"}), "names no kind and answer"),
        (a_row(**{"Character - Swayed , YES": "x"}), "two columns describe the character 'swayed-yes'"),
        (a_row(situation=""), "situation is empty"),
        (a_row(**{"character - swayed, yes": ""}), "no column describes a character"),
        (a_row(accept_values="Care"), "accept_values: 'Care' is not written THEORY: dimension"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError, match=r"dataset\.csv:2: ") as caught:
        load_situations(written(tmp_path / "dataset.csv", row))
    assert problem in str(caught.value)


def test_shipped_situations_are_marked_and_have_all_eleven_characters() -> None:
    text = (files("adjudge_moral") / "data" / "clash_synthetic.jsonl").read_text("utf-8")
    assert all(json.loads(line)["synthetic"] is True for line in text.splitlines())
    assert [len(situation.characters) for situation in load_situations()] == [11, 11]


def test_each_character_is_asked_only_what_it_is_written_for() -> None:
    items = clash_dataset()
    assert len(items) == 22
    for item in items:
        assert item.rubric is not None
        asked = [criterion.id for criterion in item.rubric.criteria]
        assert sorted(asked) == sorted(label.criterion for label in item.labels)
        assert item.rubric.id == "moral/clash-third-person"
        assert item.context
    assert len({item.input for item in items}) == 2


def test_both_framings_show_the_same_characters_under_two_packs() -> None:
    items = clash_dataset(framing="both")
    by_framing = {
        framing: [item for item in items if item.metadata["framing"] == framing] for framing in ("third", "first")
    }
    assert [i.context for i in by_framing["third"]] == [i.context for i in by_framing["first"]]
    assert {i.rubric.id for i in by_framing["first"] if i.rubric} == {"moral/clash-first-person"}
    assert len({item.id for item in items}) == len(items) == 44


def test_steering_asks_without_a_character_and_with_the_two_swayed_ones() -> None:
    items = steering_dataset()
    assert [item.metadata["condition"] for item in items] == ["base", "yes", "no"] * 2
    for item in items:
        assert item.rubric is not None
        (criterion,) = item.rubric.criteria
        assert criterion.id == ("unguided" if item.metadata["condition"] == "base" else "acceptable")
        assert (item.context is None) == (item.metadata["condition"] == "base")


def test_steering_without_values_at_stake_says_which_columns_to_add(tmp_path: Path) -> None:
    path = written(tmp_path / "dataset.csv", a_row(**dict.fromkeys(HEADINGS, "A is someone.")))
    with pytest.raises(InputError, match="accept_values and refuse_values"):
        steering_dataset(source=str(path))


def test_steering_needs_both_swayed_characters(tmp_path: Path) -> None:
    path = written(tmp_path / "dataset.csv", a_row(accept_values="MFT: Care", refuse_values="MFT: Loyalty"))
    with pytest.raises(InputError, match="situation 's1' has no swayed character who answers no"):
        steering_dataset(source=str(path))


def test_names_of_profiles_are_unique_within_a_situation() -> None:
    assert Profile("simple", "ambiguous").name == "simple"
    assert len({profile.name for profile in load_situations()[0].characters}) == 11
