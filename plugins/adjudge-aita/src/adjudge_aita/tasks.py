"""The tasks `aita` (verdicts beside the crowd's) and `aita-comment` (a candidate writes verdict and comment)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Parameter, TaskSpec
from adjudge.submission import Label, Submission
from adjudge.tasks import sampled
from adjudge_aita.loader import Post, Removed, load_posts
from adjudge_aita.metrics import CRITERION, comment_figures, crowd_figures

QUESTION = "Who is in the wrong in this story: its author, the others, everybody or nobody?"
"""The question of the task `aita`, which is the input of each submission."""
REQUEST = """\
Somebody tells a story and asks whether they are in the wrong. Answer as a thoughtful member of the forum would.

Begin with one of these labels: NTA (the other side is in the wrong), YTA (the author is), ESH (everybody is), \
NAH (nobody is), INFO (too little is told). Then explain in three to six sentences, with reasons from the story, \
and say what the author could do now. Name no other label.

{title}

{body}"""
"""What the candidate of the task `aita-comment` is asked."""


def load_sample(source: str = "", sample: int = 0, seed: int = 0, removed: Removed = "refuse") -> list[Post]:
    """Posts of a source, or a seeded sample of them in file order.

    Raises:
        InputError: The source cannot be read, or has fewer posts than are asked for.
    """
    return sampled(load_posts(source, removed), sample, seed)


def verdict_dataset(
    *, source: str = "", sample: int = 0, seed: int = 0, removed: Removed = "refuse", **_others: Any
) -> list[Submission]:
    """Posts as submissions to judge, with the crowd's verdict as label and its votes in the metadata."""
    return [
        Submission(
            id=post.id,
            input=QUESTION,
            output=f"{post.title}\n\n{post.body}",
            labels=crowd_labels(post),
            metadata=_metadata(post),
        )
        for post in load_sample(source, sample, seed, removed)
    ]


def comment_dataset(
    *, source: str = "", sample: int = 0, seed: int = 0, removed: Removed = "refuse", **_others: Any
) -> list[Submission]:
    """Posts as inputs of a candidate; the top comment, where there is one, is the reference."""
    return [
        Submission(
            id=post.id,
            input=REQUEST.format(title=post.title, body=post.body),
            reference=post.top_comment or None,
            metadata=_metadata(post),
        )
        for post in load_sample(source, sample, seed, removed)
    ]


def crowd_labels(post: Post) -> tuple[Label, ...]:
    """The crowd's verdict as a label; one per label, by raters of their own, where the votes are even."""
    even = len(post.verdicts) > 1
    return tuple(
        Label(criterion=CRITERION, level=label, rater=f"crowd for {label}" if even else "crowd")
        for label in post.verdicts
    )


def _metadata(post: Post) -> dict[str, Any]:
    return {"crowd": list(post.verdicts), **({"votes": dict(post.votes)} if post.votes else {})}


def verdict_options(*, samples: int = 1, **_others: Any) -> Mapping[str, Any]:
    """One answer with the probabilities of the labels, or several reasoned ones that are counted.

    Raises:
        InputError: `samples` is under 1.
    """
    if samples < 1:
        raise InputError(f"samples={samples}: ask for 1 answer or more")
    if samples == 1:
        return {}
    return {"read_out": "reasoned", "sampling": {"temperature": 0.7}, "repeats": samples}


_PARAMETERS = (
    Parameter(name="source", summary="CSV, JSONL or Parquet of posts; the synthetic ones if empty", default=""),
    Parameter(name="sample", summary="number of posts drawn at random; all if 0", default=0),
    Parameter(name="seed", summary="chooses the sample", default=0),
    Parameter(name="removed", summary="posts whose text is gone", default="refuse", choices=("refuse", "skip")),
)
AITA = TaskSpec(
    name="aita",
    summary="does a judge say who is in the wrong as the crowd does, in verdict and in votes",
    kind="meta",
    dataset=verdict_dataset,
    rubric="aita/verdict",
    metrics=(crowd_figures,),
    parameters=(
        *_PARAMETERS,
        Parameter(name="samples", summary="reasoned answers per post; 1 takes the labels' probabilities", default=1),
    ),
    options=verdict_options,
)
COMMENT = TaskSpec(
    name="aita-comment",
    summary="a candidate says who is in the wrong and why; verdict beside the crowd's, comment judged",
    kind="candidate",
    dataset=comment_dataset,
    rubric="aita/comment",
    metrics=(comment_figures,),
    parameters=_PARAMETERS,
)
