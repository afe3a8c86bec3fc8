"""Logs of inspect-ai as runs: our own scorer's judgements as they were given, any other scorer's scores as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adjudge.api import load_rubric
from adjudge.errors import AdjudgeError, InputError
from adjudge.evals.scores import Judged, judged_of
from adjudge.interfaces import Item
from adjudge.judges.label_mass import cautions
from adjudge.plugins import Plugins
from adjudge.report.cards import JudgeCard, identity_hash
from adjudge.report.epochs import with_epoch
from adjudge.report.plain import no_result, result_of_score
from adjudge.report.record import RunRecord
from adjudge.report.runs import Row, Run
from adjudge.report.store import CardStore
from adjudge.rubric import Rubric
from adjudge.verdict import Result

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

_UNUSED = {"events", "store"}
"""Parts of a sample that no report needs; they are most of a log."""


def read_log(path: str | Path) -> EvalLog:
    """Read a log of inspect-ai.

    Raises:
        InputError: inspect-ai is not installed, or the file is no log.
    """
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise InputError(f'{path}: logs need inspect-ai: pip install "adjudge[inspect]"') from error
    try:
        return read_eval_log(str(path), resolve_attachments=True, exclude_fields=_UNUSED)
    except Exception as error:
        # A damaged log shows itself as any of a dozen errors of zip, JSON and pydantic.
        raise InputError(f"{path}: no log that inspect-ai can read ({' '.join(str(error).split())[:200]})") from error


def runs_of_log(log: EvalLog, plugins: Plugins) -> list[Run]:
    """One run per scorer of a log, in the order in which the log has them; one without a scorer if nothing is scored.

    Raises:
        InputError: Only the header of the log was read, or an entry of our scorer is none.
    """
    if log.samples is None:
        raise InputError(f"{log.location or 'the log'}: read with its header only; read it with its samples")
    names = dict.fromkeys(name for sample in log.samples for name in sample.scores or {})
    return [_run(log, name, plugins) for name in names or [""]]


def _run(log: EvalLog, scorer: str, plugins: Plugins) -> Run:
    several = len({sample.epoch for sample in log.samples or ()}) > 1
    read = [_sample(log, sample, scorer, several=several) for sample in log.samples or ()]
    judged = next((one for _, _, _, one in read if one is not None), None)
    rubric, file = _rubric(log, [one for _, _, _, one in read if one is not None], plugins)
    record = RunRecord(
        title=f"{log.eval.task} by {judged.rubric.id if judged else scorer or 'no scorer'}",
        created=str(log.eval.created),
        rubric=rubric,
        items=[item for item, _, _, _ in read],
        results=[result for _, result, _, _ in read],
        provenance={**_provenance(log, scorer, judged), **({"rubric file": file} if file else {})},
        figures=_figures(log, scorer),
        card=_card(judged, rubric, plugins),
        warnings=[*_warnings(log, [row for _, _, row, _ in read]), *cautions(result for _, result, _, _ in read)],
    )
    return Run(
        eval_id=log.eval.eval_id,
        log=log.location or "",
        source="inspect",
        task=log.eval.task,
        model=log.eval.model,
        scorer=scorer,
        status=log.status,
        engine=judged.engine if judged else "",
        version=judged.adjudge if judged else "",
        record=record,
        rows=tuple(row for _, _, row, _ in read),
    )


def _sample(log: EvalLog, sample: EvalSample, scorer: str, *, several: bool) -> tuple[Item, Result, Row, Judged | None]:
    """One sample by one scorer; with several epochs the epoch is part of the id."""
    name = with_epoch(str(sample.id), sample.epoch) if several else str(sample.id)
    score = (sample.scores or {}).get(scorer)
    judged = _judged(log, sample, score)
    error = _error(sample) if score is None else ""
    if judged is not None:
        result = _named(judged.result, name)
    else:
        result = no_result(name, scorer, error) if score is None else result_of_score(scorer, name, score)
    item = _item(sample, log.eval.model).model_copy(update={"id": name})
    row = Row(
        sample_id=sample.uuid or _sample_id(log, sample), id=str(sample.id), epoch=sample.epoch, error=error,
        **_about(judged, "" if score is None else scorer),
    )  # fmt: skip
    return item, result, row, judged


def _judged(log: EvalLog, sample: EvalSample, score: Any) -> Judged | None:
    try:
        return judged_of(score.metadata) if score is not None else None
    except ValidationError as error:
        first = error.errors()[0]
        place = f"{log.location}: sample {sample.id!r}, epoch {sample.epoch}"
        told = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(f"{place}: its score's metadata is not what adjudge writes ({told})") from error


def _error(sample: EvalSample) -> str:
    return " ".join(sample.error.message.split()) if sample.error else "not scored"


def _named(result: Result, name: str) -> Result:
    if result.submission == name:
        return result
    verdicts = tuple(verdict.model_copy(update={"submission": name}) for verdict in result.verdicts)
    score = result.score.model_copy(update={"submission": name})
    return result.model_copy(update={"submission": name, "verdicts": verdicts, "score": score})


def _about(judged: Judged | None, scorer: str) -> dict[str, Any]:
    if judged is None:
        return {"judge": scorer}
    return {
        "rubric": judged.rubric.id,
        "rubric_version": judged.rubric.version,
        "rubric_hash": judged.rubric.hash,
        "judge": judged.judge,
        "read_out": judged.read_out,
        "backend": judged.backend,
        "dimensions": tuple(judged.dimensions.items()),
    }


def _item(sample: EvalSample, model: str) -> Item:
    """What the scorer was given, from the same fields of the log."""
    from inspect_ai.scorer import Target

    from adjudge.evals.submissions import item_of

    state: Any = SimpleNamespace(
        sample_id=sample.id,
        metadata=sample.metadata,
        input=sample.input,
        messages=sample.messages,
        output=sample.output,
        target=Target(sample.target),
        model=model,
    )
    item, _ = item_of(state)
    return item


def _sample_id(log: EvalLog, sample: EvalSample) -> str:
    """The id that inspect's frames give a sample of an old log, which has none."""
    from inspect_ai.analysis._dataframe.samples.extract import auto_sample_id

    return auto_sample_id(log.eval.eval_id, sample)


def _rubric(log: EvalLog, judged: list[Judged], plugins: Plugins) -> tuple[Rubric | None, str]:
    """The rubric itself, if one judged all and the very same one is found where it came from; and its file, if any."""
    hashes = {one.rubric.hash for one in judged}
    if len(hashes) != 1 or judged[0].rubric.own:
        return None, ""
    arguments = [(one.options or {}).get("rubric") for one in log.eval.scorers or ()]
    for name in dict.fromkeys([*(str(given) for given in arguments if given), judged[0].rubric.id]):
        found = _found(name, plugins)
        if found is not None and found.hash in hashes:
            return found, name if name.endswith((".yaml", ".yml")) else ""
    return None, ""


def _found(name: str, plugins: Plugins) -> Rubric | None:
    try:
        return load_rubric(name, plugins) if name else None
    except (AdjudgeError, OSError):
        return None


def _provenance(log: EvalLog, scorer: str, judged: Judged | None) -> dict[str, Any]:
    about: dict[str, Any] = {
        "task": log.eval.task,
        "log": log.location,
        "eval id": log.eval.eval_id,
        "model": log.eval.model,
        "scorer": scorer,
        "status": log.status,
        "inspect-ai": log.eval.packages.get("inspect_ai", ""),
    }
    if judged is None:
        return about
    mark = judged.rubric
    return {
        "rubric": f"{mark.id} {mark.version}",
        "rubric hash": mark.hash,
        "rubric from": f"{mark.distribution} {mark.distribution_version}".strip() or "a file or the sample itself",
        "judge": judged.judge,
        "read-out": judged.read_out,
        "backend": judged.backend,
        "backend identity": judged.identity,
        "engine": judged.engine,
        "adjudge": judged.adjudge,
        **about,
    }


def _figures(log: EvalLog, scorer: str) -> dict[str, Any]:
    """The metrics that the log has of this scorer; NaN is undefined."""
    found: dict[str, Any] = {}
    for score in log.results.scores if log.results else ():
        if scorer in (score.scorer, score.name):
            for name, metric in score.metrics.items():
                value = metric.value
                named = name if score.name == scorer else f"{score.name}: {name}"
                found[named] = None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN
    return found


def _card(judged: Judged | None, rubric: Rubric | None, plugins: Plugins) -> JudgeCard | None:
    if judged is None or rubric is None:
        return None
    store = CardStore(shipped=[spec.cards for spec in plugins.backends.values() if spec.cards is not None])
    return store.find(identity_hash(judged.identity), judged.read_out, rubric.hash, judged.judge)


def _warnings(log: EvalLog, rows: list[Row]) -> Iterator[str]:
    if log.status != "success":
        yield f"the log's status is {log.status!r}: not all of the eval may be in it"
    missing = sum(bool(row.error) for row in rows)
    if missing:
        yield f"{missing:,} of {len(rows):,} samples have no score; {next(row.error for row in rows if row.error)}"
