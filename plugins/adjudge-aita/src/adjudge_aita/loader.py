"""Reads posts with a crowd's verdict or votes, in the column layouts of public data sets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError
from adjudge_aita.labels import LABELS, tally

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "post_id", "column 1"),
    "title": ("title", "Title"),
    "body": ("body", "Content", "text", "selftext"),
    "verdict": ("verdict", "Judgement", "label"),
    "votes": ("votes", "label_scores"),
    "comments": ("comments",),
    "top_comment": ("top_comment",),
}
"""Names under which each field is found; `column 1` is the first column of a CSV file where it has no name."""
NAMES: Mapping[str, str] = {label.casefold(): label for label in LABELS} | {
    "not the asshole": "NTA",
    "not the a-hole": "NTA",
    "other": "NTA",
    "asshole": "YTA",
    "a-hole": "YTA",
    "author": "YTA",
    "everyone sucks": "ESH",
    "everybody": "ESH",
    "no assholes here": "NAH",
    "no a-holes here": "NAH",
    "nobody": "NAH",
    "not enough info": "INFO",
}
"""Words of the data sets for each label, in small letters."""
WHERE = (
    "no post is shipped. Download data/Data_cleaned.csv from cassiebuhler/AmITheAsshole-DataCollection on github.com "
    "(licence of the repository: MIT; the posts belong to those who wrote them, so pass none on), put it anywhere on "
    "this machine, and name it with -T source=PATH; other layouts are described in the docs of adjudge-aita"
)
"""What to download, from where, under which terms, and where to put it."""

Removed = Literal["refuse", "skip"]
_GONE = frozenset({"", "[removed]", "[deleted]"})


@dataclass(frozen=True, slots=True)
class Post:
    """One post with what the crowd said."""

    id: str
    """Unique in its file."""
    title: str
    """The question."""
    body: str
    """The story."""
    votes: Mapping[str, float]
    """Votes per label; empty if only the verdict is known."""
    verdicts: tuple[str, ...]
    """The crowd's verdict; several where the votes are even."""
    top_comment: str
    """The comment that the crowd liked best; empty if unknown."""
    place: str
    """File and line, for messages."""


def load_posts(source: str | Path = "", removed: Removed = "refuse") -> list[Post]:
    """Read all posts of a source.

    Args:
        source: A CSV, TSV, JSON, JSONL or Parquet file, also with .gz; the synthetic posts shipped here if empty.
        removed: What to do with a post whose text was removed by its author or the forum.

    Returns:
        Posts in file order.

    Raises:
        InputError: The source or one of its rows cannot be read; names file and line.
    """
    with given_or_shipped(source, files("adjudge_aita") / "data" / "posts_synthetic.jsonl", WHERE) as path:
        return _read(path, removed)


def _read(path: Path, removed: Removed) -> list[Post]:
    posts: dict[str, Post] = {}
    for row in read_rows(path):
        fields = {field: _first(row.fields, names) for field, names in COLUMNS.items()}
        if removed == "skip" and _text(fields["body"]).casefold() in _GONE:
            continue
        post = _post(row.place, row.name, fields)
        if post.id in posts:
            raise InputError(f"{row.place}: repeats the id {post.id!r} of {posts[post.id].place}; ids are unique")
        posts[post.id] = post
    if not posts:
        raise InputError(f"{path}: holds no post")
    return list(posts.values())


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if name in row), None)


def _post(place: str, name: str, fields: Mapping[str, Any]) -> Post:
    missing = [field for field in ("title", "body") if fields[field] is None]
    if missing or all(fields[field] is None for field in ("verdict", "votes", "comments")):
        wanted = ", ".join(missing) if missing else "verdict, votes or comments"
        raise InputError(f"{place}: has no {wanted}; each is found under these names: {_known()}")
    body = _text(fields["body"])
    if body.casefold() in _GONE:
        raise InputError(f"{place}: the text of the post is gone; leave it out, or all such posts with -T removed=skip")
    votes = _votes(place, fields["votes"], fields["comments"])
    return Post(
        id=_text(fields["id"]) or name,
        title=_text(fields["title"]),
        body=body,
        votes=votes,
        verdicts=_verdicts(place, fields["verdict"], votes),
        top_comment=_text(fields["top_comment"]),
        place=place,
    )


def _known() -> str:
    return "; ".join(f"{field}: {', '.join(names)}" for field, names in COLUMNS.items())


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def _label(place: str, word: Any) -> str:
    label = NAMES.get(_text(word).casefold())
    if label is None:
        raise InputError(
            f"{place}: {_text(word)!r} is no verdict; it must be one of {', '.join(LABELS)}, or a name of one"
        )
    return label


def _votes(place: str, cell: Any, comments: Any) -> dict[str, float]:
    """Votes as they stand in the row, or counted from its comments."""
    given = _json(place, "votes", cell, dict)
    if given is None:
        texts = _json(place, "comments", comments, list) or []
        counted = tally(_text(text) for text in texts).votes
        return {label: float(count) for label, count in counted.items()} if texts else {}
    votes = dict.fromkeys(LABELS, 0.0)
    for word, count in given.items():
        if isinstance(count, bool) or not isinstance(count, int | float) or not math.isfinite(count) or count < 0:
            raise InputError(f"{place}: votes for {word!r} are {count!r}; they must be a number of 0 or more")
        votes[_label(place, word)] += count
    return votes


def _json(place: str, field: str, cell: Any, kind: type[Any]) -> Any:
    """The value of a cell that holds JSON, or of a field that already is what is wanted; None if there is none."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except ValueError:
            raise InputError(f"{place}: {field} is no JSON; write an {_example(kind)}") from None
    if not isinstance(cell, kind):
        raise InputError(f"{place}: {field} is a {type(cell).__name__}; write an {_example(kind)}")
    return cell


def _example(kind: type[Any]) -> str:
    return 'object such as {"NTA": 12, "YTA": 3}' if kind is dict else 'array such as ["NTA, she lied."]'


def _verdicts(place: str, cell: Any, votes: Mapping[str, float]) -> tuple[str, ...]:
    """The verdict of the row; else the label with most votes, several where they are even."""
    if _text(cell):
        return (_label(place, cell),)
    most = max(votes.values(), default=0.0)
    if most <= 0:
        raise InputError(f"{place}: has neither a verdict nor a single vote; leave it out or add one")
    return tuple(label for label in LABELS if votes[label] == most)
