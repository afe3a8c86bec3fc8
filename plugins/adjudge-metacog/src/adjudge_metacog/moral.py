"""The moral graph: values cards, votes on which is wiser in a context, and the wisest values.

Source: Klingefjord, Lowe and Edelman 2024 (arXiv:2404.10636), and the code that was released with it.
"""

from __future__ import annotations

import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from adjudge.checks.text import strict_json
from adjudge.errors import InputError
from adjudge.values import Frozen

EntropyForm = Literal["with_impressions", "answers"]
"""`with_impressions` counts how often an edge was shown as one more answer, as the released graph does; `answers` is
over the answers alone."""

_ITERATIONS = 100
_Count = Annotated[int, Field(ge=0, strict=True)]
_Name = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value), Field(min_length=1)]


def _named(name: str, released: str) -> Any:
    return AliasChoices(name, released)


class _Stored(Frozen):
    """What is read from a file by our names or by those of the released graph; its further fields are passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class ValuesCard(_Stored):
    """What someone attends to when they act by a value."""

    id: _Name
    """Unique in the graph."""
    title: str
    """Its name."""
    short: str = Field("", validation_alias=_named("short", "instructionsShort"))
    """What it asks, in a line."""
    detailed: str = Field("", validation_alias=_named("detailed", "instructionsDetailed"))
    """What it asks."""
    policies: tuple[str, ...] = Field((), validation_alias=_named("policies", "evaluationCriteria"))
    """What to attend to."""


class Counts(_Stored):
    """Answers to: is the second value wiser than the first in this context?"""

    wiser: _Count = Field(0, validation_alias=_named("wiser", "markedWiser"))
    """It is."""
    not_wiser: _Count = Field(0, validation_alias=_named("not_wiser", "markedNotWiser"))
    """It is not."""
    less_wise: _Count = Field(0, validation_alias=_named("less_wise", "markedLessWise"))
    """The first is wiser."""
    unsure: _Count = Field(0, validation_alias=_named("unsure", "markedUnsure"))
    """Not sure."""
    impressions: _Count = 0
    """How often it was asked."""

    @property
    def answers(self) -> int:
        """Number of answers."""
        return self.wiser + self.not_wiser + self.less_wise + self.unsure

    @property
    def likelihood(self) -> float | None:
        """Share that finds it wiser less share that finds it less wise, from -1 to 1; None without an answer."""
        return (self.wiser - self.less_wise) / self.answers if self.answers else None

    def entropy(self, form: EntropyForm = "with_impressions") -> float:
        """Disagreement, in bits; 0 without an answer."""
        counts = [self.wiser, self.not_wiser, self.less_wise, self.unsure]
        counts += [self.impressions] if form == "with_impressions" else []
        whole = sum(counts)
        return math.fsum(-n / whole * math.log2(n / whole) for n in counts if n)


class Wiser(_Stored):
    """An edge: one value is wiser than another in some contexts, as far as the counts say so."""

    source: _Name = Field(validation_alias=_named("source", "sourceValueId"))
    """The first value."""
    wiser: _Name = Field(validation_alias=_named("wiser", "wiserValueId"))
    """The value that may be wiser."""
    contexts: tuple[str, ...] = ()
    """Where."""
    counts: Counts
    """What people answered."""


class Filter(Frozen):
    """Which edges count."""

    votes: int = 2
    """Fewest answers `wiser`."""
    likelihood: float = 0.33
    """Least likelihood."""
    entropy: float = 1.69
    """Most entropy."""
    form: EntropyForm = "with_impressions"
    """Which entropy."""

    def keeps(self, edge: Wiser) -> bool:
        """Whether the edge counts."""
        likelihood = edge.counts.likelihood
        agreed = likelihood is not None and likelihood >= self.likelihood
        return agreed and edge.counts.wiser >= self.votes and edge.counts.entropy(self.form) <= self.entropy


class MoralGraph(_Stored):
    """Values and who finds which wiser."""

    values: tuple[ValuesCard, ...]
    """The cards."""
    edges: tuple[Wiser, ...] = ()
    """The edges."""

    @model_validator(mode="after")
    def _ends_exist(self) -> MoralGraph:
        names = Counter(card.id for card in self.values)
        for name, times in names.items():
            if times > 1:
                raise ValueError(f"two values have the id {name!r}; ids are unique")
        for edge in self.edges:
            if not {edge.source, edge.wiser} <= names.keys():
                raise ValueError(f"the edge {edge.source} > {edge.wiser} speaks of a value that is not there")
        return self

    def filtered(self, by: Filter | None = None) -> MoralGraph:
        """The graph with the edges that count."""
        by = by or Filter()
        return self.model_copy(update={"edges": tuple(edge for edge in self.edges if by.keeps(edge))})

    @property
    def contexts(self) -> list[str]:
        """All contexts, in order of appearance."""
        return list(dict.fromkeys(context for edge in self.edges for context in edge.contexts))

    def within(self, context: str) -> MoralGraph:
        """The edges of one context, and the values that they join."""
        edges = tuple(edge for edge in self.edges if context in edge.contexts)
        joined = {name for edge in edges for name in (edge.source, edge.wiser)}
        return MoralGraph(values=tuple(card for card in self.values if card.id in joined), edges=edges)

    def ranks(self, *, redistribute: bool = False, weighted: bool = True, damping: float = 0.85) -> dict[str, float]:
        """PageRank of the values, the wisest first; rank flows from a value to those found wiser.

        Args:
            redistribute: Spread the rank of values without a wiser one over all, so that ranks sum to 1, as is usual;
                the released code lets it go, and ranks sum to less.
            weighted: Share rank out by likelihood rather than evenly. An edge whose likelihood is not above 0 says
                nothing for its second value and carries no rank.
            damping: Share of rank that flows.
        """
        onward = self._flows(weighted=weighted)
        names, count = [card.id for card in self.values], len(self.values)
        ranks = dict.fromkeys(names, 1 / count) if count else {}
        for _ in range(_ITERATIONS):
            lost = math.fsum(ranks[name] for name in names if not onward.get(name)) if redistribute else 0.0
            new = dict.fromkeys(names, (1 - damping) / count + damping * lost / count) if count else {}
            for source, targets in onward.items():
                whole = math.fsum(targets.values())
                for target, weight in targets.items():
                    new[target] += damping * ranks[source] * weight / whole
            ranks = new
        return dict(sorted(ranks.items(), key=lambda entry: (-entry[1], entry[0])))

    def _flows(self, *, weighted: bool) -> dict[str, dict[str, float]]:
        """For each value the wiser ones, with what share of its rank they get, not yet normed."""
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for edge in self.edges:
            likelihood = edge.counts.likelihood or 0.0
            if likelihood > 0:
                flows = found[edge.source]
                flows[edge.wiser] = flows.get(edge.wiser, 0.0) + (likelihood if weighted else 1.0)
        return dict(found)

    def winners(self, *, redistribute: bool = False) -> dict[str, list[str]]:
        """The wisest value of each context; several where they rank alike."""
        found = {}
        for context in self.contexts:
            ranks = self.within(context).ranks(redistribute=redistribute)
            best = max(ranks.values())
            found[context] = [name for name, rank in ranks.items() if math.isclose(rank, best, rel_tol=1e-9)]
        return found


class Vote(Frozen):
    """One person's answer."""

    source: str
    """The first value."""
    wiser: str
    """The value that may be wiser."""
    context: str
    """Where."""
    answer: Literal["wiser", "not_wiser", "less_wise", "unsure"] | None
    """What the person said; None if it was shown and not answered."""


def counted(votes: Iterable[Vote]) -> tuple[Wiser, ...]:
    """The edges that votes make: one per pair of values, over all its contexts, in order of appearance."""
    pairs: defaultdict[tuple[str, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        pairs[vote.source, vote.wiser].append(vote)
    return tuple(_edge(source, wiser, some) for (source, wiser), some in pairs.items())


def _edge(source: str, wiser: str, votes: Sequence[Vote]) -> Wiser:
    answers: Mapping[str | None, int] = Counter(vote.answer for vote in votes)
    given = {str(answer): count for answer, count in answers.items() if answer is not None}
    counts = Counts(impressions=len(votes), **given)
    return Wiser(source=source, wiser=wiser, contexts=tuple(dict.fromkeys(v.context for v in votes)), counts=counts)


def load_moral_graph(path: str | Path) -> MoralGraph:
    """Read a moral graph, with our field names or those of the released graph, from JSON or gzipped JSON.

    Raises:
        InputError: The file cannot be read, or is no moral graph; names the file and the place in it.
    """
    try:
        data = Path(path).read_bytes()
        text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode()
        return MoralGraph.model_validate(strict_json(text))
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(map(str, found["loc"])) or "the graph"
        raise InputError(f"{path}: {where}: {found['msg']}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError, EOFError) as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
