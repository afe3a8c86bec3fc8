"""What is labelled: submissions from a run or a data file, drawn and put into a random order."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adjudge.errors import InputError
from adjudge.report import RunRecord
from adjudge.rubric import Rubric
from adjudge.submission import Submission
from adjudge.values import content_hash
from adjudge.verdict import Result
from adjudge_validity.drawing import draw as draw_by_doubt
from adjudge_validity.labelling.acts import Draw, Drawing, Drawn, RubricMark, now

_HASHED = re.compile(r"sha256:[0-9a-f]{16}")
DEFAULT_SIZE = 100
"""How many submissions are drawn if nobody says."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What labels can be given on."""

    source: str
    """Hash of the submissions, the same for a run and for the file that it judged."""
    submissions: Mapping[str, Submission]
    """Id to submission, in file order."""
    rubric: Rubric | None
    """The rubric; None if every submission brings its own."""
    record: RunRecord | None = None
    """The run, if it is one."""
    run: str = ""
    """Id of the run."""
    results: Mapping[str, Result] = field(default_factory=dict)
    """Id to what the judge said, of a run."""

    def rubric_of(self, submission: str) -> Rubric:
        """The rubric that a submission is labelled by."""
        found = self.submissions[submission].rubric or self.rubric
        assert found is not None, "`material_of` refuses a submission without a rubric"
        return found


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How submissions are to be drawn; what is None was not asked for."""

    purpose: Literal["label", "review"] = "label"
    """What raters are asked."""
    size: int | None = None
    """How many."""
    seed: int | None = None
    """Seed of the draw and of the order."""
    drawn: Literal["active", "random"] | None = None
    """How."""


def material_of(source: Path, rubric: Rubric | None) -> Material:
    """Read the folder of a run, or a data file.

    Args:
        source: Which.
        rubric: The rubric of a data file; the run has its own.

    Raises:
        InputError: It cannot be read, holds comparisons, or lacks a rubric.
    """
    found = _of_run(source, rubric) if source.is_dir() else _of_file(source, rubric)
    bare = [name for name, one in found.submissions.items() if one.rubric is None and found.rubric is None]
    if bare:
        raise InputError(f"{source}: {bare[0]!r} brings no rubric; name one with --rubric")
    return found


def _of_run(source: Path, rubric: Rubric | None) -> Material:
    from adjudge.report.folder import run_id
    from adjudge_validity.ratings import read_run

    record = read_run(source)
    if rubric is not None and (record.rubric is None or rubric.hash != record.rubric.hash):
        raise InputError(f"{source}: was judged by another rubric than --rubric {rubric.id}; leave --rubric out")
    submissions = _by_id(source, record.items)
    if any(map(_is_hashed, submissions.values())):
        raise InputError(f"{source}: was made with --store hashes and holds no texts to show; give the data file")
    return Material(
        source=_hash(submissions),
        submissions=submissions,
        rubric=record.rubric,
        record=record,
        run=run_id(source),
        results={result.submission: result for result in record.results},
    )


def _is_hashed(one: Submission) -> bool:
    texts = [one.output] if isinstance(one.output, str) else [message.content for message in one.output]
    return any(map(_HASHED.fullmatch, texts))


def _of_file(source: Path, rubric: Rubric | None) -> Material:
    from adjudge.dataset import read_items

    submissions = _by_id(source, read_items(source).items)
    return Material(source=_hash(submissions), submissions=submissions, rubric=rubric)


def _hash(submissions: Mapping[str, Submission]) -> str:
    """SHA-256 of what raters see; labels and metadata may change."""
    digest = hashlib.sha256()
    for one in submissions.values():
        digest.update(content_hash(one.model_copy(update={"labels": (), "metadata": {}})).encode())
    return digest.hexdigest()


def _by_id(source: Path, items: Sequence[object]) -> dict[str, Submission]:
    found = {item.id: item for item in items if isinstance(item, Submission)}
    if len(found) < len(items):
        raise InputError(f"{source}: holds comparisons; labels are given on single submissions")
    return found


def draw_of(material: Material, wish: Wish) -> Draw:
    """Draw submissions and put them into a random order.

    Raises:
        InputError: More are asked for than there are, or the judge's doubt is asked for and there is no run.
    """
    seed = wish.seed or 0
    whole = len(material.submissions)
    size = min(DEFAULT_SIZE, whole) if wish.size is None else wish.size
    if size > whole:
        raise InputError(f"{size} to draw of {whole} submissions: ask for 1 to {whole}")
    how: Drawing = "all" if size == whole else wish.drawn or ("random" if material.record is None else "active")
    chances = _by_doubt(material, size, seed) if how == "active" else dict.fromkeys(material.submissions, size / whole)
    order = sorted(chances)
    random.Random(f"order {seed}").shuffle(order)  # noqa: S311 - sampling, not secrets
    return Draw(
        format=1,
        purpose=wish.purpose,
        time=now(),
        source=material.source,
        rubric=None if material.rubric is None else RubricMark.of(material.rubric),
        drawn=how,
        size=size,
        of=whole,
        seed=seed,
        criteria=() if material.rubric is None else _criteria(material.rubric),
        submissions=tuple(_drawn(material, name, chances[name]) for name in order[:size]),
    )


def _by_doubt(material: Material, size: int, seed: int) -> dict[str, float]:
    if material.record is None:
        raise InputError("--drawn active draws by the judge's doubt; give the folder of a run, or --drawn random")
    return {one.submission: one.probability for one in draw_by_doubt(material.record, size, seed=seed)}


def _drawn(material: Material, name: str, probability: float) -> Drawn:
    own = material.submissions[name].rubric
    return Drawn(submission=name, probability=probability, criteria=() if own is None else _criteria(own))


def _criteria(rubric: Rubric) -> tuple[str, ...]:
    return tuple(criterion.id for criterion in rubric.criteria)


def refuse_another(draw: Draw, material: Material, wish: Wish, shown: str) -> None:
    """Raise InputError if a file was begun on other material, or with another draw than is wished for now."""
    drawn = wish.drawn if draw.drawn == "all" else draw.drawn
    asked = {"-n": (wish.size, draw.size), "--seed": (wish.seed, draw.seed), "--drawn": (wish.drawn, drawn)}
    for option, (new, old) in asked.items():
        if new not in (None, old):
            raise InputError(f"{shown}: was drawn with {option} {old}; leave {option} out, or name another --out")
    if draw.purpose != wish.purpose:
        raise InputError(f"{shown}: was begun to {draw.purpose}; name another --out to {wish.purpose}")
    mark = None if material.rubric is None else RubricMark.of(material.rubric)
    if draw.source != material.source:
        raise InputError(f"{shown}: was begun on other data; give what it was begun on, or name another --out")
    if draw.rubric != mark:
        raise InputError(f"{shown}: was begun with another version of the rubric; name another --out")
