"""Options that the judging commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from adjudge.options import over_defaults
from adjudge.privacy import Store

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class How:
    """How to judge, as asked for on the command line."""

    backend: str
    """`name` or `name:model`."""
    backend_options: dict[str, Any] = field(default_factory=dict)
    """Options of the backend."""
    judge: str | None = None
    """Name of the judge; chosen by what is judged if None."""
    judge_options: dict[str, Any] = field(default_factory=dict)
    """Options of the judge."""
    read_out: str | None = None
    """Name of the read-out; the task's or `label` if None."""
    read_out_options: dict[str, Any] = field(default_factory=dict)
    """Options of the read-out."""
    template: str | None = None
    """Named prompt template."""
    sampling: dict[str, Any] = field(default_factory=dict)
    """Decoding parameters."""
    repeats: int | None = None
    """Votes per criterion."""
    concurrency: int | None = None
    """Questions in flight."""
    policy: dict[str, Any] = field(default_factory=dict)
    """Deadline, retries, rate limits, budget."""
    local_only: bool = False
    """Refuse every backend that is not on this machine."""
    batch: bool = False
    """Ask through the backend's batch service."""
    dry_run: bool = False
    """Ask nothing; tell what a run would take."""
    redact: str | None = None
    """Function that every submission goes through first, as `module:function`."""
    durable: bool = False
    """Survive a power cut."""
    store: Store = "text"
    """What the ledger and the report keep: everything, or hashes in place of texts."""

    @property
    def settings(self) -> tuple[str, str]:
        """What tells two runs of one file, rubric and backend apart in a folder's name."""
        return self.judge or "", self.read_out or ""

    @property
    def told(self) -> dict[str, Any]:
        """Options given that change what is asked, by the names that a run's record gives them."""
        given = {
            "judge options": self.judge_options,
            "read-out options": self.read_out_options,
            "template": self.template,
            "sampling": self.sampling,
            "repeats": self.repeats,
        }
        return {name: value for name, value in given.items() if value}

    def options(self, defaults: dict[str, Any]) -> dict[str, Any]:
        """Options of the judge: what was asked for, over the defaults."""
        asked = {
            "read_out": self.read_out,
            "read_out_options": self.read_out_options or None,
            "template": self.template,
            "sampling": self.sampling or None,
            "repeats": self.repeats,
        }
        given = {name: value for name, value in asked.items() if value is not None} | self.judge_options
        return over_defaults(defaults, given)


def pairs(_context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, Any]:
    """Read `name=value` options; a value is JSON where it can be, else text."""
    values: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{pair!r} is not name=value", param=parameter)
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def how_options(command: F) -> F:
    """Add the options of `How` to a command; collect them with `how_from`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def how_from(options: dict[str, Any]) -> How:
    """Take the options of `How` out of a command's keyword arguments."""
    sampling = {name: options.pop(name) for name in ("temperature", "max_tokens", "seed")}
    policy = {name: options.pop(name) for name in _POLICY}
    named = {name: options.pop(name) for name in How.__dataclass_fields__ if name in options}
    return How(**named, sampling=_given(sampling), policy=_given(policy))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


_POLICY = (
    "deadline",
    "attempt_timeout",
    "attempts",
    "requests_per_minute",
    "tokens_per_minute",
    "max_calls",
    "max_total_tokens",
    "max_cost",
)


_SECONDS = click.FloatRange(min=0.1)
PAIRS: dict[str, Any] = {"multiple": True, "callback": pairs, "metavar": "NAME=VALUE"}
_OPTIONS = (
    click.option("--backend", default="local", show_default=True, help="NAME or NAME:MODEL, for example local:my.gguf"),
    click.option("-B", "backend_options", help="Option of the backend.", **PAIRS),
    click.option(
        "--judge",
        help="isolated, joint, compare, panel, cascade, anytime, commit-first, calibrated, windows, rules, mixed, or a"
        " plugin's; chosen by what is judged if not given.",
    ),
    click.option(
        "-J", "judge_options", help="Option of the judge: size=4 for joint, members='[…]' for panel.", **PAIRS
    ),
    click.option("--read-out", type=click.Choice(["label", "reasoned"]), help="How the level is read from the reply."),
    click.option("-R", "read_out_options", help="Option of the read-out, for example order=level-first.", **PAIRS),
    click.option("--template", help="Named prompt template."),
    click.option("--temperature", type=click.FloatRange(min=0), help="Decoding temperature."),
    click.option("--max-tokens", type=click.IntRange(min=1), help="Most tokens per reply."),
    click.option("--seed", type=int, help="Seed of the sampler, where the backend takes one."),
    click.option("--repeats", type=click.IntRange(min=1), help="Votes per criterion."),
    click.option("--concurrency", type=click.IntRange(min=1), help="Questions in flight."),
    click.option("--deadline", type=_SECONDS, help="Seconds a question, all attempts counted; 300 if not given."),
    click.option(
        "--attempt-timeout",
        type=_SECONDS,
        help="Seconds an attempt; 120 if not given, for a model on this machine the deadline. A backend's own timeout"
        " (-B timeout=…) ends an attempt too.",
    ),
    click.option("--attempts", type=click.IntRange(min=1), help="Most attempts per question."),
    click.option("--requests-per-minute", type=click.FloatRange(min=0.1), help="Rate limit of the endpoint."),
    click.option("--tokens-per-minute", type=click.FloatRange(min=1), help="Rate limit of the endpoint."),
    click.option("--max-calls", type=click.IntRange(min=0), help="Budget: the rest stays unscored."),
    click.option("--max-total-tokens", type=click.IntRange(min=0), help="Budget: prompt and reply tokens of the run."),
    click.option("--max-cost", type=click.FloatRange(min=0), help="Budget: US dollars of the run."),
    click.option(
        "--local-only", is_flag=True, envvar="ADJUDGE_LOCAL_ONLY", help="Refuse backends beyond this machine."
    ),
    click.option(
        "--batch", is_flag=True, help="Ask through the backend's batch service: half the price, within a day."
    ),
    click.option("--dry-run", is_flag=True, help="Ask nothing; tell what the run would take and cost."),
    click.option("--redact", metavar="MODULE:FUNCTION", help="Passes every submission through your function first."),
    click.option(
        "--store",
        type=click.Choice(["text", "hashes"]),
        default="text",
        show_default=True,
        help="What is kept of texts.",
    ),
    click.option("--durable", is_flag=True, help="Survive a power cut, not only a killed process; slower."),
)


def out_options(command: F) -> F:
    """Add the options that say where results go."""
    command = click.option(
        "--out", type=click.Path(path_type=Path), help="Folder of the run; the same folder resumes it."
    )(command)
    command = click.option("--parquet", is_flag=True, help="Write verdicts.parquet too (needs pandas).")(command)
    return click.option(
        "--min-coverage",
        type=click.FloatRange(0, 1),
        default=0.0,
        help="Exit with 1 if a smaller share of the verdicts was scored.",
    )(command)
