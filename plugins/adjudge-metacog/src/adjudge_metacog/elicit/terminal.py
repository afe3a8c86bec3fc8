"""An elicitation in the terminal."""

from __future__ import annotations

import textwrap

import click

from adjudge_metacog.elicit.flow import Flow
from adjudge_metacog.elicit.screens import Part, Screen
from adjudge_metacog.exporting import printable

_WIDTH = 88
_NAMES = {"case": "Someone writes", "interviewer": "Interviewer", "you": "You", "story": "A story", "card": "Card"}


async def talk(flow: Flow) -> None:
    """Go through the steps until nothing is left, or until the person leaves with an end of input."""
    screen, shown = await flow.screen(), 0
    while True:
        # Of a talk that goes on, what was read already is not said again.
        fresh = shown if screen.name == "talk" else 0
        click.echo(told(screen, fresh))
        shown = len(screen.parts) if screen.name == "talk" else shown
        if screen.is_last:
            return
        value, text = _answered(screen)
        screen = await flow.answer(value, text)


def told(screen: Screen, fresh: int = 0) -> str:
    """A screen as text, from its part number `fresh` on."""
    lines = ["", printable(screen.title).upper()] if not fresh else [""]
    lines += [line for part in screen.parts[fresh:] for line in _lines(part)]
    lines += [_wrapped(f"{n}. {wording}", "   ") for n, (_, wording) in enumerate(screen.choices, 1)]
    return "\n".join(lines)


def _lines(part: Part) -> list[str]:
    name = f"{_NAMES[part.voice]}: " if part.voice else ""
    return [_wrapped(f"{name}{part.text}"), *(_wrapped(f"- {item}", "  ") for item in part.items)]


def _wrapped(text: str, indent: str = "") -> str:
    paragraphs = printable(text).split("\n")
    return "\n".join(textwrap.fill(line, _WIDTH, subsequent_indent=indent) for line in paragraphs)


def _answered(screen: Screen) -> tuple[str, str]:
    """The choice or the text that the person typed."""
    count = len(screen.choices)
    ways = [f"1-{count}" if count > 1 else "1"] if count else []
    label = " or ".join([*ways, *([screen.writes] if screen.writes else [])])
    while True:
        typed = click.prompt(f"{label}\n", prompt_suffix="> ").strip()
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= count:
            return screen.choices[int(typed) - 1][0], ""
        if screen.writes:
            return "", typed
        click.echo(f"Type a number from 1 to {count}.")
