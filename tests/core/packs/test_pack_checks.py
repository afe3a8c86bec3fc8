"""A pack whose checks cannot work does not load: every fault with its place and the near word."""

from __future__ import annotations

import sys

import pytest

from adjudge.checks import check_of
from adjudge.criterion import Criterion
from adjudge.errors import PackError, UnsupportedError
from adjudge.packs import parse_pack

HEAD = 'id: demo/trap\nversion: "1"\ndraft: true\ncriteria:\n'


def faults(*criteria: str) -> list[str]:
    text = HEAD + "".join(f"  - {{id: c{n}, text: T{n}., {rest}}}\n" for n, rest in enumerate(criteria))
    with pytest.raises(PackError) as caught:
        parse_pack(text.encode(), "trap.yaml")
    return str(caught.value).splitlines()


def test_every_misspelt_check_is_told_with_its_place_and_the_near_word() -> None:
    found = faults(
        "options: {check: {kind: length, maximum: 8, mim: 3}}",
        "options: {check: {kind: contain, value: Please}}",
        'options: {check: {kind: regex, pattern: "(?=a)"}}',
    )
    assert found[:3] == [
        "trap.yaml:5:57: the check 'length' has no field 'maximum'; did you mean 'max'? [unknown-field]",
        "trap.yaml:5:69: the check 'length' has no field 'mim'; did you mean 'min'? [unknown-field]",
        "trap.yaml:6:49: no kind of check 'contain'; did you mean 'contains'? [bad-check]",
    ]
    assert found[3].startswith("trap.yaml:7:65: the pattern '(?=a)' is not RE2 syntax")
    assert len(found) == 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("{check: nope}", "a check needs the field `kind`, one of contains"),
        ("{check: {value: x}}", "a check needs the field `kind`, one of contains"),
        ("{check: {kind: [length]}}", "no kind of check ['length']; did you mean 'length'?"),
        ("{check: {kind: regex}}", "the check 'regex' needs the field `pattern`"),
        ("{check: {kind: length, unit: word}}", "`unit`: Input should be 'words' or 'characters'"),
        ("{check: {kind: exact, value: 7}}", "`value`: Input should be a valid string"),
        (
            "{check: {kind: exact, value: x, levels: [umet, met]}}",
            "level 'umet' is not in its scale; did you mean 'unm",
        ),
        ("{check: {kind: json_schema, of: {type: nonsense}}}", "not a JSON schema"),
    ],
)
def test_one_fault_is_one_line(options: str, says: str) -> None:
    (line,) = faults(f"options: {options}")
    assert says in line
    assert line.startswith("trap.yaml:5:")


def test_a_check_on_labels_names_its_levels() -> None:
    scale = "scale: {kind: labels, levels: [{id: red}, {id: blue}]}"
    (line,) = faults(f"{scale}, options: {{check: {{kind: exact, value: x}}}}")
    assert "a check on labels needs levels" in line
    text = (
        f"{HEAD}  - {{id: c, text: T., {scale}, options: {{check: {{kind: exact, value: x, levels: [red, blue]}}}}}}\n"
    )
    assert parse_pack(text.encode(), "good.yaml").rubric.criteria[0].id == "c"


def test_a_pattern_is_no_fault_of_the_pack_where_re2_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    text = f"{HEAD}  - {{id: c, text: T., options: {{check: {{kind: regex, pattern: a}}}}}}\n"
    assert parse_pack(text.encode(), "good.yaml").rubric.criteria[0].options["check"]["kind"] == "regex"


def test_a_rubric_from_elsewhere_is_refused_with_every_fault() -> None:
    wrong = Criterion(id="a", text="A.", options={"check": {"kind": "length", "maximum": 8, "mim": 3}})
    with pytest.raises(UnsupportedError, match=r"criterion 'a': check: .*'maximum'; did you mean 'max'\?; .*'mim'"):
        check_of(wrong)
