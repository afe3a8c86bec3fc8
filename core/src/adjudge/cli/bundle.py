"""`adjudge bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from adjudge.api import installed
from adjudge.cli.groups import WholeGroup

MOST_SHOWN = 20
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=WholeGroup)
def bundle() -> None:
    """Pack a run into one file that others can check and replay without a model."""


@bundle.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("file", metavar="FILE.zip", type=_FILE)
def make(folder: Path, file: Path) -> int:
    """Write all that a replay of RUN needs into FILE.zip.

    Rubric, rows with their labels, prompts, replies, verdicts, scores, options and versions, each file with its
    SHA-256. Options of backends, which may hold keys, are not in it; texts of submissions are. The run is replayed
    first.
    """
    from adjudge.report.archive import sha256
    from adjudge.report.bundle import make_bundle

    found = make_bundle(folder, file, installed())
    click.echo(f"{file}: {found.submissions:,} submissions, {found.verdicts:,} verdicts, replayed with equal scores")
    click.echo(f"SHA-256 {sha256(file.read_bytes())}")
    return 0


@bundle.command()
@click.argument("file", metavar="FILE.zip", type=_FILE)
def verify(file: Path) -> int:
    """Check every file in FILE.zip against the manifest."""
    from adjudge.report.archive import sha256, unpacked

    manifest, files = unpacked(file)
    click.echo(
        f"{file}: {len(files)} files are what the manifest says\nrun: {manifest['title']}, {manifest['created']}"
    )
    click.echo(f"SHA-256 {sha256(file.read_bytes())}")
    return 0


@bundle.command()
@click.argument("file", metavar="FILE.zip", type=_FILE)
def replay(file: Path) -> int:
    """Judge FILE.zip again with the replies in it, and compare: asks no model; exit status 1 if anything differs."""
    from adjudge.report.replay import replay_bundle

    found = replay_bundle(file, installed())
    for name, (then, now) in found.versions.items():
        click.echo(f"warning: {name} was {then}, {f'is {now}' if now else 'is not installed'}", err=True)
    for one in found.differences[:MOST_SHOWN]:
        click.echo(f"{one.submission}: {one.what}: was {one.was}, now {one.now}")
    if (more := len(found.differences) - MOST_SHOWN) > 0:
        click.echo(f"… and {more:,} more")
    lost = f"; {found.lost:,} questions have no reply in the bundle" if found.lost else ""
    said = (
        f"{len(found.differences):,} verdicts and scores differ"
        if found.differences
        else "all verdicts and scores are equal"
    )
    click.echo(f"{file}: {found.submissions:,} submissions, {found.verdicts:,} verdicts judged again: {said}{lost}")
    return 1 if found.differences else 0
