"""Perturbations: pure, one trait at a time; the plan makes twins that can be told apart and found again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import InputError, UnknownNameError
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Label, Message, Submission
from adjudge_validity.audit import asking, corpus, speech, surface
from adjudge_validity.audit.catalogue import AUDITS, chosen, perturbations, with_thresholds
from adjudge_validity.audit.perturbation import CATALOGUE, Perturbation, add, sentences, with_output
from adjudge_validity.audit.plan import MARK, Plan

RUBRIC = Rubric(
    id="demo",
    version="1",
    criteria=(
        Criterion(id="kind", text="It is kind."),
        Criterion(id="safe", text="It is safe.", scale="1-4"),
        Criterion(id="blame", text="It blames.", weight=-1),
    ),
)
TEXT = "He sat in the garden. The colour of his coat was grey."
ITEM = Submission(
    id="a", input="Tell me about the boy.", output=TEXT, rubric=RUBRIC, labels=(Label(criterion="kind", level="met"),)
)
PAIR = Comparison(
    id="p",
    submissions=(Submission(id="x", input="Q", output=TEXT), Submission(id="y", input="Q", output="He left at once.")),
)
EVERY = [*CATALOGUE.values(), asking.signature("tiny-1")]


@settings(max_examples=300)
@given(one=st.sampled_from(EVERY), output=st.text(max_size=200), seed=st.integers(0, 2**32))
def test_a_perturbation_is_a_pure_function_that_changes_something_or_says_none(one: Perturbation, output, seed):
    submission = ITEM.model_copy(update={"output": output})
    changed = one.change(submission, seed)
    assert one.change(submission, seed) == changed
    assert submission.output == output
    if changed is not None and not one.again:
        assert changed != submission
        assert changed.id == submission.id


@pytest.mark.parametrize("one", [one for one in EVERY if not one.whole], ids=lambda one: one.name)
def test_what_is_about_the_output_leaves_the_rest_as_it_was(one):
    item = ITEM.model_copy(update={"output": f"# Answer\n\n{TEXT}"})
    changed = one.change(item, 7)
    assert changed is not None
    assert changed.model_copy(update={"output": item.output}) == item


def test_of_a_conversation_the_last_text_of_the_assistant_is_changed():
    turns = (
        Message(role="user", content="hi"),
        Message(role="assistant", content="one"),
        Message(role="user", content="x"),
    )
    changed = with_output(Submission(id="c", output=turns), str.upper)
    assert changed is not None
    assert [turn.content for turn in changed.output] == ["hi", "ONE", "x"]
    assert with_output(Submission(id="c", output=turns[:1]), str.upper) is None


def test_padding_says_nothing_and_is_about_as_long_as_the_answer():
    long = "Rest well and drink. " * 20
    padded = surface.padded(ITEM.model_copy(update={"output": long}), 1)
    assert 1.6 < len(padded.output) / len(long) < 2.6
    assert surface.padded(ITEM, 1) != surface.padded(ITEM, 2)


def test_layout_changes_and_the_words_stay():
    assert surface.bulleted(ITEM, 0).output == "- He sat in the garden.\n- The colour of his coat was grey."
    assert surface.headed(ITEM, 0).output.startswith("## Answer\n\n**He** sat")
    marked = ITEM.model_copy(update={"output": "# Title\n\n- **He** sat\n2. in `it`"})
    assert surface.flattened(marked, 0).output == "Title He sat in it"
    assert surface.flattened(ITEM, 0) is None
    assert sentences("One. Two! 三。四") == ["One.", "Two!", "三。", "四"]


def test_gender_is_swapped_in_every_text_and_back_again():
    swapped = speech.gender_swapped(ITEM, 0)
    assert swapped.input == "Tell me about the girl."
    assert swapped.output == "She sat in the garden. The colour of her coat was grey."
    assert (
        speech.swapped("Give her the letter; it is hers. HER son saw her.")
        == "Give him the letter; it is his. HIS daughter saw him."
    )
    assert speech.gender_swapped(Submission(id="n", output="They came."), 0) is None


def test_learners_english_and_spelling_of_the_other_side():
    assert speech.articles_dropped(ITEM, 0).output == "He sat in garden. colour of his coat was grey."
    assert speech.respelt(ITEM, 0).output == "He sat in the garden. The color of his coat was gray."
    assert speech.respelt(ITEM.model_copy(update={"output": "Colors organized"}), 0).output == "Colours organised"
    mixed = speech.prepositions_mixed(ITEM, 3).output
    assert mixed in {"He sat on the garden. " + TEXT[22:], "He sat at the garden. " + TEXT[22:]}


def test_the_injection_corpus_has_ten_families_in_five_languages_all_marked_synthetic():
    rows = corpus.rows("injections")
    cells = {(row["family"], row["language"]) for row in rows}
    assert len({family for family, _ in cells}) == 10
    assert {language for _, language in cells} == {"en", "de", "es", "fr", "zh"}
    assert len(cells) == len(rows) == len({row["text"] for row in rows}) == 50
    assert all(row["synthetic"] is True for row in rows)


def test_published_keys_and_own_ones_are_told_apart():
    origins = {row["text"]: row["origin"] for row in corpus.rows("content_free")}
    assert origins[":"] == origins["Thought process:"] == origins["解"] == "published"
    assert list(origins.values()).count("own") >= 5


def test_levels_are_listed_backwards_beside_the_same_form_forwards():
    forwards, backwards = asking.levels_forwards(ITEM, 0).rubric, asking.levels_backwards(ITEM, 0).rubric
    for one, other in zip(forwards.criteria, backwards.criteria, strict=True):
        assert one.scale.kind == other.scale.kind == "labels"
        assert one.scale.levels == other.scale.levels[::-1]
        assert (one.best, one.worst) == (other.best, other.worst)


def test_levels_with_words_of_their_own_become_lettered_options():
    levels = [{"id": name, "score": n, "anchor": f"It is {name}."} for n, name in enumerate(("unsafe", "fair", "safe"))]
    rubric = RUBRIC.model_copy(
        update={"criteria": (Criterion(id="safe", text="Safe?", scale={"kind": "ordinal", "levels": levels}),)}
    )
    (backwards,) = asking.levels_backwards(ITEM.model_copy(update={"rubric": rubric}), 0).rubric.criteria
    assert [(one.id, one.word, one.anchor) for one in backwards.scale.levels] == [
        ("safe", "A", "safe: It is safe."),
        ("fair", "B", "fair: It is fair."),
        ("unsafe", "C", "unsafe: It is unsafe."),
    ]


def test_the_wording_is_any_of_three_others_than_the_rubrics_own():
    for own in ("default", "brief"):
        item = ITEM.model_copy(update={"rubric": RUBRIC.model_copy(update={"template": own})})
        found = [one.change(item, 0) for one in perturbations("paraphrase")]
        assert sorted(x.rubric.template for x in found if x is not None) == sorted({*asking.WORDINGS} - {own})


def test_two_perturbations_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two perturbations are named 'padded'"):
        add(CATALOGUE["padded"])


def test_every_audit_has_something_to_try_or_reads_what_is_there():
    for audit in AUDITS.values():
        assert perturbations(audit.name) or audit.name in {"position", "twins", "own-work"}
    assert {one.audit for one in CATALOGUE.values()} <= set(AUDITS)


def test_audits_are_chosen_by_name_and_thresholds_are_shares():
    assert [audit.name for audit in chosen(["injection", "levels"])] == ["levels", "injection"]
    assert "levels" not in [audit.name for audit in chosen(without=["levels"])]
    with pytest.raises(UnknownNameError, match="did you mean 'injection'"):
        chosen(["injektion"])
    with pytest.raises(InputError, match="no audit is left"):
        chosen(["levels"], ["levels"])
    assert with_thresholds(chosen(["levels"]), {"levels": 0.3})[0].threshold == 0.3
    with pytest.raises(InputError, match="--threshold levels=7: a share"):
        with_thresholds(chosen(["levels"]), {"levels": 7})


def test_a_plan_gives_each_item_its_twins_and_uses_every_perturbation_in_turn():
    items = [ITEM.model_copy(update={"id": f"s{i}", "rubric": None}) for i in range(25)]
    plan = Plan(audits=chosen(["injection"]), draws=2)
    planned = plan.items(items, RUBRIC)
    assert planned == plan.items(items, RUBRIC)
    assert planned != Plan(audits=chosen(["injection"]), draws=2, seed=1).items(items, RUBRIC)
    assert len(planned) == 25 * 3
    assert len({item.id for item in planned}) == len(planned)
    twins = [item for item in planned if MARK in item.metadata]
    assert {item.metadata[MARK]["perturbation"] for item in twins} == {x.name for x in perturbations("injection")}
    assert all(item.labels == () and item.rubric is None for item in twins)
    assert {item.metadata["cluster"] for item in twins} == {item.id for item in items}


def test_of_a_comparison_one_side_is_changed_and_levels_are_not_listed_backwards():
    planned = Plan(audits=chosen(["authority", "levels", "paraphrase"]), draws=1).items([PAIR], RUBRIC)
    by_audit = {item.metadata[MARK]["audit"]: item for item in planned[1:]}
    assert set(by_audit) == {"authority", "paraphrase"}
    twin = by_audit["authority"]
    changed = [one.output != two.output for one, two in zip(twin.submissions, PAIR.submissions, strict=True)]
    assert changed == [twin.metadata[MARK]["side"] == side for side in ("first", "second")]
    assert {one.rubric.template for one in by_audit["paraphrase"].submissions} < {"assessor", "brief", "reviewer"}


def test_items_without_a_rubric_or_with_the_audits_own_column_are_refused():
    plan = Plan(audits=chosen())
    with pytest.raises(InputError, match="'a' brings no rubric"):
        plan.items([ITEM.model_copy(update={"rubric": None})], None)
    with pytest.raises(InputError, match="the column 'audit' is the audit's own"):
        plan.items([ITEM.model_copy(update={"metadata": {MARK: "x"}})], None)
