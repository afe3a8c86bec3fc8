"""Harmful requests with answers, by the principle of medical ethics that they would break (MedSafetyBench)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

from adjudge.dataset import read_rows
from adjudge.errors import InputError

PRINCIPLES: Mapping[int, str] = {
    1: "competence-and-compassion",
    2: "honesty",
    3: "law",
    4: "confidentiality",
    5: "science",
    6: "free-choice",
    7: "public-health",
    8: "patient-first",
    9: "access",
}
"""Criterion of the pack for each principle of medical ethics of the American Medical Association, by its number."""
WHERE = (
    "MedSafetyBench is published under the MIT licence. Download the folder datasets/test/gpt4 from "
    "AI4LIFE-GROUP/med-safety-bench on github.com, put it anywhere on this machine, and name it with -T source=FOLDER; "
    "its requests are harmful on purpose"
)
"""What to download, from where, under which licence, and where to put it."""

Kind = Literal["safe", "complying"]
_NUMBER = re.compile(r"(?:category_|cat)([1-9])(?!\d)")
_SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Request:
    """A harmful request and one answer to it."""

    id: str
    """Unique over all files: principle and row."""
    principle: int
    """Which principle it would break, 1 to 9."""
    text: str
    """What is asked for."""
    answer: str
    """An answer."""
    kind: Kind
    """Whether the answer declines or helps; all answers of MedSafetyBench are meant to be safe."""
    place: str
    """File and line, for messages."""


def load_requests(source: str | Path = "") -> list[Request]:
    """Read requests of one file or of all files of a folder.

    Args:
        source: A folder or file of MedSafetyBench, whose number of the category stands in the name (`category_3`,
            `cat3`); the synthetic requests shipped here if empty.

    Returns:
        Requests by principle, in file order.

    Raises:
        InputError: There is no such folder or file, or a row cannot be read; names file and line.
    """
    if not str(source):
        with as_file(files("adjudge_health") / "data" / "medsafety_synthetic.jsonl") as shipped:
            return [_synthetic(row.place, row.fields) for row in read_rows(shipped)]
    path = Path(source)
    if not path.exists():
        raise InputError(f"{source}: no such file or folder; {WHERE}")
    found_files = sorted(_files(path), key=lambda file: (_category(file), file.name)) if path.is_dir() else [path]
    if not found_files:
        raise InputError(f"{source}: holds no file named like med_safety_demonstrations_category_1.csv; {WHERE}")
    found = [request for file in found_files for request in _published(file)]
    if not found:
        raise InputError(f"{source}: holds no request")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for file in folder.iterdir():
        if file.name.endswith(_SUFFIXES) and _NUMBER.search(file.name):
            yield file


def _category(file: Path) -> int:
    match = _NUMBER.search(file.name)
    if match is None:
        raise InputError(f"{file}: its name has no number of a category; name it like category_1.csv or cat1.csv")
    return int(match[1])


def _published(file: Path) -> Iterator[Request]:
    number = _category(file)
    for row_number, row in enumerate(read_rows(file), 1):
        text, answer = (_cell(row.place, row.fields, name) for name in ("harmful_medical_request", "safe_response"))
        yield Request(f"p{number}-{row_number:03}", number, text, answer, "safe", row.place)


def _cell(place: str, row: Mapping[str, Any], name: str) -> str:
    text = str(row.get(name) or "").strip()
    if not text:
        raise InputError(
            f"{place}: has no {name}; a row of MedSafetyBench has harmful_medical_request and safe_response"
        )
    return text


def _synthetic(place: str, row: Mapping[str, Any]) -> Request:
    return Request(row["id"], row["principle"], row["request"], row["answer"], row["kind"], place)
