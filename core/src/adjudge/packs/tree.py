"""Strict YAML: bytes to a tree of nodes with their places.

The tree is composed from the parser's events. PyYAML's constructor, which turns `no` into False, doubles merge keys
per level and runs tags, is never used; what a scalar means is decided later, by the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from adjudge.packs.findings import Findings, Place, shown

MAX_BYTES = 2 * 2**20
"""Largest file, in bytes."""
MAX_DEPTH = 40
"""Deepest nesting of lists and mappings."""
MAX_NODES = 30_000
"""Most keys and values together."""
MAX_TEXT = 200_000
"""Longest scalar, in characters."""
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

# libyaml where PyYAML was built with it: about ten times faster, and tested to give the same trees.
FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_BOM = b"\xef\xbb\xbf"
_BREAK = re.compile(r"\r\n|\r|\n")
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# YAML 1.1 takes these for line breaks and editors do not, so places would be wrong and text would change.
_ODD_BREAK = re.compile("[\u2028\u2029]")
_ODD = (
    (_NOT_TEXT, "control-character"),
    (_ODD_BREAK, "control-character"),
    (re.compile("^%", re.MULTILINE), "directive"),
)

_HINTS = (
    ("mapping values are not allowed", "put text that holds `: ` in quotes, or below `|` on lines of its own"),
    ("cannot start any token", "indent with spaces, not tabs; put text that begins with @, ` or % in quotes"),
    ("could not find expected ':'", "write `field: value`, or put the text in quotes"),
    ("document start", "the text ends before this; check brackets and indentation"),
    ("did not find expected", "check the indentation, the quotes and the brackets above"),
    ("expected", "check the indentation, the quotes and the brackets above"),
    ("escape", "a backslash needs single quotes, or `|` and a line of its own"),
)


@dataclass(slots=True)
class Node:
    """A scalar, list or mapping and where it stands."""

    place: Place
    """Its first character."""
    kind: Literal["scalar", "list", "map"]
    """What it is."""
    text: str = ""
    """Text of a scalar, escapes and folding applied, otherwise as written."""
    quoted: bool = False
    """The scalar stands in quotes or in a block, so it is text whatever it looks like."""
    items: list[Node] = field(default_factory=list)
    """Items of a list."""
    entries: dict[str, tuple[Place, Node]] = field(default_factory=dict)
    """Place of the key and value, by key, of a mapping."""

    def child(self, step: object) -> Node | None:
        """The item of that index or the value of that key, if there is one."""
        if self.kind == "list" and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        entry = self.entries.get(str(step))
        return None if entry is None else entry[1]

    def find(self, path: Iterable[object]) -> Node:
        """The node at a path of keys and indices, or the deepest one on the way to it."""
        node = self
        for step in path:
            following = node.child(step)
            if following is None:
                return node
            node = following
        return node


def parse_tree(data: bytes, findings: Findings, loader: Any = FAST_LOADER) -> Node:
    """Read one YAML document.

    Args:
        data: The whole file.
        findings: Takes the problems.
        loader: PyYAML loader class; only its parser is used.

    Returns:
        The root node.

    Raises:
        PackError: The bytes are no strict YAML; with every problem up to the first that hides the rest.
    """
    builder = _Builder(findings)
    for event in _events(_decode(data, findings), findings, loader):
        builder.take(event)
    if builder.root is None:
        findings.add(Place(1, 1), "the file is empty; `adjudge new rubric NAME` writes one to start from", "empty")
    findings.raise_if_any()
    assert builder.root is not None
    return builder.root


def peek_id(data: bytes, name: str) -> str | None:
    """Read the top-level `id` and nothing behind it; None if there is none.

    Args:
        data: The whole file.
        name: What to call it in messages.

    Raises:
        PackError: What stands before the id is no strict YAML.
    """
    findings = Findings(name)
    builder = _Builder(findings)
    for event in _events(_decode(data, findings), findings, FAST_LOADER):
        builder.take(event)
        found = builder.root.child("id") if builder.root is not None else None
        if found is not None:
            return found.text if found.kind == "scalar" else None
    return None


def _decode(data: bytes, findings: Findings) -> str:
    """Bytes to text, with everything refused that is no text."""
    if len(data) > MAX_BYTES:
        findings.add(Place(1, 1), f"the file is larger than {MAX_BYTES // 2**20} MiB; split the rubric", "too-large")
        findings.raise_if_any()
    data = data.removeprefix(_BOM)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = _place_of(data[: error.start].decode(errors="replace"))
        findings.add(place, f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8", "not-utf-8")
        findings.raise_if_any()
    _refuse_odd_text(text, findings)
    return text


def _refuse_odd_text(text: str, findings: Findings) -> None:
    """Refuse what is binary, damaged or a directive, at its first place."""
    for pattern, rule in _ODD:
        found = pattern.search(text)
        if found:
            what = "a % directive" if rule == "directive" else _code(found)
            findings.add(_place_of(text[: found.start()]), f"{what} has no place in a pack; remove it", rule)
            findings.raise_if_any()


def _place_of(before: str) -> Place:
    """The place just after some text."""
    ends = [found.end() for found in _BREAK.finditer(before)]
    return Place(len(ends) + 1, len(before) - (ends[-1] if ends else 0) + 1)


def _code(found: re.Match[str]) -> str:
    return f"the character U+{ord(found.group()):04X}"


def _events(text: str, findings: Findings, loader_class: Any) -> Iterator[Any]:
    """Run the parser; whatever it raises becomes a problem with its place."""
    last = Place(1, 1)
    try:
        loader = loader_class(text)
        while loader.check_event():
            event = loader.get_event()
            last = _place(event.end_mark)
            yield event
    except yaml.MarkedYAMLError as error:
        place = last if error.problem_mark is None else _place(error.problem_mark)
        problem = " ".join(str(error.problem or error.context).split())
        if "nesting depth" in problem:  # newer parsers have a limit of their own
            findings.add(place, _TOO_DEEP, "too-deep")
            findings.raise_if_any()
        hint = next((hint for sign, hint in _HINTS if sign in problem), "check the line above as well")
        findings.add(place, f"no valid YAML: {problem}; {hint}", "yaml-syntax")
        findings.raise_if_any()
    except (yaml.YAMLError, ValueError, OverflowError):
        # The pure Python scanner lets out what int() and chr() raise on huge escapes and version numbers.
        findings.add(last, "no valid YAML behind this place; put the text in quotes", "yaml-syntax")
        findings.raise_if_any()


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being filled."""

    node: Node
    key: tuple[str, Place] | None = None
    """Key that waits for its value."""


class _Builder:
    """Composes the tree from events, without recursion, and refuses what a pack must not hold."""

    def __init__(self, findings: Findings) -> None:
        self.root: Node | None = None
        self._findings = findings
        self._open: list[_Frame] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take the parser's next event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._take_node(event)

    def _start_document(self, event: Any) -> None:
        place = _place(event.start_mark)
        self._documents += 1
        if self._documents > 1:
            self._stop(place, "a second document begins here; keep one rubric per file", "several-documents")

    def _take_node(self, event: Any) -> None:
        place = _place(event.start_mark)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(place, f"more than {MAX_NODES} keys and values; split the rubric", "too-many-nodes")
        self._check_marks(event, place)
        if isinstance(event, yaml.CollectionStartEvent):
            node = Node(place, "list" if isinstance(event, yaml.SequenceStartEvent) else "map")
            self._attach(node)
            self._open.append(_Frame(node))
            if len(self._open) > MAX_DEPTH:
                self._stop(place, _TOO_DEEP, "too-deep")
        elif isinstance(event, yaml.ScalarEvent):
            self._check_text(event.value, place)
            self._attach(Node(place, "scalar", text=event.value, quoted=bool(event.style)))
        else:
            self._attach(Node(place, "scalar"))

    def _check_marks(self, event: Any, place: Place) -> None:
        """Refuse anchors, aliases and tags: they hide what a reader sees, and some expand without end."""
        if event.anchor is not None:
            kind, sign = ("alias", "*") if isinstance(event, yaml.AliasEvent) else ("anchor", "&")
            self._refuse(place, f"the {kind} {sign}{event.anchor[:40]} is not allowed; write the value out", kind)
        if getattr(event, "tag", None) is not None:
            self._refuse(place, f"the tag {shown(event.tag)} is not allowed; remove it", "tag")

    def _check_text(self, text: str, place: Place) -> None:
        if len(text) > MAX_TEXT:
            self._stop(place, f"a text longer than {MAX_TEXT} characters; shorten it", "too-long")
        found = _NOT_TEXT.search(text)
        if found is not None:
            self._refuse(place, f"{_code(found)}, written as an escape, is no text; remove it", "control-character")

    def _attach(self, node: Node) -> None:
        """Put a node where it belongs: the root, an item, a key or the value of the key before it."""
        if not self._open:
            self.root = self.root or node
            return
        frame = self._open[-1]
        if frame.node.kind == "list":
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = (self._key(node), node.place)
        else:
            key, place = frame.key
            frame.key = None
            if key in frame.node.entries:
                line = frame.node.entries[key][0].line
                self._refuse(place, f"the field {shown(key)} stands on line {line} already", "duplicate-key")
            else:
                frame.node.entries[key] = (place, node)

    def _key(self, node: Node) -> str:
        if node.kind != "scalar":
            self._refuse(node.place, "a field's name must be plain text, not a list or mapping", "key")
        elif node.text == "<<" and not node.quoted:
            self._refuse(node.place, "the merge key << is not allowed; write the fields out", "merge-key")
        return node.text

    def _refuse(self, place: Place, message: str, rule: str) -> None:
        self._findings.add(place, message, rule)

    def _stop(self, place: Place, message: str, rule: str) -> None:
        self._refuse(place, message, rule)
        self._findings.raise_if_any()
