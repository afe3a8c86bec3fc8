"""Rules beside an answer: the active rules that bear on what is asked, in the system message of whoever answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import Any

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Solver
from adjudge.judges.members import Through
from adjudge.prompts import neutralise
from adjudge.submission import Submission, as_text
from adjudge.verdict import Question
from adjudge_metacog.cases import told
from adjudge_metacog.changes import Author
from adjudge_metacog.embedding import Embedder, embedder
from adjudge_metacog.events import Event, canonical, plain
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.retrieval import Budget, Found, Query, Retriever, Similarity

RULES = "rules"
"""Key of the metadata that names the rules which an answer was given under."""
WHY = "rules_why"
"""Key of what each of them has in common with the case, by id."""
BY = "rules_by"
"""Key of what they were found by."""
_FILED = ("scenario", "risk_factor", "attack_type")
_HEADING = "Rules from earlier cases, the gravest first. Follow those that apply:"


@dataclass(frozen=True)
class Guidance:
    """The active rules of a graph, and how many of them an answer may be given under."""

    graph: RuleGraph
    """Where the rules are."""
    budget: Budget = field(default_factory=Budget)
    """How much guidance there may be; with none, every question stays as it is, byte by byte."""
    domain: str = ""
    """Field of work of every case; if empty, what its metadata say under `domain`."""
    embedder: Embedder | None = None
    """What tells how near a case is to a rule in meaning; if None, only scope and words count."""
    path: Path | None = None
    """File of the graph, beside which vectors are kept; if None, they are not."""
    _retriever: Retriever = field(init=False, repr=False)
    _scenarios: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.budget.rules < 0 or self.budget.characters < 0:
            raise UnsupportedError(f"rules={self.budget.rules}, characters={self.budget.characters}: not below 0")
        rules = self.graph.active
        similarity = None if self.embedder is None else Similarity(rules, self.embedder, self.path)
        object.__setattr__(self, "_retriever", Retriever(rules, similarity))
        object.__setattr__(self, "_scenarios", frozenset(name for rule in rules for name in rule.scope.scenarios))

    def find(self, text: str, metadata: Mapping[str, Any]) -> list[Found]:
        """The rules that bear on a case, the most severe first, then the nearest.

        A scenario that no rule names is a new one: it leaves no rule out.

        Args:
            text: What is asked.
            metadata: Of the case; `domain` and `scenario` narrow the search, and what it is filed under (`tags`,
                `scenario`, `risk_factor`, `attack_type`) speaks for the rules with such a tag.
        """
        scenario = told(metadata, "scenario")
        known = scenario if scenario in self._scenarios else ""
        domain = self.domain or told(metadata, "domain")
        return self._retriever.find(
            Query(text=text, domain=domain, scenario=known, tags=tags_of(metadata)), self.budget
        )

    def record(self, found: Sequence[Found]) -> dict[str, Any]:
        """What goes on record beside an answer under these rules, as JSON: which, why each, and what found them."""
        names = [each.rule.id for each in found]
        return {RULES: names, WHY: {each.rule.id: list(each.why) for each in found}, BY: self._retriever.by}

    @property
    def settings(self) -> str:
        """The most rules and the embedder, for a name."""
        return f"{self.budget.rules},{f'{self.embedder.name},' if self.embedder else ''}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides which rules are shown, as JSON; empty if none ever is."""
        if not self._retriever.rules or not self.budget.rules or not self.budget.characters:
            return {}
        rules = "\n".join(canonical(plain(rule)) for rule in self._retriever.rules)
        limits = {"rules": self.budget.rules, "characters": self.budget.characters, "domain": self.domain}
        by = {"embeddings": self.embedder.fingerprint} if self.embedder else {}
        return {**limits, **by, "hash": sha256(rules.encode()).hexdigest()}


def tags_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """What a case is filed under, by its metadata: `tags`, a list or words between commas, and its kind of request."""
    given = metadata.get("tags") or ()
    tags = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else ()
    every = (str(tag or "").strip() for tag in (*(metadata.get(name) for name in _FILED), *tags))
    return tuple(dict.fromkeys(tag for tag in every if tag))


def with_rules(system: str, found: Sequence[Found]) -> str:
    """A system message with rules below what it says; as it is without any."""
    if not found:
        return system
    listed = "\n".join(f"- {neutralise(each.rule.text)}" for each in found)
    return "\n\n".join(part for part in (system, f"{_HEADING}\n{listed}") if part)


def guided(question: Question, found: Sequence[Found]) -> Question:
    """The question with rules in its system message; the same object without any."""
    if not found:
        return question
    prompt = question.prompt
    system = with_rules(prompt.system, found)
    # The digest leaves out the random boundaries of blocks, so that it cannot be made anew from the text.
    digest = sha256(prompt.digest + system.encode("utf-8", "surrogatepass")).digest() if prompt.digest else b""
    return question.model_copy(update={"prompt": prompt.model_copy(update={"system": system, "digest": digest})})


@dataclass(frozen=True)
class GuidedAsk(Through):
    """The way to a backend with rules in the system message of every question."""

    found: Sequence[Found] = ()
    """The rules."""

    def changed(self, question: Question) -> Question:
        """The question with the rules."""
        return guided(question, self.found)


@dataclass(frozen=True)
class GuidedSolver:
    """Has another solver answer under the rules that bear on the input, and names them in the metadata.

    `rules` has their ids, `rules_why` what each has in common with the case, `rules_by` what found them. The rules
    stand in the question and so in its fingerprint. Where none bears on the input, everything is as with the solver
    inside alone.
    """

    inner: Solver
    """How the candidate answers."""
    guidance: Guidance
    """Where the rules come from."""

    @property
    def name(self) -> str:
        """`guided` with the most rules, the embedder if there is one, and the solver inside."""
        return f"guided({self.guidance.settings}{self.inner.name})"

    async def solve(self, submission: Submission, ask: Ask) -> Submission:
        """Answer under the rules."""
        found = self.guidance.find(as_text(submission.input), submission.metadata)
        if not found:
            return await self.inner.solve(submission, ask)
        answered = await self.inner.solve(submission, GuidedAsk(ask, found))
        noted = {**answered.metadata, **self.guidance.record(found)}
        return answered.model_copy(update={"metadata": noted})


def applied(
    graph: RuleGraph, submissions: Iterable[Submission], author: Author, aligned: Mapping[str, bool] | None = None
) -> Iterator[Event]:
    """The events that put on record which rules answers were given under; what is on record already is passed over.

    Args:
        graph: The graph that the rules are in.
        submissions: Answers of a `GuidedSolver`.
        author: Who records.
        aligned: Whether the answer was in order, by submission id, where that is known.
    """
    for submission in submissions:
        named = submission.metadata.get(RULES)
        for rule in named if isinstance(named, list) else ():
            if str(rule) in graph:
                outcome = (aligned or {}).get(submission.id)
                yield from author.uses(graph, str(rule), submission.id, aligned=outcome)


def load_guidance(
    graph: str, rules: int, characters: int, domain: str, what: str, *, embeddings: str = "auto"
) -> Guidance:
    """The guidance that a user asks for by name.

    Args:
        graph: File of the rule graph, or a rule tree in YAML that stands for the graph of its rules.
        rules: Most rules per answer.
        characters: Most characters of them together.
        domain: Field of work of every case.
        what: What needs it, for the message.
        embeddings: One of `adjudge_metacog.embedding.NAMES`. Vectors are kept beside a graph, not beside a tree.

    Raises:
        UnsupportedError: No graph is named, a number is below 0, or the embedder's package is not installed.
        UnknownNameError: There is no embedder of that name.
        InputError: The graph cannot be read.
        PackError: The tree is none.
    """
    from adjudge_metacog.snapshot import load
    from adjudge_metacog.trees import graph_of, load_tree

    if not graph:
        raise UnsupportedError(f"{what} needs a rule graph: graph=rules.jsonl")
    is_tree = graph.endswith((".yaml", ".yml"))
    found = graph_of(load_tree(graph)) if is_tree else load(graph).graph
    return Guidance(found, Budget(rules, characters), domain, embedder(embeddings), None if is_tree else Path(graph))


def build_solver(
    graph: str = "",
    rules: int = 5,
    characters: int = 2000,
    domain: str = "",
    inner: str = "generate",
    *,
    embeddings: str = "auto",
    **options: Any,
) -> GuidedSolver:
    """Make the solver `guided`.

    Args:
        graph: File of the rule graph.
        rules: Most rules per answer; with 0 it answers as the solver inside alone.
        characters: Most characters of them together.
        domain: Field of work of every case.
        inner: Name of the solver inside.
        embeddings: One of `adjudge_metacog.embedding.NAMES`.
        options: Its options.

    Raises:
        UnknownNameError: There is no such solver or embedder.
        UnsupportedError: No graph is named, a number is below 0, the embedder's package is not installed, or the solver
            inside has no such option.
        InputError: The graph cannot be read.
    """
    from adjudge.api import installed
    from adjudge.options import refuse_options
    from adjudge.plugins import lookup

    guidance = load_guidance(graph, rules, characters, domain, "the solver 'guided'", embeddings=embeddings)
    spec = lookup(installed(), installed().solvers, "solver", inner)
    refuse_options(f"the solver {inner!r}", spec.build, options)
    try:
        signature(spec.build).bind(**options)
    except TypeError as error:
        raise UnsupportedError(f"the solver {inner!r} does not take these options: {error}") from error
    return GuidedSolver(spec.build(**options), guidance)
