"""How the items of a log with several epochs are called: each by the id of its sample, and its epoch."""

from __future__ import annotations

import re

_EPOCH = re.compile(r" \(epoch \d+\)$")


def with_epoch(sample: str, epoch: int) -> str:
    """The id of an item in the record of a log with several epochs."""
    return f"{sample} (epoch {epoch})"


def without_epoch(item: str) -> str:
    """The id of its sample in the data; the id itself if it names no epoch."""
    return _EPOCH.sub("", item)
