"""The `reflective` judge: hands the rules that bear on a case to the judge inside, as guidance beside the criterion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.members import asked_of
from adjudge.prompts import neutralise
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission, as_text
from adjudge.verdict import Verdict
from adjudge_metacog.cases import told
from adjudge_metacog.changes import Author
from adjudge_metacog.embedding import Embedder, embedder
from adjudge_metacog.events import Event
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.retrieval import Budget, Query, Retriever, Similarity

FLAG = "rule:"
"""Begins the flag of a verdict that names a rule which was shown."""
_GUIDANCE = "{criterion}\n\nRules from earlier cases, to be weighed where they apply:\n{rules}"


@dataclass(frozen=True)
class ReflectiveJudge:
    """Judges as the judge inside does, with the active rules that bear on the case added to each criterion.

    The rules stand in the prompt and so in the fingerprint: a changed rule is a new question. Where no rule bears on a
    criterion, its prompt is the same, byte by byte, as without this judge. Each verdict names the rules that it was
    given under in its flags, as `rule:ID`. A criterion of importance `must` is guided only by rules that a person
    reviewed or that tighten.
    """

    members: tuple[Member, ...]
    """The judge, alone."""
    graph: RuleGraph
    """Where the rules are."""
    budget: Budget = field(default_factory=Budget)
    """How much guidance a criterion may get."""
    domain: str = ""
    """Field of work of every case; if empty, what its metadata say under `domain`."""
    embedder: Embedder | None = None
    """What tells how near a case is to a rule in meaning; if None, only words count."""
    path: Path | None = None
    """File of the graph, beside which vectors are kept; if None, they are not."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'reflective' wraps one judge: members=[{…}]")
        active = self.graph.active
        similarity = None if self.embedder is None else Similarity(active, self.embedder, self.path)
        object.__setattr__(self, "_any", Retriever(active, similarity))
        object.__setattr__(self, "_must", Retriever(binding(self.graph), similarity))

    _any: Retriever = field(init=False, repr=False)
    _must: Retriever = field(init=False, repr=False)

    @property
    def name(self) -> str:
        """`reflective` with the most rules, the embedder if there is one, and the judge inside."""
        by = f"{self.embedder.name}," if self.embedder else ""
        return f"reflective({self.budget.rules},{by}{self.members[0].name})"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission or comparison, as the judge inside does."""
        shown = {criterion.id: self._rules(item, criterion) for criterion in rubric.criteria}
        given = await asked_of(self.members[0], item, guided(rubric, shown), ask)
        return [_flagged(verdict, shown.get(name, ())) for name, found in given.items() for verdict in found]

    def _rules(self, item: Item, criterion: Criterion) -> tuple[Rule, ...]:
        retriever = self._must if criterion.importance == "must" else self._any
        if not retriever.rules:
            return ()
        return tuple(found.rule for found in retriever.find(self._query(item, criterion), self.budget))

    def _query(self, item: Item, criterion: Criterion) -> Query:
        some = (item,) if isinstance(item, Submission) else item.submissions
        texts = [as_text(some[0].input), *(as_text(submission.output) for submission in some)]
        domain, scenario = self.domain or told(item.metadata, "domain"), told(item.metadata, "scenario")
        return Query(
            text="\n".join(texts), domain=domain, scenario=scenario, criterion=criterion.id, tags=criterion.tags
        )


def binding(graph: RuleGraph) -> list[Rule]:
    """The active rules that may guide a criterion of importance `must`: a person reviewed them, or they tighten."""
    return [rule for rule in graph.active if rule.direction == "tightens" or graph.record(rule.id).reviewed]


def guided(rubric: Rubric, shown: Mapping[str, Sequence[Rule]]) -> Rubric:
    """The rubric with rules beside its criteria, by criterion; the same object if there are none."""
    if not any(shown.values()):
        return rubric
    return rubric.model_copy(update={"criteria": tuple(_with_rules(c, shown[c.id]) for c in rubric.criteria)})


def _with_rules(criterion: Criterion, rules: Sequence[Rule]) -> Criterion:
    if not rules:
        return criterion
    listed = "\n".join(f"- {neutralise(rule.text)}" for rule in rules)
    return criterion.model_copy(
        update={"text": _GUIDANCE.replace("{rules}", listed).replace("{criterion}", criterion.text, 1)}
    )


def _flagged(verdict: Verdict, rules: Sequence[Rule]) -> Verdict:
    if not rules or verdict.status == "skipped":
        return verdict
    return verdict.model_copy(update={"flags": (*verdict.flags, *(f"{FLAG}{rule.id}" for rule in rules))})


def rules_shown(verdict: Verdict) -> list[str]:
    """Ids of the rules that a verdict was given under."""
    return [flag.removeprefix(FLAG) for flag in verdict.flags if flag.startswith(FLAG)]


def used(
    graph: RuleGraph, verdicts: Iterable[Verdict], author: Author, aligned: Mapping[str, bool] | None = None
) -> Iterator[Event]:
    """The events that put on record which rules were shown; what is on record already is passed over.

    Args:
        graph: The graph that the rules are in.
        verdicts: Scored and unscored verdicts of a reflective judge.
        author: Who records.
        aligned: Whether the verdict was right, by fingerprint, where that is known.
    """
    known: dict[tuple[str, str], bool | None] = {}
    for verdict in verdicts:
        for rule in rules_shown(verdict):
            known[rule, verdict.fingerprint] = (aligned or {}).get(verdict.fingerprint)
    for (rule, item), outcome in known.items():
        if item and rule in graph:
            yield from author.uses(graph, rule, item, aligned=outcome)


def build(
    members: Sequence[Member] = (),
    graph: str = "",
    rules: int = 5,
    characters: int = 2000,
    domain: str = "",
    *,
    embeddings: str = "auto",
) -> ReflectiveJudge:
    """Make the judge.

    Args:
        members: The judge inside.
        graph: File of the rule graph.
        rules: Most rules per criterion; with 0 it judges as the judge inside alone.
        characters: Most characters of them together.
        domain: Field of work of every case.
        embeddings: One of `adjudge_metacog.embedding.NAMES`.

    Raises:
        UnsupportedError: No graph is named, a number is below 0, or the embedder's package is not installed.
        UnknownNameError: There is no embedder of that name.
        InputError: The graph cannot be read.
    """
    from adjudge_metacog.snapshot import load

    if not graph:
        raise UnsupportedError("the judge 'reflective' needs a rule graph: -J graph=rules.jsonl")
    if rules < 0 or characters < 0:
        raise UnsupportedError(f"the judge 'reflective': rules={rules}, characters={characters}: not below 0")
    return ReflectiveJudge(
        tuple(members), load(graph).graph, Budget(rules, characters), domain, embedder(embeddings), Path(graph)
    )
