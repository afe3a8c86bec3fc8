"""Registers the commands of the rule graph and the reflective judge with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adjudge import JudgeSpec, hookimpl

if TYPE_CHECKING:
    import click

    from adjudge_metacog.reflective import ReflectiveJudge


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The command `graph`."""
    from adjudge_metacog.commands import graph

    return [graph]


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judge `reflective`."""
    summary = "a judge with learned rules beside each criterion (graph=rules.jsonl, rules=5, characters=2000, domain=)"
    return [JudgeSpec(name="reflective", summary=summary, build=build_reflective, members=("members",))]


def build_reflective(
    members: Any = (), graph: str = "", rules: int = 5, characters: int = 2000, domain: str = ""
) -> ReflectiveJudge:
    """Make the judge `reflective`; see `adjudge_metacog.reflective.build`."""
    from adjudge_metacog.reflective import build

    return build(members, graph, rules, characters, domain)
