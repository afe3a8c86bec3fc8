"""The tasks `healthbench` (a candidate answers) and `healthbench-answers` (answers that are there already)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adjudge.dataset import read_rows
from adjudge.errors import InputError
from adjudge.interfaces import Parameter, TaskSpec
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission
from adjudge.tasks import sampled
from adjudge_health.conversations import THEMES, Conversation, Part, load_conversations
from adjudge_health.points import healthbench_figures, label_figures

IDEAL, SHIPPED = "ideal", "shipped"
"""Answers that come with the data: of physicians, or the synthetic ones."""
_ID, _OUTPUT = ("prompt_id", "id"), ("output", "completion", "response", "answer")


def chosen(
    source: str = "", theme: str = "all", sample: int = 0, seed: int = 0, part: Part = "all"
) -> list[tuple[Conversation, Rubric]]:
    """Conversations with their rubrics, of one theme or all, or a seeded sample of them in file order.

    Raises:
        InputError: The source cannot be read, or nothing or too little of it is left.
    """
    every = [one for one in load_conversations(source) if theme in ("all", one.theme)]
    found = [(one, rubric) for one in every if (rubric := one.rubric(part)) is not None]
    if not found:
        raise InputError(f"{source or 'the shipped file'}: no conversation of theme {theme!r} with {part} criteria")
    return sampled(found, sample, seed)


def candidate_dataset(
    *,
    source: str = "",
    criteria: Part = "all",
    theme: str = "all",
    sample: int = 0,
    seed: int = 0,
    **_others: Any,
) -> list[Submission]:
    """Conversations without their answer, each with its criteria."""
    return [_submission(*pair) for pair in chosen(source, theme, sample, seed, criteria)]


def answers_dataset(
    *,
    source: str = "",
    answers: str = SHIPPED,
    criteria: Part = "all",
    theme: str = "all",
    sample: int = 0,
    seed: int = 0,
    **_others: Any,
) -> list[Submission]:
    """Conversations with answers to judge; one without an answer is left out.

    Args:
        source: See `load_conversations`.
        answers: `shipped` for the synthetic answers, `ideal` for the physicians', or a file of answers by prompt_id.
        criteria: Which criteria.
        theme: One theme, or `all`.
        sample: Number of conversations drawn; all if 0.
        seed: Chooses them.

    Raises:
        InputError: A file cannot be read, an answer belongs to no conversation, or none is left.
    """
    pairs = chosen(source, theme, sample, seed, criteria)
    if answers == SHIPPED:
        found = [one for pair in pairs for one in _shipped(*pair)]
    elif answers == IDEAL:
        found = [_submission(one, rubric, output=one.ideal) for one, rubric in pairs if one.ideal]
    else:
        given = _read_answers(Path(answers), {one.id for one in load_conversations(source)})
        found = [one for pair in pairs for one in _given(*pair, given)]
    if not found:
        raise InputError(
            f"{source or 'the shipped file'}: no conversation has an answer ({answers}); name a file of answers with "
            "-T answers=PATH, or have a candidate answer: adjudge run healthbench --candidate BACKEND"
        )
    return found


def _submission(one: Conversation, rubric: Rubric, name: str = "", **fields: Any) -> Submission:
    about = {"cluster": one.id, "theme": one.theme, "tags": list(one.tags)}
    return Submission(
        id=f"{one.id}:{name}" if name else one.id, input=one.prompt, rubric=rubric, metadata=about, **fields
    )


def _shipped(one: Conversation, rubric: Rubric) -> Iterator[Submission]:
    asked = {criterion.id for criterion in rubric.criteria}
    for answer in one.answers:
        levels = zip(one.named(), answer.met, strict=True)
        labels = tuple(
            Label(criterion=name, level="met" if met else "unmet") for (name, _), met in levels if name in asked
        )
        yield _submission(one, rubric, answer.id, output=answer.output, labels=labels)


def _read_answers(path: Path, known: set[str]) -> Mapping[str, Sequence[str]]:
    """Answers by prompt_id, in file order."""
    if not path.exists():
        raise InputError(
            f"{path}: no such file; -T answers= takes {SHIPPED}, {IDEAL}, or a file of your own with prompt_id and "
            "output, one answer a row (licence: yours), put anywhere on this machine"
        )
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in read_rows(path):
        place, fields = row.place, row.fields
        name, output = (next((fields[key] for key in keys if fields.get(key)), None) for keys in (_ID, _OUTPUT))
        if name is None or not isinstance(output, str):
            raise InputError(f"{place}: an answer needs {' or '.join(_ID)}, and {', '.join(_OUTPUT[:-1])} or answer")
        if str(name) not in known:
            raise InputError(f"{place}: {name!r} is the prompt_id of no conversation in the source")
        found[str(name)].append(output)
    return found


def _given(one: Conversation, rubric: Rubric, answers: Mapping[str, Sequence[str]]) -> Iterator[Submission]:
    outputs = answers.get(one.id, ())
    for number, output in enumerate(outputs, 1):
        yield _submission(one, rubric, str(number) if len(outputs) > 1 else "", output=output)


def any_rubric(*, source: str = "", criteria: Part = "all", theme: str = "all", **_others: Any) -> Rubric:
    """The rubric of the first conversation; every submission brings its own."""
    return chosen(source, theme, part=criteria)[0][1]


_PARAMETERS = (
    Parameter(name="source", summary="a file of HealthBench; the synthetic conversations if empty", default=""),
    Parameter(
        name="criteria",
        summary="all, the consensus criteria of physicians, or those written for the conversation",
        default="all",
        choices=("all", "consensus", "example"),
    ),
    Parameter(name="theme", summary="one theme", default="all", choices=("all", *THEMES)),
    Parameter(name="sample", summary="number of conversations drawn at random; all if 0", default=0),
    Parameter(name="seed", summary="chooses the sample", default=0),
)
HEALTHBENCH = TaskSpec(
    name="healthbench",
    summary="a candidate answers health conversations that each bring criteria with points (HealthBench)",
    kind="candidate",
    dataset=candidate_dataset,
    rubric=any_rubric,
    metrics=(healthbench_figures,),
    parameters=_PARAMETERS,
)
HEALTHBENCH_ANSWERS = TaskSpec(
    name="healthbench-answers",
    summary="judges given answers to health conversations that each bring criteria with points (HealthBench)",
    kind="judge",
    dataset=answers_dataset,
    rubric=any_rubric,
    metrics=(healthbench_figures, label_figures),
    parameters=(
        *_PARAMETERS,
        Parameter(name="answers", summary="shipped, ideal (the physicians'), or a file of answers", default=SHIPPED),
    ),
)
