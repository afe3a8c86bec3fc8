"""One verdict is read from a text, or none; two different ones contradict each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_aita.labels import LABELS, VERDICTS, WRONG, read_verdict, tally

ONE = {
    "NTA": "NTA",
    "nta. Obviously": "NTA",
    "**NTA**": "NTA",
    "NTA. NTA. NTA.": "NTA",
    "NTA but you could have said it earlier.": "NTA",
    "Not the asshole.": "NTA",
    "You are not the asshole, but she is.": "NTA",
    "op isn't the asshole": "NTA",
    "You aren't really the asshole": "NTA",
    "You might not be the asshole": "NTA",
    "You wouldn't be the a-hole": "NTA",
    "YWNBTA": "NTA",
    "Not YTA at all": "NTA",
    "I don't think you're the asshole": "NTA",
    "That a-hole of a neighbour! NTA": "NTA",
    "YTA, sorry": "YTA",
    "You're the asshole here.": "YTA",
    "you’re the asshole": "YTA",
    "u r the asshole": "YTA",
    "OP is the a-hole": "YTA",
    "You were kind of the asshole": "YTA",
    "You would be the asshole": "YTA",
    "YWBTA if you did": "YTA",
    "Why YTA? Because you lied.": "YTA",
    "ESH, both": "ESH",
    "Everyone sucks here": "ESH",
    "Both of you are assholes": "ESH",
    "NAH": "NAH",
    "No assholes here, just bad luck": "NAH",
    "No one here is the asshole": "NAH",
    "INFO: how old?": "INFO",
    "Info: how old?": "INFO",
    "I need more info": "INFO",
}
QUOTED = {
    'People say "YTA" but you are right: NTA': "NTA",
    "NTA. Your sister said 'YTA' and was wrong.": "NTA",
    "> YTA\nI disagree. NTA": "NTA",
    "&gt; ESH\n\nNo: YTA": "YTA",
    '"NTA", they all say.': None,
}
NONE = [
    "",
    "nah, you're fine",
    "for your info, it is late",
    "AITA for asking? WIBTA?",
    "He is the asshole, not you",
    "I'm not sure whether you are the asshole",
    "Ask yourself if you're the asshole.",
    "not an asshole move",
    "I wouldn't say NTA",
    "This is not NAH",
    "Talk to her.",
]
SEVERAL = {
    "NTA for leaving, YTA for the text": ("NTA", "YTA"),
    "YTA/ESH": ("YTA", "ESH"),
    "Edit: changed from YTA to NTA": ("NTA", "YTA"),
    "NAH, or ESH. INFO?": ("ESH", "NAH", "INFO"),
    "You're the asshole for that, but NTA in general": ("NTA", "YTA"),
}


@pytest.mark.parametrize(("text", "label"), [*ONE.items(), *QUOTED.items()])
def test_a_label_is_read_in_every_form_and_quotations_are_not(text: str, label: str | None) -> None:
    assert read_verdict(text).label == label


@pytest.mark.parametrize("text", NONE)
def test_a_text_without_a_verdict_has_none_and_says_so(text: str) -> None:
    reading = read_verdict(text)
    assert (reading.label, reading.reason) == (None, "no label")


@pytest.mark.parametrize(("text", "found"), SEVERAL.items())
def test_two_labels_in_one_text_are_a_contradiction_and_no_verdict(text: str, found: tuple[str, ...]) -> None:
    reading = read_verdict(text)
    assert (reading.label, reading.found, reading.reason) == (None, found, "contradiction")


@given(st.lists(st.sampled_from(LABELS), min_size=1, max_size=6))
def test_the_same_label_any_number_of_times_is_one_verdict_and_others_beside_it_are_none(labels: list[str]) -> None:
    reading = read_verdict(" - ".join(labels))
    assert set(reading.found) == set(labels)
    assert reading.label == (labels[0] if len(set(labels)) == 1 else None)


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    reading = read_verdict(text)
    assert (reading.label is None) == bool(reading.reason)


def test_a_tally_counts_votes_and_what_gave_none() -> None:
    counted = tally(["NTA", "nta", "YTA", "NTA or YTA", "hm", "INFO: when?"])
    assert counted.votes == {"NTA": 2, "YTA": 1, "ESH": 0, "NAH": 0, "INFO": 1}
    assert (counted.contradictory, counted.silent) == (1, 1)


def test_the_four_verdicts_fall_into_two_classes_and_info_into_none() -> None:
    assert set(WRONG) == set(VERDICTS) == set(LABELS) - {"INFO"}
    assert {label for label, wrong in WRONG.items() if wrong} == {"YTA", "ESH"}
