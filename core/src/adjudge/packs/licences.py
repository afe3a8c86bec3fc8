"""A small table of licences: which identifiers are known, and what data under them forbids."""

from __future__ import annotations

import re

PERMISSIVE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "CDLA-Permissive-1.0",
        "CDLA-Permissive-2.0",
        "ISC",
        "MIT",
        "MIT-0",
        "ODC-By-1.0",
        "OGL-UK-3.0",
        "PDDL-1.0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""Allow any use, some with notice."""
SHARE_ALIKE = frozenset(
    {
        "AGPL-3.0-only",
        "AGPL-3.0-or-later",
        "CC-BY-NC-SA-3.0",
        "CC-BY-NC-SA-4.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "CDLA-Sharing-1.0",
        "EUPL-1.2",
        "GFDL-1.3-only",
        "GFDL-1.3-or-later",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "LGPL-2.1-only",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MPL-2.0",
        "ODbL-1.0",
    }
)
"""What is made from it must carry the same licence."""
OTHER = frozenset(
    {"CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0", "CC-BY-ND-3.0", "CC-BY-ND-4.0"}
)
"""Restricted in use or change, without share-alike."""
KNOWN = PERMISSIVE | SHARE_ALIKE | OTHER
"""Identifiers that lint knows."""

_OPERATORS = frozenset({"AND", "OR", "WITH"})
# CC BY-SA 4.0 may be taken into GPL 3.0 works, and LGPL code into GPL works; not the other way round.
_MAY_BECOME = frozenset({("CC-BY-SA", "GPL"), ("LGPL", "GPL"), ("LGPL", "AGPL"), ("GPL", "AGPL")})


def identifiers(expression: str) -> list[str]:
    """The licence identifiers in an SPDX expression; what follows `WITH` is an exception, not a licence."""
    words = re.sub(r"[()]", " ", expression).split()
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word.upper() not in _OPERATORS and before.upper() != "WITH"
    ]


def unknown(expression: str) -> list[str]:
    """Identifiers in an expression that the table does not know; `LicenseRef-…` names a licence of one's own."""
    return [name for name in identifiers(expression) if name not in KNOWN and not name.startswith("LicenseRef-")]


def conflict(own: str, data: str) -> str | None:
    """Why a rubric under one licence cannot be made from data under another; None if nothing speaks against it.

    This is a reminder, not legal advice: it knows non-commercial, no-derivatives and share-alike terms only.

    Args:
        own: SPDX expression of the rubric; each licence that it offers is checked.
        data: SPDX expression of the data; with `OR` one that fits is enough.
    """
    found = [_first_clash(own, name) for name in identifiers(data)]
    if " OR " in data and None in found:
        return None
    return next(filter(None, found), None)


def _first_clash(own: str, data: str) -> str | None:
    return next(filter(None, (_clash(name, data) for name in identifiers(own))), None)


def _clash(own: str, data: str) -> str | None:
    if data in {"NONE", "NOASSERTION"}:
        return "data without a licence may not be used without asking"
    if "-ND-" in data:
        return f"{data} allows no adapted versions"
    if "-NC-" in data and "-NC-" not in own and own in KNOWN:
        return f"{data} forbids commercial use, which {own} allows"
    if data in SHARE_ALIKE and own in KNOWN and not _shares_alike(own, data):
        return f"{data} asks for the same licence on what is made from it, and {own} is another one"
    return None


def _shares_alike(own: str, data: str) -> bool:
    mine, theirs = _family(own), _family(data)
    return mine == theirs or (theirs, mine) in _MAY_BECOME


def _family(name: str) -> str:
    """The name without its version: `CC-BY-SA` for `CC-BY-SA-4.0`."""
    return re.sub(r"-[0-9].*$", "", name)
