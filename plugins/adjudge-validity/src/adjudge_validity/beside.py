"""What files of labels and reviews say, put beside a run for its report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from pathlib import Path

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.report import RunRecord
from adjudge.report.epochs import without_epoch
from adjudge.report.people import People, Review, Reviewed
from adjudge.submission import Submission
from adjudge.verdict import Verdict
from adjudge_validity.labelling.acts import Act, Done, Labels, Machine, read_labels
from adjudge_validity.labelling.chain import Chain
from adjudge_validity.labelling.export import labels_in
from adjudge_validity.labelling.log import read_chain
from adjudge_validity.labelling.standing import counts, opinions, outcome, signatures
from adjudge_validity.labels import FileLabel, Table, is_sealed
from adjudge_validity.labels import read_labels as read_table
from adjudge_validity.ratings import BY_DOUBT, cautions, checked, standing, strangers


@dataclass(frozen=True, slots=True)
class _File:
    """What one file says."""

    path: Path
    labels: Sequence[FileLabel]
    """The levels in it."""
    line: str
    """What is in it, in words."""
    review: Labels | None = None
    """What reviewers did, if it is a review."""
    chain: str = ""
    """Whether its chain of hashes holds, of a file that has one."""
    broken: str = ""
    """What is wrong with its chain; empty if it holds."""


def with_labels(record: RunRecord, paths: Sequence[Path]) -> RunRecord:
    """A run with the labels and reviews of files.

    Labels in files stand over those of the same rater in the submissions, and blind ones over those that the same rater
    gave in sight of the verdict. What a file says of a sample holds for every epoch that a log has of it, unless it
    names the epoch. Of a file whose chain is broken, what stands before the broken line counts.

    Raises:
        InputError: A file cannot be read or names what the rubric does not have, or a rater labels one criterion of a
            submission in two ways.
    """
    files = [_read(path) for path in paths]
    broken = [one.broken for one in files if one.broken]
    if not all(isinstance(item, Submission) for item in record.items):
        told = "labels of files are not put beside runs that compare submissions"
        return replace(record, warnings=(*record.warnings, told, *broken))
    given: defaultdict[str, list[FileLabel]] = defaultdict(list)
    for one in _once(files):
        given[one.submission].append(one)
    samples = _samples(record)
    found = {item: _about(item, sample, given) for item, sample in samples.items()}
    known = {*samples, *samples.values()}
    strange = {name: labels for name, labels in given.items() if name not in known}
    counted = [one for labels in found.values() for one in labels]
    drawn = [BY_DOUBT] if any(one.drawn == "active" for one in counted) else []
    return replace(
        record,
        items=[_labelled(record, item, found[item.id]) for item in record.items],
        people=People(reviews=_reviews(record, files), files=tuple(one.line for one in files)),
        warnings=(
            *record.warnings,
            *broken,
            *strangers(strange),
            *_lost(record, files),
            *cautions(record, counted),
            *drawn,
        ),
    )


def _samples(record: RunRecord) -> dict[str, str]:
    """Item to the sample whose labels are about it too: of an epoch its sample, of any other item itself."""
    ids = dict.fromkeys(item.id for item in record.items)
    return {one: one if (sample := without_epoch(one)) in ids else sample for one in ids}


def _about(item: str, sample: str, given: Mapping[str, Sequence[FileLabel]]) -> list[FileLabel]:
    """Labels of an item: those that name it, then those that name the sample of which it is an epoch."""
    own = given.get(item, ())
    named = {(one.label.criterion, one.label.rater) for one in own}
    every = [replace(one, submission=item) for one in given.get(sample, ())] if sample != item else []
    return [*own, *(one for one in every if (one.label.criterion, one.label.rater) not in named)]


def _read(path: Path) -> _File:
    if not is_sealed(path):
        labels = read_table(path)
        note = f" {labels.note[0].upper()}{labels.note[1:]}." if isinstance(labels, Table) and labels.note else ""
        return _File(path, labels, f"{path.name}: a table of {len(labels):,} labels, without a chain of hashes.{note}")
    chain = read_chain(path)
    if not chain.lines:
        return _File(path, (), f"{path.name}: no line of its chain holds.", broken=_broken(path, chain))
    found = read_labels(chain, str(path))
    said = ", ".join(counts(found)) or "nothing said yet"
    if chain.broken is None:
        state = "the chain holds"
        line = f"{path.name}: {said}; its chain of {len(chain.lines):,} lines holds, and ends in {chain.head}."
    else:
        state = f"the chain is broken at line {chain.broken.line:,}"
        line = f"{path.name}: {state}; before it {said}."
    review = found if found.draw.purpose == "review" else None
    return _File(path, labels_in(found, path), line, review, state, _broken(path, chain))


def _broken(path: Path, chain: Chain) -> str:
    """Which line breaks a chain, and what still counts; empty if none does."""
    if chain.broken is None:
        return ""
    count = len(chain.lines)
    rest = f"the {count:,} lines before it count, it and those after it do not" if count else "nothing in it counts"
    return f"{path}:{chain.broken.line}: the line {chain.broken.problem}; {rest}"


def _once(files: Sequence[_File]) -> Iterator[FileLabel]:
    """One label of each rater on each criterion of a submission: the blind one, if there is one.

    Raises:
        InputError: There are several that count, and they differ.
    """
    said: defaultdict[tuple[str, str, str], list[FileLabel]] = defaultdict(list)
    for one in (label for file in files for label in file.labels):
        said[one.submission, one.label.criterion, one.label.rater].append(one)
    for (submission, criterion, rater), labels in said.items():
        first, *others = [one for one in labels if one.blind] or labels
        other = next((one for one in others if one.label != first.label), None)
        if other is not None:
            raise InputError(
                f"{other.place}: the label of {submission!r} on {criterion!r} by {rater!r} is another one at"
                f" {first.place}; leave one file out"
            )
        yield first


def _labelled(record: RunRecord, item: Item, given: Sequence[FileLabel]) -> Item:
    """The item with its own labels as they are, and those given, which must fit its criteria."""
    if not given:
        return item
    criteria = record.criteria_of(item)
    # Of a log whose rubric is not installed no criterion is known, and labels are shown as they are.
    known = [replace(one, label=checked(one, criteria)) for one in given] if criteria else given
    return item.model_copy(update={"labels": tuple(one.label for one in standing(item, known))})


def _reviews(record: RunRecord, files: Sequence[_File]) -> dict[tuple[str, str, int], Reviewed]:
    """What was done to each verdict of the run, in the order of time where several files say it."""
    reviews = [(file, file.review.done) for file in files if file.review is not None]
    places: dict[str, str] = {}
    for file, one in ((file, one) for file, acts in reviews for one in acts):
        places.setdefault(one.hash, f"{file.path.name}, line {one.line:,}; {file.chain}")
    done: defaultdict[tuple[str, str], list[Done]] = defaultdict(list)
    # A line has one hash, so a file that is given twice, or with its copy, is counted once.
    acts = {one.hash: one for one in merge(*(acts for _, acts in reviews), key=lambda one: one.act.time)}
    for one in acts.values():
        done[one.act.submission, one.act.criterion].append(one)
    found = {}
    for verdict in (verdict for result in record.results for verdict in result.verdicts):
        # The labelling page shows the first verdict on a criterion, so what was done is about that one.
        reviewed = _reviewed(done.pop((verdict.submission, verdict.criterion), ()), verdict, places)
        if reviewed.reviews:
            found[verdict.submission, verdict.criterion, verdict.repeat] = reviewed
    return found


def _lost(record: RunRecord, files: Sequence[_File]) -> list[str]:
    """What is to be known of signatures under verdicts that a run does not have; levels are counted as labels."""
    known = {(verdict.submission, verdict.criterion) for result in record.results for verdict in result.verdicts}
    reviews = [file.review.done for file in files if file.review is not None]
    signed = {one.hash: one.act for done in reviews for one in signatures(done).values()}
    lost = sum((act.submission, act.criterion) not in known for act in signed.values())
    return [f"{lost:,} signatures are under verdicts that the run does not have"] if lost else []


def _reviewed(done: Sequence[Done], verdict: Verdict, places: Mapping[str, str]) -> Reviewed:
    """What stands of a verdict; what was done to another one of this submission and criterion changes nothing."""
    last = {one.hash for one in (*opinions(done).values(), *signatures(done).values())}
    mine = [one for one in done if one.act.kind == "undo" or not _other(one.act.machine, verdict)]
    seen = Machine(run="", judge="", status=verdict.status, level=verdict.level)
    stands = outcome(mine, seen)
    return Reviewed(
        reviews=tuple(
            _review(one.act, verdict, places[one.hash]) for one in done if one.hash in last and one.act.kind != "label"
        ),
        level=stands.level,
        edited_by=stands.edited_by,
        signed_by=stands.signed_by,
    )


def _review(act: Act, verdict: Verdict, place: str) -> Review:
    return Review.model_validate(
        {
            **act.model_dump(include={"kind", "rater", "time", "level", "reason"}),
            "place": place,
            "other": _other(act.machine, verdict),
        }
    )


def _other(machine: Machine | None, verdict: Verdict) -> str:
    """Which other verdict was reviewed; empty if it was this one."""
    if machine is None:
        return ""
    seen, stands = ((one.fingerprint, one.status, one.level) for one in (machine, verdict))
    return "" if seen == stands else f"{machine.level or machine.status} by {machine.judge}"
