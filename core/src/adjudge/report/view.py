"""What the HTML report shows of each submission, as plain values for the template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.interfaces import Item
from adjudge.report.record import RunRecord
from adjudge.report.summary import PREFERENCES, asked
from adjudge.report.text import Segment, number, percent, segments
from adjudge.rubric import Criterion
from adjudge.submission import Comparison, Label, Submission, as_text
from adjudge.verdict import Quote, Result, Verdict

LONGEST = 20_000
"""Most characters shown of one text."""

REASONS = {
    "infra": "the call failed",
    "refusal": "the judge refused",
    "parse": "the reply was not understood",
    "overflow": "the evidence did not fit",
    "abstain": "the judge abstained",
    "no_quorum": "too few panel members answered",
    "budget": "the budget was spent",
}
"""Each reason of an unscored verdict in words."""


@dataclass(frozen=True, slots=True)
class Block:
    """A text of the submission."""

    heading: str
    """What it is."""
    text: tuple[Segment, ...]
    """The text in stretches."""
    left_out: int = 0
    """Characters at its end that are not shown."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Probability of one level."""

    name: str
    """The level."""
    share: str
    """Its probability in per cent, as text."""
    width: str
    """Its probability as a CSS length."""
    chosen: bool
    """It is the level of the verdict."""


@dataclass(frozen=True, slots=True)
class VerdictView:
    """One verdict."""

    verdict: Verdict
    """The verdict itself."""
    criterion: Criterion | None
    """Its criterion, if known."""
    level: str
    """The level in the judge's word, or `unscored`, or `not asked`."""
    tone: str
    """`best`, `worst`, `middle`, `plain` or `missing`: how the level is coloured."""
    figures: tuple[str, ...]
    """Score, expected score, label mass, repeat, as short texts."""
    bars: tuple[Bar, ...]
    """Probabilities of the levels."""
    orders: tuple[tuple[str, tuple[Bar, ...]], ...]
    """For a comparison: each order asked, and the probabilities in it."""
    why: str
    """Why it is unscored."""
    quotes: tuple[tuple[Quote, bool], ...]
    """Each quote, and whether it stands in the text."""
    feedback: str
    """The criterion's line of feedback, for a level below the best."""
    humans: tuple[str, ...]
    """Verdicts of people."""
    disagrees: bool
    """Some person gave another level."""

    @property
    def worth_a_look(self) -> bool:
        """Unscored, flagged, or not what a person said."""
        return self.verdict.status == "unscored" or bool(self.verdict.flags) or self.disagrees


@dataclass(frozen=True, slots=True)
class ItemView:
    """One submission or comparison."""

    id: str
    """Its id."""
    score: str
    """Its score in words."""
    notes: tuple[str, ...]
    """Bounds, coverage, note and dimensions."""
    inputs: tuple[Block, ...]
    """Input, context and reference."""
    outputs: tuple[Block, ...]
    """What was judged."""
    verdicts: tuple[VerdictView, ...]
    """One per criterion and repeat."""
    metadata: tuple[tuple[str, Any], ...]
    """What else is known of it."""
    unscored: int
    """Number of verdicts that failed."""
    worth_a_look: bool
    """Some verdict is unscored, flagged, or not what a person said."""


def item_view(record: RunRecord, item: Item, result: Result) -> ItemView:
    """Prepare one submission with its verdicts."""
    criteria = record.criteria_of(item)
    verdicts = tuple(_verdict(verdict, criteria.get(verdict.criterion), item) for verdict in result.verdicts)
    unscored = sum(verdict.status == "unscored" for verdict in asked(result))
    return ItemView(
        id=item.id,
        score=_score(result, unscored),
        notes=tuple(_notes(result)),
        inputs=tuple(_inputs(item)),
        outputs=tuple(_outputs(item, result.verdicts)),
        verdicts=verdicts,
        metadata=tuple(sorted(item.metadata.items())),
        unscored=unscored,
        worth_a_look=any(view.worth_a_look for view in verdicts),
    )


def _score(result: Result, unscored: int) -> str:
    if result.score.value is not None:
        return f"score {number(result.score.value)}"
    if unscored:
        return f"no score: {unscored} of {len(asked(result))} verdicts unscored"
    last = result.verdicts[-1].level if result.verdicts else None
    return last if last in PREFERENCES else "no score"


def _notes(result: Result) -> Iterable[str]:
    score = result.score
    yield f"coverage {percent(score.coverage)}"
    if score.bounds is not None and score.bounds[0] != score.bounds[1]:
        yield f"with what is unscored between {number(score.bounds[0])} and {number(score.bounds[1])}"
    if score.note:
        yield score.note
    for name, share in score.dimensions.items():
        yield f"{name}: {percent(share)}"


def _block(heading: str, text: str, quotes: Iterable[tuple[int, int, str]] = ()) -> Block:
    return Block(heading, segments(text, quotes, LONGEST), max(0, len(text) - LONGEST))


def _inputs(item: Item) -> Iterable[Block]:
    first = item.submissions[0] if isinstance(item, Comparison) else item
    texts = (("Input", as_text(first.input)), ("Context", first.context), ("Reference", first.reference))
    return (_block(heading, text) for heading, text in texts if text)


def _outputs(item: Item, verdicts: Sequence[Verdict]) -> Iterable[Block]:
    if isinstance(item, Submission):
        yield _block("Output", as_text(item.output), _places(item, verdicts))
        return
    for place, submission in enumerate(item.submissions, start=1):
        name = {1: "First", 2: "Second"}.get(place, f"Candidate {place}")
        yield _block(f"{name}: {submission.id}", as_text(submission.output), _places(submission, verdicts, exact=True))


def _places(submission: Submission, verdicts: Sequence[Verdict], *, exact: bool = False) -> list[tuple[int, int, str]]:
    """Where the quotes stand; `exact` asks for the very text, since a comparison's offsets fit one output only."""
    return [
        (quote.start, quote.end, verdict.criterion)
        for verdict in verdicts
        for quote in verdict.quotes
        if quote.start is not None and quote.end is not None and _stands(submission, quote, exact=exact)
    ]


def _stands(submission: Submission, quote: Quote, *, exact: bool) -> bool:
    text = as_text(submission.output)
    if quote.start is None or quote.end is None or not 0 <= quote.start < quote.end <= len(text):
        return False
    return not exact or text[quote.start : quote.end] == quote.text


def _found(item: Item, quote: Quote) -> bool:
    if isinstance(item, Submission):
        return _stands(item, quote, exact=False)
    return any(_stands(submission, quote, exact=True) for submission in item.submissions)


def _verdict(verdict: Verdict, criterion: Criterion | None, item: Item) -> VerdictView:
    gold = [label for label in item.labels if label.criterion == verdict.criterion]
    return VerdictView(
        verdict=verdict,
        criterion=criterion,
        level=_level(verdict, criterion),
        tone=_tone(verdict, criterion),
        figures=tuple(_figures(verdict)),
        bars=_bars(verdict.distribution or {}, verdict, criterion),
        orders=tuple((_order(n), _bars(order, verdict, criterion)) for n, order in enumerate(verdict.orders or ())),
        why=REASONS[verdict.reason] if verdict.reason else "",
        quotes=tuple((quote, _found(item, quote)) for quote in verdict.quotes),
        feedback=_feedback(verdict, criterion),
        humans=tuple(_human(label, criterion) for label in gold),
        disagrees=verdict.level is not None and any(label.level not in (None, verdict.level) for label in gold),
    )


def _word(level: str, criterion: Criterion | None) -> str:
    return criterion.scale.level(level).word if criterion is not None and level in criterion.scale else level


def _level(verdict: Verdict, criterion: Criterion | None) -> str:
    if verdict.level is not None:
        word = _word(verdict.level, criterion)
        return word if word == verdict.level else f"{verdict.level} ({word})"
    return "unscored" if verdict.status == "unscored" else "not asked"


def _tone(verdict: Verdict, criterion: Criterion | None) -> str:
    if verdict.level is None:
        return "missing"
    if criterion is None or verdict.score is None or criterion.best is None:
        return "plain"
    return {criterion.best: "best", criterion.worst: "worst"}.get(verdict.score, "middle")


def _figures(verdict: Verdict) -> Iterable[str]:
    if verdict.score is not None:
        yield f"score {number(verdict.score)}"
    if verdict.expected is not None:
        yield f"expected {number(verdict.expected)}"
    if verdict.label_mass is not None:
        yield f"label mass {percent(verdict.label_mass)}"
    if verdict.repeat:
        yield f"repeat {verdict.repeat}"


def _bars(shares: dict[str, float], verdict: Verdict, criterion: Criterion | None) -> tuple[Bar, ...]:
    order = [level.id for level in criterion.scale.levels] if criterion is not None else []
    names = sorted(shares, key=lambda name: order.index(name) if name in order else len(order))
    return tuple(
        Bar(
            _word(name, criterion),
            percent(min(1, max(0, shares[name]))),
            f"{100 * min(1, max(0, shares[name])):.1f}%",
            name == verdict.level,
        )
        for name in names
    )


def _order(index: int) -> str:
    return ("as given", "swapped")[index] if index < 2 else f"order {index + 1}"  # noqa: PLR2004 - two orders


def _feedback(verdict: Verdict, criterion: Criterion | None) -> str:
    if criterion is None or verdict.score is None or criterion.best is None or verdict.score == criterion.best:
        return ""
    return criterion.feedback


def _human(label: Label, criterion: Criterion | None) -> str:
    said = number(label.score) if label.level is None else _word(label.level, criterion)
    return f"{said} ({label.rater})" if label.rater else said
