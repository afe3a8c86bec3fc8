"""Errors of adjudge in inspect's own form: one line, no traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from adjudge.errors import AdjudgeError


@contextmanager
def as_prerequisite() -> Iterator[None]:
    """Turn an `AdjudgeError` into inspect's `PrerequisiteError`, which it shows as it stands."""
    from inspect_ai._util.error import PrerequisiteError
    from rich.markup import escape

    try:
        yield
    except AdjudgeError as error:
        # An option of adjudge's own command line is an argument of the same name here.
        told = str(error).replace("--read-out reasoned", "read_out=reasoned")
        told = re.sub(r"--column (\w+)=(\S+)", r"""-T columns='{"\1": "\2"}'""", told)
        raise PrerequisiteError(escape(f"adjudge: {told}")) from error
