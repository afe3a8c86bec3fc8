"""`--redact MODULE:FUNCTION`: a function of the user's own, run on every submission before any prompt is rendered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.submission import Comparison, Submission

Redact = Callable[[Submission], Submission]


def redacted(items: Sequence[Item], named: str) -> list[Item]:
    """The items, each submission passed through the function; ids stay as they are.

    Raises:
        InputError: There is no such function, it fails, or it gives something else than a submission.
    """
    redact = _load(named)
    return [_redact_item(item, redact, named) for item in items]


def _load(named: str) -> Redact:
    module, colon, name = named.partition(":")
    if not colon:
        raise InputError(f"--redact {named}: give MODULE:FUNCTION")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Redact = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"--redact {named}: {error}") from error
    finally:
        sys.path.pop(0)
    return found


def _redact_item(item: Item, redact: Redact, named: str) -> Item:
    if isinstance(item, Comparison):
        parts = tuple(_redact_one(submission, redact, named) for submission in item.submissions)
        return item.model_copy(update={"submissions": parts})
    return _redact_one(item, redact, named)


def _redact_one(submission: Submission, redact: Redact, named: str) -> Submission:
    try:
        changed = redact(submission)
    except Exception as error:
        # Its text may hold what was to be redacted.
        raise InputError(f"--redact {named} fails on {submission.id!r}: {type(error).__name__}") from error
    if not isinstance(changed, Submission) or changed.id != submission.id:
        raise InputError(f"--redact {named} must give a Submission of the same id for {submission.id!r}")
    return changed
