"""The `windows` judge: a transcript too long for one prompt is judged window by window, and the levels combined."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.members import Through, asked_of, in_waves, joint_fingerprint, together, unscored, usage_of
from adjudge.judges.settings import only_submission
from adjudge.judges.votes import Vote, nearest_to_mean, worst_first
from adjudge.prompts import flags_of
from adjudge.reply_text import verify_quotes
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Submission, Text
from adjudge.transcript import BYTES_PER_TOKEN, Window, cut
from adjudge.verdict import Question, Verdict

Rule = Literal["any", "all", "best", "worst", "mean"]
"""How the levels of the windows become one: the highest of any; the lowest, so that all reach it; the best or worst for
the submission (sign of the weight counted); the one whose score is nearest to the mean. On a scale without order all
windows must agree, whatever the rule."""

OPTION = "windows"
"""Key in `Criterion.options` under which a pack names the rule of a criterion."""
VERSION = "1"
"""Changes with the wording; part of the fingerprint."""
SPLIT = "split"
"""Flag of a verdict that rests on several windows."""

_NOTE = (
    "\nThe submission is long, so it is shown in {count} parts. This is part {number}: {place}. Judge what is in this"
    " part; the others are judged on their own.\n"
)
_OF_THE_WHOLE = frozenset({"near-empty"})
"""Flags that say something of a whole output and nothing of a window."""


@dataclass(frozen=True)
class Part(Through):
    """Says in every prompt which part of the submission is shown."""

    note: str = ""
    """What it says."""

    def changed(self, question: Question) -> Question:
        """The question with the note before the output; its digest covers it."""
        prompt = question.prompt
        # A prompt without a digest stands for itself, byte by byte.
        digest = prompt.digest or repr((prompt.system, prompt.input, prompt.output, prompt.ask)).encode()
        note = f"{OPTION} {VERSION}\x00{self.note}\x00".encode()
        changed = {"output": self.note + prompt.output, "digest": hashlib.sha256(note + digest).digest()}
        return question.model_copy(update={"prompt": prompt.model_copy(update=changed)})


@dataclass(frozen=True)
class Plan:
    """How an output is shown."""

    windows: tuple[Window, ...]
    """The parts."""
    tokens: int
    """Most tokens of one."""
    overlap: int
    """Messages that neighbours share at most."""

    def __str__(self) -> str:
        places = "; ".join(window.place for window in self.windows)
        size = f"at most {self.tokens:,} tokens ({BYTES_PER_TOKEN} bytes each)"
        return f"windows of {size}, overlap {self.overlap}: {places}"

    def note(self, position: int) -> str:
        """What the judge is told of one of several windows."""
        place = self.windows[position].place
        return _NOTE.format(count=len(self.windows), number=position + 1, place=place)


@dataclass(frozen=True)
class WindowsJudge:
    """Has the judge inside judge every window of an output, and combines the levels of each criterion by its rule.

    An output that fits is judged as without this judge, byte by byte. Windows without a level leave the verdict
    unscored, unless no level of theirs could change it.
    """

    members: tuple[Member, ...]
    """The judge, alone."""
    tokens: int | None = None
    """Most tokens of the output in one window, estimated; half of the backend's context if None."""
    overlap: int = 1
    """Messages that a window repeats from the one before."""
    rule: Rule | None = None
    """Rule of the criteria that have none of their own."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Rules by criterion; they come before what a pack says."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'windows' wraps one judge: members=[{…}]")

    @property
    def name(self) -> str:
        """`windows` with the judge inside."""
        return f"windows({self.members[0].name})"

    def check(self, rubric: Rubric) -> None:
        """Refuse a criterion that has no rule.

        Raises:
            UnsupportedError: Naming the criterion.
        """
        unknown = self.rules.keys() - {criterion.id for criterion in rubric.criteria}
        if unknown:
            raise UnsupportedError(f"rules: the rubric {rubric.id!r} has no criterion {min(unknown)!r}")
        for criterion in rubric.criteria:
            self.rule_of(criterion)

    def rule_of(self, criterion: Criterion) -> Rule:
        """The rule of one criterion.

        Raises:
            UnsupportedError: There is none.
        """
        found = self.rules.get(criterion.id) or criterion.options.get(OPTION) or self.rule
        rule: Rule | None = next((rule for rule in get_args(Rule) if rule == found), None)
        if rule is None:
            known = "any (met in some window), all (met in each), best, worst, mean"
            said = f"has the rule {found!r}" if found else "has no rule"
            raise UnsupportedError(f"the criterion {criterion.id!r} {said}; choose with rule=… or rules=…: {known}")
        return rule

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission.

        Raises:
            UnsupportedError: It is a comparison, a criterion has no rule, or the size of a window is not known.
        """
        submission = only_submission(item, "windows")
        for criterion in rubric.criteria:  # only these: a judge around this one asks part by part
            self.rule_of(criterion)
        plan = self.plan(submission.output, ask)
        if len(plan.windows) == 1:
            given = await asked_of(self.members[0], item, rubric, ask)
            return [verdict for criterion in rubric.criteria for verdict in given[criterion.id]]
        if not plan.windows:
            detail = f"tokens={plan.tokens}: too small for any window of this output; allow more"
            why: dict[str, Any] = {"reason": "overflow", "detail": detail}
            return [unscored(item, criterion.id, "windows", **why) for criterion in rubric.criteria]
        return await in_waves(item, rubric, "windows", partial(self._decide, submission, plan, ask))

    def plan(self, output: Text, ask: Ask) -> Plan:
        """How an output is cut for the backend that the judge inside asks.

        Raises:
            UnsupportedError: `tokens` is not given and the backend does not say how much it takes.
        """
        backend = self.members[0].backend
        way = ask if backend is None else ask.to(backend)
        tokens = self.tokens or (way.context_tokens or 0) // 2
        if not tokens:
            raise UnsupportedError(
                "the backend does not say how long a prompt may be; give the judge 'windows' tokens=N"
            )
        return Plan(cut(output, tokens, self.overlap), tokens, self.overlap)

    async def _decide(self, submission: Submission, plan: Plan, ask: Ask, part: Rubric) -> list[Verdict]:
        given = await together(
            self._ask(submission, plan, position, ask, part) for position in range(len(plan.windows))
        )
        return [
            self._combined(submission, criterion, plan, [window[criterion.id] for window in given])
            for criterion in part.criteria
        ]

    async def _ask(
        self, submission: Submission, plan: Plan, position: int, ask: Ask, part: Rubric
    ) -> dict[str, list[Verdict]]:
        """What the judge inside says of one window, signed with it, its quotes placed in the whole output."""
        window = plan.windows[position]
        shown = submission.model_copy(update={"output": window.output})
        given = await asked_of(self.members[0], shown, part, Part(ask, plan.note(position)))
        return {name: [_placed(verdict, submission, window) for verdict in found] for name, found in given.items()}

    def _combined(
        self, submission: Submission, criterion: Criterion, plan: Plan, windows: Sequence[Sequence[Verdict]]
    ) -> Verdict:
        rule = self.rule_of(criterion)
        reduced = [reduce_repeats(criterion, verdicts) for verdicts in windows]
        levels = [verdict.level for verdict in reduced]
        said = tuple(verdict for verdicts in windows for verdict in verdicts)
        flags = {flag: None for verdict in said for flag in verdict.flags if flag not in _OF_THE_WHOLE}
        common: dict[str, Any] = {
            "usage": usage_of(said),
            "members": said,
            "fingerprint": hashlib.sha256(f"{rule}\x00{plan}\x00{joint_fingerprint(said)}".encode()).hexdigest(),
            "flags": tuple(dict.fromkeys((*flags_of(submission), *flags, SPLIT))),
            "judge": "windows",
        }
        level = combine(rule, levels, criterion)
        if level is None:
            judge = common.pop("judge")
            return unscored(submission, criterion.id, judge, **_why(reduced, rule, plan), **common)
        deciding = [verdict for verdict in reduced if verdict.level == level]
        return Verdict(
            submission=submission.id,
            criterion=criterion.id,
            status="scored",
            level=level,
            score=criterion.scale.level(level).score,
            explanation=_told(rule, levels, deciding),
            quotes=tuple(dict.fromkeys(quote for verdict in deciding for quote in verdict.quotes)),
            detail=f"rule {rule}, {plan}",
            **common,
        )


def combine(rule: Rule, levels: Sequence[str | None], criterion: Criterion) -> str | None:
    """The level that the windows' levels come to.

    Every rule is monotone, so if filling the gaps with the lowest and with the highest level gives the same, the gaps
    do not matter. On a scale without order all windows must agree.

    Args:
        rule: The rule.
        levels: Level of each window; None of a window that has none.
        criterion: The criterion.

    Returns:
        The level; None if a window without a level could change it, or the windows are split over levels without order.
    """
    if worst_first(criterion) is None:
        return levels[0] if len(set(levels)) == 1 else None
    ranked = sorted(criterion.scale.levels, key=lambda level: level.score or 0.0)
    outcomes = {
        _combined([level or filling.id for level in levels], rule, criterion) for filling in (ranked[0], ranked[-1])
    }
    return outcomes.pop() if len(outcomes) == 1 else None


def _combined(levels: Sequence[str], rule: Rule, criterion: Criterion) -> str:
    order = worst_first(criterion) or ()
    if rule == "mean":
        return str(nearest_to_mean([Vote(level) for level in levels], criterion, order).level)
    # Of a criterion of negative weight the highest level is the worst.
    highest_last = order[::-1] if criterion.weight < 0 else order
    ranking, pick = {
        "any": (highest_last, max),
        "all": (highest_last, min),
        "best": (order, max),
        "worst": (order, min),
    }[rule]
    return pick(levels, key=ranking.index)


def _placed(verdict: Verdict, submission: Submission, window: Window) -> Verdict:
    quotes = verify_quotes([quote.text for quote in verdict.quotes], submission.output, window.offset)
    signed = f"{verdict.judge} on {window.place}"
    return verdict.model_copy(update={"quotes": quotes, "judge": signed})


def _why(reduced: Sequence[Verdict], rule: Rule, plan: Plan) -> dict[str, Any]:
    lost = [verdict for verdict in reduced if verdict.level is None]
    if not lost:
        split = "; ".join(dict.fromkeys(verdict.level or "" for verdict in reduced))
        return {"reason": "no_quorum", "detail": f"the windows are split over levels without order: {split}; {plan}"}
    told = f"{len(lost)} of {len(reduced)} windows have no level ({lost[0].detail or lost[0].reason})"
    return {"reason": lost[0].reason or "abstain", "detail": f"{told}, and the rule {rule!r} needs them; {plan}"}


def _told(rule: Rule, levels: Sequence[str | None], deciding: Sequence[Verdict]) -> str:
    """What the windows said, and why, of those that gave the level."""
    by_level: dict[str, list[str]] = {}
    for number, level in enumerate(levels, start=1):
        by_level.setdefault(level or "no level", []).append(str(number))
    counted = "; ".join(f"{level} in window {', '.join(numbers)}" for level, numbers in by_level.items())
    reasons = [verdict.explanation for verdict in deciding if verdict.explanation]
    return "\n".join([f"{rule} of {len(levels)} windows: {counted}", *reasons])
