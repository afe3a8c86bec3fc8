"""Loads plugins through pluggy and collects what they bring.

Each entry point is loaded on its own and each hook called on its own, so that one broken plugin never hides the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources.abc import Traversable
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

from adjudge.discovery import COMMANDS_GROUP, GROUP, FoundPlugin, find_plugins, is_present, refuse_clashes
from adjudge.errors import BackendError, PluginError, UnknownNameError, UnsupportedError

if TYPE_CHECKING:
    import click

    from adjudge.interfaces import AnalysisSpec, BackendSpec, JudgeSpec, ScoringSpec, SolverSpec, TaskSpec
    from adjudge.packs import PackIndex

__all__ = ["COMMANDS_GROUP", "FoundPlugin", "Plugins", "build_backend", "find_plugins", "load_plugins", "lookup"]

_OWN_BACKENDS = ("local", "openai", "anthropic", "vllm", "steering")
"""Backends that a distribution `adjudge-NAME` of this project brings."""

T = TypeVar("T")
S = TypeVar("S", bound="BackendSpec | JudgeSpec | SolverSpec | ScoringSpec | TaskSpec | AnalysisSpec")


def _told(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _checked(values: object, wanted: type[T]) -> list[T]:
    """What a hook returned, as a list.

    Raises:
        PluginError: It is no list, or something in it is of another type.
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise PluginError(f"returns a {type(values).__name__}; a list of {wanted.__name__} is wanted")
    for value in values:
        if not isinstance(value, wanted):
            raise PluginError(f"gives a {type(value).__name__}; a {wanted.__name__} is wanted")
    return list(values)


class Plugins:
    """All loaded plugins and what they bring."""

    def __init__(self, found: Sequence[FoundPlugin]) -> None:
        import pluggy

        from adjudge import hookspecs

        self.found = tuple(found)
        """Every plugin that was looked at."""
        self.failures: dict[str, str] = {}
        """Why a plugin did not load, by entry-point name."""
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        for plugin in self.found:
            self._load(plugin)

    def _load(self, plugin: FoundPlugin) -> None:
        try:
            module = plugin.entry_point.load()
            self._refuse_misspelt_hooks(module)
            self.manager.register(module, name=plugin.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may do anything; the others must still work
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            self.failures[plugin.name] = _told(error)

    def _refuse_misspelt_hooks(self, module: object) -> None:
        """Refuse a function that looks like a hook and would never be called."""
        known = {hook for hook in vars(self.manager.hook) if hook.startswith("adjudge_")}
        for hook in dir(module):
            if not hook.startswith("adjudge_") or not callable(getattr(module, hook)):
                continue
            if hook not in known:
                raise UnknownNameError("hook", hook, known)
            if self.manager.parse_hookimpl_opts(module, hook) is None:
                raise PluginError(f"{hook} is not marked as a hook; put @hookimpl above it")

    def _collect(self, hook_name: str, wanted: type[T]) -> list[tuple[str, T]]:
        """Call one hook of each plugin apart: pairs of distribution and value."""
        owner = {plugin.name: plugin.distribution for plugin in self.found}
        collected: list[tuple[str, T]] = []
        for implementation in getattr(self.manager.hook, hook_name).get_hookimpls():
            try:
                values = _checked(implementation.function(), wanted)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - as in _load
                self.failures[implementation.plugin_name] = f"{hook_name}: {_told(error)}"
                continue
            collected += [(owner[implementation.plugin_name], value) for value in values]
        return collected

    def _specs(self, hook: str, kind: str, spec_type: type[S]) -> dict[str, S]:
        collected = self._collect(hook, spec_type)
        refuse_clashes([(spec.name, distribution) for distribution, spec in collected], kind)
        return {spec.name: spec for _, spec in sorted(collected, key=lambda pair: str(pair[1].name))}

    @cached_property
    def backends(self) -> Mapping[str, BackendSpec]:
        """Backends by name."""
        from adjudge.interfaces import BackendSpec

        return self._specs("adjudge_backends", "backend", BackendSpec)

    @cached_property
    def judges(self) -> Mapping[str, JudgeSpec]:
        """Judges by name."""
        from adjudge.interfaces import JudgeSpec

        return self._specs("adjudge_judges", "judge", JudgeSpec)

    @cached_property
    def solvers(self) -> Mapping[str, SolverSpec]:
        """Solvers by name."""
        from adjudge.interfaces import SolverSpec

        return self._specs("adjudge_solvers", "solver", SolverSpec)

    @cached_property
    def scorings(self) -> Mapping[str, ScoringSpec]:
        """Scorings by name."""
        from adjudge.interfaces import ScoringSpec

        return self._specs("adjudge_scorings", "scoring", ScoringSpec)

    @cached_property
    def tasks(self) -> Mapping[str, TaskSpec]:
        """Tasks by name."""
        from adjudge.interfaces import TaskSpec

        return self._specs("adjudge_tasks", "task", TaskSpec)

    @cached_property
    def analyses(self) -> Mapping[str, AnalysisSpec]:
        """Analyses by name."""
        from adjudge.interfaces import AnalysisSpec

        return self._specs("adjudge_analyses", "analysis", AnalysisSpec)

    @cached_property
    def packs(self) -> PackIndex:
        """Rubric packs of all plugins."""
        from adjudge.packs import PackIndex

        return PackIndex(self._collect("adjudge_rubric_packs", Traversable))  # type: ignore[type-abstract] # a protocol

    @cached_property
    def commands(self) -> Mapping[str, click.Command]:
        """Subcommands of plugins by name."""
        import click

        collected = self._collect("adjudge_commands", click.Command)
        refuse_clashes([(str(command.name), distribution) for distribution, command in collected], "command")
        return {str(command.name): command for _, command in collected}

    def hooks_of(self, plugin_name: str) -> list[str]:
        """Names of the hooks that a loaded plugin implements."""
        callers = self.manager.get_hookcallers(self.manager.get_plugin(plugin_name))
        return sorted(caller.name for caller in callers or [])


def load_plugins() -> Plugins:
    """Load all plugins that are installed and switched on.

    Raises:
        PluginError: Two distributions use one name.
    """
    return Plugins(find_plugins())


def build_backend(plugins: Plugins, name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Start the backend that `name` or `name:model` asks for.

    Raises:
        UnknownNameError: No such backend.
        BackendError: It is not installed or cannot start; the text says the pip line.
        UnsupportedError: It has no such option.
    """
    from adjudge.options import refuse_options

    kind, _, model = name.partition(":")
    brings = kind.partition("-")[0] if kind.partition("-")[0] in _OWN_BACKENDS else "local"
    hint = f"(a backend is a plugin, for example: pip install adjudge-{brings})"
    spec = lookup(plugins, plugins.backends, "backend", kind, hint)
    absent = [package for package in spec.requires if not is_present(package)]
    if absent:
        raise BackendError(f"backend {kind!r} needs {', '.join(absent)}: {spec.install}")
    given = {"model": model or None, **(options or {})}
    refuse_options(f"the backend {kind!r}", spec.build, given)
    try:
        signature(spec.build).bind(**given)
    except TypeError as error:
        raise UnsupportedError(f"the backend {kind!r} does not take these options: {error}") from error
    return spec.build(**given)


def lookup(plugins: Plugins, table: Mapping[str, T], kind: str, name: str, hint: str = "") -> T:
    """Look a name up.

    Raises:
        UnknownNameError: No such name; tells of plugins that failed to load, since it may have been theirs.
    """
    if name in table:
        return table[name]
    failed = "; ".join(f"plugin {plugin!r} did not load: {why}" for plugin, why in plugins.failures.items())
    raise UnknownNameError(kind, name, table, f"{hint}{' ' if hint and failed else ''}{failed}")
