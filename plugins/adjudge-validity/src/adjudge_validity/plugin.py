"""Registers this distribution's commands and judge with adjudge; what is heavy waits until one is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge import AnalysisSpec, Backend, BackendSpec, Judge, JudgeSpec, hookimpl
from adjudge.interfaces import Member

if TYPE_CHECKING:
    from adjudge.report import RunRecord


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """Agreement and raters, estimates and gates, labels, calibration, audits."""
    from adjudge_validity.commands import agreement
    from adjudge_validity.commands_asymmetry import asymmetry
    from adjudge_validity.commands_audit import audit
    from adjudge_validity.commands_calibrate import calibrate
    from adjudge_validity.commands_drift import drift
    from adjudge_validity.commands_estimate import draw, estimate, gate
    from adjudge_validity.commands_fairness import fairness
    from adjudge_validity.commands_label import label
    from adjudge_validity.commands_raters import raters
    from adjudge_validity.commands_trust import trust

    return [agreement, estimate, gate, draw, label, raters, calibrate, trust, audit, drift, asymmetry, fairness]


@hookimpl
def adjudge_analyses() -> Sequence[AnalysisSpec]:
    """The analyses `agreement`, `confidence` and `audits`, their sections of the report, and the reader of labels."""
    from adjudge_validity.audit.section import audit_sections
    from adjudge_validity.confidence_section import confidence_sections
    from adjudge_validity.sections import agreement_sections

    return [
        AnalysisSpec(
            name="agreement",
            summary="how far the judge agrees with people, beside people with each other",
            build=_agreement,
            sections=agreement_sections,
            labels=_with_labels,
        ),
        AnalysisSpec(
            name="confidence",
            summary="how often the judge is right, by how sure it is",
            build=_confidence,
            sections=confidence_sections,
        ),
        AnalysisSpec(
            name="audits",
            summary="what the audits beside a run found, part by part",
            build=_audits,
            sections=audit_sections,
        ),
    ]


def _agreement(*, seed: int = 0) -> Callable[[Path], list[dict[str, Any]]]:
    """Rows of figures, per criterion and pair of sides."""

    def analyse(folder: Path) -> list[dict[str, Any]]:
        from adjudge_validity.agreement import agreement
        from adjudge_validity.ratings import join, read_run

        return [
            {"name": one.name, "of": one.kind, "sides": side, **{name: str(figure) for name, figure in figures.items()}}
            for one in agreement(join(read_run(folder)), seed=seed)
            for side, figures in one.sides.items()
        ]

    return analyse


def _with_labels(record: RunRecord, files: Sequence[Path]) -> RunRecord:
    from adjudge_validity.beside import with_labels

    return with_labels(record, files)


def _confidence(*, bins: int = 10) -> Callable[[Path], list[dict[str, Any]]]:
    """Rows of the reliability curve."""

    def analyse(folder: Path) -> list[dict[str, Any]]:
        from adjudge_validity.confidence import reliability
        from adjudge_validity.confidence_section import trusted
        from adjudge_validity.ratings import read_run

        known = trusted(read_run(folder))
        curve = reliability([one.sure for one in known], [one.is_right for one in known], bins)
        return [
            {"from": one.low, "to": one.high, "n": one.n, "sure": one.confidence, "right": str(one.right)}
            for one in curve
        ]

    return analyse


def _audits() -> Callable[[Path], list[dict[str, Any]]]:
    """Rows of findings and their parts."""

    def analyse(folder: Path) -> list[dict[str, Any]]:
        from adjudge.metrics import Estimate
        from adjudge.report.folder import audits_in
        from adjudge_validity.audit.findings import rows
        from adjudge_validity.audit.section import findings_in

        found = [one for value in audits_in(folder).values() for one in findings_in(value)]
        return [
            {name: str(cell) if isinstance(cell, Estimate) else cell for name, cell in row.items()}
            for row in rows(found, parts=True)
        ]

    return analyse


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judges `fitted`, `trusted` and `again`."""
    return [
        JudgeSpec(
            name="fitted",
            build=_fitted,
            summary="maps probabilities by a calibration that `adjudge calibrate` learned (members, file, rater)",
            members=("members",),
        ),
        JudgeSpec(
            name="trusted",
            build=_trusted,
            summary="a cascade with thresholds that `adjudge trust` found (members, file)",
            members=("members",),
        ),
        JudgeSpec(
            name="again",
            build=_again,
            summary="judges as its member; asks once more, past the ledger, where an audit wants it (members)",
            members=("members",),
        ),
    ]


def _fitted(*, members: tuple[Member, ...], file: str, rater: str = "") -> Judge:
    from adjudge_validity.fitted import FittedJudge, load

    calibration = load(Path(file))
    return FittedJudge(members, calibration.as_rater(str(rater)) if rater != "" else calibration)


def _trusted(*, members: tuple[Member, ...], file: str) -> Judge:
    from adjudge_validity.trust import cascade, load

    return cascade(members, load(Path(file)))


def _again(*, members: tuple[Member, ...]) -> Judge:
    from adjudge_validity.audit.again import AgainJudge

    return AgainJudge(members)


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `faulty`."""
    summary = "no model: a scripted judge with dialled-in faults, to try audits on (position, injection, …)"
    return [BackendSpec(name="faulty", build=_faulty, summary=summary)]


def _faulty(model: str | None = None, **dials: Any) -> Backend:
    from adjudge_validity.audit.faulty import FaultyBackend

    del model
    return FaultyBackend(**dials)
