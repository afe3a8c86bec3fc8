"""What is done under rules, and how it turns out: a candidate answers requests, or a judge judges what people labelled.

A practice knows which rules bear on a case, tries the case under them, and says what the gate may conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from adjudge.errors import UnsupportedError
from adjudge.rubric import Criterion
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Submission, as_text
from adjudge.verdict import Verdict
from adjudge_metacog.cases import Case
from adjudge_metacog.gate import Trial
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.retrieval import Query

Shown: TypeAlias = tuple[Rule, ...]
Finder: TypeAlias = Callable[[Case], Shown]
"""From a case to the rules that bear on it, within the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A case, tried under some rules."""

    case: Case
    """Which."""
    shown: Shown
    """The rules that it was tried under."""
    answer: Submission
    """What was answered or judged."""
    verdict: Verdict
    """What was said on the criterion that counts."""
    verdicts: tuple[Verdict, ...]
    """On all criteria."""
    good: bool | None
    """Whether it turned out well; None if that is not known."""
    refused: bool | None = None
    """Whether help was declined; None if that is not known."""
    wanted: str = ""
    """The level that people gave, where they did."""


class Practice(Protocol):
    """What is done under rules."""

    def guiding(self, graph: RuleGraph) -> list[Rule]:
        """The rules of a graph that may guide it now."""

    def finder(self, rules: Sequence[Rule]) -> Finder:
        """An index over rules."""

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Try a case under the rules that bear on it."""

    def trials(self, before: Attempt, after: Attempt) -> Iterator[Trial]:
        """What the gate may conclude from one case; `before` and `after` are one where no other rule is shown."""

    def fitted(self, rule: Rule, attempt: Attempt) -> Rule:
        """A proposed rule with the scope and the direction that follow from the attempt that led to it."""

    def must_wait(self, rule: Rule) -> str:
        """Why a rule needs a person even if it is proved; empty if it does not."""


def query_of(
    case: Case, criterion: str = "", tags: Sequence[str] = (), scenarios: Collection[str] | None = None
) -> Query:
    """What rules are looked for: the request, and with a criterion also what is judged.

    Args:
        case: The case.
        criterion: Rules for others are left out.
        tags: What it is filed under.
        scenarios: Scenarios that rules name; another one is new and leaves no rule out. None: all count.
    """
    submission, scenario = case.submission, case.about("scenario")
    texts = [as_text(submission.input), *([as_text(submission.output)] if criterion else [])]
    return Query(
        text="\n".join(texts),
        domain=case.about("domain"),
        scenario=scenario if scenarios is None or scenario in scenarios else "",
        criterion=criterion,
        tags=tuple(tags),
    )


def verdict_on(verdicts: Sequence[Verdict], criterion: Criterion) -> Verdict:
    """The verdict on a criterion, its repeats reduced.

    Raises:
        UnsupportedError: The judge says nothing of it.
    """
    given = [verdict for verdict in verdicts if verdict.criterion == criterion.id]
    if not given:
        raise UnsupportedError(f"the judge says nothing of {criterion.id!r}")
    return reduce_repeats(criterion, given)
