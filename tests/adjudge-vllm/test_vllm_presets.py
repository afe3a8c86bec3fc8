"""Presets: their files, the prompts they make, and the published forms of reply that they read."""

from __future__ import annotations

import json

import pytest

from adjudge.errors import PluginError, UnsupportedError
from adjudge.judges.asking import Inquiry
from adjudge.prompts import Evidence, template_named
from adjudge.readout import build_read_out
from adjudge.rubric import Criterion, Level, Rubric, Scale
from adjudge.submission import Submission
from adjudge.verdict import Question
from adjudge_vllm.formats import Choices, UnreadableReplyError, choices_of, formatted, read_reply
from adjudge_vllm.presets import _load, presets

FORMATTED = sorted(name for name, preset in presets().items() if preset.format)
FIVE = Choices(("1", "2", "3", "4", "5"))
WORDS = Choices(("poor", "fair", "good"))
SCHEMA = {"properties": {"explanation": {}, "level": {"enum": list(FIVE.words)}}}
QUOTING = {"properties": {"explanation": {}, "quotes": {}, "level": {"enum": list(FIVE.words)}}}

# Synthetic replies in the forms that the models' pages publish.
REPLIES = [
    ("prometheus-2", "Feedback: Clear; one step is missing. [RESULT] 4", "Clear; one step is missing.", "4"),
    ("prometheus-2", "The response is thorough. [RESULT] (5)", "The response is thorough.", "5"),
    ("prometheus-2", "Two paragraphs.\n\nOf feedback.\n[RESULT] 1\n", "Two paragraphs.\n\nOf feedback.", "1"),
    ("prometheus-2-8x7b", "Fine. [RESULT] 3", "Fine.", "3"),
    ("m-prometheus", "Klar und freundlich. [RESULT] 5", "Klar und freundlich.", "5"),
    ("selene-1-mini", "**Reasoning:** It answers the question.\n\n**Result:** 4", "It answers the question.", "4"),
    ("selene-1-mini", "**Reasoning**: It does not.\n**Result**: 2\n", "It does not.", "2"),
    ("flow-judge", "<feedback>\nShort but right.\n</feedback>\n<score>\n3\n</score>", "Short but right.", "3"),
    ("flow-judge", "<feedback>Right.</feedback><score>5</score>\n", "Right.", "5"),
    ("glider", "<reasoning>\n- Kind.\n</reasoning><highlight>['ta']</highlight>\n<score>\n5\n</score>", "- Kind.", "5"),
    ("glider", "<reasoning>Polite.</reasoning>\n<score>\n1\n</score>", "Polite.", "1"),
]  # fmt: skip

UNREADABLE = [
    ("prometheus-2", "Feedback: all is well."),
    ("prometheus-2", "Good. [RESULT] 6"),
    ("prometheus-2", "Good. [RESULT] 0"),
    ("prometheus-2", "Good. [RESULT] 4.5"),
    ("prometheus-2", "Good. [RESULT] -4"),
    ("prometheus-2", "Good. [RESULT] 4 out of 5"),
    ("prometheus-2", "Good. [RESULT] 2 [RESULT] 5"),
    ("prometheus-2", "Good. [RESULT] 5\n\nOr rather 2."),
    ("prometheus-2", "Good. [RESULT]"),
    ("prometheus-2", ""),
    ("prometheus-2", '{"explanation": "Good.", "level": "5"}'),
    ("selene-1-mini", "**Reasoning:** Good. 5"),
    ("selene-1-mini", "**Reasoning:** Good.\n**Result:** 2\n**Result:** 5"),
    ("selene-1-mini", "**Result:** 5"),
    ("flow-judge", "<feedback>Good.</feedback>"),
    ("flow-judge", "<feedback>Good.</feedback><score>five</score>"),
    ("flow-judge", "<feedback>Good.</feedback><score>4</score><score>5</score>"),
    ("flow-judge", "<feedback>It says <score>5</score> itself.</feedback><score>2</score>"),
    ("glider", "<reasoning>Good.</reasoning><score>NaN</score>"),
    ("glider", "<score>5</score>"),
]


def read(preset: str, text: str, choices: Choices = FIVE, schema: dict = SCHEMA) -> dict:
    form = presets()[preset].format
    assert form is not None
    return json.loads(read_reply(text, form, choices, schema))


@pytest.mark.parametrize(("preset", "text", "explanation", "level"), REPLIES)
def test_a_reply_in_the_published_form_is_read(preset, text, explanation, level) -> None:
    assert read(preset, text) == {"explanation": explanation, "level": level}


@pytest.mark.parametrize(("preset", "text"), UNREADABLE)
def test_anything_else_is_no_level(preset, text) -> None:
    with pytest.raises(UnreadableReplyError):
        read(preset, text)


@pytest.mark.parametrize("preset", FORMATTED)
def test_every_format_has_a_reply_in_the_table(preset) -> None:
    assert preset in {row[0] for row in REPLIES}


def test_passages_that_decided_come_as_quotes() -> None:
    text = "<reasoning>Kind.</reasoning><highlight>['thank you', 'please']</highlight><score>4</score>"
    assert read("glider", text, schema=QUOTING)["quotes"] == ["thank you", "please"]
    assert read("prometheus-2", "Kind. [RESULT] 4", schema=QUOTING)["quotes"] == []


def test_levels_with_words_are_numbered_and_told_as_words() -> None:
    assert WORDS.keys == ("1", "2", "3")
    assert read("prometheus-2", "Good. [RESULT] 3", WORDS)["level"] == "good"
    with pytest.raises(UnreadableReplyError):
        read("prometheus-2", "Good. [RESULT] good", WORDS)


def test_levels_that_are_numbers_stand_for_themselves() -> None:
    from_zero = Choices(("0", "1", "2"))
    assert read("flow-judge", "<feedback>No.</feedback><score>0</score>", from_zero)["level"] == "0"
    assert from_zero.listed("{number}: {word}\n") == ""


def inquiry_of(read_out: str, scale: Scale) -> Inquiry:
    """How core asks about one synthetic submission; its rubric has two criteria."""
    criteria = [Criterion(id=name, text=f"It is {name}.", scale=scale) for name in ("kind", "true")]
    rubric = Rubric(id="test/r", version="1", title="T", licence={"spdx": "CC0-1.0"}, criteria=criteria)
    submission = Submission(id="s", input="How long?", output="Eight minutes.")
    evidence = Evidence(template_named("default"), rubric, [submission], b"secret")
    return Inquiry(ask=None, evidence=evidence, read_out=build_read_out(read_out))


def questions(read_out: str, scale: Scale) -> list[Question]:
    """One question per criterion."""
    inquiry = inquiry_of(read_out, scale)
    return [inquiry.question([criterion]) for criterion in inquiry.evidence.rubric.criteria]


BINARY = Criterion(id="x", text="x").scale
ORDINAL = Scale(
    kind="ordinal",
    levels=[Level(id="poor", score=0), Level(id="fair", score=1), Level(id="good", score=2, anchor="Kind throughout.")],
)


@pytest.mark.parametrize("scale", [BINARY, ORDINAL], ids=["binary", "ordinal"])
@pytest.mark.parametrize("read_out", ["label", "reasoned"])
@pytest.mark.parametrize("name", FORMATTED)
def test_a_question_takes_the_presets_form_and_loses_the_other_one(name, read_out, scale) -> None:
    asked, second = questions(read_out, scale)
    told = formatted(asked, presets()[name]).prompt
    whole = f"{told.system}{told.user}"
    # Core's own words about the answer are gone; a change of them there fails here.
    assert "Answer with" not in whole
    assert "JSON" not in whole
    for text in ("It is kind.", "How long?", "Eight minutes."):
        assert text in whole
    assert told.shared == formatted(second, presets()[name]).prompt.shared
    assert told.ask != formatted(second, presets()[name]).prompt.ask


def test_a_numbered_rubric_stands_where_the_format_has_it() -> None:
    asked, _ = questions("reasoned", BINARY)
    words = choices_of(asked, "").words
    assert f"Score 1: {words[0]}\nScore 2: {words[1]}\n" in formatted(asked, presets()["prometheus-2"]).prompt.ask


def test_several_criteria_in_one_call_are_refused() -> None:
    inquiry = inquiry_of("reasoned", BINARY)
    joint = inquiry.question(inquiry.evidence.rubric.criteria)
    with pytest.raises(UnsupportedError, match="glider judges one criterion in a call; use the judge isolated"):
        formatted(joint, presets()["glider"])


def test_a_preset_without_a_format_leaves_the_question_as_it_is() -> None:
    asked, _ = questions("label", BINARY)
    assert formatted(asked, presets()["qwen3-8b"]) is asked


def test_the_models_that_were_asked_for_are_there() -> None:
    models = " ".join(preset.model.casefold() for preset in presets().values())
    for wanted in ("prometheus-7b-v2.0", "m-prometheus", "selene-1-mini", "flow-judge", "glider", "qwen", "llama-3"):
        assert wanted in models


def test_every_preset_names_licence_sources_and_what_was_checked() -> None:
    for preset in presets().values():
        assert preset.licence
        assert preset.sources[0] == f"https://huggingface.co/{preset.model}"
        assert preset.checked.endswith("Not run.")
        assert bool(preset.digest) == bool(preset.format)


PLAIN = 'name = "x"\nmodel = "a/b"\nsummary = "s"\nlicence = "l"\nsources = ["u"]\nchecked = "no"\n'
FORM = '[format]\nask = "{ask}"\nchoice = "{number}"\nreply = "(?P<level>.*)"\nlead = ":"\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name = ", "preset x.toml"),
        (PLAIN.replace('"x"', '"y"'), "is named 'y'"),
        (PLAIN.replace('["u"]', "[]"), "names its sources"),
        (PLAIN + "colour = 1", "colour"),
        (PLAIN + FORM.replace("{ask}", "{output}"), "ask has the slot {output}; allowed: ask, choices"),
        (PLAIN + FORM.replace("<level>", "<score>"), "needs the group level"),
    ],
)
def test_a_malformed_preset_is_refused_by_name(text, fault) -> None:
    with pytest.raises(PluginError) as raised:
        _load("x.toml", text)
    assert fault in str(raised.value)


def test_a_well_formed_preset_is_taken() -> None:
    assert _load("x.toml", PLAIN + FORM).format is not None
