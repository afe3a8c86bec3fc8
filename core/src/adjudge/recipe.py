"""What a judge was made of, so that it can be made again without its backends; kept with the run.

Options of backends may hold a key or an address; a hash stands in their place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import JsonValue, ValidationError

from adjudge.assembly import Options, assemble
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Capabilities, Judge
from adjudge.judges.members import fitted
from adjudge.plugins import Plugins, build_backend
from adjudge.values import Frozen
from adjudge.verdict import Failure, Question, Reply

_HIDDEN = "backend_options"
_MARK = "mark"


class Answerer(Frozen):
    """A backend that was started."""

    asked_for: str
    """`name` or `name:model`."""
    mark: str
    """Hash of its options."""
    name: str
    """Its own name."""
    identity: dict[str, JsonValue]
    """Who answers."""
    capabilities: dict[str, JsonValue]
    """What it could do once it had looked."""


class Recipe(Frozen):
    """A judge with its options and backends."""

    judge: str
    """Name of the strategy."""
    options: dict[str, JsonValue]
    """Its options."""
    backend: str
    """The backend for every judge that names none."""
    mark: str
    """Hash of that backend's options."""
    answerers: tuple[Answerer, ...]
    """The backends that were started."""


class Started:
    """Starts backends, and remembers which."""

    def __init__(self, plugins: Plugins) -> None:
        """Start what these plugins bring."""
        self._plugins = plugins
        self._made: list[tuple[str, str, Backend]] = []

    def __call__(self, name: str, options: Options | None) -> Backend:
        """Start a backend.

        Raises:
            AdjudgeError: As `build_backend`.
        """
        backend: Backend = build_backend(self._plugins, name, options)
        self._made.append((name, mark_of(options), backend))
        return backend

    def recipe(self, judge: str, options: Options, backend: str, backend_options: Options | None) -> Recipe | None:
        """What was made of these; None if an option is no JSON value."""
        answerers = [
            {
                "asked_for": name,
                "mark": mark,
                "name": made.name,
                "identity": dict(made.identity),
                "capabilities": asdict(made.capabilities),
            }
            for name, mark, made in self._made
        ]
        try:
            return Recipe.model_validate(
                {
                    "judge": judge,
                    "options": _without_secrets(dict(options)),
                    "backend": backend,
                    "mark": mark_of(backend_options),
                    "answerers": answerers,
                }
            )
        except ValidationError:
            return None


class Recorded:
    """Stands in the place of a backend: who it was and what it could do, and no way to ask it."""

    def __init__(self, answerer: Answerer) -> None:
        """Stand for that backend."""
        self.name = answerer.name
        self.identity: Mapping[str, Any] = answerer.identity
        self.capabilities = Capabilities(**answerer.capabilities)  # type: ignore[arg-type] # checked as it was written

    async def ask(self, question: Question) -> Reply:
        """A failure: nothing is asked."""
        del question
        return Reply(stop="error", failure=Failure(reason="infra", detail="a replay asks nobody"))

    async def aclose(self) -> None:
        """Nothing is held."""


def mark_of(options: Options | None) -> str:
    """Hash of a backend's options, 16 hexadecimal digits; options that are a mark already give that."""
    given = dict(options or {})
    if set(given) == {_MARK}:
        return str(given[_MARK])
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=repr).encode()).hexdigest()[:16]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: {_MARK: mark_of(inner)} if name == _HIDDEN else _without_secrets(inner)
            for name, inner in value.items()
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list | tuple) else value


def remade(recipe: Recipe, plugins: Plugins) -> tuple[Judge, Backend]:
    """The judge of a recipe and the backend that it asked, which can no longer be asked.

    Raises:
        UnknownNameError: The judge is not installed.
        UnsupportedError: It takes other options by now, or needs a backend that was not started then.
    """
    known = {(one.asked_for, one.mark): one for one in recipe.answerers}

    def start(name: str, options: Options | None) -> Backend:
        found = known.get((name, mark_of(options)))
        if found is None:
            raise UnsupportedError(f"the run did not start the backend {name!r} that its judge asks for")
        return Recorded(found)

    judge, backend = assemble(plugins, recipe.judge, recipe.options, recipe.backend, {_MARK: recipe.mark}, start=start)
    return fitted(judge, backend.capabilities), backend
