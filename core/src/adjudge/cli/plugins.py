"""`adjudge plugins`."""

from __future__ import annotations

import click

from adjudge.plugins import COMMANDS_GROUP, FoundPlugin, Plugins, find_plugins, load_plugins


@click.command()
@click.option("--check", is_flag=True, help="Import every plugin and tell what fails.")
def plugins(*, check: bool) -> int:
    """List installed plugins: name, version, health, and with --check their hooks.

    Without --check nothing is imported: names and versions come from metadata.
    """
    if check:
        return _check()
    for found in find_plugins():
        click.echo(_line(found, "installed" if found.importable else f"broken: no package for {found.module}"))
    return 0


def _check() -> int:
    loaded = load_plugins()
    brought = {found.name: loaded.hooks_of(found.name) for found in loaded.found}
    # Asking for everything makes the hooks run, so that a failure inside one is seen too.
    kinds = (loaded.backends, loaded.judges, loaded.solvers, loaded.scorings, loaded.tasks, loaded.analyses)
    counts = ", ".join(f"{len(kind)} {name}" for kind, name in zip(kinds, _KINDS, strict=True))
    lost = _unreachable(loaded)
    broken_packs = loaded.packs.broken()
    for found in loaded.found:
        hooks = ", ".join(hook.removeprefix("adjudge_") for hook in brought[found.name])
        failure = loaded.failures.get(found.name)
        click.echo(_line(found, f"BROKEN: {failure}" if failure else f"ok: {hooks or 'no hooks'}"))
    for error in [*lost, *broken_packs.values()]:
        click.echo(str(error))
    click.echo(f"{counts}, {len(loaded.packs.ids())} rubrics")
    return 1 if loaded.failures or lost or broken_packs else 0


def _unreachable(loaded: Plugins) -> list[str]:
    """Commands that a plugin brings and that cannot be called."""
    from adjudge.cli import COMMANDS

    named = {found.name for found in find_plugins(COMMANDS_GROUP)}
    taken = [
        f"command {name!r} is core's own; the plugin must rename it" for name in loaded.commands if name in COMMANDS
    ]
    unnamed = sorted(loaded.commands.keys() - named - COMMANDS.keys())
    return taken + [f"command {name!r} is not in the entry-point group {COMMANDS_GROUP!r}; add it" for name in unnamed]


_KINDS = ("backends", "judges", "solvers", "scorings", "tasks", "analyses")


def _line(found: FoundPlugin, health: str) -> str:
    return f"{found.name:<14} {f'{found.distribution} {found.version}':<27} {health}"
