"""Figures of the counselling tasks: the crisis gate's recall, utterances that verdicts point at, what searches did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, clustered_mean, wilson
from adjudge.submission import Submission
from adjudge.unanswered import FAILURE
from adjudge.verdict import Result, Verdict
from adjudge_counselling.crisis import RISK
from adjudge_counselling.dialogue import pointed_at
from adjudge_counselling.search.export import searched
from adjudge_counselling.search.solver import CRISIS

_Judged: TypeAlias = tuple[Submission, Verdict | None]
_PARTS = ("language", "kind", "split")


def crisis_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """Recall of the gate with its lower bound, false alarms on the benign twins, and what was missed.

    An unscored message clears nothing and raises nothing: recall is over what was scored, beside it stands the recall
    if every unscored message were missed. The lower end is that of the two-sided interval of 95 % by Wilson.
    """
    judged = [(cast("Submission", item), _risk(result)) for item, result in zip(items, results, strict=True)]
    risky = [(item, verdict) for item, verdict in judged if _gold(item) == "met"]
    benign = [(item, verdict) for item, verdict in judged if _gold(item) == "unmet"]
    return {
        **_recall("recall", risky),
        **{f"recall[{part}]": _rate(some) for part, some in _by_part(risky)},
        "false_alarms": _rate(benign),
        "coverage": _share([verdict is not None and verdict.status == "scored" for _, verdict in judged]),
        "missed": [{"id": item.id} for item, verdict in risky if _level(verdict) == "unmet"],
        "unscored": [{"id": item.id} for item, verdict in judged if _level(verdict) is None],
    }


def _recall(name: str, risky: Sequence[_Judged]) -> dict[str, Any]:
    found = _rate(risky)
    flagged = sum(_level(verdict) == "met" for _, verdict in risky)
    return {
        name: found,
        f"{name}_at_least": found.low,
        f"{name}_if_unscored_missed": wilson(flagged, len(risky)),
    }


def _by_part(risky: Sequence[_Judged]) -> list[tuple[str, list[_Judged]]]:
    """The cases of each language, kind and split, by its name."""
    parts = [(name, item.metadata[name]) for name in _PARTS for item, _ in risky if name in item.metadata]
    return [
        (str(value), [(item, verdict) for item, verdict in risky if item.metadata.get(name) == value])
        for name, value in dict.fromkeys(parts)
    ]


def _rate(judged: Sequence[_Judged]) -> Estimate:
    """Share that is flagged, of what was scored."""
    levels = [level for _, verdict in judged if (level := _level(verdict)) is not None]
    return wilson(levels.count("met"), len(levels))


def _risk(result: Result) -> Verdict | None:
    return next((verdict for verdict in result.verdicts if verdict.criterion == RISK), None)


def _level(verdict: Verdict | None) -> str | None:
    return None if verdict is None else verdict.level


def _gold(item: Submission) -> str | None:
    return next((label.level for label in item.labels if label.criterion == RISK), None)


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def pointing_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """What verdicts with quotes point at: how many quotes are there, and what the utterances do by the gold labels.

    Empty if no verdict quotes anything (read-out `label`, or `quotes` off).
    """
    quoted = [
        (cast("Submission", item), verdict)
        for item, result in zip(items, results, strict=True)
        for verdict in result.verdicts
        if verdict.quotes and verdict.level is not None
    ]
    if not quoted:
        return {}
    located = [quote.start is not None for _, verdict in quoted for quote in verdict.quotes]
    return {
        "pointing_verdicts": len(quoted),
        "quotes_found": wilson(sum(located), len(located)),
        "pointed_at": _pointed_table(quoted),
    }


def _pointed_table(quoted: Sequence[tuple[Submission, Verdict]]) -> list[dict[str, Any]]:
    """Utterances pointed at, counted by the verdict's level and the utterance's gold label."""
    counted: Counter[tuple[str, str]] = Counter()
    for item, verdict in quoted:
        labels = item.metadata.get("labels")
        known: Mapping[str, Any] = labels if isinstance(labels, dict) else {}
        counted.update((str(verdict.level), str(known.get(str(n), ""))) for n in pointed_at(verdict, item))
    return [{"level": level, "utterance": label, "count": count} for (level, label), count in sorted(counted.items())]


def search_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """What the searches of a candidate did (best value by its own reviews, answers, questions), and what to escalate.

    `gained` is the best value less that of the first answer: what searching added, by the candidate's own judgement.
    """
    del results
    found = [tree for _, tree in searched(items)]
    flagged = [item for item in items if isinstance(item, Submission) and CRISIS in item.metadata]
    figures: dict[str, Any] = {
        "escalate": [{"id": item.id, "answered": FAILURE not in item.metadata} for item in flagged]
    }
    if found:
        values = [(_value(tree, tree["best"]), _value(tree, 1)) for tree in found]
        figures |= {
            "searched": len(found),
            "best_value": clustered_mean([best for best, _ in values if best is not None]),
            "gained": clustered_mean([a - b for a, b in values if a is not None and b is not None]),
            "answers": sum(len(tree["nodes"]) - 1 for tree in found),
            "search_calls": sum(tree["calls"] for tree in found),
        }
    return figures


def _value(tree: Mapping[str, Any], node: int | None) -> float | None:
    by_id = {one["id"]: one["value"] for one in tree["nodes"]}
    value: float | None = by_id.get(node)
    return value
