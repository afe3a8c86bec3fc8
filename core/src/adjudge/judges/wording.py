"""How a question about some criteria is worded; the same for every submission."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from adjudge.prompts import Evidence, Template, describe_examples, describe_levels
from adjudge.readout import ReadOut
from adjudge.rubric import Criterion
from adjudge.verdict import JsonObject, Sampling


def identity_of(criteria: Sequence[Criterion], read_out: str, template: Template) -> bytes:
    """Hash of what a verdict depends on beside the prompt's bytes: scales, read-out, template version."""
    parts = [read_out, template.name, template.version, *(criterion.scale.hash for criterion in criteria)]
    return hashlib.sha256("\x00".join(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class Wording:
    """What a question about some criteria holds beside the evidence; the same for every submission."""

    ask: str
    """The last segment of the prompt."""
    labels: tuple[str, ...]
    """The words to choose from."""
    json_schema: JsonObject | None
    """The schema of the reply."""
    sampling: Sampling
    """Decoding parameters."""
    identity: bytes
    """Hash of scales, read-out and template."""
    names: str
    """Ids of the criteria, joined by `+`."""
    source: tuple[ReadOut, tuple[Criterion, ...]]
    """What it was made from; kept alive, since the memo knows these by where they are."""


def worded(
    criteria: Sequence[Criterion], read_out: ReadOut, evidence: Evidence, sampling: Sampling | None = None
) -> Wording:
    """Word the question about one or more criteria."""
    words = read_out.words
    single = len(criteria) == 1
    chosen = sampling or read_out.sampling
    return Wording(
        ask=evidence.ask(
            criterion=criteria[0].text.strip() if single else _described(criteria, read_out),
            levels=describe_levels(criteria[0].scale, words(criteria[0].scale)) if single else "",
            examples="".join(describe_examples(criterion, words(criterion.scale)) for criterion in criteria),
            answer=read_out.answer(criteria),
        ),
        labels=read_out.labels(criteria),
        json_schema=read_out.json_schema(criteria),
        sampling=chosen if single else chosen.model_copy(update={"max_tokens": chosen.max_tokens * len(criteria)}),
        identity=identity_of(criteria, read_out.name, evidence.template),
        names="+".join(criterion.id for criterion in criteria),
        source=(read_out, tuple(criteria)),
    )


def _described(criteria: Sequence[Criterion], read_out: ReadOut) -> str:
    parts = (f"[{c.id}] {c.text.strip()}\n{describe_levels(c.scale, read_out.words(c.scale))}" for c in criteria)
    return "\n" + "\n".join(parts)
