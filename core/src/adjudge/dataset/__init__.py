"""Data sets: the user's file turned into submissions or comparisons, and back.

    dataset = read_items("answers.jsonl", columns={"output": "model_answer"})
    dataset.items, dataset.sha256, dataset.bad_rows

`docs/reference/data-format.md` describes what a file may look like. A data set with columns of its own is read row by
row:

    with given_or_shipped(source, files("adjudge_letters") / "data" / "letters.jsonl", WHERE) as path:
        return [_letter(row) for row in read_rows(path)]
"""

from __future__ import annotations

from adjudge.dataset.reader import Dataset, read_items
from adjudge.dataset.rows import PlacedRow, given_or_shipped, read_rows
from adjudge.dataset.writer import write_items

__all__ = ["Dataset", "PlacedRow", "given_or_shipped", "read_items", "read_rows", "write_items"]
