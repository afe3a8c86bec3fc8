"""What every judge must keep, as tests to inherit."""
# ruff: noqa: D102 - the names of the tests say what they hold

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, get_args

import pytest

from adjudge.engine import Engine
from adjudge.interfaces import Item, Judge
from adjudge.ledger import Ledger
from adjudge.rubric import Criterion, Rubric
from adjudge.scale import Level, Scale
from adjudge.submission import Comparison, Submission
from adjudge.testing.scripted import Answer, Script, ScriptedBackend
from adjudge.verdict import Failure, Question, Reason, Reply, Verdict

REASONS: tuple[Reason, ...] = get_args(Reason)
GARBAGE = (
    "",
    "I am not able to judge this.",
    "perhaps",
    "yes and no",
    "{}",
    "[]",
    "null",
    '{"level": "splendid"}',
    '{"level": null}',
    '{"level": "yes", "level": "no"}',
    '{"explanation": "it was cut',
    '{"level": NaN}',
    '{"a": {"level": "yes"}} {"a": {"level": "no"}}',
)
"""Replies without an answer."""
_NOWHERE = {"": -math.inf}
_PREFERENCES = {"first": "second", "second": "first", "tie": "tie", "incomparable": "incomparable"}


def sample_rubric() -> Rubric:
    """Three criteria: met or not, five levels, and labels without order."""
    colours = Scale(kind="labels", levels=(Level(id="red"), Level(id="green"), Level(id="blue")))
    return Rubric(
        id="contract",
        version="1",
        draft=True,
        criteria=(
            Criterion(id="polite", text="It is polite."),
            Criterion(id="clear", text="It is clear.", scale="1-5"),
            Criterion(id="colour", text="Which colour does it name?", scale=colours, weight=-1),
        ),
    )


def verdicts_of(judge: Judge, item: Item, rubric: Rubric, script: Script) -> tuple[list[Verdict], ScriptedBackend]:
    """Have a judge judge one item over a scripted backend, through the real engine and ledger."""
    backend = ScriptedBackend(script)

    async def once() -> list[Verdict]:
        with Ledger() as ledger:
            return list(await judge.judge(item, rubric, Engine(backend, ledger)))

    return asyncio.run(once()), backend


class _AnyJudgeContract:
    """What holds for judges of submissions and of comparisons."""

    EXTRA: ClassVar[Sequence[str]] = ()
    """Criteria beyond the rubric's that verdicts may be given on, after the others."""

    repeats: int = 1
    """Votes per criterion that the judge is made with."""
    asks: bool = True
    """Whether the judge asks the backend; False for one that decides by itself."""

    def make_judge(self) -> Judge:
        """Make the judge to test."""
        raise NotImplementedError("say how to make the judge: override make_judge")

    def rubric(self) -> Rubric:
        """The rubric to judge by; override it for a judge that needs another."""
        return sample_rubric()

    def item(self) -> Item:
        """What is judged."""
        raise NotImplementedError("give what is judged: override item")

    def judged(self, script: Script = None, item: Item | None = None) -> list[Verdict]:
        """Verdicts on an item, over a backend that answers from a script."""
        return verdicts_of(self.make_judge(), item or self.item(), self.rubric(), script)[0]

    def test_it_has_a_name_of_one_line(self) -> None:
        name = self.make_judge().name
        assert name.strip()
        assert len(name.splitlines()) == 1

    def test_there_is_one_verdict_per_criterion_and_repeat_in_order(self) -> None:
        verdicts = self.judged()
        wanted = [(c.id, repeat) for c in self.rubric().criteria for repeat in range(self.repeats)]
        given = [(verdict.criterion, verdict.repeat) for verdict in verdicts]
        assert given[: len(wanted)] == wanted
        assert {name for name, _ in given[len(wanted) :]} <= set(self.EXTRA), f"verdicts nobody asked for: {given}"
        assert {verdict.submission for verdict in verdicts} == {self.item().id}

    def test_it_says_truly_whether_it_asks(self) -> None:
        _, backend = verdicts_of(self.make_judge(), self.item(), self.rubric(), None)
        assert bool(backend.asked) == self.asks, f"asks is {self.asks}, and {backend.asked} questions were asked"

    def test_it_judges_alike_twice(self) -> None:
        assert self.judged() == self.judged()

    def test_distributions_sum_to_one(self) -> None:
        for verdict in self.judged():
            if verdict.distribution is not None:
                assert abs(math.fsum(verdict.distribution.values()) - 1) < 1e-6, verdict.criterion  # noqa: PLR2004 - rounding

    @pytest.mark.parametrize("reason", REASONS)
    def test_a_failed_reply_stays_unscored_with_its_reason(self, reason: Reason) -> None:
        self._needs_questions()
        for verdict in self.judged(Failure(reason=reason, detail="from the contract")):
            assert verdict.status == "unscored", f"{verdict.criterion} got a level from a failed reply"
            assert verdict.reason in (reason, "no_quorum"), f"{reason} became {verdict.reason}"

    @pytest.mark.parametrize("text", GARBAGE)
    def test_no_level_comes_from_an_unreadable_reply(self, text: str) -> None:
        self._needs_questions()
        for verdict in self.judged(lambda asked: _unreadable(asked, text)):
            assert verdict.status != "scored", f"{verdict.criterion} got {verdict.level!r} from {text!r}"

    def test_no_level_comes_from_a_reply_cut_short(self) -> None:
        self._needs_questions()
        cut = Reply(text='{"explanation": "as', stop="length", logprobs=_NOWHERE, logprobs_are="raw")
        assert all(verdict.status != "scored" for verdict in self.judged(cut))

    def test_a_failure_on_one_criterion_gives_that_one_no_level(self) -> None:
        self._needs_questions()
        failing = self.rubric().criteria[0].id

        def script(asked: Question) -> Answer:
            if failing in asked.criterion.split("+"):
                return Failure(reason="infra", detail="from the contract")
            return {word: 1.0 - 0.1 * place for place, word in enumerate(asked.labels)} or "nothing"

        assert all(v.status == "unscored" for v in self.judged(script) if v.criterion == failing)

    def _needs_questions(self) -> None:
        if not self.asks:
            pytest.skip("this judge asks nothing")


class JudgeContract(_AnyJudgeContract):
    """For a judge of submissions: inherit it, name the class `Test…` and say how to make the judge.

    Everything runs over a scripted backend, through the real engine and an in-memory ledger.
    """

    def item(self) -> Submission:
        """The submission that is judged; override it for a judge that needs another."""
        return Submission(id="s", input="Name a colour, politely.", output="Blue, if you please.")

    def test_levels_are_on_the_scale_with_their_score(self) -> None:
        rubric = self.rubric()
        for verdict in self.judged():
            if verdict.level is not None:
                scale = rubric.criterion(verdict.criterion).scale
                assert verdict.level in scale, f"{verdict.criterion} has no level {verdict.level!r}"
                assert verdict.score == scale.level(verdict.level).score


class ComparingJudgeContract(_AnyJudgeContract):
    """For a judge of comparisons: the same, and the order of the two submissions must not matter."""

    EXTRA = ("overall",)

    GOOD: ClassVar[str] = "Blue, if you please."
    BAD: ClassVar[str] = "Find out yourself."

    def item(self) -> Comparison:
        """The comparison that is judged: the better submission first."""
        return self.pair(self.GOOD, self.BAD)

    def pair(self, *outputs: str) -> Comparison:
        """A comparison of these outputs."""
        asked = "Name a colour, politely."
        submissions = tuple(Submission(id=output, input=asked, output=output) for output in outputs)
        return Comparison(id="c", submissions=submissions)

    def test_levels_are_preferences(self) -> None:
        assert {verdict.level for verdict in self.judged()} <= {*_PREFERENCES, None}

    @pytest.mark.parametrize("trust", ["content", "first-place", "second-place", "tie"])
    def test_swapping_the_two_submissions_swaps_the_verdict(self, trust: str) -> None:
        def script(asked: Question) -> Answer:
            return _choice(asked, self._chosen(asked, trust))

        given = self.judged(script)
        swapped = self.judged(script, self.pair(self.BAD, self.GOOD))
        for one, other in zip(given, swapped, strict=True):
            assert other.level == (None if one.level is None else _PREFERENCES[one.level]), one.criterion
            assert _swapped(one.distribution) == pytest.approx(other.distribution), one.criterion

    def test_it_finds_the_better_one_wherever_it_stands(self) -> None:
        self._needs_questions()
        rubric = self.rubric()
        for outputs, level in (((self.GOOD, self.BAD), "first"), ((self.BAD, self.GOOD), "second")):
            verdicts = self.judged(lambda asked: _choice(asked, self._chosen(asked, "content")), self.pair(*outputs))
            assert {verdict.level for verdict in verdicts[: len(rubric.criteria)]} == {level}

    def _chosen(self, asked: Question, trust: str) -> str:
        places = {"first-place": "A", "second-place": "B", "tie": "tie"}
        shown = asked.prompt.user
        return places.get(trust) or ("A" if shown.index(self.GOOD) < shown.index(self.BAD) else "B")


def _choice(asked: Question, word: str) -> dict[str, float]:
    """Mostly that word; both places share the rest alike."""
    others = [label for label in asked.labels or ("A", "B", "tie") if label != word]
    return {word: 0.8, **dict.fromkeys(others, 0.2 / max(len(others), 1))}


def _swapped(distribution: Mapping[str, float] | None) -> Mapping[str, float] | None:
    return None if distribution is None else {_PREFERENCES[side]: value for side, value in distribution.items()}


def _unreadable(asked: Question, text: str) -> Reply:
    """The text; for a label question with no probability for any of the labels."""
    if asked.labels:
        return Reply(text=text, logprobs=dict.fromkeys(asked.labels, -math.inf), logprobs_are="raw")
    return Reply(text=text)
