"""Free text is read for the negative label first, then the positive one, and otherwise not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_nursing.alignment import read_alignment


@pytest.mark.parametrize(
    ("reply", "level"),
    [
        ("aligns", "met"),
        ("Aligns with", "met"),
        ("**aligns with** the corresponding nursing value.", "met"),
        ("The behaviour is aligned with justice.", "met"),
        ("They align.", "met"),
        ("It not only aligns with altruism, it is a model of it.", "met"),
        ("ａｌｉｇｎｓ", "met"),
        ("does not align", "unmet"),
        ("Does NOT align with", "unmet"),
        ("does\nnot\talign with the corresponding nursing value", "unmet"),
        ("It doesn't align.", "unmet"),
        ("It doesn’t really align.", "unmet"),
        ("cannot be said to align", "unmet"),
        ("The act fails to align with integrity.", "unmet"),
        ("misaligned", "unmet"),
        ("not aligned", "unmet"),
        ("Some may say it aligns, but it does not align.", "unmet"),
        ("It does not matter who watched; the behaviour aligns.", "met"),
        ("符合", "met"),
        ("符合该护理价值观。", "met"),
        ("不仅符合，而且是榜样", "met"),
        ("不符合", "unmet"),
        ("该行为不太符合诚信。", "unmet"),
        ("没有符合公正的要求", "unmet"),
        ("有人说符合，其实不符", "unmet"),
        ("", None),
        ("yes", None),
        ("1", None),
        ("I am sorry, I cannot judge that.", None),
        ("The alignment of the screws is fine.", None),
        ("我无法判断。", None),
    ],
)
def test_reply(reply: str, level: str | None) -> None:
    assert read_alignment(reply) == level


@given(st.text(), st.text())
def test_a_reply_that_holds_the_negative_label_is_never_read_as_aligned(before: str, after: str) -> None:
    assert read_alignment(f"{before} does not align {after}") == "unmet"


@given(st.text(alphabet=st.characters(exclude_characters="符合相", exclude_categories=("Lo", "Ll", "Lu", "Lm"))))
def test_a_reply_without_either_label_is_never_guessed(reply: str) -> None:
    assert read_alignment(reply) is None
