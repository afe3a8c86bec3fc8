"""The tasks `morebench` (a candidate answers first), `morebench-responses` and `morebench-judge`."""

from __future__ import annotations

from adjudge.errors import InputError
from adjudge.interfaces import Parameter, TaskSpec
from adjudge.submission import Submission
from adjudge_moral.morebench.metrics import fulfilment_figures, judge_figures, score_figures, theory_figures
from adjudge_moral.morebench.responses import PARTS, load_responses, metadata_of
from adjudge_moral.morebench.scenarios import load_scenarios
from adjudge_moral.morebench.theories import assignment

FIGURES = (score_figures, fulfilment_figures, theory_figures)
"""What is computed of judged reasoning."""


def candidate_dataset(*, source: str = "", subset: str = "all", part: str = "response") -> list[Submission]:
    """Scenarios to answer, each with the rubric that its answer is judged by."""
    return [
        Submission(
            id=scenario.id,
            input=assignment(scenario.dilemma, scenario.theory),
            rubric=scenario.rubric,
            metadata=metadata_of(scenario, part),
        )
        for scenario in load_scenarios(source, subset)
    ]


def labelled_dataset(*, source: str = "", part: str = "response") -> list[Submission]:
    """Responses that carry gold verdicts; the others cannot measure a judge.

    Raises:
        InputError: None does.
    """
    found = [one for one in load_responses(source, part) if one.labels and one.output]
    if not found:
        raise InputError(
            f"{source}: no {part} carries gold verdicts; add a column labels, from criterion id to yes or no"
        )
    return found


_PART = Parameter(name="part", summary="what is judged", default="response", choices=tuple(PARTS))
_RESPONSES = Parameter(
    name="source", summary="file of responses; the synthetic ones if empty (see docs/plugins/moral.md)", default=""
)
MOREBENCH = TaskSpec(
    name="morebench",
    summary="a candidate reasons about moral dilemmas; each answer is judged by its own signed criteria",
    kind="candidate",
    dataset=candidate_dataset,
    rubric="moral/reasoning",
    metrics=FIGURES,
    solver="response-or-trace",
    parameters=(
        Parameter(name="source", summary="morebench_public.csv or _theory.csv; synthetic if empty", default=""),
        Parameter(
            name="subset",
            summary="scenarios that ask for no theory, or for one of five",
            default="all",
            choices=("all", "public", "theory"),
        ),
        _PART,
    ),
)
MOREBENCH_RESPONSES = TaskSpec(
    name="morebench-responses",
    summary="judges stored responses or thinking traces to moral dilemmas, each by its own signed criteria",
    kind="judge",
    dataset=load_responses,
    rubric="moral/reasoning",
    metrics=FIGURES,
    parameters=(_RESPONSES, _PART),
)
MOREBENCH_JUDGE = TaskSpec(
    name="morebench-judge",
    summary="measures a judge of moral reasoning against gold verdicts, by its worst group (MoReBench)",
    kind="meta",
    dataset=labelled_dataset,
    rubric="moral/reasoning",
    metrics=(judge_figures,),
    parameters=(_RESPONSES, _PART),
)
