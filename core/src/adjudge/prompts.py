"""Renders prompts: named templates with a closed set of slots, no code, evidence first and the criterion last.

Everything before the criterion is byte-identical for all criteria of a submission, and everything before the output
for all candidates of an input, so that a prefix cache can serve it. Each text to judge stands in a block whose tags
end in a random code: the input's depends on the input, the others' on the submission, both on a secret, so that an
author cannot guess them and prefixes stay shared. The codes are left out of the digest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge.rubric import Criterion, Rubric
from adjudge.scale import Scale
from adjudge.submission import Comparison, Message, Submission, Text, as_text, said, speaker
from adjudge.transcript import tokens_of
from adjudge.values import Frozen
from adjudge.verdict import Prompt

SLOTS: Mapping[str, frozenset[str]] = {
    "system": frozenset({"role", "instructions"}),
    "input": frozenset({"input"}),
    "output": frozenset({"output", "reference", "context"}),
    "ask": frozenset({"criterion", "levels", "examples", "answer"}),
    "compare_output": frozenset({"output_a", "output_b", "reference", "context"}),
    "compare_ask": frozenset({"criterion", "levels", "examples", "answer"}),
}
"""The slots that each segment of a template may use."""

_SLOT = re.compile(r"\{([a-z_]+)\}")
_MARKER = re.compile(r"<(?=[\s/]*(?:input|output|reference|context|submission)\b[-\w]*)", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(
    r"<[|\uff5c][^<>|\uff5c]{1,40}[|\uff5c]>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<[be]os>"
)
_HIDDEN = re.compile(
    # Control characters (line feed, tab and the carriage return of a line end stay), soft hyphen, joiners, bidi
    # controls, line separators, fillers, variation selectors, tags, surrogates: what no reader sees and a model does.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|\r(?!\n)"
)
_FORGED_TURN = re.compile(r"^(?:system|user|assistant|tool)(?: \([a-z #\d]+\))?: ", re.MULTILINE)
_SOME_LETTERS = re.compile(r"(?:[^\W_][\W_]*){3}")


class Template(Frozen):
    """A named prompt template; part of the fingerprint."""

    name: str
    """Name used in packs."""
    version: str
    """Changes with the wording."""
    system: str = ""
    """System turn."""
    input: str = ""
    """First part of the user turn."""
    output: str
    """Second part."""
    ask: str
    """Last part."""
    compare_output: str = ""
    """Second part when two submissions are compared."""
    compare_ask: str = ""
    """Last part when two submissions are compared."""

    def check(self) -> None:
        """Refuse a slot that does not exist.

        Raises:
            UnknownNameError: A segment names a slot outside the closed set.
        """
        for segment, allowed in SLOTS.items():
            for slot in _SLOT.findall(getattr(self, segment)):
                if slot not in allowed:
                    raise UnknownNameError(f"slot in {segment} of the template {self.name!r}", slot, allowed)


@cache
def templates() -> Mapping[str, Template]:
    """All templates by name."""
    folder = files("adjudge") / "templates"
    loaded = [Template.model_validate(tomllib.loads(file.read_text("utf-8"))) for file in folder.iterdir()]
    for template in loaded:
        template.check()
    return {template.name: template for template in sorted(loaded, key=lambda template: template.name)}


def template_named(name: str) -> Template:
    """The template of that name.

    Raises:
        UnknownNameError: There is none.
    """
    if name not in templates():
        raise UnknownNameError("template", name, templates())
    return templates()[name]


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Put values into slots in one pass: a slot inside a value stays as it is."""
    return _SLOT.sub(lambda match: slots.get(match[1], match[0]), text)


def neutralise(text: str) -> str:
    """Break block markers and control tokens inside a text to judge, visibly and reversibly for a reader."""
    text = _MARKER.sub("&lt;", text)
    return _CONTROL_TOKEN.sub(lambda match: match[0].replace("<", "&lt;").replace("[", "&#91;"), text)


def flags_of(submission: Submission) -> tuple[str, ...]:
    """Things in a submission that deserve a look.

    Hidden Unicode, control tokens, forged markers or turns of a conversation, near-empty output.
    """
    output = as_text(submission.output)
    whole = "\n".join((as_text(submission.input), output, submission.reference or "", submission.context or ""))
    found = {
        "near-empty": _SOME_LETTERS.search(output) is None,
        "hidden-unicode": _HIDDEN.search(whole) is not None,
        "control-token": _CONTROL_TOKEN.search(whole) is not None,
        "forged-marker": _MARKER.search(whole) is not None,
        "forged-turn": any(map(_forges_a_turn, (submission.input, submission.output))),
    }
    return tuple(name for name, present in found.items() if present)


def _forges_a_turn(text: Text) -> bool:
    """Whether a message of a conversation holds a line that reads like the beginning of another one."""
    return not isinstance(text, str) and any(_FORGED_TURN.search(message.content) for message in text)


def code(secret: bytes, *parts: str) -> str:
    """The random code of a block: keyed by a secret and by what the block holds."""
    return hmac.new(secret, "\x00".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]


def _block(name: str, text: Text, boundary: str) -> str:
    """A text in tags; in a transcript that holds more than plain turns, every message in tags of its own."""
    if isinstance(text, str) or not any(map(_is_step, text)):
        return _tagged(name, neutralise(as_text(text)), boundary)
    turns = (
        f"{neutralise(speaker(message))}:\n{_tagged(f'{name}-{number}', neutralise(said(message)), boundary)}"
        for number, message in enumerate(text, start=1)
    )
    return _tagged(name, "\n".join(turns), boundary)


def _tagged(name: str, text: str, boundary: str) -> str:
    tag = f"{name}-{boundary}"
    return f"<{tag}>\n{text}\n</{tag}>"


def _is_step(message: Message) -> bool:
    """Whether a message is something else than a plain turn: a thought, a tool call, what a tool says."""
    return message.kind != "text" or message.role == "tool"


@dataclass
class Evidence:
    """One submission (or an ordered pair), rendered up to the criterion; renders one prompt per criterion.

    Raises:
        UnsupportedError: A pair is to be shown and the template has no place for it.
    """

    template: Template
    """The template."""
    rubric: Rubric
    """Gives role and instructions."""
    submissions: Sequence[Submission]
    """One, or two in the order in which they are shown."""
    secret: bytes
    """Keys the boundaries."""
    parts: frozenset[str] = frozenset({"input", "output"})
    """What of the submission is shown."""
    _segments: tuple[str, str, str] = field(init=False)
    _digest: hashlib._Hash = field(init=False)

    def __post_init__(self) -> None:
        first = self.submissions[0]
        if not self._output_template:
            raise UnsupportedError(
                f"the template {self.template.name!r} shows one submission, not two; use --template default"
            )
        self._segments = self._render(code(self.secret, as_text(first.input)), code(self.secret, *self._identity()))
        self._digest = hashlib.sha256()
        for segment in self._render("", ""):
            _feed(self._digest, segment)

    def _identity(self) -> list[str]:
        return [text for one in self.submissions for text in (one.id, as_text(one.input), as_text(one.output))]

    def _render(self, input_code: str, output_code: str) -> tuple[str, str, str]:
        first = self.submissions[0]
        role = f" with the standards of a {self.rubric.role}" if self.rubric.role else ""
        instructions = f"{self.rubric.instructions.strip()}\n" if self.rubric.instructions else ""
        system = fill(self.template.system, {"role": role, "instructions": instructions}).strip()
        asked = as_text(first.input)
        shown = asked and "input" in self.parts
        given = fill(self.template.input, {"input": _block("input", first.input, input_code)}) if shown else ""
        slots = {
            "reference": self._extra("reference", "A reference answer", first.reference, output_code),
            "context": self._extra("context", "Further evidence", first.context, output_code),
        }
        return system, given, fill(self._output_template, slots | self._outputs(output_code))

    @property
    def _output_template(self) -> str:
        return self.template.output if len(self.submissions) == 1 else self.template.compare_output

    def _outputs(self, boundary: str) -> dict[str, str]:
        texts = [submission.output for submission in self.submissions]
        if len(texts) == 1:
            return {"output": _block("output", texts[0], boundary)}
        named = zip("ab", texts, strict=True)
        return {f"output_{name}": _block(f"output-{name}", text, boundary) for name, text in named}

    def _extra(self, name: str, title: str, text: str | None, boundary: str) -> str:
        return f"{title}:\n{_block(name, text, boundary)}\n\n" if text and name in self.parts else ""

    @property
    def tokens(self) -> int:
        """Estimated tokens of everything before the criterion."""
        return sum(map(tokens_of, self._segments))

    def ask(self, criterion: str, levels: str, examples: str, answer: str) -> str:
        """Render the last segment, for one criterion or for a few at once; the same for every submission."""
        segment = self.template.ask if len(self.submissions) == 1 else self.template.compare_ask
        return fill(segment, {"criterion": criterion, "levels": levels, "examples": examples, "answer": answer})

    def prompt(self, ask: str) -> Prompt:
        """The prompt that ends in this segment."""
        digest = self._digest.copy()
        _feed(digest, ask)
        system, given, output = self._segments
        return Prompt(system=system, input=given, output=output, ask=ask, digest=digest.digest())


def _feed(digest: hashlib._Hash, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    digest.update(len(data).to_bytes(8, "big"))
    digest.update(data)


def evidence_parts(criteria: Sequence[Criterion]) -> frozenset[str]:
    """What of a submission these criteria need, joined, so that they share one prefix."""
    return frozenset(part for criterion in criteria for part in criterion.evidence)


def describe_levels(scale: Scale, words: Sequence[str]) -> str:
    """The levels of a scale with their anchors, one a line; empty if the words say it all.

    Args:
        scale: The scale.
        words: What the judge answers with, in level order.
    """
    lines = []
    for level, word in zip(scale.levels, words, strict=True):
        meaning = ": ".join(part for part in ("" if word == level.word else level.word, level.anchor) if part)
        lines.append(f"- {word}: {meaning}\n" if meaning else f"- {word}\n")
    plain = all(word == level.word and not level.anchor for level, word in zip(scale.levels, words, strict=True))
    return "" if plain else "Levels:\n" + "".join(lines)


def describe_examples(criterion: Criterion, words: Sequence[str]) -> str:
    """The judged examples of a criterion; `words` as for `describe_levels`."""
    word_of = {level.id: word for level, word in zip(criterion.scale.levels, words, strict=True)}
    return "".join(
        f"Example:\n{neutralise(example.output)}\nLevel: {word_of[example.level]}"
        f"{'. ' + example.explanation if example.explanation else ''}\n\n"
        for example in criterion.examples
    )


def items_in_input_order(items: Sequence[Submission | Comparison]) -> list[int]:
    """Positions of the items with those that share an input side by side, first appearance first."""
    groups: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        first = item if isinstance(item, Submission) else item.submissions[0]
        groups.setdefault(as_text(first.input), []).append(position)
    return [position for group in groups.values() for position in group]
