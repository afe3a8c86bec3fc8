"""From a reply to a level: the read-outs, pure functions of the reply.

`label` reads the log-probabilities of the scale's words; `reasoned` reads a JSON reply with an explanation. Both give a
`Reading` or say why there is none: no path invents a level, and a cut reply is never repaired.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from adjudge.errors import UnknownNameError
from adjudge.options import refuse_unknown, validated
from adjudge.reply_text import UndecidedError, UnreadableError, is_text, level_of_word, parse_json_reply
from adjudge.rubric import Criterion
from adjudge.scale import BINARY, Scale
from adjudge.verdict import JsonObject, Reply, Sampling

_MAX_EXPLANATION = 600
_MAX_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says about one criterion."""

    level: str
    """Id of the level."""
    distribution: dict[str, float] | None = None
    """Probability of each level id; sums to 1."""
    label_mass: float | None = None
    """Probability of all labels together before the constraint."""
    explanation: str = ""
    """Why, in the judge's words."""
    quotes: tuple[str, ...] = ()
    """Passages cited."""
    note: str = ""
    """How the reply was repaired."""


class ReadOut(Protocol):
    """How a level is asked for and read."""

    @property
    def name(self) -> str:
        """Name with settings; part of the fingerprint."""

    @property
    def sampling(self) -> Sampling:
        """Decoding parameters that suit it."""

    def words(self, scale: Scale) -> tuple[str, ...]:
        """What the judge answers with for each level, in level order."""

    def answer(self, criteria: Sequence[Criterion]) -> str:
        """What the prompt says about the form of the answer."""

    def labels(self, criteria: Sequence[Criterion]) -> tuple[str, ...]:
        """The words to choose from; empty if the reply is JSON."""

    def json_schema(self, criteria: Sequence[Criterion]) -> JsonObject | None:
        """The schema of the reply; None if it is a label."""

    def read(self, reply: Reply, criteria: Sequence[Criterion]) -> dict[str, Reading | UnreadableError]:
        """Read a reply: one entry per criterion id."""


@dataclass(frozen=True, slots=True)
class LabelReadOut:
    """The distribution over the scale's words at the answer's first tokens; the level is the likeliest word.

    Labels of several tokens count as whole sequences. The words' joint probability before any constraint is kept as
    `label_mass`; below `min_mass` nothing is read.
    """

    min_mass: float = 0.01
    """Least joint probability of the labels, where the backend tells it."""
    keys: Literal["numbers", "words"] = "numbers"
    """What stands for a level of an ordinal scale: its number from 1 (one token, and the order shows), or its word.
    Levels of other scales, and levels whose words are numbers already, are always asked for by their words."""

    @property
    def name(self) -> str:
        """`label` with its settings."""
        return f"label(min_mass={self.min_mass:g},keys={self.keys})"

    def words(self, scale: Scale) -> tuple[str, ...]:
        """Numbers for an ordinal scale, else the levels' words."""
        numbered = self.keys == "numbers" and scale.kind == "ordinal" and not all(map(str.isdecimal, scale.words))
        return tuple(str(number) for number in range(1, len(scale.levels) + 1)) if numbered else scale.words

    @property
    def sampling(self) -> Sampling:
        """One label long."""
        return Sampling(max_tokens=16)

    def answer(self, criteria: Sequence[Criterion]) -> str:
        """Ask for one of the words and nothing else; the forms that a small model understands best."""
        (criterion,) = criteria
        words = self.words(criterion.scale)
        choice = f"{', '.join(words[:-1])} or {words[-1]}"
        if words != criterion.scale.words:
            return f"Which level fits best? Answer with its number only: {choice}."
        if words == BINARY.words:
            return f"Does the submission meet this criterion? Answer with one of these only: {choice}."
        return f"Which one fits best? Answer with one of these only: {choice}."

    def labels(self, criteria: Sequence[Criterion]) -> tuple[str, ...]:
        """The words to choose from."""
        (criterion,) = criteria
        return self.words(criterion.scale)

    def json_schema(self, criteria: Sequence[Criterion]) -> JsonObject | None:
        """None: the reply is a label."""
        del criteria
        return None

    def read(self, reply: Reply, criteria: Sequence[Criterion]) -> dict[str, Reading | UnreadableError]:
        """Read the distribution, or the word itself where the backend gives no log-probabilities."""
        (criterion,) = criteria
        try:
            return {criterion.id: self._read(reply, criterion.scale)}
        except UnreadableError as error:
            return {criterion.id: error}

    def _read(self, reply: Reply, scale: Scale) -> Reading:
        if reply.logprobs is None:
            if reply.stop == "length":
                raise UnreadableError("the reply was cut at its token limit")
            return Reading(level=level_of_word(reply.text, scale, self.words(scale)))
        words = zip(self.words(scale), scale.levels, strict=True)
        logprobs = {level.id: reply.logprobs.get(word, -math.inf) for word, level in words}
        mass, distribution = _distribution(logprobs)
        masked = reply.logprobs_are == "masked"
        least = 1 - _SLACK if masked else self.min_mass
        if mass < least:
            raise UndecidedError(f"the labels hold only {mass:.2g} of the probability (least: {least:g})")
        ranked = sorted(distribution.values(), reverse=True)
        if ranked[0] == ranked[1]:
            raise UndecidedError("two labels are exactly equally likely")
        level = max(distribution, key=distribution.__getitem__)
        return Reading(level=level, distribution=distribution, label_mass=None if masked else mass)


_ROUNDING, _SLACK = 1e-3, 1e-2


def _distribution(logprobs: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """Joint probability of the levels, and their shares in it.

    Raises:
        UnreadableError: These are no log-probabilities of things that exclude each other.
    """
    if any(math.isnan(value) or value > _ROUNDING for value in logprobs.values()):
        raise UnreadableError("a log-probability is not a number or above 0")
    weights = {level: math.exp(value) for level, value in logprobs.items()}
    mass = math.fsum(weights.values())
    if mass <= 0:
        raise UnreadableError("the labels hold none of the probability")
    if mass > 1 + _SLACK:
        raise UnreadableError(f"the labels hold {mass:.3g} of the probability, more than all of it")
    return mass, {level: weight / mass for level, weight in weights.items()}


@dataclass(frozen=True, slots=True)
class ReasonedReadOut:
    """A JSON reply with an explanation and a level, in either order, and optional quotes."""

    order: Literal["explanation-first", "level-first", "level-only"] = "explanation-first"
    """Which field the judge writes first; `level-only` asks for no explanation."""
    quotes: bool = False
    """Ask for passages of the submission as evidence."""
    max_tokens: int = 400
    """Per criterion; a reply cut there is not read."""

    @property
    def name(self) -> str:
        """`reasoned` with its settings."""
        return f"reasoned({self.order}{',quotes' if self.quotes else ''},{self.max_tokens})"

    def words(self, scale: Scale) -> tuple[str, ...]:
        """The levels' words."""
        return scale.words

    @property
    def sampling(self) -> Sampling:
        """Greedy; the length is per criterion."""
        return Sampling(max_tokens=self.max_tokens)

    def answer(self, criteria: Sequence[Criterion]) -> str:
        """Show the JSON to write, field by field."""
        if len(criteria) == 1:
            return f"Answer with JSON only: {self._form(criteria[0])}"
        forms = ",\n ".join(f'"{criterion.id}": {self._form(criterion)}' for criterion in criteria)
        return f"Answer with JSON only, one entry per criterion:\n{{{forms}}}"

    def _form(self, criterion: Criterion) -> str:
        level = f'"level": one of {json.dumps(criterion.scale.words, ensure_ascii=False)}'
        reasons = ['"explanation": "one or two sentences"']
        if self.quotes:
            reasons.append('"quotes": ["passages copied from the submission, word by word"]')
        fields = {
            "explanation-first": [*reasons, level],
            "level-first": [level, *reasons],
            "level-only": [level],
        }[self.order]
        return "{" + ", ".join(fields) + "}"

    def labels(self, criteria: Sequence[Criterion]) -> tuple[str, ...]:
        """None: the reply is JSON."""
        del criteria
        return ()

    def json_schema(self, criteria: Sequence[Criterion]) -> JsonObject | None:
        """An object for one criterion, or an object of such objects for several."""
        if len(criteria) == 1:
            return self._schema(criteria[0])
        return _object({criterion.id: self._schema(criterion) for criterion in criteria})

    def _schema(self, criterion: Criterion) -> JsonObject:
        level = {"type": "string", "enum": list(criterion.scale.words)}
        reasons: JsonObject = {"explanation": {"type": "string", "maxLength": _MAX_EXPLANATION}}
        if self.quotes:
            reasons["quotes"] = {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": _MAX_QUOTE}}
        if self.order == "level-only":
            return _object({"level": level})
        return _object({"level": level} | reasons if self.order == "level-first" else reasons | {"level": level})

    def read(self, reply: Reply, criteria: Sequence[Criterion]) -> dict[str, Reading | UnreadableError]:
        """Read the JSON; a fault in one criterion's part leaves the others readable."""
        try:
            data, note = parse_json_reply(reply)
        except UnreadableError as error:
            return dict.fromkeys((criterion.id for criterion in criteria), error)
        single = len(criteria) == 1
        return {c.id: self._read_part(data if single else data.get(c.id), c, note) for c in criteria}

    def _read_part(self, part: Any, criterion: Criterion, note: str) -> Reading | UnreadableError:
        if not isinstance(part, dict) or "level" not in part:
            return UnreadableError(f"no level for {criterion.id!r}")
        explanation, quotes = part.get("explanation", ""), part.get("quotes", [])
        if not is_text(explanation) or not _is_texts(quotes):
            return UnreadableError(f"the explanation or quotes of {criterion.id!r} are not text")
        try:
            level = level_of_word(part["level"], criterion.scale)
        except UnreadableError as error:
            return error
        return Reading(level=level, explanation=explanation, quotes=tuple(quotes), note=note)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(is_text(item) for item in value)


def _object(properties: Mapping[str, Any]) -> JsonObject:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


READ_OUTS: Mapping[str, type[LabelReadOut | ReasonedReadOut]] = {"label": LabelReadOut, "reasoned": ReasonedReadOut}
"""Read-outs by name."""


def build_read_out(name: str, **options: Any) -> ReadOut:
    """The read-out of that name.

    Raises:
        UnknownNameError: There is none, or it has no such option.
        UnsupportedError: An option has a value that it cannot take.
    """
    if name not in READ_OUTS:
        raise UnknownNameError("read-out", name, READ_OUTS)
    kind = READ_OUTS[name]
    refuse_unknown(f"option of the read-out {name!r}", options, kind.__dataclass_fields__)
    built: ReadOut = validated(f"read-out {name!r}", kind, options)
    return built


def expected_score(distribution: Mapping[str, float] | None, scale: Scale) -> float | None:
    """Sum of probability times score; None without a distribution or with a level that has no score."""
    if distribution is None or scale.range is None:
        return None
    return math.fsum(p * (scale.level(level).score or 0.0) for level, p in distribution.items())
