"""The rubrics of a run by names that tell them apart, where submissions bring their own beside the run's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from adjudge.report.record import RunRecord
from adjudge.rubric import Rubric

MOST_RUBRICS = 20
"""Most rubrics of submissions that the provenance names."""
_MARK = 8


def rubric_names(record: RunRecord) -> Mapping[str, str]:
    """Content hash of each rubric to its name: its id; with version, then hash, where others share what is before."""
    found = [rubric for rubric in (record.rubric, *(item.rubric for item in record.items)) if rubric is not None]
    rubrics = {rubric.hash: rubric for rubric in found}
    ids = Counter(rubric.id for rubric in rubrics.values())
    versions = Counter((rubric.id, rubric.version) for rubric in rubrics.values())

    def name(rubric: Rubric) -> str:
        if ids[rubric.id] == 1:
            return rubric.id
        told = f"{rubric.id} {rubric.version}"
        return told if versions[rubric.id, rubric.version] == 1 else f"{told} ({rubric.hash[:_MARK]})"

    return {key: name(rubric) for key, rubric in rubrics.items()}


def other_rubrics(record: RunRecord) -> Sequence[str]:
    """Rubrics that submissions bring beside the run's, in words; none where each has its own."""
    if record.rubric is None:
        return ()
    found: dict[str, set[str]] = {}
    for rubric in (item.rubric for item in record.items if item.rubric is not None):
        if rubric.hash != record.rubric.hash:
            name = f"{rubric.id} {rubric.version}{' (draft)' if rubric.draft else ''}"
            found.setdefault(name, set()).add(rubric.hash)
    told = [
        f"{name}, content hash {next(iter(hashes))}" if len(hashes) == 1 else f"{name}, in {len(hashes):,} variants"
        for name, hashes in found.items()
    ]
    return told if len(told) <= MOST_RUBRICS else [f"{len(told):,} rubrics that submissions bring"]
