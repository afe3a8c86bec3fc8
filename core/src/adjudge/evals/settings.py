"""Arguments of the scorer `adjudge/rubric`, all of them JSON, resolved into what a judge is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from adjudge.api import build_judge, build_scoring, installed, load_rubric
from adjudge.errors import UnsupportedError
from adjudge.evals.scores import RubricMark, mark_of
from adjudge.interfaces import Item, Metric, TaskSpec
from adjudge.options import over_defaults
from adjudge.packs import load_pack
from adjudge.plugins import lookup
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Submission
from adjudge.tasks import parameters_of

EngineName = Literal["auto", "inspect", "adjudge"]


@dataclass(frozen=True)
class Asked:
    """What a scorer was asked for; None and empty leave it to the task, or to the defaults of `adjudge judge`."""

    rubric: str | None = None
    task: str | None = None
    task_args: Mapping[str, Any] = field(default_factory=dict)
    judge: str | None = None
    judge_options: Mapping[str, Any] = field(default_factory=dict)
    read_out: str | None = None
    read_out_options: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    repeats: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    backend: str | None = None
    backend_options: Mapping[str, Any] = field(default_factory=dict)
    judge_engine: EngineName = "auto"
    policy: Mapping[str, Any] = field(default_factory=dict)
    ledger: str | None = None
    cache: bool = False
    self_grading: bool = False

    @cached_property
    def spec(self) -> TaskSpec | None:
        """The task, if one was named."""
        if self.task is None:
            return None
        plugins = installed()
        return lookup(plugins, plugins.tasks, "task", self.task)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The task's parameters, typed and checked."""
        return parameters_of(self.spec, self.task_args) if self.spec is not None else {}

    @cached_property
    def shared(self) -> tuple[Rubric, RubricMark] | None:
        """The rubric of the run and its origin; None if every submission must bring its own."""
        if self.rubric is not None:
            return _loaded(self.rubric)
        if self.spec is None:
            return None
        if isinstance(self.spec.rubric, str):
            return _loaded(self.spec.rubric)
        made = self.spec.rubric(**self.parameters)
        return made, mark_of(made, *_origin(made.id))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The task's own metrics."""
        return self.spec.metrics if self.spec is not None else ()

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        spec = self.spec
        if spec is None:
            return {}
        changed = spec.options(**self.parameters) if spec.options else {}
        return {"judge": spec.judge, "read_out": spec.read_out, **spec.judge_options, **changed}

    @property
    def engine(self) -> EngineName:
        """Whose calls it will be, as far as that is known without the model: a named backend has its own way.

        Raises:
            UnsupportedError: The backend is asked through another engine than the one that was asked for.
        """
        if self.backend is None:
            return self.judge_engine
        own: EngineName = "inspect" if self.backend.partition(":")[0] == "inspect" else "adjudge"
        if self.judge_engine not in ("auto", own):
            raise UnsupportedError(f"backend={self.backend!r} is asked through {own}; leave judge_engine out")
        return own

    def judge_for(self, item: Item | None) -> str:
        """Name of the judge for such an item; None is any submission."""
        chosen = self.judge or self._defaults.get("judge")
        return str(chosen) if chosen else ("compare" if isinstance(item, Comparison) else "isolated")

    @property
    def asks_nobody(self) -> bool:
        """Whether the judge is a rule that needs no model."""
        plugins = installed()
        spec = lookup(plugins, plugins.judges, "judge", self.judge_for(None))
        return not spec.asks and not spec.members

    def options(self) -> dict[str, Any]:
        """Options of the judge: what was asked for, over the task's."""
        asked = {
            "read_out": self.read_out,
            "read_out_options": dict(self.read_out_options) or None,
            "template": self.template,
            "sampling": dict(self.sampling) or None,
            "repeats": self.repeats,
        }
        chosen = {name: value for name, value in asked.items() if value is not None}
        given = {**chosen, **self.judge_options}
        return over_defaults({name: value for name, value in self._defaults.items() if name != "judge"}, given)

    def check(self) -> None:
        """Build what can be built without a model, so that what cannot be is refused before anything is asked.

        Raises:
            AdjudgeError: A rubric, task, judge or option cannot be.
        """
        plugins, shared = installed(), self.shared
        if shared is not None:
            build_scoring(plugins, shared[0])
        name = self.judge_for(None)
        spec = lookup(plugins, plugins.judges, "judge", name)
        if not spec.members:
            build_judge(plugins, name, self.options())
        if self.backend is not None:
            lookup(plugins, plugins.backends, "backend", self.backend.partition(":")[0])
        _ = self.engine

    def mark(self, item: Item, rubric: Rubric) -> RubricMark:
        """Which rubric an item is judged by."""
        if self.shared is not None and rubric is self.shared[0]:
            return self.shared[1]
        return mark_of(rubric, *_origin(rubric.id), own=isinstance(item, Submission) and item.rubric is not None)


def _loaded(name: str) -> tuple[Rubric, RubricMark]:
    """A rubric by id or path, with the distribution that brings it."""
    if name.endswith((".yaml", ".yml")):
        rubric = load_pack(name).rubric
        return rubric, mark_of(rubric)
    rubric = load_rubric(name)
    return rubric, mark_of(rubric, *_origin(rubric.id))


def _origin(rubric_id: str) -> tuple[str, str]:
    """Distribution and version of an installed pack; empty if it is none."""
    plugins = installed()
    entry = plugins.packs.ids().get(rubric_id)
    if entry is None:
        return "", ""
    versions = {found.distribution: found.version for found in plugins.found}
    return entry.distribution, versions.get(entry.distribution, "")
