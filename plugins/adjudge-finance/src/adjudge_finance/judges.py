"""Judges of one sentence without a language model: the rule table direction × concept, and its learned version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Judge, JudgeSpec
from adjudge.judges.members import in_waves, unscored
from adjudge.judges.settings import only_submission
from adjudge.options import validated
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission, as_text
from adjudge.verdict import Quote, Verdict
from adjudge_finance.fomc import STANCES, load_statements
from adjudge_finance.learned import Trained, needs_sklearn
from adjudge_finance.lexicon import SHIPPED, Lexicon, lexicon
from adjudge_finance.phrasebank import SENTIMENTS, load_sentences
from adjudge_finance.phrases import Finding, findings, parsed, polarity

RULE = "phrase-structure"
LEARNED = "phrase-structure-learned"
_OUTCOME = {1: "plus", -1: "minus", 0: "neither"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a sentence is, and why."""

    level: str
    """Id of the level."""
    why: str
    """In one line."""


Decide = Callable[[str, Lexicon], Decision]


@dataclass(frozen=True)
class SentenceJudge:
    """Judges every criterion whose scale has the three levels of a lexicon, the same each time; asks nobody."""

    name: str
    """Name of the judge."""
    decide: Decide
    """From the sentence to its level."""
    words: str = ""
    """Name or path of the lexicon; the shipped one with the levels of the scale if empty."""

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric with a criterion that the lexicon says nothing about.

        Raises:
            UnsupportedError: Naming the criterion.
            InputError: The lexicon, or what there is to learn from, cannot be read.
        """
        for criterion in rubric.criteria:
            words = self.lexicon_for(criterion)
            if isinstance(self.decide, Learner):
                self.decide.trained(words)

    def lexicon_for(self, criterion: Criterion) -> Lexicon:
        """The lexicon that decides a criterion.

        Raises:
            UnsupportedError: The scale has other levels.
            InputError: The lexicon cannot be read.
        """
        known = [lexicon(name) for name in ([self.words] if self.words else SHIPPED)]
        for one in known:
            if all(level in criterion.scale for level in one.outcomes.values()):
                return one
        wanted = " or ".join("/".join(one.outcomes.values()) for one in known)
        raise UnsupportedError(
            f"criterion {criterion.id!r}: the judge {self.name!r} decides between {wanted} only; choose another judge, "
            "or name a lexicon of your own with -J lexicon=PATH.toml"
        )

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission by the text of its output."""
        del ask
        submission = only_submission(item, self.name)
        self.check(rubric)

        async def decide(part: Rubric) -> list[Verdict]:
            return [self._verdict(submission, criterion) for criterion in part.criteria]

        return await in_waves(submission, rubric, self.name, decide)

    def _verdict(self, submission: Submission, criterion: Criterion) -> Verdict:
        words, text = self.lexicon_for(criterion), as_text(submission.output)
        if not parsed(text, words).words:
            return unscored(submission, criterion.id, self.name, reason="abstain", detail="there are no words to judge")
        decision = self.decide(text, words)
        score = criterion.scale.level(decision.level).score
        told = findings(parsed(text, words).entities)
        return Verdict(
            submission=submission.id,
            criterion=criterion.id,
            status="scored",
            level=decision.level,
            score=score,
            expected=score,
            distribution={level.id: float(level.id == decision.level) for level in criterion.scale.levels},
            explanation=decision.why,
            quotes=tuple(Quote(text=e.text, start=e.start, end=e.end) for f in told for e in f.entities),
            judge=self.name,
        )


def by_rule(text: str, words: Lexicon) -> Decision:
    """The level by the rule table: a concept that is `plus` when it rises, and rises, is `plus`, and so on.

    Where a sentence says several things, the majority counts; without any, or where they are even, it is `neither`.
    """
    told = findings(parsed(text, words).entities)
    level = words.outcomes[_OUTCOME[polarity(told)]]
    reasons = "; ".join(_told(finding, words) for finding in told)
    return Decision(level, f"{reasons or 'nothing moves, and nothing speaks for itself'}: {level}")


def _told(finding: Finding, words: Lexicon) -> str:
    speaks_for = words.outcomes[_OUTCOME[finding.sign]]
    if len(finding.entities) == 1:
        return f'"{finding.entities[0].text}" speaks for {speaks_for}'
    concept, direction = finding.entities
    return f'"{concept.text}" goes {"up" if direction.sign > 0 else "down"} ("{direction.text}"), for {speaks_for}'


@dataclass(frozen=True)
class Learner:
    """Decides by a classifier, trained when first needed on the data set that has the lexicon's levels."""

    train: str
    """Where the labelled sentences are: as for the task's `source`."""
    folds: int = 10
    """Parts of the data; a sentence that is in them is judged by a classifier that has not seen its part."""
    seed: int = 0
    """Divides the data."""
    _trained: dict[str, Trained] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, text: str, words: Lexicon) -> Decision:
        """The level of a sentence."""
        level = self.trained(words).judge(text)
        return Decision(level, f"linearised: {' '.join(parsed(text, words).symbols) or 'no entity'}: {level}")

    def trained(self, words: Lexicon) -> Trained:
        """The classifiers for a lexicon; the data are read at once, learning waits until a sentence is judged.

        Raises:
            UnsupportedError: There is no such data set, or it is too small for the folds.
            InputError: The data cannot be read.
        """
        if words.name not in self._trained:
            texts, levels = zip(*labelled(self.train, words), strict=True)
            self._trained[words.name] = Trained(texts, levels, words, self.folds, self.seed)
        return self._trained[words.name]


def labelled(source: str, words: Lexicon) -> list[tuple[str, str]]:
    """Sentences and labels of the data set whose labels a lexicon decides between.

    Raises:
        UnsupportedError: There is none.
        InputError: The data cannot be read.
    """
    levels = set(words.outcomes.values())
    if levels == set(SENTIMENTS):
        return [(one.text, one.sentiment) for one in load_sentences(source)]
    if levels == set(STANCES):
        return [(one.text, one.stance) for one in load_statements(source)]
    raise UnsupportedError(f"the lexicon {words.name!r} decides between levels that no data set here is labelled with")


def _rule(*, lexicon: str = "") -> Judge:
    words = validated(f"judge {RULE!r}: lexicon", str, lexicon)
    return SentenceJudge(_named(RULE, lexicon=words), by_rule, words=words)


def _named(judge: str, **settings: str) -> str:
    """The judge with whatever makes it another one: a file by its content, so that judge cards are told apart."""
    told = [f"{name}={_content(value)}" for name, value in settings.items() if value]
    return f"{judge}({','.join(told)})" if told else judge


def _content(value: str) -> str:
    path = Path(value)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else path.name


def _learned(*, train: str = "", folds: int = 10, seed: int = 0, lexicon: str = "") -> Judge:
    needs_sklearn()
    if not train:
        raise UnsupportedError(f"the judge {LEARNED!r} needs labelled sentences; name them with -J train=PATH")
    what = f"judge {LEARNED!r}"
    learner = Learner(
        train=validated(f"{what}: train", str, train),
        folds=validated(f"{what}: folds", int, folds),
        seed=validated(f"{what}: seed", int, seed),
    )
    words = validated(f"{what}: lexicon", str, lexicon)
    name = _named(LEARNED, train=learner.train, folds=str(learner.folds), seed=str(learner.seed), lexicon=words)
    return SentenceJudge(name, learner, words=words)


SPECS = (
    JudgeSpec(
        name=RULE,
        build=_rule,
        summary="what moves and in which direction, by a lexicon (Malo et al. 2014); needs no model",
        asks=False,
    ),
    JudgeSpec(
        name=LEARNED,
        build=_learned,
        summary="the same, learned from labelled sentences (-J train=PATH); needs no language model",
        asks=False,
    ),
)
"""The judges of this distribution."""
