"""What judge and people said about the same submissions, side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.label_checks import misfit
from adjudge.metrics.figures import OVERALL
from adjudge.report import RunRecord
from adjudge.rubric import Criterion
from adjudge.scale import Scale
from adjudge.submission import Label
from adjudge.verdict import Result, Verdict
from adjudge_validity.labels import FileLabel, Table

_NAMED = 5
"""Most criteria that a warning names."""
BY_DOUBT = "labels were drawn where the judge is unsure: over the whole run it agrees more"
"""What is to be known of agreement with labels of an active draw."""


@dataclass(frozen=True, kw_only=True)
class Rating:
    """One criterion of one submission, as judge and raters see it."""

    submission: str
    """Id."""
    criterion: str
    """Id, or `overall` for the submission as a whole."""
    cluster: str
    """What is independent of all else: `metadata["cluster"]` of the submission, or its id."""
    scale: Scale | None
    """The criterion's scale; None for `overall`."""
    dimension: str = ""
    """The criterion's dimension, if it has one."""
    group: str = ""
    """Value of the metadata field that groups are made by."""
    verdict: Verdict | None = None
    """The judge's verdict; None for `overall`."""
    value: float | None = None
    """The judge's number: expected score if known, else the score of the level; the rubric's score for `overall`."""
    humans: tuple[Label, ...] = ()
    """One label per rater."""
    probability: float | None = None
    """Chance with which it was drawn for labelling, if known."""
    drawn: str | None = None
    """How it was drawn for labelling, if known."""

    @property
    def level(self) -> str | None:
        """The judge's level; None if unscored."""
        return None if self.verdict is None else self.verdict.level

    @property
    def levels(self) -> tuple[str, ...]:
        """The raters' levels."""
        return tuple(label.level for label in self.humans if label.level is not None)

    @property
    def consensus(self) -> str | None:
        """The raters' most frequent level; None if there is none or the first two are level."""
        ranked = Counter(self.levels).most_common(2)
        if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]

    @property
    def scores(self) -> tuple[float, ...]:
        """The raters' numbers: as given, else the scores of their levels."""
        return tuple(score for label in self.humans if (score := self._score(label)) is not None)

    @property
    def human(self) -> float | None:
        """Mean of the raters' numbers."""
        return fmean(self.scores) if self.scores else None

    def _score(self, label: Label) -> float | None:
        if label.score is not None or label.level is None or self.scale is None:
            return label.score
        return self.scale.level(label.level).score


@dataclass(frozen=True)
class Ratings:
    """All ratings of one run."""

    judge: str
    """Who judged."""
    rows: tuple[Rating, ...]
    """In the order of submissions, then criteria; those without a human label too."""
    warnings: tuple[str, ...] = ()
    """What the reader must know first."""
    dimensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Dimension to its criteria."""

    def of(self, *criteria: str) -> list[Rating]:
        """The ratings of these criteria."""
        wanted = frozenset(criteria)
        return [row for row in self.rows if row.criterion in wanted]

    @property
    def criteria(self) -> tuple[str, ...]:
        """Criteria with at least one human label, in rubric order; `overall` last."""
        labelled = dict.fromkeys(row.criterion for row in self.rows if row.humans)
        return tuple(sorted(labelled, key=lambda name: name == OVERALL))


def read_run(folder: Path) -> RunRecord:
    """The finished run in a folder.

    Raises:
        InputError: There is none, or it compares submissions rather than judging them one by one.
    """
    from adjudge.api import installed
    from adjudge.report.folder import read_record

    record = read_record(folder, installed())
    if any(not hasattr(item, "output") for item in record.items):
        raise InputError(f"{folder}: compares submissions; use the run of a judge that gives levels")
    return record


def join(
    record: RunRecord,
    labels: Sequence[FileLabel] = (),
    *,
    name: str = "",
    group_by: str = "",
    run: str = "this run",
    option: str = "--labels",
) -> Ratings:
    """Put a run and human labels side by side.

    Labels that stand in the submissions count too; where the file has one of the same rater, the file's wins.

    Args:
        record: The run.
        labels: Labels from a file.
        name: Who judged; from the run if empty.
        group_by: Metadata field that groups are made by.
        run: What messages call the run.
        option: What messages say that labels are given by.

    Raises:
        InputError: A label names a criterion or level that there is not, or no label is about this run.
    """
    by_submission: defaultdict[str, list[FileLabel]] = defaultdict(list)
    for one in labels:
        by_submission[one.submission].append(one)
    rows: list[Rating] = []
    for item, result in zip(record.items, record.results, strict=True):
        criteria = record.criteria_of(item)
        known = labels_on(item, by_submission.pop(item.id, []), criteria)
        blank = Rating(
            submission=item.id,
            criterion=OVERALL,
            cluster=item.cluster,
            scale=None,
            group=_group(item, group_by),
        )
        rows += _rows(blank, result, criteria, known)
    if not any(row.humans for row in rows):
        raise InputError(f"no human label is about {run}; give {option} FILE whose submissions are those of the run")
    dimensions: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        if row.dimension:
            dimensions[row.dimension][row.criterion] = None
    return Ratings(
        name or str(record.provenance.get("judge", "judge")),
        tuple(rows),
        (*strangers(by_submission), *cautions(record, labels), *between_levels(rows)),
        {dimension: tuple(criteria) for dimension, criteria in dimensions.items()},
    )


def _group(item: Item, group_by: str) -> str:
    if group_by and group_by not in item.metadata:
        raise InputError(f"{item.id!r} has no metadata field {group_by!r}; --group-by needs it everywhere")
    return str(item.metadata[group_by]) if group_by else ""


def strangers(left: Mapping[str, Sequence[FileLabel]]) -> list[str]:
    """What is to be known of labels about submissions that a run does not have."""
    lost = sum(map(len, left.values()))
    return [f"{_labels(lost)} about submissions that the run does not have"] if lost else []


def _labels(count: int, one: str = "is", several: str = "are") -> str:
    return f"1 label {one}" if count == 1 else f"{count:,} labels {several}"


def cautions(record: RunRecord, labels: Sequence[FileLabel]) -> Iterator[str]:
    """What is to be known of how labels were given."""
    if isinstance(labels, Table) and labels.note:
        yield f"the labels file is not filled in: {labels.note}"
    informed = sum(not one.blind for one in labels)
    if informed:
        yield f"{_labels(informed)} by raters who saw the verdict: they lean towards it"
    hashes = {item.id: rubric.hash for item in record.items if (rubric := record.rubric_of(item)) is not None}
    other = sum(one.rubric_hash not in ("", hashes.get(one.submission)) for one in labels if one.submission in hashes)
    if other:
        yield f"{_labels(other, 'was', 'were')} given by another version of the rubric than the run's"


def between_levels(rows: Sequence[Rating]) -> list[str]:
    """What is to be known of numbers that are no level's own, as means of several raters are."""
    known = [(row.criterion, label.level is None) for row in rows if row.scale for label in row.humans]
    criteria = dict.fromkeys(criterion for criterion, between in known if between)
    if not criteria:
        return []
    lost, whole = sum(between for _, between in known), sum(criterion in criteria for criterion, _ in known)
    more = f" and {len(criteria) - _NAMED:,} more" if len(criteria) > _NAMED else ""
    on = f"{', '.join([*criteria][:_NAMED])}{more}"
    told = "are no level of the scale: they count in means and stand in no figure of levels"
    return [f"{lost:,} of {whole:,} labels on {on} {told}"]


def labels_on(item: Item, given: Sequence[FileLabel], criteria: dict[str, Criterion]) -> list[FileLabel]:
    """Labels of one submission, checked against its criteria: its own, and those given, which stand over its own.

    Raises:
        InputError: A label names a criterion or level that there is not, or its number does not fit its scale or level.
    """
    return [replace(one, label=checked(one, criteria)) for one in standing(item, given)]


def standing(item: Item, given: Sequence[FileLabel]) -> list[FileLabel]:
    """Labels of one submission as they are: its own, and those given, which stand over its own of the same rater."""
    own = [FileLabel(item.id, label, f"submission {item.id!r}") for label in item.labels]
    named = {(one.label.criterion, one.label.rater) for one in given}
    return [*(one for one in own if (one.label.criterion, one.label.rater) not in named), *given]


def checked(one: FileLabel, criteria: Mapping[str, Criterion]) -> Label:
    """The label, with the level that its score stands for where there is one.

    Raises:
        InputError: It names a criterion or level that there is not.
    """
    label = one.label
    if label.criterion == OVERALL and OVERALL not in criteria:
        return label
    if label.criterion not in criteria:
        raise InputError(f"{one.place}: no criterion {label.criterion!r} in the rubric; known: {', '.join(criteria)}")
    scale = criteria[label.criterion].scale
    if label.level is not None and (meant := scale.named(label.level)) is not None:
        label = label.model_copy(update={"level": meant.id})
    if label.level is not None and label.level not in scale:
        known = ", ".join(level.id for level in scale.levels)
        raise InputError(f"{one.place}: no level {label.level!r} in {label.criterion!r}; known: {known}")
    if problem := misfit(label, scale):
        raise InputError(f"{one.place}: {problem}")
    if label.level is None:
        at = [level.id for level in scale.levels if level.score == label.score]
        return label.model_copy(update={"level": at[0]}) if at else label
    return label


def _rows(blank: Rating, result: Result, criteria: dict[str, Criterion], known: Sequence[FileLabel]) -> list[Rating]:
    rows = []
    for name, criterion in criteria.items():
        verdict = next((one for one in result.verdicts if one.criterion == name), None)
        changes: dict[str, Any] = {
            "criterion": name,
            "scale": criterion.scale,
            "dimension": criterion.dimension or "",
            "verdict": verdict,
            "value": _value(verdict),
        }
        rows.append(_with_labels(replace(blank, **changes), known))
    if OVERALL not in criteria:
        rows.append(_with_labels(replace(blank, value=result.score.value), known))
    return rows


def _with_labels(row: Rating, known: Sequence[FileLabel]) -> Rating:
    own = [one for one in known if one.label.criterion == row.criterion]
    chances = [one.probability for one in own if one.probability is not None]
    hows = {one.drawn for one in own}
    return replace(
        row,
        humans=tuple(one.label for one in own),
        probability=min(chances, default=None),
        drawn=hows.pop() if len(hows) == 1 else None,
    )


def _value(verdict: Verdict | None) -> float | None:
    if verdict is None or verdict.status != "scored":
        return None
    return verdict.expected if verdict.expected is not None else verdict.score
