"""Judge cards in words: one line for a card, one where there is none, and what to type for a better judge."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from adjudge.report.cards import HumanFigure, JudgeCard
from adjudge.report.text import number, percent, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

NOBODY, USUAL_JUDGE, REASONED = "none", "isolated", "reasoned"
BETTER_JUDGES = (
    "a larger model on this machine, from a file: --backend local:PATH.gguf",
    "a preset fetched from a hub (size and licence are shown first): --backend local:qwen3-4b",
    "a hosted model or a server of your own: --backend openai:MODEL, anthropic:MODEL, vllm:MODEL",
)
"""What to type for a better judge."""


def line(card: JudgeCard) -> str:
    """The card in one line, its verdict on the judge last."""
    who = card.judge if card.backend == NOBODY else f"{card.backend}, {card.read_out}"
    subject = f"{who}, {card.rubric} {card.version}"
    if card.agreement is None or card.interval is None:
        return visible(f"judge card: {subject}: none of {card.verdicts} golden verdicts was scored: not fit to judge")
    missing = card.verdicts - card.scored
    low, high = (f"{100 * end:.0f}" for end in card.interval)
    return visible(
        f"judge card: {subject}: agrees with {card.agreed} of {card.scored} golden verdicts"
        f"{f' ({missing} more unscored)' if missing else ''}"
        f" ({percent(card.agreement)}, 95 % interval {low}–{high} %), chance {percent(card.chance)}"
        f": {_reading(card.interval, card.chance)}"
    )


def _reading(interval: tuple[float, float], chance: float) -> str:
    if interval[0] > chance:
        return "above chance"
    return f"{'below' if interval[1] < chance else 'at'} chance: for trying out only"


def human_line(human: HumanFigure) -> str:
    """Agreement with one data set in one line."""
    interval = (
        f" (95 % interval {number(human.low)} to {number(human.high)})"
        if human.low is not None and human.high is not None
        else ""
    )
    return visible(f"{human.data_set}: {human.metric} {number(human.value)}{interval}, n {human.n}")


def missing_line(rubric: str, backend: str = "", judge: str = "", read_out: str = "") -> str:
    """What stands where a card would, if the judge was not measured.

    Args:
        rubric: Id or path.
        backend: Name; `none` for a judge that asks nobody.
        judge: Name with settings.
        read_out: Name with settings.
    """
    # Quoted, since the line is there to be pasted into a shell and the names come from outside.
    choice = f" --backend {quote(backend)}" if backend not in ("", NOBODY) else ""
    name, given, _ = judge.partition("(")
    choice += f" --judge {quote(name)}" if name not in ("", USUAL_JUDGE) else ""
    choice += f" --read-out {REASONED}" if read_out.startswith(REASONED) and name in ("", USUAL_JUDGE) else ""
    more = " with the options of this judge" if given else ""
    line = f"adjudge test {quote(rubric) if rubric else 'RUBRIC'}{choice}"
    return visible(f"judge card: not measured: run `{line}`{more}")


def confusion_table(card: JudgeCard) -> RenderableType:
    """The card as tables for a terminal: one confusion table per scale, then agreement per criterion."""
    from adjudge.report.table import card_tables

    return card_tables(card)
