"""Judges: strategies over a backend, built from named options."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Annotated, Any

from pydantic import Field

from adjudge.interfaces import Judge, JudgeSpec
from adjudge.judges.settings import Settings
from adjudge.options import refuse_unknown, sampling_from, validated
from adjudge.prompts import template_named
from adjudge.readout import ReadOut, build_read_out
from adjudge.verdict import Sampling

__all__ = ["SPECS", "settings_from"]


def settings_from(
    read_out: str | ReadOut = "label",
    read_out_options: Mapping[str, Any] | None = None,
    template: str | None = None,
    sampling: Mapping[str, Any] | Sampling | None = None,
    repeats: int = 1,
) -> Settings:
    """Settings from plain options.

    Raises:
        UnknownNameError: No such read-out, or it has no such option.
        UnsupportedError: An option has a value that it cannot take.
    """
    built = build_read_out(read_out, **(read_out_options or {})) if isinstance(read_out, str) else read_out
    if isinstance(sampling, Mapping):
        sampling = sampling_from(built.sampling, sampling)
    if template is not None:
        template_named(template)
    votes = validated("repeats", Annotated[int, Field(ge=1)], repeats)
    return Settings(read_out=built, template=template, sampling=sampling, repeats=votes)


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


SPECS = (
    JudgeSpec(name="isolated", build=_isolated, summary="one criterion per question; the safe default"),
    JudgeSpec(name="joint", build=_joint, summary="several criteria per question (size=k; 0 for all)"),
    JudgeSpec(
        name="compare",
        build=_compare,
        summary="two submissions of one input, in both orders (ties, margin)",
        compares=True,
    ),
)
