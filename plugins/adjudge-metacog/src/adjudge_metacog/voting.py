"""Rules as features, without a language model: a rule that quotes words speaks for a level, as strongly as it held.

Such a rule has one fixed form, `When the text says "profit rose", do judge it positive, because people judged 12 of 13
such texts so`. It can be read by a person, shown to a model like any other rule, and counted by the judge `rule-votes`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from adjudge.checks.text import answer_text
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.members import asked_of
from adjudge.judges.settings import only_submission
from adjudge.readout import expected_score
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import as_text
from adjudge.verdict import Verdict
from adjudge_metacog.cases import Case
from adjudge_metacog.judging import Judging
from adjudge_metacog.nodes import Rule
from adjudge_metacog.practice import Attempt, Finder, Shown
from adjudge_metacog.reflective import FLAG, binding

FLOOR = 0.25
"""A level that the judge inside thinks less likely counts as this likely, so that rules can speak against it."""
_FORM = re.compile(
    r'When the text says (?P<said>"[^"]+"(?: and "[^"]+")*), do judge it (?P<level>[\w.-]+), '
    r"because people judged (?P<hits>\d+) of (?P<of>\d+) such texts so"
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Vote:
    """What a rule of that form says."""

    said: tuple[tuple[str, ...], ...]
    """Runs of words that must all stand in the text."""
    level: str
    """Id of the level that it speaks for."""
    hits: int
    """Texts with these words that people gave this level, where the rule was found."""
    of: int
    """All texts with these words there."""

    @property
    def weight(self) -> float:
        """Log-odds that a text with these words has this level, with half a text added to either side."""
        return math.log((self.hits + 0.5) / (self.of - self.hits + 0.5))

    @property
    def text(self) -> str:
        """The rule."""
        said = " and ".join(f'"{" ".join(run)}"' for run in self.said)
        held = f"people judged {self.hits} of {self.of} such texts so"
        return f"When the text says {said}, do judge it {self.level}, because {held}"

    def fits(self, words: Sequence[str]) -> bool:
        """Whether all that it quotes stands in the text."""
        return all(_stands_in(words, run) for run in self.said)


@lru_cache(maxsize=100_000)
def vote_of(text: str) -> Vote | None:
    """The vote of a rule; None if it is not of that form, or counts more hits than texts."""
    match = _FORM.fullmatch(text)
    if match is None or int(match["hits"]) > int(match["of"]):
        return None
    runs = tuple(tokens(run) for run in re.findall(r'"([^"]+)"', match["said"]))
    return Vote(runs, match["level"], int(match["hits"]), int(match["of"])) if all(runs) else None


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text, case folded, in order."""
    return tuple(_WORD.findall(text.casefold()))


class Voters:
    """An index over rules of that form; others are passed over."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_word: dict[str, list[tuple[Rule, Vote]]] = {}
        for rule in rules:
            vote = vote_of(rule.text)
            if vote is not None:
                self._by_word.setdefault(vote.said[0][0], []).append((rule, vote))

    def of(self, text: str, criterion: str = "") -> list[tuple[Rule, Vote]]:
        """The rules whose words stand in a text, by id, with their votes."""
        words = tokens(text)
        found = [pair for word in dict.fromkeys(words) for pair in self._by_word.get(word, ())]
        kept = [pair for pair in found if _concerns(pair[0], criterion) and pair[1].fits(words)]
        return sorted(kept, key=lambda pair: pair[0].id)


def _concerns(rule: Rule, criterion: str) -> bool:
    return not criterion or not rule.scope.criteria or criterion in rule.scope.criteria


def _stands_in(words: Sequence[str], run: Sequence[str]) -> bool:
    """Whether the words stand there one after the other."""
    size = len(run)
    return any(words[place] == run[0] and tuple(words[place : place + size]) == run for place in range(len(words)))


def text_of(item: Item) -> str:
    """What rules are held against: the output, or the input where there is none."""
    submission = only_submission(item, "rule-votes")
    return answer_text(submission.output) or as_text(submission.input)


def counted(verdict: Verdict, criterion: Criterion, votes: Sequence[tuple[Rule, Vote]]) -> Verdict:
    """The verdict after the votes: the level with the highest log-probability and weights, added up.

    Votes for a level that the scale does not have are passed over; an unscored verdict stays unscored.
    """
    votes = [(rule, vote) for rule, vote in votes if vote.level in criterion.scale]
    if verdict.level is None or not votes:
        return verdict
    given = verdict.distribution or {verdict.level: 1.0}
    totals = {level.id: math.log(max(given.get(level.id, 0.0), FLOOR)) for level in criterion.scale.levels}
    for _, vote in votes:
        totals[vote.level] += vote.weight
    # Where two are even, the judge inside decides.
    level = max(totals, key=lambda name: (totals[name], name == verdict.level))
    distribution = _shares(totals)
    return verdict.model_copy(
        update={
            "level": level,
            "score": criterion.scale.level(level).score,
            "expected": expected_score(distribution, criterion.scale),
            "distribution": distribution,
            "explanation": f"{verdict.explanation}\n{_told(votes)}".strip(),
            "flags": (*verdict.flags, *(f"{FLAG}{rule.id}" for rule, _ in votes)),
            "fingerprint": _fingerprint(verdict.fingerprint, votes),
            "members": (verdict,),
        }
    )


def _fingerprint(inner: str, votes: Sequence[tuple[Rule, Vote]]) -> str:
    """The rules that spoke are part of what the verdict answers to."""
    texts = "\x00".join(rule.text for rule, _ in votes)
    return hashlib.sha256(f"{inner}\x00{texts}".encode()).hexdigest() if inner else ""


def _shares(totals: Mapping[str, float]) -> dict[str, float]:
    top = max(totals.values())
    weights = {level: math.exp(total - top) for level, total in totals.items()}
    whole = math.fsum(weights.values())
    return {level: weight / whole for level, weight in weights.items()}


def _told(votes: Sequence[tuple[Rule, Vote]]) -> str:
    return "; ".join(f"rule {rule.id} speaks for {vote.level} ({vote.weight:+.2f})" for rule, vote in votes)


@dataclass(frozen=True)
class RuleVotesJudge:
    """Judges as the judge inside does, then adds the votes of the active rules whose words stand in the text."""

    members: tuple[Member, ...]
    """The judge, alone."""
    rules: tuple[Rule, ...]
    """The rules that may speak."""
    binding: tuple[Rule, ...]
    """Those of them that may speak on a criterion of importance `must`."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'rule-votes' wraps one judge: members=[{…}]")
        object.__setattr__(self, "_any", Voters(self.rules))
        object.__setattr__(self, "_must", Voters(self.binding))

    _any: Voters = field(init=False, repr=False, compare=False)
    _must: Voters = field(init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """`rule-votes` with the judge inside."""
        return f"rule-votes({self.members[0].name})"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission."""
        text = text_of(item)
        given = await asked_of(self.members[0], item, rubric, ask)
        return list(self._all(rubric, given, text))

    def _all(self, rubric: Rubric, given: Mapping[str, Sequence[Verdict]], text: str) -> Iterator[Verdict]:
        for criterion in rubric.criteria:
            voters = self._must if criterion.importance == "must" else self._any
            votes = voters.of(text, criterion.id)
            yield from (counted(verdict, criterion, votes) for verdict in given[criterion.id])


class Voting(Judging):
    """As `Judging`, with rules that are counted rather than shown."""

    def finder(self, rules: Sequence[Rule]) -> Finder:
        """The rules whose words stand in what is judged."""
        voters = Voters(rules)
        return lambda case: tuple(rule for rule, _ in voters.of(text_of(case.submission), self.criterion))

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Judge, and count the rules."""
        judge = RuleVotesJudge((Member(judge=self.judge, name=self.judge.name),), shown, shown)
        return await self.judged(case, shown, judge, self._part)

    def fitted(self, rule: Rule, attempt: Attempt) -> Rule:
        """As it is judged; it tightens only if it speaks for the level that is worst for the submission."""
        found, vote = super().fitted(rule, attempt), vote_of(rule.text)
        worst = self._criterion.worst
        if vote is None or vote.level not in self._criterion.scale or worst is None:
            return found.model_copy(update={"direction": "either"})
        tightens = self._criterion.scale.level(vote.level).score == worst
        return found.model_copy(update={"direction": "tightens" if tightens else "loosens"})


def build(members: Sequence[Member] = (), graph: str = "") -> RuleVotesJudge:
    """Make the judge `rule-votes`.

    Args:
        members: The judge inside.
        graph: File of the rule graph.

    Raises:
        UnsupportedError: No graph is named.
        InputError: The graph cannot be read.
    """
    from adjudge_metacog.snapshot import load

    if not graph:
        raise UnsupportedError("the judge 'rule-votes' needs a rule graph: -J graph=rules.jsonl")
    found = load(graph).graph
    return RuleVotesJudge(tuple(members), tuple(found.active), tuple(binding(found)))
