"""What can be set on the local backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from adjudge.errors import BackendError

_BOUNDS = {"threads": (1, 1024), "context": (128, 1 << 20), "slots": (1, 64), "cache_ram_mib": (0, 1 << 20)}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of the engine."""

    threads: int | None = None
    """Threads that compute; one per core that this process may use if None."""
    context: int = 4096
    """Tokens of prompt and reply together, per slot; at most what the model was trained for."""
    slots: int = 1
    """Questions evaluated at the same time. They share the same cores, and each slot keeps a prefix of its own; with
    more than one, log-probabilities depend slightly on what else is being evaluated."""
    cache_ram_mib: int = 0
    """Memory for prefixes that left their slot, in MiB; 0 keeps the slots' own only."""
    download: bool = False
    """Fetch a preset that is not on this machine; `ADJUDGE_DOWNLOAD=1` does the same."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Options:
        """Check options as they come from a command line or a file.

        Raises:
            BackendError: An option is unknown, of the wrong type, or out of range.
        """
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise BackendError(f"local: no option {name!r}; {hint}known: {', '.join(known)}")
        values: dict[str, Any] = {name: _number(name, value) for name, value in given.items() if name in _BOUNDS}
        values["download"] = _flag(given.get("download", os.environ.get("ADJUDGE_DOWNLOAD", "")))
        return cls(**{name: value for name, value in values.items() if value is not None})

    @property
    def computing_threads(self) -> int:
        """Threads to use."""
        return self.threads or cores()


def cores() -> int:
    """Cores that this process may use: its affinity, cut by a container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _quota() or allowed))


def _quota() -> int | None:
    """Whole cores of the control group's quota; None without one."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:  # noqa: PTH123 (a kernel file, not a path)
            quota, period = file.read().split()
        return None if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None


def _number(name: str, value: object) -> int | None:
    low, high = _BOUNDS[name]
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        raise BackendError(f"local: option {name} is {value!r}; give a whole number") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise BackendError(f"local: option {name} is {value!r}; give a whole number from {low} to {high}")
    return number


def _flag(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in (*_TRUE, *_FALSE):
        raise BackendError(f"local: option download is {value!r}; give true or false")
    return text in _TRUE
