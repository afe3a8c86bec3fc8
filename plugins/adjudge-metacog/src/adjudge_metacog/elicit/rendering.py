"""A screen as an HTML page; every text is escaped, since none of it is ours."""

from __future__ import annotations

from html import escape

from adjudge_metacog.elicit.screens import Part, Screen
from adjudge_metacog.exporting import printable

_NAMES = {"case": "Someone writes", "interviewer": "Interviewer", "you": "You", "story": "A story"}


def page_html(screen: Screen, mark: str, style: str) -> bytes:
    """The page.

    Args:
        screen: What to show.
        mark: Goes back with the answer, so that one to a step that is over is told by it.
        style: The style sheet.
    """
    body = f"<h1>{_safe(screen.title)}</h1>" + "".join(map(_part, screen.parts))
    if not screen.is_last:
        body += _form(screen, mark)
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(screen.title)}</title><style>{style}</style></head>"
    )
    return f"{head}<body><main>{body}</main></body></html>\n".encode("utf-8", "replace")


def _part(part: Part) -> str:
    said = _NAMES.get(part.voice)
    voice = f'<span class="voice">{said}</span>' if said else ""
    kind = f' class="{part.voice}"' if part.voice else ""
    items = "".join(f"<li>{_safe(item)}</li>" for item in part.items)
    return f"<p{kind}>{voice}{_safe(part.text)}</p>" + (f"<ul>{items}</ul>" if items else "")


def _form(screen: Screen, mark: str) -> str:
    """What can be answered: buttons for choices, a field for what one may write."""
    hidden = f'<input type="hidden" name="mark" value="{mark}">'
    buttons = "".join(
        f'<button name="value" value="{_safe(value)}" formnovalidate>{_safe(wording)}</button>'
        for value, wording in screen.choices
    )
    field = (
        f'<label for="text">{_safe(screen.writes)}</label>'
        '<textarea id="text" name="text" maxlength="4000" required></textarea>'
        '<button class="send">Send</button>'
    )
    return f'<form method="post">{hidden}{buttons}{field if screen.writes else ""}</form>'


def _safe(text: str) -> str:
    return escape(printable(text))
