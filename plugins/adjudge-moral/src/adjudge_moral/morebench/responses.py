"""Stored responses to MoReBench scenarios, with their thinking traces and, where they are known, verdicts on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adjudge.compat import read_yes_no
from adjudge.errors import InputError
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission
from adjudge.unanswered import FAILURE
from adjudge_moral.literals import parse_mapping
from adjudge_moral.morebench.scenarios import SCENARIOS, Scenario, criterion_of, sample_rubric, scenario_of
from adjudge_moral.published import DataSet, Placed, refuse_repeats

PARTS: Mapping[str, str] = {"response": "model_resp", "trace": "thinking_trace"}
"""What is judged, and its column."""
RESPONSES = DataSet(
    name="a file of responses to MoReBench",
    where="https://github.com/morebench/morebench (its scripts write generations/*.jsonl; none are published) or "
    "https://github.com/morebench/morebench.github.io, file moral_reasoning_website/comparison_data.json",
    licence="scenarios CC BY 4.0, the site's file CC BY-SA 4.0",
    columns=(),
    shipped=SCENARIOS.shipped,
)
_WORDS = {"yes": "met", "no": "unmet", "met": "met", "unmet": "unmet"}


def load_responses(source: str | Path = "", part: str = "response") -> list[Submission]:
    """Read responses as submissions, each with the rubric of its scenario.

    Two layouts are known: the rows that the released scripts write (a scenario's columns, `model_resp`,
    `thinking_trace`, `model`; ours may add `labels`, a mapping from criterion id to yes or no), and the file behind the
    project's site (one row a scenario, all models in it, with a model's verdicts).

    Args:
        source: The file; the synthetic responses if empty.
        part: `response` or `trace`.

    Returns:
        Submissions in file order. One whose part is empty has nothing to judge and says so in its metadata.

    Raises:
        InputError: The source cannot be read; names file and line.
    """
    placed = [(row.place, one) for row in RESPONSES.rows(source) for one in _responses(row, part)]
    refuse_repeats((place, one.id) for place, one in placed)
    return [one for _, one in placed]


def _responses(row: Placed, part: str) -> Iterator[Submission]:
    if "models" in row.fields and "metadata" in row.fields:
        yield from _of_site(row, part)
        return
    lacking = [column for column in (*SCENARIOS.columns, PARTS[part]) if column not in row.fields]
    if lacking:
        raise InputError(f"{row.place}: has no {', '.join(lacking)}; {RESPONSES.advice}")
    scenario, model = scenario_of(row), row.text("model") or "unnamed"
    labels = row.parsed("labels", parse_mapping) if row.fields.get("labels") else {}
    row.text(PARTS[part])  # refuses what is no text
    text = str(row.fields[PARTS[part]] or "")
    yield submission_of(scenario, model, part, text, _labels(row.place, scenario.rubric, labels))


def submission_of(scenario: Scenario, model: str, part: str, text: str, labels: tuple[Label, ...] = ()) -> Submission:
    """A response, or a trace, to one scenario; its text as it stands, since its length counts."""
    silent = {} if text.strip() else {FAILURE: f"abstain: no {part} is stored"}
    return Submission(
        id=f"{scenario.id}/{model}",
        input=scenario.dilemma,
        output=text if text.strip() else "",
        rubric=scenario.rubric,
        labels=labels,
        metadata={**metadata_of(scenario, part), "model": model, **silent},
    )


def metadata_of(scenario: Scenario, part: str) -> dict[str, Any]:
    """What metrics need to know of a scenario."""
    return {"cluster": scenario.id, "theory": scenario.theory, "part": part, **scenario.about}


def _labels(place: str, rubric: Rubric, given: Mapping[Any, Any]) -> tuple[Label, ...]:
    known = {criterion.id for criterion in rubric.criteria}
    words = {name: str(word).casefold() for name, word in given.items()}
    for name, word in words.items():
        if name not in known or word not in _WORDS:
            raise InputError(f"{place}: labels: {name!r}: {word!r} is no criterion of the row with yes or no")
    return tuple(Label(criterion=name, level=_WORDS[word]) for name, word in words.items())


def _of_site(row: Placed, part: str) -> Iterator[Submission]:
    """One submission a model; a stored verdict that says neither yes nor no is no label."""
    try:
        about, number = row.fields["metadata"], row.fields["task_number"]
        for model in row.fields["models"]:
            stored = model[PARTS[part]]
            rubric = sample_rubric(row.place, [_stored_criterion(row.place, item) for item in stored["rubrics"]])
            scenario = Scenario(
                id=str(number),
                dilemma=about["dilemma"],
                theory=about["theory"],
                about={
                    "source": about["dilemma_source"],
                    "type": about["case_type"],
                    "role": about["role_domain"],
                    "context": about["context"],
                },
                rubric=rubric,
            )
            labels = tuple(_stored_labels(stored["rubrics"]))
            yield submission_of(scenario, model["model_name"], part, stored["response"], labels)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{row.place}: not the layout of comparison_data.json ({error!r}); {RESPONSES.advice}"
        ) from None


def _stored_criterion(place: str, item: Mapping[str, Any]) -> Any:
    return criterion_of(place, item["criterion_id"], item["criterion"], item["weight"], item["dimension"])


def _stored_labels(stored: list[Mapping[str, Any]]) -> Iterator[Label]:
    for item in stored:
        word = read_yes_no(item["judgement"])
        if word is not None:
            yield Label(criterion=item["criterion_id"], level=_WORDS[word], rater="stored judge")
