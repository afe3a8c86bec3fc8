"""Every error that adjudge raises on purpose.

    AdjudgeError
    ├── InputError          a file or row of the user cannot be read
    ├── PackError           a rubric pack is malformed; holds every problem found, with its place
    ├── PluginError         a plugin is broken, misspelt or clashes with another one
    ├── UnknownNameError    no rubric, task, backend, … of that name; suggests the nearest
    ├── BackendError        a backend cannot be started (not installed, model file missing, …)
    ├── UnsupportedError    a backend or judge was asked for something that it does not offer
    ├── LedgerError         a ledger is torn, foreign, of another version, or cannot be written
    └── ScoringError        a scoring does not fit the rubric

They are shown as one line without a traceback, and the command line exits with status 2. A *judgement* that fails
is not an exception: it is an unscored `Verdict` with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class AdjudgeError(Exception):
    """Base of all errors raised on purpose; its text says what is wrong, where, and how to mend it."""


class InputError(AdjudgeError):
    """A file or row given by the user cannot be read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a rubric pack, printed as `file:line:column: what, and how to mend it`."""

    file: str
    line: int
    column: int
    message: str
    rule: str = "error"
    """Short stable name of the check, for example `duplicate-key`."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message} [{self.rule}]"


class PackError(AdjudgeError):
    """A rubric pack is refused."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        """Everything that was found, in file order; at least one."""
        super().__init__("\n".join(map(str, self.problems)))


class PluginError(AdjudgeError):
    """A plugin is broken, names a hook that does not exist, or clashes with another one."""


class UnknownNameError(AdjudgeError):
    """Nothing of that kind has this name."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        """Build the message.

        Args:
            kind: What was looked for, for example `rubric`.
            name: The name that was asked for.
            known: The names that exist.
            hint: What else to do, for example a pip line.
        """
        names = sorted(known)
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        listing = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
        joint = "" if not hint else " " if near or hint.startswith("(") else "; "
        super().__init__(f"no {kind} named {name!r}; {listing}{joint}{hint}")


class BackendError(AdjudgeError):
    """A backend cannot be started."""


class UnsupportedError(AdjudgeError):
    """A backend or judge does not offer what it was asked for."""


class LedgerError(AdjudgeError):
    """A ledger cannot be opened or written."""


class ScoringError(AdjudgeError):
    """A scoring does not fit the rubric that names it."""
