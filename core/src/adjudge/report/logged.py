"""Prompts and replies out of logs of inspect-ai: the calls that it logged while a sample was scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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

_SLICE = 100
"""How many samples are in memory at a time; for each slice the table of contents of the log is read once."""
_OWN = "not shown: adjudge's own backends answered, whose calls inspect does not log"
_NONE = "not shown: the log does not hold them"
_NOBODY = "none: the log holds no call of a model by this scorer"


def with_logged(runs: Sequence[Run]) -> list[RunRecord]:
    """The records of logs with the prompts and replies in them; of those that a log lacks, the provenance tells.

    The score of `adjudge/rubric` names the messages that answered its questions. Of any other scorer the calls inside
    its span belong to its score.

    Args:
        runs: Runs by scorers of logs; each log is read once for all of its scorers.
    """
    asking: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.engine != "adjudge":
            asking[run.log].append(run)
    found = {id(run): record for same in asking.values() for run, record in zip(same, _of_log(same), strict=True)}
    return [found[id(run)] if id(run) in found else _told(run.record, _OWN) for run in runs]


def _of_log(runs: Sequence[Run]) -> Iterator[RunRecord]:
    """The records of runs by scorers of one log."""
    try:
        heard = _heard(runs)
    except Exception as error:  # noqa: BLE001 - a damaged log shows itself as any of a dozen errors; its scores were read
        yield from (_told(run.record, f"not shown: {' '.join(str(error).split())[:200]}") for run in runs)
        return
    for run, one in zip(runs, heard, strict=True):
        found = one.exchanges()
        yield replace(_told(run.record, _missing(run, found)), exchanges=_Looked(found))


@dataclass(frozen=True)
class _Looked:
    """What was said about an item, by the id of the item in the record."""

    found: Mapping[str, Exchanges]

    def __call__(self, item: Item) -> Exchanges:
        return self.found.get(item.id, {})


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


@dataclass
class _Heard:
    """What one scorer asked and was told. A question that two samples ask alike is answered, and logged, once."""

    scorer: str
    names: Mapping[tuple[str, int], str]
    """Id and epoch of a sample to the id of its item in the record."""
    turns: dict[str, Turn] = field(default_factory=dict)
    """By message that answered."""
    asked: dict[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """By item: the messages that answered each question."""

    @classmethod
    def of(cls, run: Run) -> _Heard:
        items = zip(run.record.items, run.rows, strict=True)
        return cls(run.scorer, {(row.id, row.epoch): item.id for item, row in items})

    def add(self, sample: EvalSample) -> None:
        score = (sample.scores or {}).get(self.scorer)
        if score is None:
            return
        judged = judged_of(score.metadata)
        calls = list(_calls(sample, "" if judged else self.scorer.rpartition("/")[2]))
        self.turns |= {name: _turn(call) for call in calls for name in (_sent(call), _answer(call)) if name}
        name = self.names[str(sample.id), sample.epoch]
        self.asked[name] = judged.replies if judged else {"": [*map(_answer, calls)]}

    def exchanges(self) -> dict[str, Exchanges]:
        """By id of the item in the record."""
        return {
            name: {key: found for key, messages in replies.items() if (found := _known(self.turns, messages))}
            for name, replies in self.asked.items()
        }


def _heard(runs: Sequence[Run]) -> list[_Heard]:
    """What each scorer of one log asked and was told."""
    heard = [_Heard.of(run) for run in runs]
    for sample in _samples(runs[0]):
        for one in heard:
            one.add(sample)
    return heard


def _known(turns: Mapping[str, Turn], messages: Iterable[str]) -> tuple[Turn, ...]:
    return tuple(turns[message] for message in messages if message in turns)


def _samples(run: Run) -> Iterator[EvalSample]:
    """The samples of a log with their events, a slice of them at a time as far as the format allows."""
    from inspect_ai.log import read_eval_log, read_eval_log_samples_by_id

    if not run.log.endswith(".eval"):
        yield from read_eval_log(run.log, resolve_attachments=True).samples or ()
        return
    keys = [(row.id, row.epoch) for row in run.rows]
    for start in range(0, len(keys), _SLICE):
        part = keys[start : start + _SLICE]
        yield from read_eval_log_samples_by_id(run.log, part, resolve_attachments=True, exclude_fields={"store"})


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


def _sent(call: ModelEvent) -> str:
    """Id of the last message that was sent, by which a call that failed is known; empty if it was answered."""
    failed = call.error is not None or not call.output.choices
    return str(call.input[-1].id or "") if failed and call.input else ""


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
