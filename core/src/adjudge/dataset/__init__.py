"""Data sets: the user's file turned into submissions or comparisons, and back.

    dataset = read_items("answers.jsonl", columns={"output": "model_answer"})
    dataset.items, dataset.sha256, dataset.bad_rows

`docs/reference/data-format.md` describes what a file may look like.
"""

from __future__ import annotations

from adjudge.dataset.reader import Dataset, read_items
from adjudge.dataset.writer import write_items

__all__ = ["Dataset", "read_items", "write_items"]
