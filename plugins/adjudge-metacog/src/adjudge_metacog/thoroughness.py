"""How thorough a self-assessment is: the share of what a reference names that it found too."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from adjudge.metrics import Estimate, clustered_mean, undefined
from adjudge_metacog.retrieval import IDEOGRAPHS, words

HALF = 0.5
_SHORTEST = 4


def names(text: str, wanted: str, least: float = HALF) -> bool:
    """Whether a text names something: at least that share of the words of its name stand in the text.

    Words of fewer than four letters say too little to count (`the` does not name `the examiner`), unless a name has no
    others; then all of them must be there. Words count as the same if one begins with the other and both have four
    letters or more, so that `customer` finds `customers`; a language with endings needs no more, and none a model.
    """
    have, look_for = set(words(text)), set(words(wanted))
    telling = {word for word in look_for if len(word) >= _SHORTEST or IDEOGRAPHS.search(word)}
    if not telling:
        return bool(look_for) and look_for <= have
    return sum(any(_same(word, other) for other in have) for word in telling) >= least * len(telling)


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= _SHORTEST and long.startswith(short))


def share_named(text: str, wanted: Sequence[str]) -> float:
    """The share of these names that a text names; there must be one."""
    return sum(names(text, one) for one in wanted) / len(wanted)


def thoroughness(
    found: Sequence[str | None],
    wanted: Sequence[Sequence[str]],
    clusters: Sequence[Hashable] | None = None,
) -> Estimate:
    """Mean share of the parties or consequences of a reference that an assessment names.

    Args:
        found: What each assessment says; None if it is unscored, and then it is left out and counted in the note.
        wanted: What the reference of each names; an item for which it names nothing is left out.
        clusters: The unit that each comes from, in the same order.

    Raises:
        ValueError: The sequences differ in length.
    """
    units = range(len(found)) if clusters is None else clusters
    rows = [(text, look_for, unit) for text, look_for, unit in zip(found, wanted, units, strict=True) if look_for]
    scored = [(text, look_for, unit) for text, look_for, unit in rows if text is not None]
    if not scored:
        return undefined("no scored assessment with a reference", len(rows))
    shares = [share_named(text, look_for) for text, look_for, _ in scored]
    mean = clustered_mean(shares, None if clusters is None else [unit for *_, unit in scored])
    lost = len(rows) - len(scored)
    note = "; ".join(part for part in (mean.note, f"{lost} unscored left out" if lost else "") if part)
    return Estimate(
        value=mean.value, low=mean.low, high=mean.high, n=mean.n, clusters=mean.clusters, note=note, method=mean.method
    )
