"""Finds and loads plugins: entry-point group `adjudge`, through pluggy.

Each entry point is loaded on its own, so that one broken plugin never hides the others. What was found is compared
with what was loaded: pluggy skips a second entry point of the same name in silence, which is refused here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from adjudge.errors import BackendError, PluginError, UnknownNameError

if TYPE_CHECKING:
    import click

    from adjudge.interfaces import AnalysisSpec, BackendSpec, JudgeSpec, ScoringSpec, SolverSpec, TaskSpec
    from adjudge.packs import PackIndex

GROUP = "adjudge"
COMMANDS_GROUP = "adjudge.commands"
NO_BACKEND_HINT = "(a backend is a plugin, for example: pip install adjudge-local)"

S = TypeVar("S", bound="BackendSpec | JudgeSpec | SolverSpec | ScoringSpec | TaskSpec | AnalysisSpec")


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """An entry point, as its distribution's metadata tells, before anything is imported."""

    name: str
    """Name of the entry point."""
    module: str
    """Module that it names."""
    distribution: str
    """Distribution that brings it."""
    version: str
    """That distribution's version."""
    entry_point: EntryPoint
    """Loads it."""

    @property
    def importable(self) -> bool:
        """Whether the top-level package can be found; runs none of the plugin's code."""
        return find_spec(self.module.partition(".")[0]) is not None


def find_plugins(group: str = GROUP) -> list[FoundPlugin]:
    """List the plugins of all installed distributions, switches applied, in order of name.

    Raises:
        PluginError: Two distributions use one entry-point name.
    """
    found = [
        FoundPlugin(entry.name, entry.module, distribution.metadata["Name"], distribution.version, entry)
        for distribution in _unique_distributions()
        for entry in distribution.entry_points.select(group=group)
    ]
    _refuse_clashes([(plugin.name, plugin.distribution) for plugin in found], "entry point")
    return sorted((plugin for plugin in found if _is_wanted(plugin)), key=lambda plugin: plugin.name)


def _unique_distributions() -> list[Distribution]:
    """Installed distributions, the first of each name on the path, as the import system sees them."""
    by_name: dict[str, Distribution] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            by_name.setdefault(name.lower().replace("_", "-"), distribution)
    return list(by_name.values())


def _is_wanted(plugin: FoundPlugin) -> bool:
    """Apply `ADJUDGE_PLUGINS` (only these) and `ADJUDGE_DISABLE` (not these); core itself always loads."""
    only, never = (_names_in(os.environ.get(name, "")) for name in ("ADJUDGE_PLUGINS", "ADJUDGE_DISABLE"))
    if plugin.name == "core":
        return True
    names = {plugin.name, plugin.distribution}
    return (not only or bool(names & only)) and not names & never


def _names_in(value: str) -> set[str]:
    return {name.strip() for name in value.split(",") if name.strip()}


def _refuse_clashes(named: Sequence[tuple[str, str]], kind: str) -> None:
    owner: dict[str, str] = {}
    for name, distribution in named:
        if name in owner:
            raise PluginError(
                f"two plugins bring a {kind} named {name!r}: {owner[name]} and {distribution}; "
                f"uninstall one, or switch one off with ADJUDGE_DISABLE={distribution}"
            )
        owner[name] = distribution


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
            self.manager.register(module, name=plugin.name)
            self._refuse_misspelt_hooks(module, plugin.name)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the others must still work
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            self.failures[plugin.name] = f"{type(error).__name__}: {error}".replace("\n", " ")

    def _refuse_misspelt_hooks(self, module: object, name: str) -> None:
        known = {hook for hook in vars(self.manager.hook) if not hook.startswith("_") and self._has_spec(hook)}
        for hook in dir(module):
            if hook.startswith("adjudge_") and hook not in known and callable(getattr(module, hook)):
                raise UnknownNameError("hook", hook, known, f"(in plugin {name!r})")

    def _has_spec(self, hook: str) -> bool:
        return getattr(self.manager.hook, hook).spec is not None

    def _distribution_of(self, plugin_name: str) -> str:
        return next((p.distribution for p in self.found if p.name == plugin_name), plugin_name)

    def _collect(self, hook_name: str) -> list[tuple[str, Any]]:
        """Call one hook of each plugin apart: pairs of distribution and value."""
        hook = getattr(self.manager.hook, hook_name)
        collected: list[tuple[str, Any]] = []
        for implementation in hook.get_hookimpls():
            try:
                values = list(implementation.function())
            except Exception as error:  # noqa: BLE001 - as in _load
                self.failures[implementation.plugin_name] = f"{hook_name}: {type(error).__name__}: {error}"
                continue
            collected += [(self._distribution_of(implementation.plugin_name), value) for value in values]
        return collected

    def _specs(self, hook: str, kind: str, spec_type: type[S]) -> dict[str, S]:
        collected = self._collect(hook)
        for distribution, spec in collected:
            if not isinstance(spec, spec_type):
                raise PluginError(
                    f"{distribution} gives a {type(spec).__name__} as {kind}; a {spec_type.__name__} is wanted"
                )
        _refuse_clashes([(spec.name, distribution) for distribution, spec in collected], kind)
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

        folders: list[tuple[str, Traversable]] = self._collect("adjudge_rubric_packs")
        return PackIndex(folders)

    @cached_property
    def commands(self) -> Mapping[str, click.Command]:
        """Subcommands of plugins by name."""
        collected = self._collect("adjudge_commands")
        _refuse_clashes([(str(command.name), distribution) for distribution, command in collected], "command")
        return {str(command.name): command for _, command in collected}

    def hooks_of(self, plugin_name: str) -> list[str]:
        """Names of the hooks that a loaded plugin implements."""
        plugin = self.manager.get_plugin(plugin_name)
        callers = self.manager.get_hookcallers(plugin) if plugin is not None else None
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
    """
    kind, _, model = name.partition(":")
    spec = lookup(plugins, plugins.backends, "backend", kind, NO_BACKEND_HINT)
    absent = [package for package in spec.requires if find_spec(package) is None]
    if absent:
        raise BackendError(f"backend {kind!r} needs {', '.join(absent)}: {spec.install}")
    return spec.build(model=model or None, **(options or {}))


T = TypeVar("T")


def lookup(plugins: Plugins, table: Mapping[str, T], kind: str, name: str, hint: str = "") -> T:
    """Look a name up.

    Raises:
        UnknownNameError: No such name; tells of plugins that failed to load, since it may have been theirs.
    """
    if name in table:
        return table[name]
    failed = "; ".join(f"plugin {plugin!r} did not load: {why}" for plugin, why in plugins.failures.items())
    raise UnknownNameError(kind, name, table, f"{hint}{' ' if hint and failed else ''}{failed}")
