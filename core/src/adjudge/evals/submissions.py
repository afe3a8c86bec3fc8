"""Samples of inspect as submissions, and back.

A sample that adjudge made carries its item under `metadata["adjudge"]`: output, labels, rubric, whatever input and
metadata do not hold already. Any other sample becomes a submission by what inspect knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adjudge.evals.scores import KEY
from adjudge.interfaces import Item
from adjudge.submission import Comparison, Message, Submission, Text
from adjudge.transcript import read_messages
from adjudge.unanswered import FAILURE

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessage
    from inspect_ai.solver import TaskState

GIVEN = "given"
"""Stands as the model of an output that nobody was asked for."""
_HELD = ("id", "input", "metadata")
"""Fields of an item that the sample holds itself."""


def sample_of(item: Item) -> Sample:
    """The sample of an item; its target shows the gold labels, or the reference."""
    from inspect_ai.dataset import Sample

    first = item.submissions[0] if isinstance(item, Comparison) else item
    held = {"metadata", "id"} if isinstance(item, Comparison) else set(_HELD)
    entry = item.model_dump(mode="json", exclude_defaults=True, exclude=held)
    return Sample(
        id=item.id,
        input=first.input if isinstance(first.input, str) else [_chat_message(turn) for turn in first.input],
        target=_target(item),
        metadata={**item.metadata, KEY: entry},
    )


def _target(item: Item) -> str:
    if item.labels:
        said = (f"{one.criterion}: {one.level if one.level is not None else one.score}" for one in item.labels)
        return "; ".join(dict.fromkeys(said))
    return (item.reference or "") if isinstance(item, Submission) else ""


def _chat_message(turn: Message) -> ChatMessage:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageTool, ChatMessageUser

    kinds: dict[str, Any] = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
        "tool": ChatMessageTool,
    }
    made: ChatMessage = kinds[turn.role](content=turn.content)
    return made


def item_of_sample(sample_id: str | int | None, metadata: Mapping[str, Any] | None) -> Item | None:
    """The item that a sample carries, without its input; None if adjudge did not make the sample."""
    entry = (metadata or {}).get(KEY)
    if not isinstance(entry, Mapping):
        return None
    rest = {name: value for name, value in (metadata or {}).items() if name != KEY}
    kind = Comparison if "submissions" in entry else Submission
    return kind.model_validate({**entry, "id": str(sample_id), "metadata": rest})


def given_output(metadata: Mapping[str, Any] | None) -> Text:
    """What the sample brings to be judged; empty if a candidate must answer."""
    item = item_of_sample("", metadata)
    return item.output if isinstance(item, Submission) else ("" if item is None else "compared")


def item_of(state: TaskState) -> tuple[Item, bool]:
    """What is to be judged, and whether the model under test wrote it.

    Args:
        state: The state after the solvers.
    """
    carried = item_of_sample(state.sample_id, state.metadata)
    if isinstance(carried, Comparison):
        return carried, False
    if carried is not None and (carried.output or state.output.model == GIVEN):
        return _with(carried, input=_input(state)), False
    base = carried or Submission(id=str(state.sample_id), reference=state.target.text or None)
    return answered(_with(base, input=_input(state)), state), True


def _with(submission: Submission, **fields: Any) -> Submission:
    return submission.model_copy(update=fields)


def _input(state: TaskState) -> Text:
    given = state.input
    return given if isinstance(given, str) else messages_of(given)


def answered(submission: Submission, state: TaskState) -> Submission:
    """The submission with what the model under test wrote, or with why it wrote nothing."""
    after = list(state.messages)[_length_of_input(state) :]
    turns = messages_of(after)
    # One answer is what a reader sees of it; of several steps the thoughts are shown too.
    alone = len(after) <= 1 and all(turn.kind in ("text", "thinking") for turn in turns)
    output: Text = state.output.completion if alone else turns
    about = {"model": str(state.model)}
    if not output:
        return _with(submission, metadata={**submission.metadata, **about, FAILURE: _why_empty(state)})
    cut = {"solver_cut": True} if _stop_reason(state) == "max_tokens" else {}
    return _with(submission, output=output, metadata={**submission.metadata, **about, **cut})


def _length_of_input(state: TaskState) -> int:
    """How many messages stood there before the model's first."""
    given = 0 if isinstance(state.input, str) else len(state.input)
    for place, message in enumerate(state.messages):
        if place >= given and message.role in ("assistant", "tool"):
            return place
    return len(state.messages)


def _stop_reason(state: TaskState) -> str:
    return state.output.stop_reason if state.output.choices else "unknown"


def _why_empty(state: TaskState) -> str:
    """The failure in the words of a solver: reason, colon, detail."""
    reasons = {"content_filter": "refusal", "model_length": "overflow"}
    stop = _stop_reason(state)
    return f"{reasons.get(stop, 'infra')}: no output (it stopped for: {stop})"


def messages_of(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """Chat messages as turns: what is said and thought, and each tool call and its result as a step of its own."""
    return read_messages(list(messages))
