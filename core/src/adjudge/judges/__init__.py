"""Judges: strategies over a backend, built from named options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Annotated, Any

from pydantic import Field

from adjudge.interfaces import Calibration, Judge, JudgeSpec, Member
from adjudge.judges.settings import Settings
from adjudge.options import refuse_unknown, sampling_from, validated
from adjudge.prompts import template_named
from adjudge.readout import ReadOut, build_read_out
from adjudge.verdict import Sampling

__all__ = ["SPECS", "settings_from"]


def settings_from(  # noqa: PLR0917 - given by name
    read_out: str | ReadOut | None = None,
    read_out_options: Mapping[str, Any] | None = None,
    template: str | None = None,
    sampling: Mapping[str, Any] | Sampling | None = None,
    repeats: int = 1,
    check_consistency: bool = False,
    evidence_tokens: int | None = None,
) -> Settings:
    """Settings from plain options; without a read-out `label`, or `reasoned` where a backend cannot serve that.

    Raises:
        UnknownNameError: No such read-out, or it has no such option.
        UnsupportedError: An option has a value that it cannot take.
    """
    named = "label" if read_out is None else read_out
    built = build_read_out(named, **(read_out_options or {})) if isinstance(named, str) else named
    if isinstance(sampling, Mapping):
        sampling = sampling_from(built.sampling, sampling)
    if template is not None:
        template_named(template)
    votes = validated("repeats", Annotated[int, Field(ge=1)], repeats)
    checked = validated("check_consistency", bool, check_consistency)
    most = validated("evidence_tokens", Annotated[int, Field(ge=1)] | None, evidence_tokens)
    return Settings(
        read_out=built,
        template=template,
        sampling=sampling,
        repeats=votes,
        check_consistency=checked,
        left_open=read_out is None and not read_out_options,
        evidence_tokens=most,
    )


def _settings(judge: str, options: Mapping[str, Any], *own: str) -> Settings:
    known = signature(settings_from).parameters
    refuse_unknown(f"option of the judge {judge!r}", options, [*own, *known])
    return settings_from(**options)


def _isolated(**options: Any) -> Judge:
    from adjudge.judges.isolated import IsolatedJudge

    return IsolatedJudge(_settings("isolated", options))


def _joint(size: int = 0, **options: Any) -> Judge:
    from adjudge.judges.joint import JointJudge

    checked = validated("judge 'joint': size", Annotated[int, Field(ge=0)], size)
    return JointJudge(_settings("joint", options, "size"), size=checked)


def _compare(*, ties: bool = True, margin: float = 0.0, **options: Any) -> Judge:
    from adjudge.judges.compare import CompareJudge

    return CompareJudge(
        _settings("compare", options, "ties", "margin"),
        ties=validated("judge 'compare': ties", bool, ties),
        margin=validated("judge 'compare': margin", Annotated[float, Field(ge=0, le=1)], margin),
    )


def _panel(
    *,
    members: tuple[Member, ...],
    rule: str = "majority",
    quorum: int | None = None,
    lost: str = "drop",
    reserves: tuple[Member, ...] = (),
    veto: float = 0.25,
    candidate: str = "",
    allow_self: bool = False,
) -> Judge:
    from adjudge.judges.panel import Lost, PanelJudge
    from adjudge.judges.votes import Rule

    return PanelJudge(
        members,
        rule=validated("judge 'panel': rule", Rule, rule),
        quorum=validated("judge 'panel': quorum", int | None, quorum),
        lost=validated("judge 'panel': lost", Lost, lost),
        reserves=reserves,
        veto=validated("judge 'panel': veto", Annotated[float, Field(gt=0, le=0.5)], veto),
        candidate=validated("judge 'panel': candidate", str, candidate),
        allow_self=validated("judge 'panel': allow_self", bool, allow_self),
    )


def _cascade(
    *,
    members: tuple[Member, ...],
    threshold: float | Sequence[float] = 0.8,
    measure: str = "top",
    thresholds: Mapping[str, float] | None = None,
) -> Judge:
    from adjudge.judges.cascade import CascadeJudge, Measure

    return CascadeJudge(
        members,
        threshold=validated("judge 'cascade': threshold", float | tuple[float, ...], threshold),
        measure=validated("judge 'cascade': measure", Measure, measure),
        of=validated("judge 'cascade': thresholds", dict[str, float], thresholds or {}),
    )


def _anytime(
    *,
    members: tuple[Member, ...],
    threshold: float | None = None,
    batch: int = 1,
    repeats: int = 1,
    stop: str = "majority",
    alpha: float = 0.05,
    beta: float = 0.05,
    edge: float = 0.2,
) -> Judge:
    from adjudge.judges.anytime import AnytimeJudge, Stop

    positive, rate = Annotated[int, Field(ge=1)], Annotated[float, Field(gt=0, lt=0.5)]
    return AnytimeJudge(
        members,
        threshold=validated("judge 'anytime': threshold", float | None, threshold),
        batch=validated("judge 'anytime': batch", positive, batch),
        repeats=validated("judge 'anytime': repeats", positive, repeats),
        stop=validated("judge 'anytime': stop", Stop, stop),
        alpha=validated("judge 'anytime': alpha", rate, alpha),
        beta=validated("judge 'anytime': beta", rate, beta),
        edge=validated("judge 'anytime': edge", rate, edge),
    )


def _commit_first(*, members: tuple[Member, ...], max_own_tokens: int = 400) -> Judge:
    from adjudge.judges.commit_first import CommitFirstJudge

    most = validated("judge 'commit-first': max_own_tokens", Annotated[int, Field(ge=1)], max_own_tokens)
    return CommitFirstJudge(members, max_tokens=most)


def _calibrated(
    *,
    members: tuple[Member, ...],
    temperature: float = 1.0,
    temperatures: Mapping[str, float] | None = None,
    calibration: Calibration | None = None,
) -> Judge:
    from adjudge.judges.calibrated import CalibratedJudge, Temperature

    default = validated("judge 'calibrated': temperature", float, temperature)
    named = validated("judge 'calibrated': temperatures", dict[str, float], temperatures or {})
    return CalibratedJudge(members, calibration or Temperature(default, named))


def _windows(
    *,
    members: tuple[Member, ...],
    tokens: int | None = None,
    overlap: int = 1,
    rule: str | None = None,
    rules: Mapping[str, str] | None = None,
) -> Judge:
    from adjudge.judges.windows import Rule, WindowsJudge

    return WindowsJudge(
        members,
        tokens=validated("judge 'windows': tokens", Annotated[int, Field(ge=1)] | None, tokens),
        overlap=validated("judge 'windows': overlap", Annotated[int, Field(ge=0)], overlap),
        rule=validated("judge 'windows': rule", Rule | None, rule),
        rules=validated("judge 'windows': rules", dict[str, Rule], rules or {}),
    )


def _rules() -> Judge:
    from adjudge.judges.rules import RulesJudge

    return RulesJudge()


def _mixed(*, members: tuple[Member, ...]) -> Judge:
    from adjudge.judges.rules import MixedJudge

    return MixedJudge(members)


_MEMBERS = ("members",)

SPECS = (
    JudgeSpec(name="isolated", build=_isolated, summary="one criterion per question; the safe default"),
    JudgeSpec(name="joint", build=_joint, summary="several criteria per question (size=k; 0 for all)"),
    JudgeSpec(
        name="compare",
        build=_compare,
        summary="two submissions of one input, in both orders (ties, margin)",
        compares=True,
    ),
    JudgeSpec(
        name="panel",
        build=_panel,
        summary="several judges vote (members, rule, quorum, lost, reserves, candidate)",
        members=("members", "reserves"),
    ),
    JudgeSpec(
        name="cascade",
        build=_cascade,
        summary="a cheap judge first, a dearer one where it is unsure (members, threshold, thresholds, measure)",
        members=_MEMBERS,
    ),
    JudgeSpec(
        name="anytime",
        build=_anytime,
        summary="stops when pass or fail, or a majority, cannot change any more (threshold, repeats, stop)",
        members=_MEMBERS,
    ),
    JudgeSpec(
        name="commit-first",
        build=_commit_first,
        summary="answers the task itself before it sees the submission (members)",
        members=_MEMBERS,
    ),
    JudgeSpec(
        name="calibrated",
        build=_calibrated,
        summary="maps the probabilities of each criterion's levels (members, temperature, temperatures, calibration)",
        members=_MEMBERS,
    ),
    JudgeSpec(
        name="windows",
        build=_windows,
        summary="long transcripts in windows, whose levels are combined (members, tokens, overlap, rule, rules)",
        members=_MEMBERS,
    ),
    JudgeSpec(name="rules", build=_rules, summary="checks that need no model, declared by the criteria", asks=False),
    JudgeSpec(
        name="mixed", build=_mixed, summary="code, people and models share one rubric (members)", members=_MEMBERS
    ),
)
