"""Builds a judge with all that is inside it: judges made of judges, and each backend once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any, TypeAlias

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Capabilities, Judge, JudgeSpec, Member
from adjudge.judges import settings_from
from adjudge.judges.members import backends_of, members_of
from adjudge.options import refuse_options, validated
from adjudge.plugins import Plugins, build_backend, lookup
from adjudge.verdict import Failure, Question, Reply

Options: TypeAlias = Mapping[str, Any]
Start: TypeAlias = Callable[[str, Options | None], Backend]
"""Starts the backend of a name, with its options."""

ASKING = frozenset(signature(settings_from).parameters)
"""Options that say how a model is asked; a task or command gives them to whatever judge is chosen."""


class NoBackend:
    """Stands where a judge asks nobody."""

    name = "none"
    capabilities = Capabilities(local=True, concurrency=64)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Nobody."""
        return {"backend": "none"}

    async def ask(self, question: Question) -> Reply:
        """A failure: there is nobody to ask."""
        del question
        return Reply(stop="error", failure=Failure(reason="infra", detail="this judge has no backend"))

    async def aclose(self) -> None:
        """Nothing is held."""


def assemble(
    plugins: Plugins,
    judge: str | Judge,
    options: Options,
    backend: str | Backend,
    backend_options: Options | None,
    *,
    start: Start | None = None,
) -> tuple[Judge, Backend]:
    """A judge and the backend that it asks, or, of a judge whose members bring their own, the first of theirs.

    A backend is started only if something asks it, and once, however many members name it.

    Args:
        plugins: Plugins to choose from.
        judge: A judge, or the name of one.
        options: Options of the judge; those that a judge made of judges does not know go to its members, and how to
            ask (`read_out`, `repeats`, …) means nothing to a judge that asks nobody.
        backend: A backend, or the name of one, for every judge that names none.
        backend_options: Options of that backend.
        start: Starts backends in another way than by asking the plugins.

    Raises:
        UnknownNameError: A name is not known.
        UnsupportedError: An option is not known or cannot be.
        BackendError: A backend cannot start.
    """
    shelf = _Shelf(plugins, start or partial(build_backend, plugins))
    primary = partial(shelf.backend, backend, backend_options)
    if not isinstance(judge, str):
        inside = members_of(judge)
        own = backends_of(judge) if inside and all(member.backend for member in inside) else []
        return judge, own[0] if own and isinstance(backend, str) else primary()
    spec = lookup(plugins, plugins.judges, "judge", judge)
    told = options if spec.asks else {name: value for name, value in options.items() if name not in ASKING}
    built = _build(shelf, spec, told, primary)
    if spec.asks and not spec.members:
        return built, primary()
    started = shelf.known(backend, backend_options)
    own = [*([] if started is None else [started]), *backends_of(built)]
    return built, own[0] if own else NoBackend()


class _Shelf:
    """Backends that were started, by what was asked for."""

    def __init__(self, plugins: Plugins, start: Start) -> None:
        self.plugins = plugins
        self._start = start
        self._started: dict[str, Backend] = {}

    def known(self, name: str | Backend, options: Options | None) -> Backend | None:
        """The backend if it was started or given, else None."""
        return self._started.get(_key(name, options)) if isinstance(name, str) else name

    def backend(self, name: str | Backend, options: Options | None) -> Backend:
        """The backend, started if it was not yet."""
        if not isinstance(name, str):
            return name
        key = _key(name, options)
        if key not in self._started:
            self._started[key] = self._start(name, options)
        return self._started[key]


def _key(name: str, options: Options | None) -> str:
    return json.dumps([name, dict(options or {})], sort_keys=True, default=repr)


def _build(shelf: _Shelf, spec: JudgeSpec, options: Options, backend: Callable[[], Backend]) -> Judge:
    """Build a judge; `backend` starts the one that its members ask if they name none."""
    if spec.members:
        known = signature(spec.build).parameters
        shared = {name: value for name, value in options.items() if name not in known}
        options = {name: value for name, value in options.items() if name in known}
        options = {spec.members[0]: ({},), **options}
        for option in spec.members:
            if option in options:
                made = [_member(shelf, given, shared, backend) for given in _listed(option, options[option])]
                options = {**options, option: _with_unique_names(made)}
    refuse_options(f"the judge {spec.name!r}", spec.build, options)
    try:
        return spec.build(**options)
    except TypeError as error:
        raise UnsupportedError(f"the judge {spec.name!r} does not take these options: {error}") from error


def _listed(option: str, given: Any) -> Sequence[Any]:
    """One member or several, as a sequence."""
    if isinstance(given, str | Mapping | Member):
        return (given,)
    if isinstance(given, list | tuple):
        return given
    raise UnsupportedError(f'{option}={given!r}: a list is wanted, of backends or of {{"backend": …, "judge": …}}')


def _member(shelf: _Shelf, given: Any, shared: Options, outer: Callable[[], Backend]) -> Member:
    """A member from a name of a backend, or from a table of what it is made of."""
    if isinstance(given, Member):
        return given
    own = dict(given) if isinstance(given, Mapping) else {"backend": given}
    name, chosen = own.pop("backend", None), own.pop("judge", "isolated")
    named = own.pop("backend_options", None)
    backend = outer if name is None else partial(shelf.backend, name, named)
    fixed = {key: own.pop(key) for key in ("name", "weight", "criteria") if key in own}
    if not isinstance(chosen, str):
        return _finished(Member(judge=chosen, backend=None if name is None else backend()), fixed)
    spec = lookup(shelf.plugins, shelf.plugins.judges, "judge", chosen)
    judge = _build(shelf, spec, {**shared, **own} if spec.asks else own, backend)
    # What is made of judges hands the backend on to its own members; it asks nobody itself.
    asked = backend() if spec.asks and not spec.members else None
    return _finished(Member(judge=judge, backend=asked), fixed)


def _finished(member: Member, fixed: Options) -> Member:
    """The member with its name, weight and criteria."""
    where = f"@{member.backend.name}" if member.backend is not None else ""
    return replace(
        member,
        name=validated("member: name", str, fixed.get("name", f"{member.judge.name}{where}")),
        weight=validated("member: weight", float, fixed.get("weight", 1.0)),
        criteria=validated("member: criteria", tuple[str, ...], fixed.get("criteria", ())),
    )


def _with_unique_names(members: Sequence[Member]) -> tuple[Member, ...]:
    """Members of one name are numbered from the second on: their verdicts must be told apart."""
    seen: dict[str, int] = {}
    named = []
    for member in members:
        seen[member.name] = seen.get(member.name, 0) + 1
        count = seen[member.name]
        named.append(member if count == 1 else replace(member, name=f"{member.name} #{count}"))
    return tuple(named)
