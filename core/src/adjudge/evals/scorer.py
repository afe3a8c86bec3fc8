"""The scorer `adjudge/rubric`: judges what a sample holds by a rubric, criterion by criterion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from logging import getLogger
from typing import Any

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from adjudge import __version__
from adjudge.errors import BackendError
from adjudge.evals.bench import Bench, InEpoch, Seated, bench_of, read_out_of
from adjudge.evals.figures import clustered_stderr, figures, parts
from adjudge.evals.refusals import as_prerequisite
from adjudge.evals.scores import COVERAGE, TOTAL, Judged, explanation_of, reason_of, value_of
from adjudge.evals.submissions import item_of
from adjudge.evals.usage import note_usage
from adjudge.interfaces import Item
from adjudge.rubric import Rubric
from adjudge.sending import StoppedError
from adjudge.submission import Comparison
from adjudge.unanswered import unanswered
from adjudge.verdict import Result, Verdict, total

_log = getLogger(__name__)


@scorer(metrics=[{TOTAL: [mean(), clustered_stderr()], COVERAGE: [mean()]}, parts(), figures()])
def rubric(
    rubric: str | None = None,
    judge: str | None = None,
    read_out: str | None = None,
    backend: str | None = None,
    **more: Any,
) -> Scorer:
    """Judge by a rubric.

    All arguments are JSON values, so that `inspect score` and `inspect eval-retry` can replay them.

    Args:
        rubric: Id of an installed rubric, or path of a YAML file; by default the task's or the sample's own.
        judge: Name of a judge of adjudge, `panel` for example; `isolated` by default, `compare` for comparisons.
        read_out: `label` or `reasoned`; the task's, else `label` where the judge reports log-probabilities.
        backend: A backend of adjudge, `NAME` or `NAME:MODEL`, in place of the model role `grader`.
        more: Further arguments: the fields of `adjudge.evals.settings.Asked`.

    Raises:
        PrerequisiteError: A name, option or rubric cannot be; one line that says what to do.
    """
    given = {"rubric": rubric, "judge": judge, "read_out": read_out, "backend": backend, **more}
    arguments = {name: value for name, value in given.items() if value is not None}
    with as_prerequisite():
        bench = bench_of(arguments)
        bench.asked.check()

    async def score(state: TaskState, target: Target) -> Score:
        del target  # a reference is a field of the submission
        return await score_state(bench, state)

    return score


async def score_state(bench: Bench, state: TaskState) -> Score:
    """Judge one sample; what could not be judged is nan, never a number.

    Raises:
        PrerequisiteError: There is no judge, or it does not fit what it is to judge.
    """
    with as_prerequisite():
        item, written = item_of(state)
        candidate = str(state.model) if written else ""
        seated = await bench.seat(item, candidate)
        judged_by = seated.bound.rubric_of(item)
        ask = InEpoch(seated.bound.engine, state.epoch)
        result = seated.bound.result(item, await _verdicts(seated, item, judged_by, ask))
    judged = _judged(bench, seated, item, result, candidate=candidate, ask=ask)
    if seated.engine == "adjudge":
        note_usage(seated.bound.backend.name, judged.usage)
    return Score(
        value=value_of(result, comparison=judged.comparison),
        answer=state.output.completion or None,
        explanation=explanation_of(result),
        reason=reason_of(result),
        metadata=judged.as_metadata(),
    )


async def _verdicts(seated: Seated, item: Item, judged_by: Rubric, ask: InEpoch) -> Sequence[Verdict]:
    """The verdicts; unscored, all of them, where the judging model is out of reach: the answer was paid for."""
    judge = seated.bound.judge
    try:
        silent = unanswered(item, judged_by, judge.name)
        return silent or await judge.judge(item, judged_by, ask)
    except (BackendError, StoppedError) as error:
        _log.warning("%s is unscored: %s", item.id, error)
        common = {"submission": item.id, "status": "unscored", "reason": "infra", "judge": judge.name}
        detail = " ".join(str(error).split())
        return [
            Verdict.model_validate({**common, "criterion": criterion.id, "detail": detail})
            for criterion in judged_by.criteria
        ]


def _judged(bench: Bench, seated: Seated, item: Item, result: Result, *, candidate: str, ask: InEpoch) -> Judged:
    asked, bound = bench.asked, seated.bound
    judged_by = bound.rubric_of(item)
    return Judged(
        result=result,
        rubric=asked.mark(item, judged_by),
        dimensions={one.id: one.dimension for one in judged_by.criteria if one.dimension},
        judge=bound.judge.name,
        read_out=read_out_of(bound),
        read_out_asked="label" if bound.downgraded else "",
        backend=bound.backend.name,
        identity=_json(bound.backend.identity),
        engine=seated.engine,
        task=asked.task or "",
        task_args=_json(asked.task_args),
        epoch=ask.epoch,
        candidate=candidate,
        comparison=isinstance(item, Comparison),
        replies={key: tuple(messages) for key, messages in ask.heard.items()},
        usage=total(verdict.usage for verdict in result.verdicts),
        adjudge=__version__,
    )


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values)
