"""What is known of one node of the rule graph: the set of events on it, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from adjudge_metacog.events import Added, Event, Linked, Measured, Moved, Used, canonical, plain
from adjudge_metacog.nodes import CAUTION, FORWARD, Ground, Rule, Status, flags_of_text

E = TypeVar("E", Added, Moved, Linked)


def heads(events: Mapping[str, E]) -> dict[str, E]:
    """The events that no other one replaces, by id, in the order of their ids."""
    if len(events) == 1:
        return dict(events)
    replaced = {known for event in events.values() for known in event.after}
    return {name: events[name] for name in sorted(events.keys() - replaced)}


def latest(events: Mapping[str, E]) -> tuple[str, ...]:
    """Ids of the events that no other one replaces: what a new event on the same thing comes after."""
    return tuple(heads(events))


_GRAVITY = {None: 0, True: 1, False: 2}


def _counted(uses: dict[str, bool | None], event: Used) -> None:
    known = uses.setdefault(event.item, event.aligned)
    uses[event.item] = max(known, event.aligned, key=_GRAVITY.__getitem__)


@dataclass
class Record:
    """Everything known of one node."""

    added: dict[str, Added] = field(default_factory=dict)
    moved: dict[str, Moved] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    used: dict[str, Used] = field(default_factory=dict)

    @cached_property
    def contents(self) -> tuple[Rule | Ground, ...]:
        """Its content; more than one where copies of the graph disagree."""
        last = heads(self.added).values()
        if len(last) == 1:
            return tuple(event.node for event in last)
        # Two people who wrote the same thing do not disagree.
        return tuple({canonical(plain(event.node)): event.node for event in last}.values())

    @cached_property
    def node(self) -> Rule | Ground:
        """Its content; the first of those that disagree."""
        return self.contents[0]

    @cached_property
    def statuses(self) -> tuple[Status, ...]:
        """Its status; more than one, the most cautious first, where copies of the graph disagree."""
        found = {event.status for event in heads(self.moved).values()} or {"proposed"}
        return tuple(status for status in CAUTION if status in found)

    @property
    def status(self) -> Status:
        """Its status; the most cautious of those that disagree."""
        return self.statuses[0]

    @cached_property
    def reviewed(self) -> bool:
        """A person stands behind its status."""
        last = heads(self.moved).values()
        return bool(last) and all(event.reviewed for event in last)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Why a rule must not reach a judge, whatever its status."""
        if not isinstance(self.node, Rule):
            return ()
        return tuple(dict.fromkeys(flag for node in self.contents for flag in flags_of_text(node.text)))

    @cached_property
    def uses(self) -> dict[str, bool | None]:
        """What came of each use, by item; where two copies disagree it was not in order."""
        found: dict[str, bool | None] = {}
        for event in self.used.values():
            _counted(found, event)
        return found

    def counts(self, event: Used) -> None:
        """Count a use in that came in: a rule may have very many."""
        if "uses" in self.__dict__:
            _counted(self.uses, event)

    def forget_uses(self) -> None:
        """Drop what came of the uses, since one was taken out."""
        self.__dict__.pop("uses", None)

    @property
    def events(self) -> dict[str, Event]:
        """All events on the node, by id, in their order."""
        every: dict[str, Event] = {**self.added, **self.moved, **self.measured, **self.used}
        return dict(sorted(every.items(), key=in_order))

    def forget(self) -> None:
        """Drop what was derived, since an event came in."""
        for name in ("contents", "node", "statuses", "reviewed", "flags"):
            self.__dict__.pop(name, None)


def node_of(event: Added | Moved | Measured | Used) -> str:
    """Id of the node that an event is about."""
    return event.node.id if isinstance(event, Added) else event.rule


def in_order(entry: tuple[str, Event]) -> tuple[int, str]:
    """The order of events: by clock, then by identity."""
    return entry[1].clock, entry[0]


def record_problems(node: str, record: Record) -> Iterator[tuple[str, str]]:
    """Pairs of event and what is wrong with it, among the events on one node."""
    if not record.added:
        yield next(iter(record.events)), f"speaks of {node!r}, which no event adds"
        return
    is_rule = isinstance(record.node, Rule)
    kinds = {event.node.kind for event in record.added.values()}
    for name, added in record.added.items():
        yield from strangers(name, added.after, record.added)
        if len(kinds) > 1:
            yield name, f"{node!r} is a {' and a '.join(sorted(kinds))}; ids are unique"
    for name in () if is_rule else (*record.moved, *record.measured, *record.used):
        yield name, f"speaks of {node!r} as a rule, which is a {record.node.kind}"
    for name, moved in record.moved.items():
        yield from strangers(name, moved.after, record.moved)
        before = [record.moved[known].status for known in moved.after if known in record.moved] or ["proposed"]
        # Where copies disagreed, a person may settle on any of their statuses.
        if not moved.rollback and all(FORWARD.index(moved.status) < FORWARD.index(status) for status in before):
            yield name, f"{node!r} cannot go from {max(before, key=FORWARD.index)} to {moved.status}; roll back instead"


def strangers(name: str, after: Iterable[str], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with an event that follows others which are not there."""
    for other in after:
        if other not in known:
            yield name, f"follows the event {other}, which is not there"
