"""Judges: strategies over a backend, built from named options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adjudge.errors import UnknownNameError
from adjudge.interfaces import Judge, JudgeSpec
from adjudge.judges.settings import Settings
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
    """
    built = build_read_out(read_out, **(read_out_options or {})) if isinstance(read_out, str) else read_out
    if isinstance(sampling, Mapping):
        for name in sampling:
            if name not in Sampling.model_fields:
                raise UnknownNameError("decoding parameter", name, Sampling.model_fields)
        sampling = Sampling(**{**built.sampling.model_dump(), **sampling})
    return Settings(read_out=built, template=template, sampling=sampling, repeats=repeats)


def _isolated(**options: Any) -> Judge:
    from adjudge.judges.isolated import IsolatedJudge

    return IsolatedJudge(settings_from(**options))


def _joint(size: int = 0, **options: Any) -> Judge:
    from adjudge.judges.joint import JointJudge

    return JointJudge(settings_from(**options), size=size)


def _compare(*, ties: bool = True, margin: float = 0.0, **options: Any) -> Judge:
    from adjudge.judges.compare import CompareJudge

    return CompareJudge(settings_from(**options), ties=ties, margin=margin)


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
