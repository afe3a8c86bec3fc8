"""Settings that judges over one backend share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Capabilities, Item
from adjudge.judges.asking import Inquiry
from adjudge.prompts import Evidence, template_named
from adjudge.readout import LabelReadOut, ReadOut, ReasonedReadOut
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Sampling


@dataclass(frozen=True)
class Settings:
    """How to ask."""

    read_out: ReadOut = field(default_factory=LabelReadOut)
    """How a level is asked for and read."""
    template: str | None = None
    """Named prompt template; the rubric's own if None."""
    sampling: Sampling | None = None
    """Decoding parameters; the read-out's own if None."""
    repeats: int = 1
    """Votes per criterion."""
    check_consistency: bool = False
    """Ask once more about a level that its own explanation contradicts."""
    left_open: bool = False
    """Nobody chose the read-out, so that another may take its place where a backend cannot serve it."""
    evidence_tokens: int | None = None
    """Most tokens before the criterion, estimated; beyond that nothing is asked and the verdict is `overflow`."""

    def __post_init__(self) -> None:
        silent = isinstance(self.read_out, LabelReadOut) or getattr(self.read_out, "order", "") == "level-only"
        if self.check_consistency and silent:
            raise UnsupportedError("check_consistency needs explanations; use --read-out reasoned")
        if self.repeats < 1:
            raise UnsupportedError(f"repeats={self.repeats}: a judge asks at least once")

    def inquire(
        self,
        ask: Ask,
        rubric: Rubric,
        submissions: Sequence[Submission],
        parts: frozenset[str],
        item: str = "",
    ) -> Inquiry:
        """Prepare to ask about one submission, or an ordered pair; `item` is the comparison's id."""
        template = template_named(self.template or rubric.template)
        evidence = Evidence(template, rubric, submissions, ask.secret, parts)
        return Inquiry(
            ask,
            evidence,
            self.read_out,
            self.sampling,
            item=item or submissions[0].id,
            check_consistency=self.check_consistency,
            evidence_tokens=self.evidence_tokens,
        )

    def lacks(self, capabilities: Capabilities) -> bool:
        """Whether the backend cannot serve the read-out."""
        return isinstance(self.read_out, LabelReadOut) and capabilities.label_logprobs is None

    def reasoned(self) -> Self:
        """The same with the `reasoned` read-out, and room for what it writes."""
        read_out = ReasonedReadOut()
        sampling = self.sampling
        if sampling is not None:
            sampling = sampling.model_copy(update={"max_tokens": max(sampling.max_tokens, read_out.max_tokens)})
        return replace(self, read_out=read_out, sampling=sampling)

    def check(self, capabilities: Capabilities) -> None:
        """Refuse a read-out that the backend cannot serve.

        Raises:
            UnsupportedError: With what to choose instead.
        """
        if self.lacks(capabilities):
            raise UnsupportedError("this backend gives no label log-probabilities; use --read-out reasoned")


def only_submission(item: Item, judge: str) -> Submission:
    """The item as a submission.

    Raises:
        UnsupportedError: It is a comparison.
    """
    if isinstance(item, Comparison):
        raise UnsupportedError(
            f"the judge {judge!r} takes submissions, {item.id!r} is a comparison; use --judge compare"
        )
    return item
