"""What an elicitation comes to: the moral graph, the survey, criteria for a rubric, rules for a rule graph."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from adjudge.errors import InputError
from adjudge.metrics import Estimate, wilson
from adjudge_metacog.changes import Author
from adjudge_metacog.elicit.flow import free_id
from adjudge_metacog.elicit.state import Card, Elicitation
from adjudge_metacog.events import Event
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.moral import MoralGraph, ValuesCard, Vote, counted
from adjudge_metacog.nodes import Edge, Ground, Rule, Scope


def moral_graph(state: Elicitation) -> MoralGraph:
    """The values and the votes on them; votes on stories whose values were merged into one are left out."""
    values = {card.id: card for card in state.values}
    votes = []
    for _, story, answer in state.votes():
        source, wiser = state.value(story.source), state.value(story.wiser)
        if source != wiser and {source, wiser} <= values.keys():
            votes.append(Vote(source=source, wiser=wiser, context=story.context, answer=answer))
    return MoralGraph(values=tuple(map(_card, values.values())), edges=counted(votes))


def _card(card: Card) -> ValuesCard:
    draft = card.draft
    return ValuesCard(
        id=card.id, title=draft.title, short=draft.short, detailed=draft.detailed, policies=draft.policies
    )


def survey(state: Elicitation) -> dict[str, Estimate]:
    """Share of the people who felt represented, and who would call the result fair, of those who answered."""
    closed = [person.closed for person in state.people.values() if person.closed is not None]
    return {
        "represented": wilson(sum(answers.represented == "yes" for answers in closed), len(closed)),
        "fair": wilson(sum(answers.fair == "yes" for answers in closed), len(closed)),
    }


def left_out(state: Elicitation) -> Counter[str]:
    """Why cards take no part: a check failed or was not made, or the text holds what a judge must not read."""
    cards = [card for card in state.cards.values() if not card.counts]
    return Counter("flagged" if card.flags else "failed or missing checks" for card in cards)


def chosen(graph: MoralGraph, *, redistribute: bool) -> dict[str, list[str]]:
    """The wisest values, each with the contexts that it is wisest in, in the order of their rank.

    Raises:
        InputError: No edge passed the filter.
    """
    winners = graph.winners(redistribute=redistribute)
    if not winners:
        raise InputError("no vote passes the filter yet: there is nothing to derive; let more people vote")
    found: dict[str, list[str]] = {}
    for name in graph.ranks(redistribute=redistribute):
        contexts = [context for context, names in winners.items() if name in names]
        if contexts:
            found[name] = contexts
    return found


def pack(state: Elicitation, graph: MoralGraph, name: str, *, redistribute: bool = False) -> str:
    """A rubric as YAML, marked as a draft: one criterion for each of the wisest values.

    A criterion's weight is its value's rank, over the lowest rank of those chosen.

    Args:
        state: The elicitation.
        graph: Its graph, filtered.
        name: Id of the rubric.
        redistribute: Which ranks; see `MoralGraph.ranks`.

    Raises:
        InputError: No edge passed the filter.
        PackError: The name is not one of a rubric.
    """
    import yaml

    from adjudge.packs import parse_pack

    wisest = chosen(graph, redistribute=redistribute)
    ranks = graph.ranks(redistribute=redistribute)
    least = min(ranks[value] for value in wisest)
    criteria = [_criterion(state.cards[value], contexts, ranks[value] / least) for value, contexts in wisest.items()]
    value = {**_front(state, name, [state.cards[value].draft.title for value in wisest]), "criteria": criteria}
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    parse_pack(text.encode(), f"{name} (derived)")  # what cannot be read back is not given out
    return _NOTE + text


_NOTE = (
    "# Derived from values cards and votes by `adjudge elicit pack`. A draft: read every criterion, choose a licence,\n"
    "# add golden tests, say who agrees to it, and take `draft: true` out.\n"
)


def _front(state: Elicitation, name: str, titles: list[str]) -> dict[str, Any]:
    voters = {who for who, _, answer in state.votes() if answer is not None}
    cards = sum(bool(person.card) for person in state.people.values())
    return {
        "id": name,
        "version": "0.1",
        "draft": True,
        "title": "Values that people found wisest",
        "role": "an assistant that people with these values would call wise",
        "charter": {
            "values": list(dict.fromkeys(titles)),
            "authors": [f"{cards} people who were interviewed"],
            "agreed_by": f"{len(voters)} people by their votes on single stories; nobody has agreed to this file yet",
            "process": "Interviews into values cards, and votes on which value is wiser in a context.",
        },
        "licence": {"spdx": "LicenseRef-undecided"},
        "documentation": {
            "label_origin": "none",
            "intended_use": "A draft to review: criteria derived from values cards.",
            "sources": ["Klingefjord, Lowe and Edelman 2024, arXiv:2404.10636 (the method)"],
            "limits": "Holds for the contexts that people spoke about; no golden tests yet.",
        },
    }


def _criterion(card: Card, contexts: list[str], ratio: float) -> dict[str, Any]:
    attends = "; ".join(policy.rstrip(".") for policy in card.draft.policies)
    where = " / ".join(contexts)
    return {
        "id": card.id,
        "text": f"{card.draft.short} Where: {where}. The answer shows attention to: {attends}.",
        "weight": round(ratio, 2),
        "values": [card.draft.title],
        "sources": [{"norm": "values card", "clause": card.id}],
    }


def planted(
    graph: RuleGraph, state: Elicitation, moral: MoralGraph, author: Author, *, redistribute: bool = False
) -> Iterator[Event]:
    """The events that bring the values, the contexts and one proposed rule for each of the wisest into a rule graph.

    The rules are proposed, no more: the gate or a person lets them guide.
    """
    for value in moral.values:
        node = Ground(kind="value", id=f"value-{value.id}"[:80], text=f"{value.title}: {value.short}", source=_SOURCE)
        yield from author.adds(graph, node)
    for name, contexts in chosen(moral, redistribute=redistribute).items():
        for context in contexts:
            place = _place(context)
            yield from author.adds(graph, Ground(kind="scenario", id=place, text=context, source=_SOURCE))
            rule = _rule(state.cards[name], context, place, _support(moral, name, context))
            yield from author.adds(graph, rule)
            yield from author.links(graph, Edge(kind="derived_from", source=rule.id, target=f"value-{name}"[:80]))
            yield from author.links(graph, Edge(kind="applies_to", source=rule.id, target=place))


_SOURCE = "elicitation"


def _place(context: str) -> str:
    """An id for a context."""
    return f"context-{free_id(context, ())[:40].rstrip('-')}-{hashlib.sha256(context.encode()).hexdigest()[:6]}"


def _support(moral: MoralGraph, value: str, context: str) -> tuple[int, int]:
    """Votes that found the value wiser than another in the context, and all votes on it there."""
    edges = [edge for edge in moral.within(context).edges if edge.wiser == value]
    return sum(edge.counts.wiser for edge in edges), sum(edge.counts.answers for edge in edges)


def _rule(card: Card, context: str, place: str, support: tuple[int, int]) -> Rule:
    wiser, asked = support
    text = (
        f"When this comes up: {_line(context)}, do as a person would who attends to this: {_line(card.draft.short)}, "
        f"because {wiser} of {asked} votes found it the wiser value"
    )
    name = f"votes-{free_id(card.id, ())[:40].rstrip('-')}-{place.removeprefix('context-')[-30:]}"
    return Rule(kind="rule", id=name, text=text, origin="votes", scope=Scope(scenarios=(place,)), source=_SOURCE)


def _line(text: str) -> str:
    """A text in one line, without the dot at its end, short enough for a rule."""
    flat = " ".join(text.split()).rstrip(".")
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


_LONGEST = 200
