"""The `joint` judge: several criteria per question, cheaper and less independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item
from adjudge.judges.asking import Answer, Subject, primed, verdict_of
from adjudge.judges.settings import Settings, only_submission
from adjudge.prompts import evidence_parts, flags_of
from adjudge.readout import LabelReadOut, ReasonedReadOut
from adjudge.rubric import Rubric
from adjudge.verdict import Verdict


@dataclass(frozen=True)
class JointJudge:
    """Asks about `size` criteria in one structured reply; all of them if `size` is 0.

    The `label` read-out becomes JSON with levels only, since one token cannot answer several criteria.
    """

    settings: Settings = field(default_factory=Settings)
    """How to ask."""
    size: int = 0
    """Criteria per question."""

    def __post_init__(self) -> None:
        if self.size < 0:
            raise UnsupportedError(f"size={self.size}: 0 asks about all criteria at once, k about k of them")
        if isinstance(self.settings.read_out, LabelReadOut):
            # In place of the given settings, so that all who ask how this judge reads are told the truth.
            object.__setattr__(self, "settings", _with_levels_only(self.settings))

    @property
    def name(self) -> str:
        """`joint` or `joint(k)`."""
        return f"joint({self.size})" if self.size else "joint"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission; verdicts in the rubric's order, repeats of a criterion side by side."""
        submission = only_submission(item, self.name)
        subject = Subject(submission.id, submission.output, self.name, flags_of(submission))
        inquiry = self.settings.inquire(ask, rubric, [submission], evidence_parts(rubric.criteria))
        size = self.size or len(rubric.criteria)
        chunks = [rubric.criteria[start : start + size] for start in range(0, len(rubric.criteria), size)]
        repeats = range(self.settings.repeats)
        jobs = [partial(inquiry.repeated(repeat).run, chunk) for chunk in chunks for repeat in repeats]
        answers: list[Answer] = await primed(ask, jobs)
        return [
            verdict_of(criterion, answers[position * len(repeats) + repeat], subject, repeat=repeat)
            for position, chunk in enumerate(chunks)
            for criterion in chunk
            for repeat in repeats
        ]


def _with_levels_only(settings: Settings) -> Settings:
    read_out = ReasonedReadOut(order="level-only", max_tokens=40)
    sampling = settings.sampling
    if sampling is not None:
        sampling = sampling.model_copy(update={"max_tokens": max(sampling.max_tokens, read_out.max_tokens)})
    return replace(settings, read_out=read_out, sampling=sampling)
