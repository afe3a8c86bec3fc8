"""What one cycle did, in lines of Markdown: every rule with its text and its fate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from adjudge_metacog.cycle import Turn
from adjudge_metacog.exporting import printable
from adjudge_metacog.filing import What

_UNTRIED: dict[What, str] = {
    "flagged": "never tried: its text has flags",
    "contradicts": "waits for a person: it contradicts another rule",
    "proposed": "not tried yet: other rules went to the gate first",
}


def turn_lines(turn: Turn, texts: Mapping[str, str]) -> Iterator[str]:
    """What a cycle did.

    Args:
        turn: The cycle.
        texts: Text of each rule, by id; it is not ours, so that nothing in it reaches a terminal as a command.
    """
    yield f"\nCycle {turn.number}: {turn.bad} of {turn.tried} cases turned out badly, {turn.unscored} unscored."
    filed = Counter(one.what for one in turn.filed)
    yield "Proposals: " + (", ".join(f"{count} {what}" for what, count in sorted(filed.items())) or "none") + "."
    told: set[str] = set()
    for rule, fate in _fates(turn):
        yield f"- {rule}{fate}"
        if rule in texts and rule not in told:
            yield f"  > {printable(' '.join(texts[rule].split()))}"
        told.add(rule)


def _fates(turn: Turn) -> Iterator[tuple[str, str]]:
    """Each rule with what became of it: what the gate said, why it went to no gate, what it adds."""
    for decision in turn.decisions:
        yield decision.rule, f" {_decided(turn, decision.rule, accepted=decision.accepted)}: {decision.why}"
    tried = {decision.rule for decision in turn.decisions}
    for one in turn.filed:
        if one.what in _UNTRIED and one.rule not in tried:
            yield one.rule, f" {_UNTRIED[one.what]}{f' ({one.why})' if one.why else ''}"
    for worth in turn.worth:
        yield worth.rule, f"{' retired' if worth.rule in turn.demoted else ''}: {worth.told}"


def _decided(turn: Turn, rule: str, *, accepted: bool) -> str:
    if rule in turn.waiting:
        return f"passed and waits for a person ({turn.waiting[rule]})"
    return "activated" if accepted else "not activated"
