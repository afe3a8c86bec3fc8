"""Keeps texts out of what is stored: hashes in place of what people wrote and of what judges said about it."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

from adjudge.submission import Comparison, Message, Submission, Text
from adjudge.verdict import Reply, Verdict

Store: TypeAlias = Literal["text", "hashes"]
"""`text`: everything, so that a run can be resumed and its report written again. `hashes`: no text of a submission and
no free text of a judge; levels, probabilities and usage stay, and only `label` replies can be served again."""


def hashed_text(text: str) -> str:
    """`sha256:` and the first 16 hexadecimal digits; empty stays empty."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}" if text else ""


def _hashed(text: Text) -> Text:
    if isinstance(text, str):
        return hashed_text(text)
    return tuple(Message(role=turn.role, kind=turn.kind, content=hashed_text(turn.content)) for turn in text)


def without_text(item: Submission | Comparison) -> Submission | Comparison:
    """The item with hashes in place of its texts; metadata, which may hold anything, is left out."""
    if isinstance(item, Comparison):
        kept = tuple(_without_text(submission) for submission in item.submissions)
        return item.model_copy(update={"submissions": kept, "metadata": {}})
    return _without_text(item)


def _without_text(submission: Submission) -> Submission:
    return submission.model_copy(
        update={
            "input": _hashed(submission.input),
            "output": _hashed(submission.output),
            "reference": None if submission.reference is None else hashed_text(submission.reference),
            "context": None if submission.context is None else hashed_text(submission.context),
            "metadata": {},
        }
    )


def reply_without_text(reply: Reply) -> Reply:
    """A label reply as it is; of any other the text is left out."""
    return reply if reply.logprobs is not None else reply.model_copy(update={"text": ""})


def verdict_without_text(verdict: Verdict) -> Verdict:
    """The verdict without explanation, quotes and details, which repeat or describe the submission; members too."""
    members = tuple(map(verdict_without_text, verdict.members))
    return verdict.model_copy(update={"explanation": "", "quotes": (), "detail": "", "members": members})
