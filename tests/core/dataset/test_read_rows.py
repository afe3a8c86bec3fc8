"""What rows become: fields, aliases, labels, messages, comparisons."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adjudge.dataset import read_items
from adjudge.errors import InputError
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Label, Message, Submission

PAGE = Path(__file__).parents[3] / "docs/reference/data-format.md"
BLOCKS = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))

RUBRIC = Rubric(id="one", version="1", draft=True, criteria=(Criterion(id="c", text="Is it kind?"),))


@pytest.fixture
def read(tmp_path):
    """Read rows (dicts as JSON lines, or the text of a file)."""

    def reading(*rows, name="rows.jsonl", **options):
        text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
        path = tmp_path / name
        path.write_bytes(text.encode())
        return read_items(path, **options)

    return reading


def only(dataset):
    (item,) = dataset.items
    return item


@pytest.mark.parametrize("name", [name for name in BLOCKS if not name.startswith(("bad-", "message "))])
def test_every_example_of_the_page_is_read(name, read):
    dataset = read(BLOCKS[name], name=name)
    assert dataset.items
    assert dataset.bad_rows == ()


@pytest.mark.parametrize("name", [name for name in BLOCKS if name.startswith("bad-")])
def test_every_error_of_the_page_is_told_in_its_words(name, read, tmp_path):
    with pytest.raises(InputError) as caught:
        read(BLOCKS[name], name=name)
    assert str(caught.value).replace(f"{tmp_path}/", "") == BLOCKS[f"message of {name}"].strip()


def test_page_examples_hold_what_the_page_says(read):
    assert len(BLOCKS) >= 12
    first, second = read(BLOCKS["answers.csv"], name="answers.csv").items
    assert first.output == "As the care plan says,\nunless fluids are restricted."
    assert first.labels == (Label(criterion="safe", level="met"), Label(criterion="clarity", score=4))
    assert second.labels[1].score == 2.5
    alias = only(read(BLOCKS["aliases.jsonl"]))
    assert alias == Submission(
        id="7",
        input="Which pulse is fast?",
        output="More than 100 a minute.",
        reference="Above 100.",
        metadata={"ward": "B"},
    )


def test_a_submission_as_its_fields(read):
    row = {
        "id": "s",
        "input": "i",
        "output": "o",
        "reference": "r",
        "context": "c",
        "labels": [{"criterion": "c", "level": "met", "score": 1, "rater": "n"}],
        "rubric": RUBRIC.model_dump(mode="json"),
        "metadata": {"k": [1, None, True]},
    }
    assert only(read(row)) == Submission(
        id="s",
        input="i",
        output="o",
        reference="r",
        context="c",
        labels=(Label(criterion="c", level="met", score=1, rater="n"),),
        rubric=RUBRIC,
        metadata={"k": [1, None, True]},
    )


@pytest.mark.parametrize(
    ("field", "alias"),
    [
        ("id", "sample_id"),
        ("id", "idx"),
        ("id", "key"),
        ("input", "prompt"),
        ("input", "question"),
        ("input", "instruction"),
        ("output", "response"),
        ("output", "answer"),
        ("output", "completion"),
        ("output", "text"),
        ("reference", "expected"),
        ("reference", "gold"),
        ("reference", "target"),
    ],
)
def test_aliases(field, alias, read):
    item = only(read({"output": "o", alias: "it"} if field != "output" else {alias: "it"}))
    assert getattr(item, field) == "it"
    assert item.metadata == {}


def test_unknown_fields_go_to_the_metadata_and_the_own_name_wins(read):
    item = only(read({"output": "o", "response": "other", "score": 3, "metadata": {"a": 1}}))
    assert item.output == "o"
    assert item.metadata == {"a": 1, "response": "other", "score": 3}


def test_metadata_that_is_no_object_is_kept_under_its_name(read):
    assert only(read({"output": "o", "metadata": "free text"})).metadata == {"metadata": "free text"}
    assert only(read("output,metadata\no,free\n", name="m.csv")).metadata == {"metadata": "free"}
    assert only(read('output,metadata\no,"{""a"": 1}"\n', name="m.csv")).metadata == {"a": 1}


def test_two_aliases_of_one_field_are_not_guessed_between(read):
    with pytest.raises(InputError, match="'response' and 'answer' could each be the output"):
        read({"question": "q", "answer": "gold", "response": "o"})
    item = only(read({"question": "q", "answer": "gold", "response": "o"}, columns={"reference": "answer"}))
    assert (item.output, item.reference) == ("o", "gold")


def test_instruction_stands_before_the_input_beside_it(read):
    assert only(read({"instruction": "Translate.", "input": "Guten Tag", "output": "o"})).input == (
        "Translate.\n\nGuten Tag"
    )
    assert only(read({"instruction": "Greet.", "input": "", "output": "o"})).input == "Greet."
    pinned = only(read({"instruction": "Greet.", "input": "x", "output": "o"}, columns={"input": "input"}))
    assert pinned.input == "x"
    assert pinned.metadata == {"instruction": "Greet."}


def test_a_column_mapping_overrides_and_an_empty_one_switches_off(read):
    row = {"decoded": "mine", "text": "source", "target": ["several"]}
    item = only(read(row, columns={"output": "decoded", "reference": ""}))
    assert item.output == "mine"
    assert item.reference is None
    assert item.metadata == {"text": "source", "target": ["several"]}


def test_a_label_can_be_taken_from_any_column(read):
    item = only(read({"output": "o", "expert": 4}, columns={"label:coherence": "expert"}))
    assert item.labels == (Label(criterion="coherence", score=4),)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"outptu": "o"}, "--column outptu=…: no such field; did you mean 'output'?"),
        ({"reference": "golden"}, "no row has the column of --column reference=golden"),
        ({"output": "outptu"}, "no column 'outptu' for the output; did you mean 'output'?"),
        ({"label": "output"}, "use --column label:CRITERION=NAME"),
    ],
)
def test_a_mapping_that_fits_nothing_is_refused(columns, message, read):
    with pytest.raises(InputError, match=re.escape(message)):
        read({"output": "o"}, columns=columns)


def test_missing_output_names_the_columns_found(read):
    with pytest.raises(InputError, match="no column for the output; found: 'a', 'b'; name it with --column output="):
        read({"a": 1, "b": 2}, {"a": 1, "b": 2})


@pytest.mark.parametrize(("value", "shown"), [(None, "null"), (1.1, "1.1"), (True, "True"), ({"a": 1}, "{'a': 1}")])
def test_an_output_that_is_no_text_is_refused(value, shown, read):
    with pytest.raises(InputError, match=re.escape(shown)):
        read({"output": value})


def test_an_empty_output_is_an_output_and_an_integer_is_text(read):
    assert only(read({"output": ""})).output == ""
    assert only(read({"output": 42})).output == "42"


def test_a_missing_id_is_the_line_number(read):
    assert [item.id for item in read({"output": "a"}, "\n", {"output": "b"}).items] == ["row-1", "row-3"]
    assert [item.id for item in read('output\n"a\nb"\nc\n', name="m.csv").items] == ["row-2", "row-4"]
    assert [item.id for item in read('[{"output":"a"},{"output":"b"}]', name="m.json").items] == ["row-1", "row-2"]


def test_a_context_can_be_a_list(read):
    assert only(read({"output": "o", "context": ["one", "two"]})).context == "one\n\ntwo"


def test_label_forms(read):
    labels = {"a": "met", "b": 2, "c": [1, None, "x"], "d": None, "e": True}
    assert only(read({"output": "o", "labels": labels, "label:f": 0.5})).labels == (
        Label(criterion="a", level="met"),
        Label(criterion="b", score=2),
        Label(criterion="c", score=1, rater="1"),
        Label(criterion="c", level="x", rater="3"),
        Label(criterion="e", score=1),
        Label(criterion="f", score=0.5),
    )
    single = only(read({"output": "o", "labels": {"criterion": "a", "level": 3}}))
    assert single.labels == (Label(criterion="a", level="3"),)


def test_csv_labels(read):
    item = only(read('output,labels,label:a,label:b\no,"{""c"": ""2""}", 3 ,\n', name="m.csv"))
    assert item.labels == (Label(criterion="c", level="2"), Label(criterion="a", score=3))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("met", "write a list of labels"),
        ([{"level": "met"}], "must be an object with criterion"),
        ([{"criterion": "a", "level": "met", "socre": 1}], "must be an object with criterion"),
        ([{"criterion": "a"}], "neither a level nor a score"),
        ([{"criterion": "a", "score": "4"}], "write a number"),
        ([{"criterion": "a", "score": True}], "write a number"),
        ([{"criterion": "a", "level": 1.5}], "the level is 1.5"),
        ({"a": {"level": "met"}}, "write a level, a number, or nothing"),
        ({"a": "NaN"}, "write a level, a number, or nothing"),
        ({"a": 10**400}, "too large"),
    ],
)
def test_a_malformed_label_is_a_bad_row(labels, message, read):
    with pytest.raises(InputError, match=message):
        read({"output": "o", "labels": labels})


@pytest.mark.parametrize("cell", ["nan", "inf", "1e999"])
def test_no_csv_cell_becomes_an_infinite_or_missing_number(cell, read):
    with pytest.raises(InputError, match=r"m\.csv:2: the (label|number)"):
        read(f"output,label:a\no,{cell}\n", name="m.csv")


def test_messages(read):
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "human", "content": [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}, "c"]},
        {
            "role": "assistant",
            "name": "bot",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "d"}],
            "tool_calls": [{"function": {"name": "dose", "arguments": '{"mg": 5}'}}],
            "refusal": None,
        },
        {"role": "tool", "content": "ok", "kind": "tool_result"},
    ]
    item = only(read({"input": turns, "output": {"role": "gpt", "content": "done"}}))
    assert item.input == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="a\nb\nc"),
        Message(role="assistant", content="hm", kind="thinking"),
        Message(role="assistant", content="d", name="bot"),
        Message(role="assistant", content='{"mg": 5}', kind="tool_call", name="dose"),
        Message(role="tool", content="ok", kind="tool_result"),
    )
    assert item.output == (Message(role="assistant", content="done"),)


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ("hello", "write an object with role and content"),
        ({"content": "x"}, "has the role None"),
        ({"role": "narrator", "content": "x"}, "has the role 'narrator'"),
        ({"role": "user"}, "has the content None"),
        ({"role": "user", "content": [{"type": "hologram", "text": "x"}]}, "has a part of the kind 'hologram'"),
        ({"role": "user", "content": [{"type": "text"}]}, "a text part without text"),
        ({"role": "user", "content": [7]}, "a part that is neither text nor an object"),
        ({"role": "user", "content": "x", "mood": "sad"}, "has 'mood', which adjudge does not know"),
        ({"role": "user", "content": "x", "kind": "song"}, "has the kind 'song'"),
        ({"role": "assistant", "tool_calls": [{}]}, "a tool call without a function name"),
    ],
)
def test_a_message_that_cannot_be_read_whole_is_a_bad_row(turn, message, read):
    with pytest.raises(InputError, match=re.escape(message)):
        read({"output": [{"role": "user", "content": "fine"}, turn]})


@pytest.mark.parametrize(
    "pair",
    [
        ("output_1", "output_2"),
        ("output_a", "output_b"),
        ("response_1", "response_2"),
        ("response_a", "response_b"),
    ],
)
def test_a_pair_of_columns_is_a_comparison(pair, read):
    item = only(read({"id": 5, "prompt": "q", pair[0]: "x", pair[1]: "y", "label": 2, "source": "s"}))
    assert item == Comparison(
        id="5",
        submissions=(Submission(id="5/1", input="q", output="x"), Submission(id="5/2", input="q", output="y")),
        labels=(Label(criterion="overall", level="second"),),
        metadata={"source": "s"},
    )


@pytest.mark.parametrize(
    ("given", "level"),
    [
        (1, "first"),
        ("2", "second"),
        (2.0, "second"),
        ("A", "first"),
        ("b", "second"),
        ("Tie", "tie"),
        ("incomparable", "incomparable"),
    ],
)
def test_preferences(given, level, read):
    assert only(read({"outputs": ["x", "y"], "preference": given})).labels == (Label(criterion="overall", level=level),)
    by_criterion = only(read({"outputs": ["x", "y"], "labels": {"tone": given}}))
    assert by_criterion.labels == (Label(criterion="tone", level=level),)


@pytest.mark.parametrize("given", [0, 3, "left", True, 1.5])
def test_a_preference_that_means_nothing_known_is_refused(given, read):
    with pytest.raises(InputError, match="write 1 or first or A"):
        read({"outputs": ["x", "y"], "label": given})


def test_a_comparison_without_preference_has_no_label(read):
    assert only(read({"outputs": ["x", "y", "z"], "label": None})).labels == ()
    assert only(read("output_1,output_2,label\nx,y,\n", name="m.csv")).labels == ()


def test_a_comparison_in_csv(read):
    item = only(read("input,output_1,output_2,preference\nq,x,y,A\n", name="m.csv"))
    assert [one.output for one in item.submissions] == ["x", "y"]
    assert item.labels[0].level == "first"


def test_submissions_take_what_they_lack_from_the_row(read):
    rows = [{"response": "x", "model": "m1"}, {"id": "mine", "output": "y", "reference": "own"}]
    item = only(read({"id": "c", "question": "q", "gold": "g", "submissions": rows}))
    assert item.submissions == (
        Submission(id="c/1", input="q", output="x", reference="g", metadata={"model": "m1"}),
        Submission(id="mine", input="q", output="y", reference="own"),
    )
    assert item.metadata == {}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"outputs": ["x"]}, "write a list of at least two"),
        ({"outputs": "x"}, "write a list of at least two"),
        ({"outputs": ["x", None]}, "the output is null"),
        ({"output_1": "x"}, "no column for the output_2"),
        ({"submissions": [{"output": "x"}]}, "at least two objects"),
        ({"submissions": [{"input": "a", "output": "x"}, {"input": "b", "output": "x"}]}, "must share one input"),
        (
            {"submissions": [{"output": "x", "rubric": RUBRIC.model_dump(mode="json")}, {"output": "y"}]},
            "must share one rubric",
        ),
    ],
)
def test_a_malformed_comparison_is_a_bad_row(row, message, read):
    with pytest.raises(InputError, match=message):
        read(row)


def test_submissions_and_comparisons_do_not_mix(read):
    with pytest.raises(InputError, match=r"rows\.jsonl:2: a comparison, but line 1 holds a submission"):
        read({"output": "x"}, {"outputs": ["x", "y"]}, skip_bad_rows=True)
    with pytest.raises(InputError, match=r"rows\.jsonl:2: a submission, but line 1 holds a comparison"):
        read({"outputs": ["x", "y"]}, {"output": "x"})


@pytest.mark.parametrize(
    ("rubric", "message"),
    [
        ("general/summary", "give its id with --rubric"),
        ({"id": "x"}, "the rubric is malformed: version: Field required"),
    ],
)
def test_a_rubric_that_is_none_is_a_bad_row(rubric, message, read):
    with pytest.raises(InputError, match=message):
        read({"output": "o", "rubric": rubric})


def test_metadata_and_column_of_one_name_are_refused(read):
    with pytest.raises(InputError, match="'a' stands both in the row and in its metadata"):
        read({"output": "o", "a": 1, "metadata": {"a": 2}})


def test_a_row_that_a_candidate_has_yet_to_answer_is_refused_unless_told_otherwise(read):
    row = {"id": "a", "input": "ask for salt"}
    with pytest.raises(InputError, match="no column for the output"):
        read(row)
    (item,) = read(row, needs_output=False).items
    assert (item.input, item.output) == ("ask for salt", "")
    (item,) = read({**row, "output": "please"}, needs_output=False).items
    assert item.output == "please"
