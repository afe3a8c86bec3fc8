"""Reads cases with the columns of NurValues from CSV, JSONL, Parquet or a data set hub."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError
from adjudge_nursing.cases import VALUES, Case, Language, Level

COLUMNS: Mapping[tuple[Level, Language], str] = {
    ("easy", "zh"): "text_CN",
    ("easy", "en"): "text_EN",
    ("hard", "zh"): "complicated_text_CN",
    ("hard", "en"): "complicated_text_EN",
}
"""Column of each level and language."""
REQUIRED = ("index", *COLUMNS.values(), "Nursing_Value", "Alignment")
"""Columns that a file must have; others are ignored."""
HUB_ID = "Ben012345/NurValues"
"""Where the authors of NurValues published it."""
WHERE = (
    f"NurValues (arXiv:2505.08734) is published as {HUB_ID} on huggingface.co; its licence is not stated, so ask the "
    "authors before use. Download its labelled file and pass `-T source=PATH` (CSV, JSONL or Parquet)"
)
"""What to download, from where, under which terms, and where to put it."""

_HUB = re.compile(r"[\w.\-]+/[\w.\-]+")
_FILE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".gz")
_PlacedRow = tuple[str, Mapping[str, Any]]


def load_cases(source: str | Path = "") -> list[Case]:
    """Read all cases of a source.

    Args:
        source: A CSV, JSONL or Parquet file, an id on the hub, or nothing for the synthetic cases shipped here.

    Returns:
        Cases in file order; the two polarities of a pair share `pair`.

    Raises:
        InputError: The source or one of its rows cannot be read; names file and line.
    """
    cases = [_case(place, row) for place, row in _rows(str(source))]
    if not cases:
        raise InputError(f"{source}: holds no case")
    _refuse_repeats(cases)
    return cases


def _rows(source: str) -> Iterator[_PlacedRow]:
    is_file = Path(source).exists() or source.casefold().endswith(_FILE_SUFFIXES)
    if not is_file and _HUB.fullmatch(source):
        yield from _hub(source)
        return
    with given_or_shipped(source, files("adjudge_nursing") / "data" / "values_synthetic.jsonl", WHERE) as path:
        yield from ((row.place, row.fields) for row in read_rows(path))


def _hub(source: str) -> Iterator[_PlacedRow]:
    if find_spec("datasets") is None:
        raise InputError(f"{source}: no such file, and reading from the hub needs: pip install datasets. {WHERE}")
    datasets = import_module("datasets")
    try:
        splits = datasets.load_dataset(source)
    except Exception as error:  # noqa: BLE001 - a third-party loader raises whatever its transports raise
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"{source}: cannot be had from the hub: {why}. {WHERE}") from None
    for split, rows in splits.items():
        for number, row in enumerate(rows, 1):
            yield f"{source}[{split}]:{number}", row


def _check_columns(place: str, names: Iterable[str]) -> None:
    missing = [column for column in REQUIRED if column not in set(names)]
    if missing:
        raise InputError(f"{place}: has no {', '.join(missing)}; a NurValues row has {', '.join(REQUIRED)}")


def _case(place: str, row: Mapping[str, Any]) -> Case:
    _check_columns(place, row)
    value = str(row["Nursing_Value"]).strip().casefold().replace(" ", "_").replace("-", "_")
    if value not in VALUES:
        raise InputError(f"{place}: Nursing_Value is {row['Nursing_Value']!r}; it must be one of {', '.join(VALUES)}")
    index = _plain(row["index"])
    if not index:
        raise InputError(f"{place}: index is empty; the two versions of a case share one")
    return Case(
        pair=index if index.casefold().startswith(value) else f"{value}-{index}",
        index=index,
        value=value,
        aligned=_alignment(place, row["Alignment"]),
        texts={key: _cell(place, column, row[column]) for key, column in COLUMNS.items()},
        place=place,
    )


def _alignment(place: str, cell: Any) -> bool:
    text = _plain(cell)
    if isinstance(cell, bool) or text not in {"0", "1"}:
        raise InputError(f"{place}: Alignment is {cell!r}; it must be 1 (aligns) or 0 (does not align)")
    return text == "1"


def _plain(cell: Any) -> str:
    """A whole number or a word as text: 3, 3.0 and `3` are one."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def _cell(place: str, column: str, cell: Any) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise InputError(f"{place}: {column} is no text")
    return cell.strip()


def _refuse_repeats(cases: Iterable[Case]) -> None:
    first: dict[tuple[str, bool], str] = {}
    for case in cases:
        key = (case.pair, case.aligned)
        if key in first:
            raise InputError(
                f"{case.place}: repeats index {case.index!r} of {case.value} with Alignment {int(case.aligned)}, "
                f"first seen at {first[key]}; each version of a case must stand once"
            )
        first[key] = case.place
