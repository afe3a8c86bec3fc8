"""Registers this distribution's commands and judge with adjudge; what is heavy waits until one is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from adjudge import Judge, JudgeSpec, hookimpl
from adjudge.interfaces import Member


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The commands `agreement`, `estimate`, `gate`, `draw`, `label`, `raters` and `calibrate`."""
    from adjudge_validity.commands import agreement
    from adjudge_validity.commands_calibrate import calibrate
    from adjudge_validity.commands_estimate import draw, estimate, gate
    from adjudge_validity.commands_label import label
    from adjudge_validity.commands_raters import raters

    return [agreement, estimate, gate, draw, label, raters, calibrate]


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judge `fitted`."""
    return [
        JudgeSpec(
            name="fitted",
            build=_fitted,
            summary="maps probabilities by a calibration that `adjudge calibrate` learned (members, file)",
            members=("members",),
        )
    ]


def _fitted(*, members: tuple[Member, ...], file: str) -> Judge:
    from adjudge_validity.calibration import FittedJudge, load

    return FittedJudge(members, load(Path(file)))
