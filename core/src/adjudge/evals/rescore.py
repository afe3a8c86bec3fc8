"""Re-scoring: judges logs of any inspect task once more, by several judges at once, and appends to what is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspect_ai import score_async
from inspect_ai.log import EvalLog, EvalScore, read_eval_log_async, write_eval_log_async

from adjudge.errors import InputError
from adjudge.evals.bench import arguments_of
from adjudge.evals.scorer import rubric as rubric_scorer
from adjudge.evals.scores import COVERAGE, TOTAL, judged_of
from adjudge.evals.settings import Asked
from adjudge.judges.label_mass import cautions
from adjudge.verdict import Result

SUFFIXES = (".eval", ".json")
_AT_ONCE = 4


@dataclass(frozen=True)
class Rescored:
    """What one judge made of one log."""

    log: Path
    """Where the log with the new scores lies."""
    scorer: str
    """Name of the new score in each sample."""
    backend: str
    """Who judged."""
    mean: float
    """Mean of the scores; nan if nothing was scored."""
    scored: int
    """Samples with a score."""
    unscored: int
    """Samples without."""
    coverage: float
    """Mean of the scored share of the criteria."""
    cautions: tuple[str, ...] = ()
    """What the reader must know first."""


def logs_in(paths: Iterable[Path]) -> list[Path]:
    """Log files: those named, and those in folders that are named.

    Raises:
        InputError: One is not there, or a folder holds none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]
        if not inside or not inside[0].is_file():
            raise InputError(f"{path}: no log of inspect there; name .eval or .json files, or a folder of them")
        found |= dict.fromkeys(inside)
    return list(found)


async def rescore(paths: Sequence[Path], judges: Sequence[Asked], out: Path | None = None) -> list[Rescored]:
    """Judge logs, several at a time, each by all judges at once.

    Args:
        paths: Log files.
        judges: Arguments of the scorer, one set for each judge.
        out: Folder for the logs with the new scores; in place if None. A log is replaced only once it is whole.

    Raises:
        InputError: A log cannot be read, holds no samples, or two of them would get one name in `out`.
        PrerequisiteError: A judge cannot be built.
    """
    if out is not None and len({path.name for path in paths}) < len(paths):
        raise InputError(f"{out}: two logs have one name; re-score them in turn, or in place")
    scorers = [rubric_scorer(**arguments_of(asked)) for asked in judges]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(path: Path) -> list[Rescored]:
        async with gate:
            log = await _read(path)
            before = len(log.results.scores) if log.results else 0
            # The candidate's model is not needed, and its key need not be here.
            log = await score_async(log, scorers, model="none/none", action="append", display="none", copy=False)
            target = path if out is None else out / path.name
            await _write(log, target)
            new = log.results.scores[before:] if log.results else []
            return _summed_up(target, log, new, judges)

    done = await asyncio.gather(*map(one, paths))
    return [row for rows in done for row in rows]


async def _read(path: Path) -> EvalLog:
    try:
        log = await read_eval_log_async(str(path))
    except Exception as error:
        raise InputError(f"{path}: not a log of inspect ({type(error).__name__}); name .eval or .json files") from error
    if not log.samples or log.results is None:
        raise InputError(f"{path}: holds no finished samples; run `inspect eval-retry` on it first")
    return log


async def _write(log: EvalLog, target: Path) -> None:
    """Write beside the target and put it in its place: a killed run leaves the old log."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.stem}.rescored{target.suffix}")
    try:
        await write_eval_log_async(log, str(beside))
        os.replace(beside, target)  # noqa: PTH105 - the atomic one
    finally:
        beside.unlink(missing_ok=True)


def _summed_up(path: Path, log: EvalLog, scores: Sequence[EvalScore], judges: Sequence[Asked]) -> list[Rescored]:
    totals = [score for score in scores if score.name == TOTAL]
    coverages = [score for score in scores if score.name == COVERAGE]
    return [
        Rescored(
            path,
            total.scorer,
            asked.backend or "the role grader",
            total.metrics["mean"].value,
            total.scored_samples or 0,
            total.unscored_samples or 0,
            coverage.metrics["mean"].value,
            tuple(cautions(_results(log, total.scorer))),
        )
        for total, coverage, asked in zip(totals, coverages, judges, strict=False)
    ]


def _results(log: EvalLog, scorer: str) -> Iterator[Result]:
    for sample in log.samples or ():
        score = (sample.scores or {}).get(scorer)
        judged = None if score is None else judged_of(score.metadata)
        if judged is not None:
            yield judged.result
