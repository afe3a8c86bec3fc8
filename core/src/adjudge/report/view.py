"""What the report shows of each submission, as JSON values: texts, and what every judge and person said of them.

Texts are kept in a table of strings, each once; hidden characters are shown by their code point, so that whatever
reads these values needs no more than to show them as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adjudge.interfaces import Item
from adjudge.report.entries import Entry, Judged, Strings
from adjudge.report.exchanges import Exchanges, Turn
from adjudge.report.people import Review, Reviewed
from adjudge.report.summary import PREFERENCES, asked
from adjudge.report.text import json_text, number, percent, segments, visible
from adjudge.report.words import REASONS
from adjudge.rubric import Criterion
from adjudge.submission import Comparison, Label, Submission, as_text
from adjudge.verdict import Quote, Result, Verdict

LONGEST = 20_000
"""Most characters shown of one text."""


def entry_view(entry: Entry, strings: Strings) -> dict[str, Any]:
    """Everything about one entry, as JSON values; what is empty is left out."""
    first = entry.judged[0].item
    quoted = [(judged, verdict) for judged in entry.judged for verdict in judged.result.verdicts]
    return _filled(
        {
            "id": visible(entry.id),
            "inputs": [_block(strings, *pair) for pair in _inputs(first)],
            "outputs": [_block(strings, *three) for three in _outputs(first, [verdict for _, verdict in quoted])],
            "results": [_result(judged, strings) for judged in entry.judged],
            "metadata": [[visible(name), visible(json_text(value))] for name, value in sorted(first.metadata.items())],
        }
    )


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], ())}


def _result(judged: Judged, strings: Strings) -> dict[str, Any]:
    heard = judged.record.exchanges(judged.item)
    return {
        "run": judged.run,
        "score": visible(score_text(judged.result)),
        "notes": [visible(note) for note in _notes(judged.result)],
        "verdicts": [_verdict(judged, verdict, heard, strings) for verdict in judged.result.verdicts],
    }


def score_text(result: Result) -> str:
    """The score in words."""
    if result.score.value is not None:
        return f"score {number(result.score.value)}"
    due = asked(result)
    unscored = sum(verdict.status == "unscored" for verdict in due)
    if unscored:
        return f"no score: {unscored} of {len(due)} verdicts unscored"
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


def _block(strings: Strings, heading: str, text: str, quotes: Iterable[tuple[int, int, str]] = ()) -> dict[str, Any]:
    """A text in stretches: a place in the strings, or that with who quotes it (0 for a hidden character)."""
    pieces: list[Any] = []
    for piece in segments(text, quotes, LONGEST):
        place = strings.place(piece.text)
        cited = visible(", ".join(piece.cited_by))
        pieces.append([place, 0] if piece.hidden else [place, cited] if cited else place)
    return _filled({"heading": visible(heading), "pieces": pieces, "left_out": max(0, len(text) - LONGEST) or None})


def _inputs(item: Item) -> Iterator[tuple[str, str]]:
    first = item.submissions[0] if isinstance(item, Comparison) else item
    texts = (("Input", as_text(first.input)), ("Context", first.context), ("Reference", first.reference))
    return ((heading, text) for heading, text in texts if text)


def _outputs(item: Item, verdicts: Sequence[Verdict]) -> Iterator[tuple[str, str, list[tuple[int, int, str]]]]:
    if isinstance(item, Submission):
        yield "Output", as_text(item.output), _places(item, verdicts)
        return
    for place, submission in enumerate(item.submissions, start=1):
        name = {1: "First", 2: "Second"}.get(place, f"Candidate {place}")
        text = as_text(submission.output)
        yield f"{name}: {submission.id}", text, _places(submission, verdicts, exact=True)


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


def _verdict(judged: Judged, verdict: Verdict, heard: Exchanges, strings: Strings) -> dict[str, Any]:
    criterion = judged.criteria.get(verdict.criterion)
    orders = [[_order(n), _bars(order, verdict, criterion)] for n, order in enumerate(verdict.orders or ())]
    quotes = [[visible(quote.text), quote.message, _found(judged.item, quote)] for quote in verdict.quotes]
    return _filled(
        {
            **_said(heard, verdict, criterion, strings),
            "criterion": visible(verdict.criterion),
            "text": criterion and strings.place(visible(criterion.text)),
            "importance": criterion and criterion.importance,
            "quotes": quotes,
            "flags": [visible(flag) for flag in verdict.flags],
            "figures": list(_figures(verdict)),
            "orders": orders,
            "feedback": visible(_feedback(verdict, criterion)),
            **_reviewed(judged, verdict, criterion),
            "humans": [
                [visible(human_word(label, criterion)), visible(label.rater), differs(verdict, label)]
                for label in labels_of(judged.item, verdict)
            ],
        }
    )


def _reviewed(judged: Judged, verdict: Verdict, criterion: Criterion | None) -> dict[str, Any]:
    """Who did what to the verdict, why, when and where that is written; and the level that stands."""
    found = reviewed(judged, verdict)
    if found is None:
        return {}
    reviews = [[visible(part) for part in _review(one, criterion)] for one in found.reviews]
    return {"reviews": reviews, "stands": visible(_stands_now(found, criterion)) if found.about_this else ""}


def reviewed(judged: Judged, verdict: Verdict) -> Reviewed | None:
    """What people did to a verdict."""
    return judged.record.people.reviews.get((judged.item.id, verdict.criterion, verdict.repeat))


def _review(review: Review, criterion: Criterion | None) -> tuple[str, str, str]:
    """What was done by whom, why, and when and where that is written."""
    level = "no level" if review.level is None else _named(review.level, criterion)
    done = {
        "agree": f"{review.rater} agreed with {level}",
        "edit": f"{review.rater} edited it to {level}",
        "sign-off": f"{review.rater} signed off {level}",
        "cannot-tell": f"{review.rater} cannot tell",
    }[review.kind]
    other = f"; this is about another verdict, {review.other}" if review.other else ""
    return done + other, review.reason, f"{review.time[:16].replace('T', ' ')} UTC · {review.place}"


def _stands_now(found: Reviewed, criterion: Criterion | None) -> str:
    level = "no level" if found.level is None else _named(found.level, criterion)
    edited = f"edited by {found.edited_by}" if found.edited_by else "as the judge gave it"
    signed = f"signed off by {found.signed_by}" if found.signed_by else "signed off by nobody"
    return f"Stands: {level}, {edited}, {signed}"


def _said(heard: Exchanges, verdict: Verdict, criterion: Criterion | None, strings: Strings) -> dict[str, Any]:
    """What one judge said: the judge itself, or a member of it."""
    return _filled(
        {
            "judge": visible(verdict.judge),
            "level": visible(level_text(verdict, criterion)),
            "tone": tone(verdict, criterion),
            "why": f"{verdict.reason}: {REASONS[verdict.reason]}" if verdict.reason else "",
            "detail": visible(verdict.detail),
            "explanation": visible(verdict.explanation),
            "bars": _bars(verdict.distribution or {}, verdict, criterion),
            "turns": [_turn(turn, strings) for turn in heard.get(verdict.fingerprint, ())],
            "members": [_said(heard, member, criterion, strings) for member in verdict.members],
        }
    )


def _turn(turn: Turn, strings: Strings) -> list[Any]:
    """Places of the parts of the prompt, who added what to it, and the reply."""
    prompt = [strings.place(visible(_cut(part))) for part in turn.prompt]
    added = [[role, strings.place(visible(_cut(text)))] for role, text in turn.added]
    return [prompt, added, strings.place(visible(_cut(turn.reply)))]


def _cut(text: str) -> str:
    more = len(text) - LONGEST
    return f"{text[:LONGEST]}\n[{more:,} more characters are not shown]" if more > 0 else text


def labels_of(item: Item, verdict: Verdict) -> list[Label]:
    """What people said on the criterion of a verdict."""
    return [label for label in item.labels if label.criterion == verdict.criterion]


def differs(verdict: Verdict, label: Label) -> bool:
    """Whether a person gave another level than the judge."""
    return None not in (verdict.level, label.level) and verdict.level != label.level


def _word(level: str, criterion: Criterion | None) -> str:
    return criterion.scale.level(level).word if criterion is not None and level in criterion.scale else level


def _named(level: str, criterion: Criterion | None) -> str:
    word = _word(level, criterion)
    return word if word == level else f"{level} ({word})"


def level_text(verdict: Verdict, criterion: Criterion | None) -> str:
    """The level in the judge's word, or that there is none."""
    if verdict.level is not None:
        return _named(verdict.level, criterion)
    return "unscored" if verdict.status == "unscored" else "not asked"


def tone(verdict: Verdict, criterion: Criterion | None) -> str:
    """How a level is coloured: `best`, `worst`, `middle`, `plain` or `missing`."""
    if verdict.level is None:
        return "missing"
    if criterion is None or verdict.score is None or criterion.best is None:
        return "plain"
    return {criterion.best: "best", criterion.worst: "worst"}.get(verdict.score, "middle")


def _figures(verdict: Verdict) -> Iterator[str]:
    if verdict.score is not None:
        yield f"score {number(verdict.score)}"
    if verdict.expected is not None:
        yield f"expected {number(verdict.expected)}"
    if verdict.label_mass is not None:
        yield f"label mass {percent(verdict.label_mass)}"
    if verdict.repeat:
        yield f"repeat {verdict.repeat}"


def _bars(shares: dict[str, float], verdict: Verdict, criterion: Criterion | None) -> list[list[Any]]:
    """Word, share in words, share, and whether it is the level given."""
    order = [level.id for level in criterion.scale.levels] if criterion is not None else []
    names = sorted(shares, key=lambda name: order.index(name) if name in order else len(order))
    held = {name: min(1.0, max(0.0, shares[name])) for name in names}
    return [
        [visible(_word(name, criterion)), percent(share), round(share, 3), name == verdict.level]
        for name, share in held.items()
    ]


def _order(index: int) -> str:
    return ("as given", "swapped")[index] if index < 2 else f"order {index + 1}"  # noqa: PLR2004 - two orders


def _feedback(verdict: Verdict, criterion: Criterion | None) -> str:
    if criterion is None or verdict.score is None or criterion.best is None or verdict.score == criterion.best:
        return ""
    return criterion.feedback


def human_word(label: Label, criterion: Criterion | None) -> str:
    """What a person said, in the words of the scale."""
    return number(label.score) if label.level is None else _named(label.level, criterion)
