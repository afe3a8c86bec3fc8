"""The submissions of a report as compressed blocks, so that a page holds thousands and shows the first at once.

The index, which is all that lists and filters need, comes first; texts, explanations, prompts and replies follow in
blocks that a browser unpacks when they are looked at. Each is JSON, compressed (gzip) and written in base64, an
alphabet in which no markup can be written.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from statistics import fmean
from typing import Any

from adjudge.report.entries import Entry, Judged, Strings, entries_of
from adjudge.report.record import RunRecord
from adjudge.report.text import visible
from adjudge.report.view import differs, entry_view, labels_of, level_text, reviewed, score_text, tone
from adjudge.verdict import Verdict

PER_BLOCK = 200
"""Submissions that are unpacked together."""
MOST_BYTES = 13_000_000
"""Most bytes spent on submissions, compressed and in base64."""
TONES = ("best", "middle", "worst", "plain", "missing")
"""How a level is coloured, by its number in the index."""
STATES = ("scored", "unscored", "skipped")
"""Statuses of a verdict, by their number in the index."""


@dataclass(frozen=True)
class Payload:
    """What the page's script unpacks."""

    index: str
    """The index, compressed and in base64."""
    blocks: tuple[str, ...]
    """The blocks, compressed and in base64."""
    shown: int
    """Submissions in it."""
    total: int
    """Submissions that there are."""


def payload(records: Sequence[RunRecord], most_bytes: int = MOST_BYTES) -> Payload:
    """Pack the submissions of one run or several; of too many, the first that fit.

    Args:
        records: The runs. A submission that several judged (the same id, input and output) is packed once.
        most_bytes: Most bytes that may be spent.
    """
    entries = entries_of(records)
    index, blocks, shown = _Index([record.title for record in records]), [], 0
    for place, part in enumerate(_parts(entries)):
        block, rows = _packed(_block(part)), [index.row(entry, place) for entry in part]
        most_bytes -= len(block) + len(_packed(rows))
        if most_bytes < 0:
            break
        blocks.append(block)
        index.rows += rows
        shown += len(part)
    return Payload(_packed(index.values), tuple(blocks), shown, len(entries))


def unpacked(text: str) -> Any:
    """The JSON value of an index or block."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def _packed(value: Any) -> str:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode()


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    waiting = iter(entries)
    while part := list(islice(waiting, PER_BLOCK)):
        yield part


def _block(entries: Sequence[Entry]) -> dict[str, Any]:
    strings = Strings()
    views = [entry_view(entry, strings) for entry in entries]
    return {"strings": strings.all, "entries": views}


class _Index:
    """What lists and filters need of every submission."""

    def __init__(self, runs: Sequence[str]) -> None:
        self._runs = [visible(run) for run in runs]
        self._criteria, self._answers, self._flags = Strings(), Strings(), Strings()
        self.rows: list[list[Any]] = []
        """The rows that are shown."""

    @property
    def values(self) -> dict[str, Any]:
        """The index as JSON values."""
        return {
            "runs": self._runs,
            "criteria": self._criteria.all,
            "answers": self._answers.all,
            "flags": self._flags.all,
            "tones": TONES,
            "rows": self.rows,
        }

    def row(self, entry: Entry, block: int) -> list[Any]:
        """One row: id, score in words, mean score, block, verdicts."""
        given = [one.result.score.value for one in entry.judged]
        values = [value for value in given if value is not None and isfinite(value)]
        told = [visible(score_text(one.result)) for one in entry.judged]
        scores = told[0] if len(told) == 1 else f"scores {' | '.join(one.removeprefix('score ') for one in told)}"
        verdicts = [self._verdict(one, verdict) for one in entry.judged for verdict in one.result.verdicts]
        return [visible(entry.id), scores, fmean(values) if values else None, block, verdicts]

    def _verdict(self, judged: Judged, verdict: Verdict) -> list[Any]:
        """Run, criterion, answer, status, whether a person said otherwise, tone, flags, whether it was reviewed."""
        criterion = judged.criteria.get(verdict.criterion)
        answer = level_text(verdict, criterion)
        labels = labels_of(judged.item, verdict)
        return [
            judged.run,
            self._criteria.place(visible(verdict.criterion)),
            self._answers.place(visible(f"{answer}: {verdict.reason}" if verdict.reason else answer)),
            STATES.index(verdict.status),
            int(any(differs(verdict, label) for label in labels)),
            TONES.index(tone(verdict, criterion)),
            [self._flags.place(visible(flag)) for flag in verdict.flags],
            int(reviewed(judged, verdict) is not None),
        ]
