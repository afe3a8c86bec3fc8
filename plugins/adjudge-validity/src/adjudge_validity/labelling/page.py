"""The page as HTML: one submission with its criteria, everything from outside escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from adjudge.report.text import Segment, number, percent, segments, visible
from adjudge.rubric import Criterion
from adjudge.scale import Scale
from adjudge.submission import Submission, Text, said, speaker
from adjudge.verdict import Verdict
from adjudge_validity.labelling.acts import Done
from adjudge_validity.labelling.session import Session
from adjudge_validity.labelling.standing import counts

if TYPE_CHECKING:
    from jinja2 import Environment

KEYS = "123456789"
"""Keys of the first levels of a scale."""


@dataclass(frozen=True, slots=True)
class Part:
    """A text of the submission, or one message of it."""

    heading: str
    """What it is."""
    text: tuple[Segment, ...]
    """The text, hidden characters made visible."""
    judged: bool = False
    """It is what the labels are about."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A level to choose."""

    level: str
    """Its id."""
    word: str
    """The word that stands for it."""
    anchor: str
    """What a submission at this level looks like."""
    key: str
    """The key that chooses it; empty if there is none."""
    chosen: bool
    """The rater chose it."""
    machine: bool
    """The judge gave it, and the rater may see that."""


@dataclass(frozen=True, slots=True)
class MachineView:
    """The judge's verdict, where the rater may see it."""

    level: str
    """The level in words, or why there is none."""
    scored: bool
    """Whether there is one."""
    notes: tuple[str, ...]
    """Probabilities and score."""
    explanation: str
    """Why, in the judge's words."""
    quotes: tuple[str, ...]
    """Passages that it cites."""
    stands: str
    """What stands after all edits and sign-offs; empty if nothing happened."""


@dataclass(frozen=True, slots=True)
class CriterionView:
    """A criterion to answer."""

    criterion: Criterion
    """The criterion."""
    choices: tuple[Choice, ...]
    """Its levels."""
    answers: tuple[str, ...]
    """What the rater has said, as kinds."""
    reason: Any
    """The rater's reason, escaped, its hidden characters as they are: it is saved again as it stands in the field."""
    machine: MachineView | None
    """The judge's verdict."""
    current: bool
    """It is the first without an answer."""


def render_item(session: Session, place: int) -> str:
    """The page of the submission at a place of the order, from 0."""
    submission, views = session.at(place), _criteria(session, place)
    return (
        _environment()
        .get_template("item.html")
        .render(
            **_common(session),
            place=place,
            id=submission.id,
            parts=list(_parts(submission, session.criteria(place))),
            criteria=views,
            complete=all(view.answers for view in views),
            review=session.draw.purpose == "review",
            blind=not session.shows_verdict,
            can_undo=session.can_undo,
        )
    )


def render_end(session: Session) -> str:
    """The page after the last submission."""
    return (
        _environment()
        .get_template("end.html")
        .render(**_common(session), counts=list(counts(session.labels)), path=session.log.path.name)
    )


def render_message(message: str) -> str:
    """A page that only says what is wrong."""
    return _environment().get_template("message.html").render(message=message)


def source(name: str) -> str:
    """A template, the style or the script."""
    from importlib.resources import files

    return (files("adjudge_validity.labelling") / "templates" / name).read_text(encoding="utf-8")


def _common(session: Session) -> dict[str, Any]:
    rubric = session.material.rubric
    return {
        "progress": session.progress,
        "rater": session.rater,
        "rubric": "" if rubric is None else rubric.title or rubric.id,
        "instructions": "" if rubric is None else rubric.instructions,
    }


def _parts(submission: Submission, criteria: Iterable[Criterion]) -> Iterator[Part]:
    """Input and output always; reference and context where a judge sees them too."""
    seen = {part for criterion in criteria for part in criterion.evidence}
    yield from _texts("Input", submission.input)
    for heading, name in (("Context", "context"), ("Reference", "reference")):
        if name in seen:
            yield from _texts(heading, getattr(submission, name) or "")
    yield from _texts("Output", submission.output, judged=True)


def _texts(heading: str, text: Text, *, judged: bool = False) -> Iterator[Part]:
    if isinstance(text, str):
        if text or judged:
            yield Part(heading, segments(text), judged)
        return
    for message in text:
        yield Part(f"{heading} – {speaker(message)}", segments(said(message)), judged)


def _criteria(session: Session, place: int) -> list[CriterionView]:
    submission, answered = session.at(place).id, session.answered()
    criteria = session.criteria(place)
    first = next((c.id for c in criteria if (submission, c.id) not in answered), None)
    return [
        _criterion(session, submission, one, answered.get((submission, one.id), ()), current=one.id == first)
        for one in criteria
    ]


def _criterion(
    session: Session, submission: str, criterion: Criterion, held: Iterable[Done], *, current: bool
) -> CriterionView:
    acts = [one.act for one in held]
    chosen = next((act.level for act in acts if act.kind != "sign-off"), None)
    machine = _machine(session, submission, criterion)
    verdict = session.verdict(submission, criterion.id) if machine is not None else None
    keys = _keys(criterion.scale)
    return CriterionView(
        criterion=criterion,
        choices=tuple(
            Choice(
                level.id,
                level.word,
                level.anchor,
                keys.get(level.id, ""),
                level.id == chosen,
                verdict is not None and level.id == verdict.level,
            )
            for level in criterion.scale.levels
        ),
        answers=tuple(act.kind for act in acts),
        reason=_as_typed(next((act.reason for act in acts if act.reason), "")),
        machine=machine,
        current=current,
    )


def _as_typed(text: str) -> Any:
    from markupsafe import escape

    return escape(text)


def _keys(scale: Scale) -> dict[str, str]:
    """Level to key: its own digit where every word is one, else its number from 1."""
    if all(len(level.word) == 1 and level.word in "0123456789" for level in scale.levels):
        return {level.id: level.word for level in scale.levels}
    return {level.id: key for level, key in zip(scale.levels, KEYS, strict=False)}


def _machine(session: Session, submission: str, criterion: Criterion) -> MachineView | None:
    mark, verdict = session.machine(submission, criterion.id), session.verdict(submission, criterion.id)
    if mark is None or verdict is None:
        return None
    stands = session.outcome(submission, criterion.id, mark)
    said_so = []
    if stands.edited_by:
        said_so.append(f"{_word(criterion, stands.level)}, edited by {stands.edited_by}")
    if stands.signed_by:
        said_so.append(f"signed off by {stands.signed_by}")
    return MachineView(
        level=_word(criterion, verdict.level) or _why(verdict),
        scored=verdict.level is not None,
        notes=tuple(_notes(criterion, verdict)),
        explanation=verdict.explanation,
        quotes=tuple(quote.text for quote in verdict.quotes),
        stands=", ".join(said_so),
    )


def _word(criterion: Criterion, level: str | None) -> str:
    return "" if level is None else criterion.scale.level(level).word


def _why(verdict: Verdict) -> str:
    return "not asked" if verdict.status == "skipped" else f"unscored: {verdict.reason}"


def _notes(criterion: Criterion, verdict: Verdict) -> Iterator[str]:
    if verdict.distribution:
        known = {level: share for level, share in verdict.distribution.items() if share > 0}
        yield ", ".join(f"{_word(criterion, level)}: {percent(share)}" for level, share in known.items())
    if verdict.expected is not None:
        yield f"expected score {number(verdict.expected)}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        autoescape=True,
        loader=FunctionLoader(source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
