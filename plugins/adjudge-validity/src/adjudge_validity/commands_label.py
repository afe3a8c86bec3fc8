"""`adjudge label`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from adjudge_validity.labelling.session import Session

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("sources", nargs=-1, required=True, type=PATH, metavar="SOURCE…")
@click.option("--rubric", help="Id of an installed rubric, or path of a YAML file; a run has its own.")
@click.option("--rater", default="", help="Your name or sign, kept with every label.")
@click.option("--out", type=PATH, help="Labels file (.jsonl); one that is there is gone on with.")
@click.option("-n", "size", type=click.IntRange(min=1), help="How many submissions to draw.  [default: 100]")
@click.option(
    "--drawn",
    type=click.Choice(["active", "random"]),
    help="How: those that the judge is unsure of with a higher chance (the default of a run), or all with one chance.",
)
@click.option("--seed", type=int, help="Seed of the draw and of the order.  [default: 0]")
@click.option("--show-verdict", is_flag=True, help="Show the judge's verdicts while labelling; a label says that.")
@click.option("--review", is_flag=True, help="Agree with the verdicts of a run, edit them, or sign them off.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where the page is served; any if 0.")
@click.option("--open", "opens", is_flag=True, help="Open the page in your browser.")
@click.option("--verify", is_flag=True, help="SOURCE is a labels file: find the first line that was changed.")
@click.option("--export", type=PATH, help="Each SOURCE is a labels file: write the labels as .csv or .jsonl.")
def label(sources: Sequence[Path], *, verify: bool, export: Path | None, **options: Any) -> int:
    """Label submissions of SOURCE, a data file or the folder of a run, in a page on this machine.

    Every answer is written at once; the same command goes on where it was stopped. Ctrl-C ends it.
    """
    if verify:
        return _verify(sources)
    if export is not None:
        return _export(sources, export)
    if len(sources) > 1:
        raise click.UsageError("give one SOURCE to label; several are for --verify and --export")
    return _label(sources[0], **options)


def _label(
    source: Path,
    *,
    rubric: str | None,
    rater: str,
    out: Path | None,
    size: int | None,
    seed: int | None,
    drawn: Any,
    show_verdict: bool,
    review: bool,
    port: int,
    opens: bool,
) -> int:
    from adjudge.api import load_rubric
    from adjudge_validity.labelling.plan import Wish, material_of
    from adjudge_validity.labelling.session import Session

    if not rater.strip() or out is None:
        raise click.UsageError("--rater and --out are needed to label")
    material = material_of(source, load_rubric(rubric) if rubric else None)
    wish = Wish(purpose="review" if review else "label", size=size, seed=seed, drawn=drawn)
    with Session(out, material, wish, rater=rater.strip(), show_verdict=show_verdict) as session:
        _serve(session, port, opens=opens)
    return 0


def _serve(session: Session, port: int, *, opens: bool) -> None:
    from adjudge_validity.labelling.server import PageServer
    from adjudge_validity.labelling.standing import counts

    path = session.log.path
    if session.log.torn:
        click.echo(f"{path}: the last line was cut off while it was written; it is kept in {path}.torn", err=True)
    with PageServer(session, port) as server:
        done = session.progress
        click.echo(f"{path}: {done.submissions:,} of {done.of:,} submissions answered by {session.rater}")
        try:
            click.echo(f"open {server.url}\nCtrl-C ends it; nothing that the page took is lost")
            if opens:
                click.launch(server.url)
            server.serve_forever()
        except KeyboardInterrupt:
            server.busy.acquire()  # whoever is being answered is answered first, and nobody after
            click.echo(f"\n{path}: {', '.join(counts(session.labels)) or 'nothing said yet'}")


def _verify(sources: Sequence[Path]) -> int:
    from adjudge_validity.labelling.acts import read_labels
    from adjudge_validity.labelling.log import read_chain
    from adjudge_validity.labelling.standing import counts

    chains = {path: read_chain(path) for path in sources}
    for path, chain in chains.items():
        if chain.broken is not None:
            click.echo(f"{path}:{chain.broken.line}: the line {chain.broken.problem}")
            continue
        count = len(chain.lines)
        told = "1 line holds" if count == 1 else f"{count:,} lines hold"
        click.echo(f"{path}: {told}; the last has the hash {chain.head}")
        click.echo(f"  {', '.join(counts(read_labels(chain, str(path)))) or 'nothing said yet'}")
        if chain.torn:
            click.echo(f"  {len(chain.torn):,} bytes after it are a line cut off while it was written")
    return 1 if any(chain.broken is not None for chain in chains.values()) else 0


def _export(sources: Sequence[Path], out: Path) -> int:
    from adjudge_validity.labelling.export import export_labels

    number = export_labels(sources, out)
    click.echo(f"{out}: {number:,} rows")
    return 0
