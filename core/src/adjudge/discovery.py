"""Finds plugins in the metadata of installed distributions, without importing any.

pluggy would skip a second entry point of the same name in silence; here that is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec

from adjudge.errors import PluginError

GROUP = "adjudge"
"""Entry-point group of plugins."""
COMMANDS_GROUP = "adjudge.commands"
"""Entry-point group of plugins' subcommands."""


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
        return is_present(self.module.partition(".")[0])


def is_present(module: str) -> bool:
    """Whether a module can be found; a package above it is imported, the module itself is not."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # no package above it, or one that was replaced by something odd
        return False


def find_plugins(group: str = GROUP) -> list[FoundPlugin]:
    """List the plugins of all installed distributions, switches applied, in order of name.

    Raises:
        PluginError: Two distributions use one entry-point name, or a distribution's entry points are torn.
    """
    found = [
        FoundPlugin(entry.name, entry.module, distribution.metadata["Name"], distribution.version, entry)
        for distribution in _unique_distributions()
        for entry in _entry_points(distribution, group)
    ]
    # Switches first: switching one of two off is the way out of a clash.
    wanted = [plugin for plugin in found if _is_wanted(plugin)]
    refuse_clashes([(plugin.name, plugin.distribution) for plugin in wanted], "entry point")
    return sorted(wanted, key=lambda plugin: plugin.name)


def _unique_distributions() -> list[Distribution]:
    """Installed distributions, the first of each name on the path, as the import system sees them."""
    by_name: dict[str, Distribution] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            by_name.setdefault(_normal(name), distribution)
    return list(by_name.values())


def _entry_points(distribution: Distribution, group: str) -> Iterable[EntryPoint]:
    try:
        return distribution.entry_points.select(group=group)
    except (TypeError, ValueError):
        name = distribution.metadata["Name"]
        raise PluginError(f"the entry points of {name} cannot be read; install it again: pip install {name}") from None


def _normal(name: str) -> str:
    """A distribution's name in the one spelling of the packaging standard."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_wanted(plugin: FoundPlugin) -> bool:
    """Apply `ADJUDGE_PLUGINS` (only these) and `ADJUDGE_DISABLE` (not these); core itself always loads."""
    only, never = (_names_in(os.environ.get(name, "")) for name in ("ADJUDGE_PLUGINS", "ADJUDGE_DISABLE"))
    names = {_normal(plugin.name), _normal(plugin.distribution)}
    if _normal(plugin.distribution) == "adjudge":
        return True
    return (not only or bool(names & only)) and not names & never


def _names_in(value: str) -> set[str]:
    return {_normal(name.strip()) for name in value.split(",") if name.strip()}


def refuse_clashes(named: Sequence[tuple[str, str]], kind: str) -> None:
    """Refuse two things of one kind and name.

    Args:
        named: Pairs of name and distribution.
        kind: What they are, for the message.

    Raises:
        PluginError: Names both distributions.
    """
    owner: dict[str, str] = {}
    for name, distribution in named:
        if name in owner:
            raise PluginError(
                f"two plugins bring a {kind} named {name!r}: {owner[name]} and {distribution}; "
                f"uninstall one, or switch one off with ADJUDGE_DISABLE={distribution}"
            )
        owner[name] = distribution
