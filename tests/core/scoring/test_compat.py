from __future__ import annotations

import pytest

from adjudge.compat import official_morebench_reading, read_yes_no


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ("yes", "yes"),
        ("No", "no"),
        ("No.", "no"),
        ("Yes.", "yes"),
        ("  **YES** ", "yes"),
        ("'no'", "no"),
        ("Yes, since it names both sides.", "yes"),
        ("No - it does not.", "no"),
        ("Yes\n\nIt names both sides.", "yes"),
        ("", None),
        ("not", None),
        ("know", None),
        ("nope", None),
        ("No idea.", None),
        ("No-one can say.", None),
        ("Yes/No", None),
        ("I am sorry, but I cannot help with that.", None),
        ("**Analysis**\n\nYes, the text does.", None),
        ("The answer is yes.", None),
    ],
)
def test_only_a_reply_that_begins_with_the_word_alone_is_read(reply, word):
    assert read_yes_no(reply) == word


@pytest.mark.parametrize(
    ("reply", "positive", "negative"),
    [("yes", True, False), ("No.", False, True), ("It cannot be known.", False, True), ("", False, False)],
)
def test_the_official_reading_looks_for_letters(reply, positive, negative):
    assert official_morebench_reading(reply, 2) is positive
    assert official_morebench_reading(reply, -2) is negative


def test_the_official_reading_credits_one_reply_under_both_signs():
    reply = "Yes, though not in so many words."
    assert official_morebench_reading(reply, 1)
    assert official_morebench_reading(reply, -1)
