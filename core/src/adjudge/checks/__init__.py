"""Checks that need no model: their kinds, how a criterion declares one, and what is wrong with a declaration."""

from adjudge.checks.declared import CHECK, check_of, faults, level_found
from adjudge.checks.kinds import KINDS, Check, MissingReferenceError, NotInstalledError

__all__ = [
    "CHECK",
    "KINDS",
    "Check",
    "MissingReferenceError",
    "NotInstalledError",
    "check_of",
    "faults",
    "level_found",
]
