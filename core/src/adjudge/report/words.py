"""A run in sentences: the result with what is missing from it, tokens and cost, what is known of the judge."""

from __future__ import annotations

from adjudge.report.card_text import BETTER_JUDGES, human_line, line, missing_line
from adjudge.report.record import RunRecord
from adjudge.report.summary import Summary
from adjudge.report.text import number, percent, visible
from adjudge.submission import Comparison

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


def headline(figures: Summary) -> list[str]:
    """The result in a few sentences, what is missing from it beside it."""
    lines = [_mean_line(figures)] if figures.preferences is None or figures.n_scored else []
    if figures.preferences is not None:
        counts = ", ".join(f"{visible(level)} {count:,}" for level, count in figures.preferences.items())
        lines.append(f"Comparisons: {counts}; {figures.order_inconsistent:,} changed with the order.")
    lines.append(_coverage_line(figures))
    if figures.bounds is not None and figures.unscored and figures.n_scored + figures.n_unscored:
        low, high = map(number, figures.bounds)
        lines.append(f"With every unscored verdict at its worst the mean is {low}, at its best {high}.")
    if figures.preferences is None and 0 < figures.n_undefined < figures.items:
        of = "1 submission" if figures.n_undefined == 1 else f"{figures.n_undefined:,} submissions"
        lines.append(f"The scoring gives no number for {of}, left out of the mean.")
    return lines


def _mean_line(figures: Summary) -> str:
    if 0 < figures.n_undefined == figures.items:
        return "No mean score: this scoring gives a submission no number; the levels given are the result."
    of = f"{figures.n_scored:,} of {figures.items:,} submissions"
    if figures.mean is None:
        return f"No mean score: {of} have a score, {figures.n_unscored:,} are unscored."
    return f"Mean score {number(figures.mean)} over {of}; {figures.n_unscored:,} unscored."


def _coverage_line(figures: Summary) -> str:
    reasons = ", ".join(f"{count:,} {reason} ({REASONS[reason]})" for reason, count in figures.reasons.items())
    due = figures.scored + figures.unscored
    skipped = f"; {figures.skipped:,} not asked" if figures.skipped else ""
    return (
        f"Coverage {percent(figures.coverage)}: {figures.scored:,} of {due:,} verdicts scored, "
        f"{figures.unscored:,} unscored{f': {reasons}' if reasons else ''}{skipped}."
    )


def token_line(figures: Summary) -> str:
    """Tokens and cost in one sentence."""
    usage = figures.usage
    cost = f"cost {usage.cost:.4f} US dollars" if usage.cost else "no cost"
    if figures.cached_share is None:
        return f"No tokens were counted; {cost}."
    return (
        f"{usage.prompt_tokens:,} prompt tokens, {percent(figures.cached_share)} of them from a cache; "
        f"{usage.completion_tokens:,} written; {cost}."
    )


def card_lines(record: RunRecord) -> list[str]:
    """What is known of the judge, and what to type for a better one where it is at chance."""
    if record.card is None:
        if any(isinstance(item, Comparison) for item in record.items):
            return ["judge card: none, since golden tests measure single answers and these are comparisons"]
        if "scorer" in record.provenance and "judge" not in record.provenance:
            return ["judge card: none, since another scorer gave these scores"]
        if record.rubric is not None and not record.rubric.tests:
            return ["judge card: none, since the rubric has no golden tests to measure a judge with"]
        named = record.provenance.get("rubric file") or (record.rubric.id if record.rubric else "")
        judge, read_out = (str(record.provenance.get(name) or "") for name in ("judge", "read-out"))
        return [missing_line(str(named), _backend_name(record), judge, read_out)]
    lines = [line(record.card), *map(human_line, record.card.human_figures)]
    return [*lines, *(f"better: {one}" for one in BETTER_JUDGES)] if record.card.at_chance else lines


def _backend_name(record: RunRecord) -> str:
    name = record.provenance.get("backend", "")
    return name if isinstance(name, str) else ""
