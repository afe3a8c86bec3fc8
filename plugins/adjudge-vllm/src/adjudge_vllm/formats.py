"""Questions in a judge model's own prompt format, and its replies as the answer that was asked for.

Such models were trained on one layout and one form of answer, most of them a number. The question's own words about the
form of the answer are taken out, the format's stand in their place; levels are numbered from 1 where their words are no
numbers. A reply is read by the format's pattern as a whole and told again as the JSON that the question wanted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adjudge.errors import UnsupportedError
from adjudge.prompts import fill
from adjudge.verdict import JsonObject, Prompt, Question
from adjudge_vllm.presets import Format, Preset

# How core's read-outs ask for the answer. A wording that is not known here stays in the prompt.
_ANSWER = re.compile(
    r"Answer with JSON only: \{[^\n]*\}"
    r"|Which level fits best\? Answer with its number only: [^\n]*\."
    r"|(?:Does the submission meet this criterion|Which one fits best)\? Answer with one of these only: [^\n]*\."
)
_WRAPPING = "*_`'\"()[]. \n\t"


class UnreadableReplyError(Exception):
    """A reply does not have the format's form."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the model may answer with, and what each stands for."""

    words: tuple[str, ...]
    """The levels as the question names them."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What the model writes: the words if they are numbers, else their numbers from 1."""
        if all(word.isdecimal() for word in self.words):
            return self.words
        return tuple(str(number) for number in range(1, len(self.words) + 1))

    def listed(self, line: str) -> str:
        """One line per choice; nothing if the keys say it all."""
        if self.keys == self.words:
            return ""
        pairs = zip(self.keys, self.words, strict=True)
        return "".join(fill(line, {"number": key, "word": word}) for key, word in pairs)

    def word(self, written: str) -> str:
        """The word that a written level stands for.

        Raises:
            UnreadableReplyError: It is none of the keys.
        """
        bare = written.strip(_WRAPPING)
        if bare not in self.keys:
            raise UnreadableReplyError(f"{bare[:40]!r} is not one of {', '.join(self.keys)}")
        return self.words[self.keys.index(bare)]


def choices_of(question: Question, preset: str) -> Choices:
    """What may be answered.

    Raises:
        UnsupportedError: The question is not about one level of one criterion, the only thing these models answer.
    """
    if question.labels:
        return Choices(question.labels)
    level = _properties(question.json_schema).get("level")
    words = level.get("enum") if isinstance(level, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UnsupportedError(f"vllm: the preset {preset} judges one criterion in a call; use the judge isolated")
    return Choices(tuple(words))


def _properties(schema: JsonObject | None) -> Mapping[str, object]:
    found = (schema or {}).get("properties")
    return found if isinstance(found, dict) else {}


def formatted(question: Question, preset: Preset) -> Question:
    """The question in the preset's format; the constraint stays, to be looked at when the reply is read.

    Raises:
        UnsupportedError: See `choices_of`.
    """
    form = preset.format
    if form is None:
        return question
    prompt = question.prompt
    ask = _ANSWER.sub("", prompt.ask).strip()
    listed = choices_of(question, preset.name).listed(form.choice)
    told = Prompt(
        system=fill(form.system, {"system": prompt.system}).strip(),
        input=fill(form.input, {"input": prompt.input.strip()}) if prompt.input else "",
        output=fill(form.output, {"output": prompt.output.strip()}),
        ask=fill(form.ask, {"ask": ask, "choices": listed}),
        digest=prompt.digest,
    )
    return question.model_copy(update={"prompt": told})


def read_reply(text: str, form: Format, choices: Choices, schema: JsonObject | None) -> str:
    """A reply as the JSON that was asked for.

    Raises:
        UnreadableReplyError: It does not have the format's form, or its level is none of the choices.
    """
    match = re.fullmatch(form.reply, text)
    if match is None:
        raise UnreadableReplyError(f"the reply does not have the form of the preset (it ends {text[-40:]!r})")
    groups = match.groupdict()
    told = {
        "explanation": (groups.get("explanation") or "").strip(),
        "quotes": _quotes(groups.get("quotes") or ""),
        "level": choices.word(groups["level"]),
    }
    wanted: Sequence[str] = list(_properties(schema)) or ["explanation", "level"]
    return json.dumps({name: told[name] for name in wanted if name in told}, ensure_ascii=False)


def _quotes(text: str) -> list[str]:
    """Passages of a list, one a line or separated by commas between quotation marks."""
    quoted = re.findall(r"[\"“']([^\"“”']+)[\"”']", text)
    found = quoted or [line.strip("-*• \t") for line in text.splitlines()]
    return [passage for passage in found if passage]
