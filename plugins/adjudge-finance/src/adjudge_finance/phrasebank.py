"""Reads the Financial PhraseBank: sentences with the annotators' majority, in bands of agreement."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from adjudge.errors import InputError
from adjudge_finance.published import PHRASEBANK

SENTIMENTS = ("positive", "neutral", "negative")
"""The three labels."""
FILES: Mapping[str, str] = {"AllAgree": "100", "75Agree": "75-99", "66Agree": "66-74", "50Agree": "50-65"}
"""Files from the strictest, each contained in the next, and the band (per cent of annotators who agreed) of the
sentences that stand in it first."""
BANDS = tuple(FILES.values())
"""Bands from the surest."""
SYNTHETIC = "synthetic"
"""In place of a band: a sentence that we wrote."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of company news."""

    number: int
    """Its place in the widest file, from 1."""
    text: str
    """The sentence."""
    sentiment: str
    """What most annotators said, from an investor's view."""
    band: str
    """How many agreed: one of `BANDS`, or `synthetic`."""


_Key = tuple[str, str]


def load_sentences(source: str | Path = "") -> list[Sentence]:
    """Read all sentences, those that stand twice once.

    Args:
        source: The folder with the four files, plain or compressed; the synthetic sentences shipped here if empty.

    Returns:
        Sentences in the order of the widest file. One with two majorities (annotated twice) is there once with each.

    Raises:
        InputError: A file is missing or malformed (names file and line), or the files are not nested.
    """
    if not str(source):
        return list(_shipped())
    folder = Path(source)
    if not folder.is_dir():
        raise PHRASEBANK.missing(source)
    found = {name: list(dict.fromkeys(key for _, key in read_file(folder, name))) for name in FILES}
    if not found["50Agree"]:
        raise InputError(f"{folder}: holds no sentence")
    _check_nested(folder, found)
    bands: dict[_Key, str] = {}
    for name, band in FILES.items():
        for key in found[name]:
            bands.setdefault(key, band)
    return [Sentence(number, *key, bands[key]) for number, key in enumerate(found["50Agree"], 1)]


def read_file(folder: Path, name: str) -> Iterator[tuple[int, _Key]]:
    """Sentence and label of each line of one file, with the line's number; lines that stand twice too.

    Args:
        folder: Where it lies, as `Sentences_<name>.txt` or `Sentences_<name>.txt.gz`.
        name: One of `FILES`.

    Raises:
        InputError: It is not there, or a line has no label.
    """
    path = folder / f"Sentences_{name}.txt"
    packed = folder / f"{path.name}.gz"
    try:
        data = path.read_bytes() if path.is_file() else gzip.decompress(packed.read_bytes())
    except FileNotFoundError:
        raise PHRASEBANK.missing(path) from None
    except (OSError, EOFError) as error:
        raise InputError(f"{packed}: cannot be read ({error}); fetch it again") from None
    # Latin-1 has no line ends of its own beyond ASCII's, but `splitlines` would also split at U+0085.
    for number, line in enumerate(data.decode("iso-8859-1").split("\n"), 1):
        if line.strip():
            yield number, _parsed(line, f"{path}:{number}")


def _parsed(line: str, place: str) -> _Key:
    text, _, sentiment = line.strip().rpartition("@")
    if sentiment not in SENTIMENTS or not text:
        raise InputError(f"{place}: no sentence@label with one of {', '.join(SENTIMENTS)} at its end; fetch it again")
    return text, sentiment


def _check_nested(folder: Path, found: Mapping[str, Iterable[_Key]]) -> None:
    narrow = iter(FILES)
    wide = iter(FILES)
    next(wide)
    for inner, outer in zip(narrow, wide, strict=False):
        stray = set(found[inner]) - set(found[outer])
        if stray:
            text, sentiment = min(stray)
            raise InputError(
                f"{folder}: {text[:60]!r} is {sentiment} in {inner} and not in {outer}; "
                "the four files must be of one release"
            )


def _shipped() -> Iterator[Sentence]:
    file = files("adjudge_finance") / "data" / "sentences_synthetic.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()]
    for number, row in enumerate(rows, 1):
        yield Sentence(number, row["text"], row["sentiment"], SYNTHETIC)
