"""Commands for rubric packs: write, check, list, show and compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge.cli.groups import WholeGroup

if TYPE_CHECKING:
    from adjudge.errors import Problem
    from adjudge.packs import Pack, PackIndex, RubricDiff
    from adjudge.rubric import Criterion, Rubric

_FILE = click.Path(path_type=Path)


@click.group(cls=WholeGroup)
def new() -> None:
    """Write files to start from."""


@new.command("rubric", short_help="Start a rubric pack.")
@click.argument("name")
@click.option("--dir", "folder", type=_FILE, default=Path(), help="Folder to write to.", show_default="here")
def new_rubric_command(name: str, folder: Path) -> None:
    """Write the rubric pack NAME (`name` or `domain/name`), complete and commented, and its schema for editors."""
    from adjudge.packs import new_rubric

    pack, schema = new_rubric(name, folder)
    click.echo(f"wrote {pack} and {schema.name}; check it with: adjudge lint {pack}")


@new.command("plugin", short_help="Start a plugin for a domain.")
@click.argument("name")
@click.option("--dir", "folder", type=_FILE, default=Path(), help="Folder to write to.", show_default="here")
def new_plugin_command(name: str, folder: Path) -> None:
    """Write a domain plugin, the distribution adjudge-NAME: rubric pack, task, synthetic cases, tests that pass."""
    from adjudge.scaffold import new_plugin

    project = new_plugin(name, folder)
    click.echo(f"wrote {project}; try it: cd {project} && pip install -e '.[test]' && pytest")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=_FILE)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
def lint(paths: Sequence[Path], *, strict: bool) -> None:
    """Check rubric packs: files, or folders of them. Exit status 2 if any is refused."""
    names = _known_names()
    errors: list[Problem] = []
    warnings: list[Problem] = []
    files = [file for path in paths for file in _pack_files(path)]
    for file in files:
        _lint_file(file, names, errors, warnings)
    for problem in errors:
        click.echo(f"error: {problem}")
    for problem in warnings:
        click.echo(f"warning: {problem}")
    click.echo(f"{_count(len(files), 'pack')}, {_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}")
    if errors or (strict and warnings):
        click.get_current_context().exit(2)


def _lint_file(file: Path, names: tuple[list[str], list[str]], errors: list[Problem], warnings: list[Problem]) -> None:
    import datetime as dt

    from adjudge.errors import PackError
    from adjudge.packs import lint as lint_pack
    from adjudge.packs import load_pack

    try:
        pack = load_pack(file)
    except PackError as error:
        errors += error.problems
    else:
        today = dt.datetime.now(dt.UTC).date()
        warnings += lint_pack(pack, today, scorings=names[0], templates=names[1])
        warnings += _scoring_misfit(pack)


def _scoring_misfit(pack: Pack) -> Iterator[Problem]:
    """What the pack's scoring says of it; a name that is not installed is told of elsewhere."""
    from adjudge.api import build_scoring, installed
    from adjudge.errors import Problem, ScoringError
    from adjudge.scoring import check_scoring

    if pack.rubric.scoring.name not in installed().scorings:
        return
    try:
        check_scoring(pack.rubric, build_scoring(installed(), pack.rubric))
    except ScoringError as error:
        yield Problem(pack.path, *pack.place("scoring"), str(error), "scoring-misfit")


def _known_names() -> tuple[list[str], list[str]]:
    """Names of the installed scorings and prompt templates."""
    from adjudge.plugins import load_plugins
    from adjudge.prompts import templates

    return list(load_plugins().scorings), list(templates())


def _pack_files(path: Path) -> list[Path]:
    """The file itself, or every YAML file below a folder.

    Raises:
        InputError: The folder has none.
    """
    from adjudge.errors import InputError

    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in {".yaml", ".yml"} and file.is_file())
    if not found:
        raise InputError(f"{path}: no .yaml file in this folder; name a folder of packs or a pack")
    return found


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@click.command()
@click.option("--write", "folder", type=_FILE, help="Write the schemas of all types into this folder.")
def schema(folder: Path | None) -> None:
    """Print the JSON Schema of rubric packs, or write those of all types."""
    from adjudge.errors import InputError
    from adjudge.packs.schema import as_text, rubric_schema, write

    if folder is None:
        click.echo(as_text(rubric_schema()), nl=False)
        return
    try:
        for path in write(folder):
            click.echo(f"wrote {path}")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None


@click.group(invoke_without_command=True)
@click.pass_context
def rubrics(context: click.Context) -> None:
    """List the installed rubric packs."""
    if context.invoked_subcommand is None:
        _list_rubrics(_installed())


def _installed() -> PackIndex:
    from adjudge.plugins import load_plugins

    return load_plugins().packs


def _list_rubrics(index: PackIndex) -> None:
    broken = index.broken()
    packs = [index.get(name) for name, entry in index.ids().items() if entry.name not in broken]
    rows: list[tuple[str, ...]] = [("rubric", "version", "criteria", "from", "title")]
    rows += [_row(pack) for pack in packs]
    click.echo("\n".join(_columns(rows)) if packs else "no rubric packs; for example: pip install adjudge-rubrics")
    for error in broken.values():
        click.echo(f"refused: {error}", err=True)


def _row(pack: Pack) -> tuple[str, ...]:
    rubric = pack.rubric
    return rubric.id, rubric.version, str(len(rubric.criteria)), pack.distribution or pack.path, rubric.title


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Lines with the cells under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


@rubrics.command("show")
@click.argument("rubric_id", metavar="ID")
def show_rubric(rubric_id: str) -> None:
    """Print the rubric ID (or the one in a file) for reading."""
    pack = _pack_of(rubric_id)
    click.echo("\n".join(_described(pack.rubric, pack)))


def _pack_of(name: str) -> Pack:
    """A pack by path, if it looks like one or is one, otherwise by id.

    Raises:
        UnknownNameError: No pack of that id is installed.
        InputError: The file cannot be read.
        PackError: The pack is refused.
    """
    from adjudge.packs import load_pack

    if name.endswith((".yaml", ".yml")) or Path(name).is_file():
        return load_pack(name)
    return _installed().get(name)


def _described(rubric: Rubric, pack: Pack) -> Iterator[str]:
    yield f"{rubric.id} {rubric.version}{': ' if rubric.title else ''}{rubric.title}"
    yield from _fact("from", pack.distribution or pack.path)
    yield from _fact("hash", pack.hash)
    yield from _fact("role", rubric.role)
    if rubric.charter:
        yield from _fact("values", ", ".join(rubric.charter.values))
        yield from _fact("agreed by", rubric.charter.agreed_by)
    if rubric.licence:
        yield from _fact("licence", rubric.licence.spdx)
    if rubric.documentation:
        yield from _fact("intended use", rubric.documentation.intended_use)
        yield from _fact("limits", rubric.documentation.limits)
        yield from _fact("labels by", rubric.documentation.label_origin)
    yield from _fact("scoring", rubric.scoring.name)
    yield from _fact("tests", str(len(rubric.tests)))
    for criterion in rubric.criteria:
        yield from _described_criterion(criterion)


def _fact(name: str, value: str | None) -> Iterator[str]:
    if value and value.strip():
        yield f"  {name + ':':<14}{' '.join(value.split())}"


def _described_criterion(criterion: Criterion) -> Iterator[str]:
    weight = "" if criterion.weight == 1 else f", weight {criterion.weight:g}"
    yield ""
    yield f"{criterion.id} ({criterion.importance}{weight})"
    yield from _indented(criterion.text)
    for level in criterion.scale.levels:
        score = "" if level.score is None else f" = {level.score:g}"
        yield f"    {level.word}{score}{': ' if level.anchor else ''}{' '.join(level.anchor.split())}"
    for source in criterion.sources:
        yield f"    source: {', '.join(filter(None, (source.norm, source.clause, source.jurisdiction, source.url)))}"


def _indented(text: str) -> Iterator[str]:
    for line in text.strip().splitlines():
        yield f"  {line}"


@click.command()
@click.argument("old")
@click.argument("new")
def diff(old: str, new: str) -> None:
    """Say which criteria must be judged again when the rubric OLD becomes NEW (paths or ids)."""
    from adjudge.packs import diff_rubrics

    found = diff_rubrics(_pack_of(old).rubric, _pack_of(new).rubric)
    click.echo("\n".join(_told(found)))


def _told(found: RubricDiff) -> Iterator[str]:
    yield from _part("new, to be judged", found.new, found)
    yield from _part("changed, to be judged again", found.rejudge, found)
    yield from _part("only scored again", found.rescore, found)
    yield from _part("unchanged", found.unchanged, found)
    yield from _part("removed", found.removed, found)
    if "" in found.fields:
        yield f"for all criteria: {', '.join(found.fields[''])} changed"
    if found.same_version:
        yield "the version is the same: raise it, since a changed rubric needs its judges validated again"


def _part(title: str, names: Iterable[str], found: RubricDiff) -> Iterator[str]:
    lines = [f"  {name}{_changed(found.fields.get(name, ()))}" for name in names]
    if lines:
        yield f"{title}: {len(lines)}"
        yield from lines


def _changed(fields: Sequence[str]) -> str:
    return f" ({', '.join(fields)})" if fields else ""
