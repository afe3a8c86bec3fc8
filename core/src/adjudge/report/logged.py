"""Prompts and replies out of logs of inspect-ai: the calls that it logged while a sample was scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adjudge.evals.scores import judged_of
from adjudge.interfaces import Item
from adjudge.report.exchanges import Exchanges, Turn
from adjudge.report.record import RunRecord
from adjudge.report.runs import Run
from adjudge.verdict import Verdict

if TYPE_CHECKING:
    from inspect_ai.event import ModelEvent
    from inspect_ai.log import EvalSample

_OWN = "not shown: adjudge's own backends answered, whose calls inspect does not log"
_NONE = "not shown: the log does not hold them"
_NOBODY = "none: the log holds no call of a model by this scorer"


def with_logged(run: Run) -> RunRecord:
    """The record of a log with the prompts and replies that it holds; of those that it does not, the provenance tells.

    The score of `adjudge/rubric` names the messages that answered its questions. Of any other scorer the calls inside
    its span belong to its score.

    Args:
        run: A run by one scorer of a log.
    """
    if run.engine == "adjudge":
        return _told(run.record, _OWN)
    try:
        found = _exchanges(run)
    except Exception as error:  # noqa: BLE001 - a damaged log shows itself as any of a dozen errors; its scores were read
        return _told(run.record, f"not shown: {' '.join(str(error).split())[:200]}")

    def heard(item: Item) -> Exchanges:
        return found.get(item.id, {})

    return replace(_told(run.record, _missing(run, found)), exchanges=heard)


def _told(record: RunRecord, why: str) -> RunRecord:
    return replace(record, provenance={**record.provenance, "prompts and replies": why}) if why else record


def _missing(run: Run, found: Mapping[str, Exchanges]) -> str:
    """What is to be known of verdicts without prompt and reply; empty if there are none."""
    asked = [verdict for result in run.record.results for verdict in result.verdicts if verdict.status != "skipped"]
    lacking = sum(not _holds(found.get(verdict.submission, {}), verdict) for verdict in asked)
    if lacking == len(asked):
        return (_NONE if run.engine else _NOBODY) if asked else ""
    return f"the log does not hold those of {lacking:,} of {len(asked):,} verdicts" if lacking else ""


def _holds(heard: Exchanges, verdict: Verdict) -> bool:
    return any(one.fingerprint in heard for one in (verdict, *verdict.members))


def _exchanges(run: Run) -> dict[str, Exchanges]:
    """By id of the item in the record. A question that two samples ask alike is answered, and logged, once."""
    names = {(row.id, row.epoch): item.id for item, row in zip(run.record.items, run.rows, strict=True)}
    turns: dict[str, Turn] = {}
    asked: dict[str, Mapping[str, Sequence[str]]] = {}
    for sample in _samples(run):
        score = (sample.scores or {}).get(run.scorer)
        if score is None:
            continue
        judged = judged_of(score.metadata)
        calls = list(_calls(sample, "" if judged else run.scorer.rpartition("/")[2]))
        turns |= {_answer(call): _turn(call) for call in calls}
        asked[names[str(sample.id), sample.epoch]] = judged.replies if judged else {"": [*map(_answer, calls)]}
    return {
        name: {key: found for key, messages in replies.items() if (found := _known(turns, messages))}
        for name, replies in asked.items()
    }


def _known(turns: Mapping[str, Turn], messages: Iterable[str]) -> tuple[Turn, ...]:
    return tuple(turns[message] for message in messages if message in turns)


def _samples(run: Run) -> Iterator[EvalSample]:
    """The samples of a log with their events, as far as the format allows one at a time."""
    from inspect_ai.log import read_eval_log, read_eval_log_sample

    if not run.log.endswith(".eval"):
        yield from read_eval_log(run.log, resolve_attachments=True).samples or ()
        return
    for row in run.rows:
        yield read_eval_log_sample(run.log, row.id, row.epoch, resolve_attachments=True, exclude_fields={"store"})


def _calls(sample: EvalSample, scorer: str) -> Iterator[ModelEvent]:
    """Calls of models while the sample was scored: by one scorer, or by any if none is named."""
    spans: set[str | None] = set()
    for event in sample.events:
        if event.event == "span_begin":
            begins = event.type == "scorer" and scorer in ("", event.name.rpartition("/")[2])
            if begins or event.parent_id in spans:
                spans.add(event.id)
        elif event.event == "model" and event.span_id in spans:
            yield event


def _answer(call: ModelEvent) -> str:
    """Id of the message that answered."""
    message = call.output.choices[0].message.id if call.output.choices else None
    return message or str(call.uuid)


def _turn(call: ModelEvent) -> Turn:
    """What stands before the first turn of a user, that turn, and all after it."""
    said = [(message.role, _text(message.content)) for message in call.input]
    first = next((place for place, (role, _) in enumerate(said) if role == "user"), len(said))
    told = "\n\n".join(text for _, text in said[:first])
    user = said[first][1] if first < len(said) else ""
    reply = call.output.completion or (f"(the call failed: {' '.join(call.error.split())})" if call.error else "")
    return Turn(prompt=(told, user, "", ""), added=tuple(said[first + 1 :]), reply=reply)


def _text(content: Any) -> str:
    """The texts of a message, as they were put together."""
    return content if isinstance(content, str) else "".join(part.text for part in content if part.type == "text")
