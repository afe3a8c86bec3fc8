"""Cells with Python literals are read and never run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge_moral.literals import MAX_LENGTH, parse_list, parse_literal, parse_mapping

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_python_writes_is_read_back(value: object) -> None:
    assert parse_literal(repr(value)) == value


def test_a_missing_value_of_a_data_frame_is_none() -> None:
    assert parse_literal("[nan, 'Care', {'a': nan}, -1.5]") == [None, "Care", {"a": None}, -1.5]


@pytest.mark.parametrize(
    "cell",
    [
        "__import__('os').system('true')",
        "[x for x in (1,)]",
        "(lambda: 1)()",
        "open('/etc/passwd').read()",
        "nan()",
        "inf",
        "[1,",
        "",
        "'\0'",
        "[" * 50_000,
        "(" * 300,
        "-" * 20_000 + "1",
        "{[]: 1}",
        "9" * 5_000,
    ],
)
def test_anything_else_is_refused_in_one_line(cell: str) -> None:
    with pytest.raises(ValueError, match="no Python literal") as caught:
        parse_literal(cell)
    assert len(str(caught.value)) < 150
    assert "\n" not in str(caught.value)


def test_a_cell_beyond_all_measure_is_not_looked_at() -> None:
    with pytest.raises(ValueError, match="more than 1,000,000 characters"):
        parse_literal("'" + "a" * MAX_LENGTH + "'")


def test_lists_and_mappings_come_as_values_or_as_text() -> None:
    assert parse_list("['a', 'b']") == parse_list(["a", "b"]) == ["a", "b"]
    assert parse_mapping("{'a': 0.5}") == parse_mapping({"a": 0.5}) == {"a": 0.5}
    with pytest.raises(ValueError, match="a list is wanted, not dict"):
        parse_list("{'a': 1}")
    with pytest.raises(ValueError, match="a mapping is wanted, not NoneType"):
        parse_mapping(None)
