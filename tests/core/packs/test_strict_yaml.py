"""What is refused before anything is understood, and where."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import PackError
from adjudge.packs import starter_pack
from adjudge.packs.findings import Findings
from adjudge.packs.tree import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_TEXT, Node, parse_tree, peek_id

LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


def read(text: str | bytes, loader: object = LOADERS[1]) -> Node:
    return parse_tree(text if isinstance(text, bytes) else text.encode(), Findings("p.yaml"), loader)


def bare(node: Node) -> object:
    """A tree without its places."""
    if node.kind == "scalar":
        return node.text, node.quoted
    return [bare(item) for item in node.items] or {key: bare(value) for key, (_, value) in node.entries.items()}


@pytest.mark.parametrize("loader", LOADERS, ids=["python", "libyaml"])
@pytest.mark.parametrize(
    ("text", "place", "rule"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), "duplicate-key"),
        ("a: {x: 1, x: 2}\n", (1, 11), "duplicate-key"),
        ('a: 1\n"a": 2\n', (2, 1), "duplicate-key"),
        ("a: &x 1\n", (1, 4), "anchor"),
        ("a: [1]\nb: *x\n", (2, 4), "alias"),
        ("a: 1\n<<: {b: 2}\n", (2, 1), "merge-key"),
        ("a: !!int 3\n", (1, 4), "tag"),
        ("a: !!python/object/apply:os.system [ls]\n", (1, 4), "tag"),
        ("a: ! x\n", (1, 4), "tag"),
        ("%YAML 1.2\n---\na: 1\n", (1, 1), "directive"),
        ("a: 1\n---\nb: 2\n", (2, 1), "several-documents"),
        ("? [a]\n: 1\n", (1, 3), "key"),
        ("a: b: c\n", (1, 5), "yaml-syntax"),
        ("a: 1\n\tb: 2\n", (2, 1), "yaml-syntax"),
        ("a:\n  - @x\n", (2, 5), "yaml-syntax"),
        ("", (1, 1), "empty"),
        ("# nothing but this\n", (1, 1), "empty"),
        ('a: "x\\0y"\n', (1, 4), "control-character"),
        ('a: "\\e[2J"\n', (1, 4), "control-character"),
        ("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH, (1, MAX_DEPTH + 3), "too-deep"),
        ("a: " + "x" * (MAX_TEXT + 1), (1, 4), "too-long"),
    ],
)
def test_refuses_what_is_no_strict_yaml_at_its_place(
    text: str, place: tuple[int, int], rule: str, loader: object
) -> None:
    with pytest.raises(PackError) as caught:
        read(text, loader)
    first = caught.value.problems[0]
    assert ((first.line, first.column), first.rule) == (place, rule)
    assert first.file == "p.yaml"


@pytest.mark.parametrize(
    ("data", "place", "rule"),
    [
        (b"a: 1\nb: caf\xe9\n", (2, 7), "not-utf-8"),
        ("a: 1\n".encode("utf-16"), (1, 1), "not-utf-8"),
        (b"a: 1\r\nb: \x00\n", (2, 4), "control-character"),
        ("ä: ä\x07\n".encode(), (1, 5), "control-character"),
        ("a: x\u2028y\n".encode(), (1, 5), "control-character"),
        ("a: x\u0085y\n".encode(), (1, 5), "control-character"),
        (b"a: " + b"x" * MAX_BYTES, (1, 1), "too-large"),
    ],
)
def test_refuses_bytes_that_are_no_text(data: bytes, place: tuple[int, int], rule: str) -> None:
    with pytest.raises(PackError) as caught:
        read(data)
    first = caught.value.problems[0]
    assert ((first.line, first.column), first.rule) == (place, rule)


@pytest.mark.parametrize("escape", ['"\\ud800"', '"\\UFFFFFFFF"'])
@pytest.mark.parametrize("loader", LOADERS, ids=["python", "libyaml"])
def test_refuses_escapes_that_are_no_character(escape: str, loader: object) -> None:
    with pytest.raises(PackError):
        read(f"a: {escape}\n", loader)


def test_refuses_one_node_more_than_the_cap() -> None:
    read("- x\n" * (MAX_NODES - 1))
    with pytest.raises(PackError, match="too-many-nodes"):
        read("- x\n" * MAX_NODES)


def test_several_findings_come_in_one_error_in_file_order() -> None:
    with pytest.raises(PackError) as caught:
        read("a: &x 1\nb: !t 2\na: *x\n")
    assert [(p.line, p.rule) for p in caught.value.problems] == [
        (1, "anchor"),
        (2, "tag"),
        (3, "duplicate-key"),
        (3, "alias"),
    ]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    text = "a: 1\nb:\n  - |\n    two\n    lines\n"
    assert bare(read(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())) == bare(read(text))


def test_every_node_knows_its_place() -> None:
    tree = read("a: 1\nb:\n  - x\n  - {c: ü, d: y}\n")
    assert tree.find(["b", 1, "d"]).place == (4, 15)
    assert tree.find(["b", 1, "missing", 0]).place == tree.find(["b", 1]).place == (4, 5)


@pytest.mark.parametrize(
    ("text", "found"),
    [("id: a/b\nversion: 1\n", "a/b"), ("x: {id: no}\nid: 'yes'\n", "yes"), ("id: [a]\n", None), ("- id\n", None)],
)
def test_the_id_is_read_without_the_rest(text: str, found: str | None) -> None:
    assert peek_id(text.encode(), "p.yaml") == found


def test_peeking_stops_behind_the_id() -> None:
    assert peek_id(b"id: a\nb: [unfinished\n", "p.yaml") == "a"


pieces = st.sampled_from(
    [*"[]{}:,-?&*!|>'\"%@`#\n ~=<\té\\a1", ": ", "- ", "\n  ", "\n- ", "|\n", ">-\n", "---", "...", '""', "\r\n", "\r"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=30).map("".join), st.integers(0, 1200), st.integers(0, 200))
def test_libyaml_and_the_python_parser_give_the_same_tree_where_both_read(
    inserted: str, start: int, length: int
) -> None:
    base = starter_pack("a/b", "b.yaml")
    text = base[start : start + length] + inserted + base[start + length : start + 2 * length]
    trees = []
    for loader in LOADERS:
        try:
            trees.append(bare(read(text, loader)))
        except PackError:
            return
    assert trees[0] == trees[1]
