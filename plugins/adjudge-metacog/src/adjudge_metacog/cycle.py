"""The cycle: try cases under the rules there are, propose rules where it went wrong, prove them, only then use them.

Nothing here decides by itself what a rule is worth: the gate does, on cases that no proposer saw. A rule that a model
proposes is data. What contradicts another rule, carries a flag or may loosen what must hold waits for a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from adjudge_metacog.cases import Case, Parts
from adjudge_metacog.events import Event
from adjudge_metacog.filing import Filed, Filing
from adjudge_metacog.gate import Decision, Gate, Proposal, Trial, decide, next_cycle, settled
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Ground, Rule
from adjudge_metacog.practice import Attempt, Finder, Shown
from adjudge_metacog.worth import Worth, demoted, worth_of

Jobs: TypeAlias = Sequence[Callable[[], Awaitable[None]]]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one cycle did."""

    number: int
    """Of the look at the held-out cases, counted over all runs on them that the graph knows of."""
    tried: int
    """Cases tried to learn from."""
    bad: int
    """Those that turned out badly."""
    unscored: int
    """Those of which it is not known."""
    filed: tuple[Filed, ...]
    """What became of each bad one."""
    decisions: tuple[Decision, ...]
    """What the gate said of each rule."""
    waiting: dict[str, str]
    """Rules that passed the gate and wait for a person, with the reason."""
    worth: tuple[Worth, ...]
    """What each active rule adds, measured by leaving it out."""
    demoted: tuple[str, ...]
    """Rules that were retired, since they help no more."""

    @property
    def rules(self) -> set[str]:
        """Ids of all rules that it filed, tried or weighed."""
        filed = {one.rule for one in self.filed if one.rule}
        return filed | {one.rule for one in self.decisions} | {one.rule for one in self.worth}

    @property
    def activated(self) -> list[str]:
        """Rules that passed the gate and guide from now on, unless they were demoted at once."""
        return [one.rule for one in self.decisions if one.accepted and one.rule not in self.waiting]


async def in_turn(jobs: Jobs) -> None:
    """Run jobs one after the other."""
    for job in jobs:
        await job()


@dataclass
class Cycle:
    """One practice and the graph that it learns."""

    filing: Filing
    """Finds and files rules; holds the practice, the graph and who is put on record."""
    gate: Gate
    """What a rule has to show."""
    most: int = 20
    """Most rules that one cycle takes to the gate: those first that most cases led to."""
    keep: bool = False
    """Leave rules active that help no more."""
    run: Callable[[Jobs], Awaitable[None]] = in_turn
    """Runs jobs, for example as many at once as questions may be in flight."""
    _known: dict[tuple[str, Shown], Attempt] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.practice, self.notebook, self.author = self.filing.practice, self.filing.notebook, self.filing.author

    @property
    def graph(self) -> RuleGraph:
        """The graph as it now is."""
        return self.notebook.graph

    async def turn(self, parts: Parts) -> Turn:
        """Go through the cycle once."""
        attempts = await self.attempts(parts.learn, self.finder())
        self._use(attempts)
        bad = [one for one in attempts if one.good is False and (one.case.kind == "risk" or one.wanted)]
        filed = await self.filing.file_all(bad)
        number = next_cycle(self.graph, self.gate.split)
        decisions = await self._prove(parts, number)
        waiting = self._settle(decisions)
        worth = await self._weigh(parts.gate)
        out = [] if self.keep else self._retired(demoted(worth, self.gate), worth)
        return Turn(
            number=number,
            tried=len(attempts),
            bad=len(bad),
            unscored=sum(attempt.good is None for attempt in attempts),
            filed=tuple(filed),
            decisions=tuple(decisions),
            waiting=waiting,
            worth=tuple(worth),
            demoted=tuple(out),
        )

    def finder(self) -> Finder:
        """The index over the rules that may guide now."""
        return self.practice.finder(self.practice.guiding(self.graph))

    async def attempts(self, cases: Sequence[Case], find: Finder) -> list[Attempt]:
        """Try cases; one that was tried under the same rules before is not tried again."""
        wanted = [(case, find(case)) for case in cases]
        missing = {(case.id, shown): case for case, shown in wanted if (case.id, shown) not in self._known}
        await self.run([partial(self._try, case, shown) for (_, shown), case in missing.items()])
        return [self._known[case.id, shown] for case, shown in wanted]

    async def _try(self, case: Case, shown: Shown) -> None:
        self._known[case.id, shown] = await self.practice.attempt(case, shown)

    def _use(self, attempts: Sequence[Attempt]) -> None:
        """Put on record which rules were shown, and how it turned out."""
        for attempt in attempts:
            item = f"{attempt.case.id} {attempt.verdict.fingerprint[:16]}".strip()
            for rule in attempt.shown:
                self.notebook.note(self.author.uses(self.graph, rule.id, item, aligned=attempt.good))

    def open_rules(self) -> list[Rule]:
        """Proposed rules that this gate has not looked at: free of flags and contradictions, most cases first."""
        origins = Counter(edge.source for edge in self.graph.edges if edge.kind == "derived_from")
        found = [rule for rule in self.graph.rules if self._is_open(rule)]
        return sorted(found, key=lambda rule: (-origins[rule.id], rule.id))[: self.most]

    def _is_open(self, rule: Rule) -> bool:
        record = self.graph.record(rule.id)
        looked = any(event.evidence.split == self.gate.split for event in record.measured.values())
        held = record.flags or len(record.contents) > 1 or self.graph.contradicted(rule.id)
        return record.statuses == ("proposed",) and not looked and not held

    async def _prove(self, parts: Parts, number: int) -> list[Decision]:
        """Take the open rules to the gate, each beside the rules that are active now."""
        active = self.practice.guiding(self.graph)
        before = self.practice.finder(active)
        sources = {case.id: case.source for case in (*parts.learn, *parts.gate, *parts.final)}
        proposals = []
        for rule in self.open_rules():
            learned_from = self._learned_from(rule, sources)
            # A rule of an earlier run, on other parts of these cases, may come from what is held out now.
            fresh = [case for case in parts.gate if case.source not in learned_from]
            trials = await self.trials(fresh, before, self.practice.finder([*active, rule]))
            proposals.append(Proposal(rule=rule.id, learned_from=learned_from, trials=trials))
        return decide(proposals, self.gate, number)

    async def trials(self, cases: Sequence[Case], before: Finder, after: Finder) -> list[Trial]:
        """What a change of rules does to cases."""
        pairs = zip(await self.attempts(cases, before), await self.attempts(cases, after), strict=True)
        return [trial for one, other in pairs for trial in self.practice.trials(one, other)]

    def _learned_from(self, rule: Rule, sources: dict[str, str]) -> frozenset[str]:
        """The sources of the cases that the rule comes from; of a case that is not at hand, its id."""
        edges = (edge for edge in self.graph.edges if edge.kind == "derived_from" and edge.source == rule.id)
        grounds = (self.graph.record(edge.target).node for edge in edges)
        ids = [node.source for node in grounds if isinstance(node, Ground) and node.kind == "case"]
        return frozenset(sources.get(name, name) for name in ids)

    def _settle(self, decisions: Sequence[Decision]) -> dict[str, str]:
        """Put decisions on record; what passed and needs a person stays proposed."""
        rules = {rule.id: rule for rule in self.graph.rules}
        reasons = {one.rule: self.practice.must_wait(rules[one.rule]) for one in decisions if one.accepted}
        waiting = {rule: reason for rule, reason in reasons.items() if reason}
        final = [replace(one, accepted=False) if one.rule in waiting else one for one in decisions]
        self.notebook.note(settled(self.graph, final, self.gate, self.author))
        return waiting

    async def _weigh(self, cases: Sequence[Case]) -> list[Worth]:
        """Leave each rule that is shown for any of the cases out in turn, and see what is lost."""
        active = self.practice.guiding(self.graph)
        whole = self.practice.finder(active)
        found = []
        for rule in sorted({rule for case in cases for rule in whole(case)}, key=lambda rule: rule.id):
            rest = self.practice.finder([one for one in active if one != rule])
            found.append(worth_of(rule.id, await self.trials(cases, rest, whole), self.gate))
        self.notebook.note(self._measured(found))
        return found

    def _measured(self, found: Sequence[Worth]) -> Iterator[Event]:
        for worth in found:
            yield from self.author.measures(self.graph, worth.rule, worth.evidence(self.gate.split))

    def _retired(self, rules: Sequence[str], worth: Sequence[Worth]) -> list[str]:
        """Retire what the loop itself made active; what a person stands behind is a person's to retire."""
        why = {one.rule: one.told for one in worth}
        own = [rule for rule in rules if not self.graph.record(rule).reviewed]
        for rule in own:
            self.notebook.note(self.author.moves(self.graph, rule, "retired", f"helps no more: {why[rule]}"))
        return own
