"""The command line: a static table of commands, each imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

COMMANDS = {
    "demo": ("adjudge.cli.demo:demo", "judge the shipped examples with the default local model"),
    "judge": ("adjudge.cli.judge:judge", "judge a file of submissions or comparisons by a rubric"),
    "run": ("adjudge.cli.task:run", "run a task: judge answers, a candidate, or the judge itself"),
    "tasks": ("adjudge.cli.task:tasks", "list tasks, with the lines to run them"),
    "rescore": ("adjudge.cli.rescore:rescore", "judge logs of inspect-ai once more, by one judge or several"),
    "report": ("adjudge.cli.report:report", "write the report of runs or logs: HTML, JSON, CSV, Parquet"),
    "bundle": ("adjudge.cli.bundle:bundle", "pack a run so that others can check and replay it"),
    "analyse": ("adjudge.cli.analyse:analyse", "run an analysis over a finished run"),
    "purge": ("adjudge.cli.purge:purge", "remove a submission from runs, beyond recovery"),
    "rubrics": ("adjudge.cli.packs:rubrics", "list installed rubrics, or show one"),
    "new": ("adjudge.cli.packs:new", "start a rubric or a plugin of your own"),
    "lint": ("adjudge.cli.packs:lint", "check rubric packs"),
    "diff": ("adjudge.cli.packs:diff", "tell which criteria of two rubrics must be judged again"),
    "test": ("adjudge.cli.judge:test", "run a rubric's golden tests against a judge"),
    "schema": ("adjudge.cli.packs:schema", "print or write the JSON Schemas"),
    "plugins": ("adjudge.cli.plugins:plugins", "list installed plugins and their health"),
}
"""Name, where it lives, one line of help."""

_USAGE_ERROR = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 (asked-for bar missed), 2 (error) or 130 (interrupted)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help())  # noqa: T201 - the command line prints
        return 0
    if arguments[0] in ("-V", "--version"):
        from adjudge import __version__

        print(f"adjudge {__version__}")  # noqa: T201 - the command line prints
        return 0
    return _run(arguments[0], arguments[1:])


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: adjudge COMMAND [OPTIONS]",
            "",
            "adjudge judges text against rubrics with language models.",
            "",
            *lines,
            "",
            *_brought(),
            "adjudge COMMAND --help tells more.",
        ]
    )


def _brought() -> list[str]:
    """Names of the commands of installed plugins, by distribution; nothing is imported for it."""
    from importlib.metadata import entry_points

    from adjudge.discovery import COMMANDS_GROUP

    found: dict[str, list[str]] = {}
    for point in entry_points(group=COMMANDS_GROUP):
        found.setdefault(point.dist.name if point.dist is not None else "", []).append(point.name)
    lines = [f"  {name}: {', '.join(sorted(names))}" for name, names in sorted(found.items())]
    return ["From plugins:", "", *lines, ""] if lines else []


def _run(name: str, arguments: list[str]) -> int:
    import click

    from adjudge.errors import AdjudgeError

    try:
        status = _command(name).main(arguments, prog_name=f"adjudge {name}", standalone_mode=False)
    except click.ClickException as error:
        return _fail(f"{_plain(error.format_message())}; see adjudge {name} --help")
    except AdjudgeError as error:
        return _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away; nothing more can be said
        return _USAGE_ERROR
    except OSError as error:
        hint = "; choose another folder, or change its permissions" if isinstance(error, PermissionError) else ""
        return _fail(f"{error.filename or 'file'}: {error.strerror or error}{hint}")
    return status if isinstance(status, int) else 0


def _plain(message: str) -> str:
    """What click says, in one line and without its names of types."""
    line = " ".join(message.split()).rstrip(".")
    for kind, word in (("integer", "whole number"), ("float", "number")):
        line = line.replace(f"is not a valid {kind} range", f"is no {word}").replace(
            f"is not a valid {kind}", f"is no {word}"
        )
    return line


def _fail(message: str) -> int:
    print(f"adjudge: {message}", file=sys.stderr)  # noqa: T201 - the command line prints
    return _USAGE_ERROR


def _command(name: str) -> click.Command:
    """Import a command of core or of a plugin.

    Raises:
        UnknownNameError: There is none of that name.
    """
    if name in COMMANDS:
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
    return _plugin_command(name)


def _plugin_command(name: str) -> click.Command:
    from adjudge.errors import UnknownNameError
    from adjudge.plugins import COMMANDS_GROUP, find_plugins, load_plugins

    names = {found.name for found in find_plugins(COMMANDS_GROUP)}
    if name not in names:
        raise UnknownNameError("command", name, {*COMMANDS, *names})
    plugins = load_plugins()
    if name not in plugins.commands:
        failed = "; ".join(f"{plugin}: {why}" for plugin, why in plugins.failures.items())
        raise UnknownNameError("command", name, {*COMMANDS, *plugins.commands}, f"its plugin did not load: {failed}")
    return plugins.commands[name]
