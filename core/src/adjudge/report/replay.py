"""Judges a bundle again with the replies in it, and compares what comes of it with what came of it then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter

from adjudge.api import result_of
from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.plugins import Plugins
from adjudge.recipe import Recipe, remade
from adjudge.report.archive import sha256, unpacked
from adjudge.report.rehearsal import Rehearsal
from adjudge.rubric import Rubric
from adjudge.verdict import Reply, Result, Score, Verdict

_ITEM: TypeAdapter[Item] = TypeAdapter(Item)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a replay gives otherwise than the run did."""

    submission: str
    """Id."""
    what: str
    """Id of the criterion, or `score`."""
    was: Any
    """In the run."""
    now: Any
    """In the replay."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What came of judging a bundle again."""

    submissions: int
    """Submissions judged."""
    verdicts: int
    """Verdicts compared."""
    differences: tuple[Difference, ...]
    """What is not as it was; empty if all is."""
    lost: int
    """Questions to which the bundle holds no reply."""
    versions: Mapping[str, tuple[str, str]]
    """Distributions of another version by now: that of then, and that of now (empty if it is not installed)."""


def replay_bundle(path: Path, plugins: Plugins) -> Replay:
    """Judge a bundle again with its replies; no model is asked.

    Args:
        path: The zip file; checked first.
        plugins: Where the judge and the scoring come from.

    Raises:
        InputError: The bundle was changed, or cannot be read.
        UnknownNameError: Its judge or scoring is not installed.
    """
    manifest, files = unpacked(path)
    then = _read(path, files)
    differences: list[Difference] = []
    lost: set[str] = set()
    with _prepared(then.recipe, files, then.replies.get, plugins) as again:
        for item, before in zip(then.items, then.results, strict=True):
            rubric = item.rubric or then.rubric
            if rubric is None:
                raise InputError(f"{path}: {item.id!r} has no rubric; the bundle was not written by adjudge")
            verdicts, heard = again.judge(item, rubric)
            differences += _compared(before, result_of(item, rubric, verdicts, plugins))
            lost |= heard.lost
    return Replay(
        submissions=len(then.items),
        verdicts=sum(len(result.verdicts) for result in then.results),
        differences=tuple(differences),
        lost=len(lost),
        versions=_changed(manifest.get("distributions", {}), versions(plugins)),
    )


def versions(plugins: Plugins) -> dict[str, str]:
    """Versions of the distributions that bring plugins."""
    return {found.distribution: found.version for found in plugins.found}


@dataclass(frozen=True)
class _Then:
    """What a bundle says of its run."""

    recipe: Recipe
    rubric: Rubric | None
    items: Sequence[Item]
    results: Sequence[Result]
    replies: Mapping[str, Reply]


def _read(path: Path, files: Mapping[str, bytes]) -> _Then:
    def rows(name: str) -> Iterator[Any]:
        return (json.loads(line) for line in files[name].split(b"\n") if line)

    try:
        rubric = json.loads(files["rubric.json"])
        items = [_ITEM.validate_python(row) for row in rows("items.jsonl")]
        verdicts: dict[str, list[Verdict]] = {item.id: [] for item in items}
        for row in rows("verdicts.jsonl"):
            verdicts[row["submission"]].append(Verdict.model_validate(row))
        scores = {row["submission"]: Score.model_validate(row) for row in rows("scores.jsonl")}
        return _Then(
            recipe=Recipe.model_validate(json.loads(files["run.json"])["recipe"]),
            rubric=None if rubric is None else Rubric.model_validate(rubric),
            items=items,
            results=[
                Result(submission=item.id, verdicts=tuple(verdicts[item.id]), score=scores[item.id]) for item in items
            ],
            replies={row["fingerprint"]: Reply.model_validate(row["reply"]) for row in rows("replies.jsonl")},
        )
    except (KeyError, TypeError, ValueError) as error:
        told = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not written by this adjudge ({type(error).__name__}: {told})") from error


@contextmanager
def _prepared(
    recipe: Recipe, files: Mapping[str, bytes], kept: Callable[[str], Reply | None], plugins: Plugins
) -> Iterator[Rehearsal]:
    """The judge of a bundle; the files that its options name lie where it finds them meanwhile."""
    with TemporaryDirectory() as scratch:
        for name in files:
            if name.startswith("files/"):
                (Path(scratch) / sha256(name.encode())).write_bytes(files[name])

        def found(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {name: found(inner) for name, inner in value.items()}
            if isinstance(value, list):
                return [found(inner) for inner in value]
            inside = isinstance(value, str) and value.startswith("files/") and value in files
            return str(Path(scratch) / sha256(value.encode())) if inside else value

        here = recipe.model_copy(update={"options": found(recipe.options)})
        # The secret keys the random codes around texts, which are in no fingerprint; it stays with the ledger.
        with closing(Rehearsal(*remade(here, plugins), b"", kept)) as again:
            yield again


def _compared(before: Result, now: Result) -> Iterator[Difference]:
    """Where two results differ in what they say; what they cost is not compared."""
    pairs: Sequence[tuple[str, Any, Any]] = [
        *((one.criterion, _said(one), _said(two)) for one, two in zip(before.verdicts, now.verdicts, strict=False)),
        ("number of verdicts", len(before.verdicts), len(now.verdicts)),
        ("score", _combined(before.score), _combined(now.score)),
    ]
    for what, was, is_now in pairs:
        if was != is_now:
            yield Difference(submission=before.submission, what=what, was=was, now=is_now)


def _said(verdict: Verdict) -> tuple[Any, ...]:
    return (verdict.criterion, verdict.repeat, verdict.status, verdict.reason, verdict.level, verdict.score)


def _combined(score: Score) -> tuple[Any, ...]:
    return (score.value, score.bounds, score.coverage, score.criteria, score.dimensions)


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (old, now.get(name, "")) for name, old in then.items() if now.get(name, "") != old}
