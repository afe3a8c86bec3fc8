"""What a backend makes of each class of fault: texts that a model may write, and the name of what becomes of them."""

from __future__ import annotations

from typing import Any

from adjudge.api import make_judge
from adjudge.errors import BackendError
from adjudge.interfaces import Backend
from adjudge.rubric import Rubric
from adjudge.sending import Policy
from adjudge.verdict import Verdict

_TWO = Rubric.model_validate(
    {
        "id": "t",
        "version": "1",
        "draft": True,
        "criteria": [
            {"id": "a", "text": "It is good.", "scale": "1-3"},
            {"id": "b", "text": "It is short.", "scale": "1-3"},
        ],
    }
)
_ONE = _TWO.model_copy(update={"criteria": _TWO.criteria[:1]})
OTHER_IDS = "ids of other criteria"
GOOD = '{"explanation": "It is.", "level": "2"}'
"""A reply without fault."""
REFUSED = "I cannot help with that."
"""A refusal in words."""
WRITTEN = {
    "nothing: an empty text": "",
    "truncated JSON": GOOD[:-2],
    "NaN for a level": '{"explanation": "It is.", "level": NaN}',
    "a key stands twice": '{"explanation": "It is.", "level": "2", "level": "3"}',
    OTHER_IDS: '{"c": {"level": "2"}, "d": {"level": "3"}}',
    "a level outside the scale": '{"explanation": "It is.", "level": "9"}',
    "JSON in a fence": f"```json\n{GOOD}\n```",
    "reasoning tags before the JSON": f"<think>3 or {{2}}?</think>\n{GOOD}",
    "two verdicts": GOOD + GOOD.replace("2", "3"),
}
"""By class of fault: what a model writes."""


async def outcome_of(backend: Backend, fault: str, deadline: float = 30.0) -> str:
    """Judge a text with a backend that has this fault, with one more attempt where that makes sense.

    Returns:
        `read` or `read, noted` for the right level, the reason of an unscored verdict, `stops` if the run ended with a
        typed error.
    """
    joint = fault == OTHER_IDS
    policy = Policy(attempts=2, backoff=0.0, deadline=deadline)
    options: dict[str, Any] = {"judge": "joint"} if joint else {"read_out": "reasoned"}
    try:
        async with make_judge(_TWO if joint else _ONE, backend=backend, policy=policy, **options) as judge:
            result = await judge("Some text.")
    except BackendError as error:
        return "stops" if len(str(error).splitlines()) == 1 else f"more than one line: {error}"
    return " and ".join(sorted({_named(verdict) for verdict in result.verdicts}))


def _named(verdict: Verdict) -> str:
    if verdict.status == "scored":
        right = (verdict.level, verdict.score) == ("2", 2.0)
        return ("read, noted" if "repaired" in verdict.detail else "read") if right else f"WRONG LEVEL {verdict.level}"
    numbers = (verdict.level, verdict.score, verdict.expected, verdict.distribution)
    return str(verdict.reason) if numbers == (None,) * 4 else f"A NUMBER {numbers}"
