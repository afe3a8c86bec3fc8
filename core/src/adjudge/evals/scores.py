"""What a sample's score in an inspect log holds: one number per key, and beside them the whole judgement.

`Score.value` is always a table of numbers, with `nan` where there is none, which inspect counts as unscored:

    total              the score; for a comparison 1 if the first is better, 0.5 for a tie, 0 if the second is
    coverage           scored share of the criteria that were due; never nan
    dimension:NAME     share of the best reachable in that dimension, from 0 to 1
    criterion:ID       score of the criterion's level, in its scale's units

`Score.metadata["adjudge"]` is a `Judged` as JSON, defaults left out: verdicts with explanations, quotes, distributions
and fingerprints, the rubric with its hash and the distribution that brings it, who judged, how, and at what cost.
`judged_of` reads it. Nothing here imports inspect_ai.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, JsonValue

from adjudge.rubric import Rubric
from adjudge.values import Frozen
from adjudge.verdict import Result, Usage, Verdict

KEY = "adjudge"
"""Where it stands in the metadata of scores, samples and tasks."""
LAYOUT = 1
"""Raised when a reader of old logs must do something else."""
TOTAL, COVERAGE, DIMENSION, CRITERION = "total", "coverage", "dimension:", "criterion:"
"""Keys of `Score.value`, the last two followed by a name."""
_SHARES = {"first": 1.0, "tie": 0.5, "second": 0.0}


class RubricMark(Frozen):
    """Which rubric, exactly."""

    id: str
    """Its id."""
    version: str
    """Its version."""
    hash: str
    """Content hash; another rubric never has it."""
    distribution: str = ""
    """The installed distribution that brings it; empty for a file or a rubric of the submission's own."""
    distribution_version: str = ""
    """Version of that distribution."""
    own: bool = False
    """Came with the submission rather than with the run."""


class Judged(Frozen):
    """A judgement as it stands in a log."""

    layout: int = LAYOUT
    """Version of this layout."""
    result: Result
    """Verdicts and score, with the submission's id."""
    rubric: RubricMark
    """By which rubric."""
    dimensions: dict[str, str] = Field(default_factory=dict)
    """Dimension of each criterion that has one."""
    judge: str
    """Name of the judge with its settings."""
    read_out: str
    """How levels were asked for and read."""
    read_out_asked: str = ""
    """The read-out that the task wanted and the backend does not offer; empty if it was not changed."""
    backend: str
    """Name and model for people."""
    identity: dict[str, JsonValue] = Field(default_factory=dict)
    """Who answers, as in every fingerprint."""
    engine: Literal["inspect", "adjudge"] = "inspect"
    """Whose calls they were: those of inspect's models, or of adjudge's own backends."""
    task: str = ""
    """The task, if one is judged; its metrics are computed from these judgements."""
    task_args: dict[str, JsonValue] = Field(default_factory=dict)
    """Its parameters."""
    epoch: int = 1
    """Epoch of the sample."""
    candidate: str = ""
    """The model that wrote what is judged; empty if it was given."""
    comparison: bool = False
    """Several submissions were compared rather than one judged."""
    replies: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """From the fingerprint of a question to the ids of the messages in the log that answered it and its follow-ups."""
    usage: Usage = Usage()
    """Tokens and cost of all its replies."""
    adjudge: str = ""
    """Version of adjudge."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One per criterion, in the rubric's order."""
        return self.result.verdicts

    def as_metadata(self) -> dict[str, Any]:
        """The entry for `Score.metadata`."""
        return {KEY: _Entry(self)}


class _Entry(dict[str, Any]):
    """A judgement as JSON that remembers what it was made from.

    inspect copies every score deeply for every metric, and metrics read it again; a log's entry never changes.
    """

    def __init__(self, judged: Judged) -> None:
        super().__init__({"layout": judged.layout, **judged.model_dump(mode="json", exclude_defaults=True)})
        self.judged = judged

    def __deepcopy__(self, memo: dict[int, Any]) -> _Entry:
        return self


def judged_of(metadata: Mapping[str, Any] | None) -> Judged | None:
    """The judgement in a score's metadata, or None if another scorer wrote the score.

    Raises:
        pydantic.ValidationError: The entry was written by hand or by another layout.
    """
    entry = (metadata or {}).get(KEY)
    if entry is None or isinstance(entry, _Entry):
        return None if entry is None else entry.judged
    return Judged.model_validate(entry)


def value_of(result: Result, *, comparison: bool = False) -> dict[str, float]:
    """The numbers of `Score.value`."""
    score = result.score
    total = _SHARES.get(score.note) if comparison else score.value
    return {
        TOTAL: _number(total),
        COVERAGE: score.coverage,
        **{f"{DIMENSION}{name}": _number(value) for name, value in score.dimensions.items()},
        **{f"{CRITERION}{name}": _number(value) for name, value in score.criteria.items()},
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def reason_of(result: Result) -> str | None:
    """Why nothing at all was scored, in inspect's words; None if something was.

    inspect tells a failure of the model under test from one of the judge: `refusal` and `no_response` are the former.
    """
    due = [verdict for verdict in result.verdicts if verdict.status != "skipped"]
    if not due or any(verdict.status == "scored" for verdict in due):
        return None
    if all(verdict.detail.startswith(_OF_THE_CANDIDATE) for verdict in due):
        return "refusal" if due[0].reason == "refusal" else "no_response"
    return "grader_failed"


_OF_THE_CANDIDATE = "the candidate: "


def explanation_of(result: Result) -> str:
    """The verdicts as a list for the viewer, one line each."""
    lines = [_line(verdict) for verdict in result.verdicts]
    return "\n".join([*lines, *([f"\n{result.score.note}"] if result.score.note else [])])


def _line(verdict: Verdict) -> str:
    if verdict.status == "scored":
        points = "" if verdict.score is None else f" ({verdict.score:g})"
        head = f"{verdict.level}{points}"
    else:
        head = verdict.status + (f", {verdict.reason}" if verdict.reason else "")
    told = " ".join((verdict.explanation or (verdict.detail if verdict.status != "scored" else "")).split())
    return f"- **{verdict.criterion}**: {head}{': ' + told if told else ''}"


def mark_of(rubric: Rubric, distribution: str = "", version: str = "", *, own: bool = False) -> RubricMark:
    """Which rubric, exactly, and who brings it."""
    return RubricMark(
        id=rubric.id,
        version=rubric.version,
        hash=rubric.hash,
        distribution=distribution,
        distribution_version=version,
        own=own,
    )
