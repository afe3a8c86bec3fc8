"""A run as one file that others can check and replay without a model: rubric, rows, replies, verdicts, versions."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adjudge.errors import InputError
from adjudge.ledger import LEDGER, Ledger
from adjudge.plugins import Plugins
from adjudge.recipe import Recipe
from adjudge.report.archive import lines_of, packed, sha256
from adjudge.report.export import write_files
from adjudge.report.folder import read_record
from adjudge.report.record import RunRecord
from adjudge.report.rehearsal import Heard, recipe_of, rehearsal
from adjudge.report.replay import Replay, replay_bundle, versions

_README = b"""A run of adjudge, as it was judged.

    adjudge bundle verify THIS.zip    every file is what the manifest says
    adjudge bundle replay THIS.zip    judges again with the replies kept here; asks no model

manifest.json   what is in here, with SHA-256, and the versions that made it
run.json        title, provenance, and how the judge was made
rubric.json     the rubric; rubrics of single submissions stand in items.jsonl
items.jsonl     what was judged, with the labels of people
prompts.jsonl   every question as it was asked
replies.jsonl   every reply, by the fingerprint of its question
verdicts.jsonl, scores.jsonl   what came of it
"""


def make_bundle(folder: Path, path: Path, plugins: Plugins) -> Replay:
    """Write the bundle of the latest run in a folder, after it was replayed.

    Args:
        folder: The run.
        path: The zip file.
        plugins: Where the judge comes from.

    Returns:
        The replay, which gave what the run gave.

    Raises:
        InputError: The run cannot be replayed, or gives something else by now; or the file cannot be written.
    """
    record = read_record(folder, plugins)
    with Ledger(folder / LEDGER, reading=True) as ledger:
        recipe = recipe_of(folder, ledger)
    inside, taken = _with_files(recipe)
    files = {**_files(record, inside), **taken, **_asked(folder, record, plugins)}
    content = packed(files, _about(record, plugins))
    with TemporaryDirectory() as scratch:
        trial = Path(scratch) / "trial.zip"
        trial.write_bytes(content)
        found = replay_bundle(trial, plugins)
    if found.differences:
        first = found.differences[0]
        raise InputError(
            f"{folder}: a replay gives {len(found.differences):,} other verdicts and scores, the first {first.what!r}"
            f" of {first.submission!r} (was {first.was}, now {first.now}); judge again with what is installed now"
        )
    write_files(path.parent, {path.name: content})
    return found


def _about(record: RunRecord, plugins: Plugins) -> dict[str, Any]:
    return {
        "title": record.title,
        "created": record.created,
        "python": platform.python_version(),
        "distributions": versions(plugins),
    }


def _with_files(recipe: Recipe) -> tuple[Recipe, dict[str, bytes]]:
    """The recipe, with the files that options of the judge name moved into the bundle."""
    taken: dict[str, bytes] = {}

    def move(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: move(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [move(inner) for inner in value]
        if not isinstance(value, str) or not _is_file(value):
            return value
        data = Path(value).read_bytes()
        name = f"files/{sha256(data)[:16]}-{Path(value).name}"
        taken[name] = data
        return name

    return recipe.model_copy(update={"options": move(recipe.options)}), taken


def _is_file(value: str) -> bool:
    try:
        return 0 < len(value) < 1000 and Path(value).is_file()  # noqa: PLR2004 - longer than any path
    except (OSError, ValueError):
        return False


def _files(record: RunRecord, recipe: Recipe) -> dict[str, bytes]:
    run = {
        "title": record.title,
        "created": record.created,
        "provenance": record.provenance,
        "warnings": list(record.warnings),
        "recipe": recipe.model_dump(mode="json"),
    }
    verdicts = (verdict for result in record.results for verdict in result.verdicts)
    return {
        "README.txt": _README,
        "run.json": lines_of(run),
        "rubric.json": lines_of(record.rubric and record.rubric.model_dump(mode="json")),
        "items.jsonl": _rows(item.model_dump(mode="json") for item in record.items),
        "verdicts.jsonl": _rows(verdict.model_dump(mode="json") for verdict in verdicts),
        "scores.jsonl": _rows(result.score.model_dump(mode="json") for result in record.results),
        **{f"{name}.json": lines_of(value) for name, value in record.audits.items()},
    }


def _rows(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace")


def _asked(folder: Path, record: RunRecord, plugins: Plugins) -> dict[str, bytes]:
    """Questions and replies of the run, and of no other one in its ledger."""
    heard = Heard()
    with rehearsal(folder, plugins) as again:
        for item in record.items:
            rubric = record.rubric_of(item)
            if rubric is not None:
                one = again.judge(item, rubric)[1]
                heard.questions.update(one.questions)
                heard.replies.update(one.replies)
    questions = (
        {"fingerprint": key, **one.model_dump(mode="json", exclude=_BINARY)} for key, one in heard.questions.items()
    )
    replies = ({"fingerprint": key, "reply": one.model_dump(mode="json")} for key, one in heard.replies.items())
    return {"prompts.jsonl": _rows(questions), "replies.jsonl": _rows(replies)}


_BINARY: dict[str, Any] = {"identity": True, "prompt": {"digest": True}}
