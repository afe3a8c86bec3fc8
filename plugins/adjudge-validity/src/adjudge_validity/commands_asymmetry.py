"""`adjudge asymmetry`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import how_from, how_options, pairs
from adjudge_validity.commands import AS_JSON

if TYPE_CHECKING:
    from adjudge_validity.audit.asymmetry import Asymmetry


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rubric", "rubric_name", required=True, help="Has a criterion for each kind, of the kind's name.")
@click.option("--kind", default="kind", show_default=True, metavar="FIELD", help="Column that names a passage's kind.")
@click.option(
    "--others", type=click.IntRange(min=1), multiple=True, help="How many of the other kind.  [default: 2, 4, 8]"
)
@click.option("--draw-seed", default=0, show_default=True, help="The same seed makes the same submissions.")
@click.option("--column", "columns", multiple=True, callback=pairs, metavar="FIELD=NAME", help="Where a field stands.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run; the same folder asks nothing twice.")
@AS_JSON
@how_options
def asymmetry(
    file: Path,
    *,
    rubric_name: str,
    kind: str,
    others: Sequence[int],
    draw_seed: int,
    columns: dict[str, Any],
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Is one passage of one kind among many of the other found as easily as the other way round?

    FILE holds passages of two kinds, for example flaws and merits; each kind is named after the criterion that says
    that it is there.
    """
    from adjudge.api import load_rubric
    from adjudge.cli.job import Job
    from adjudge.cli.running import answerer, default_folder, execute
    from adjudge.dataset import read_items
    from adjudge_validity.audit.asymmetry import SIZES, asymmetries, kinds_of, planned

    rubric = load_rubric(rubric_name)
    data = read_items(file, columns={k: str(v) for k, v in columns.items()})
    how = how_from(options)
    items = planned(
        kinds_of(data.items, kind, rubric), rubric, sizes=tuple(dict.fromkeys(others)) or SIZES, seed=draw_seed
    )
    job = Job(
        title=f"Search asymmetry of {answerer(how) or how.judge} on {file.name}",
        items=items,
        rubric=rubric,
        how=how,
        out=out or default_folder("asymmetry", file.stem, rubric.id, answerer(how), *how.settings),
        source={"command": "asymmetry", "file": str(file)},
        data_hash=data.sha256,
    )
    found = asymmetries(replace(execute(job), items=items))
    if as_json:
        from adjudge_validity.show import plain

        click.echo(json.dumps(plain(found), indent=2, ensure_ascii=False))
    else:
        _print(found)
    return 0


def _print(found: Sequence[Asymmetry]) -> None:
    for one in found:
        click.echo(f"{one.part or 'all'}: {one.first.sought} less {one.second.sought} {one.difference:+.2f}")
        for side in (one.first, one.second):
            click.echo(f"    {side.sought}: hits {side.hits:.2f}, false alarms {side.false_alarms:.2f}")
    if found[0].difference.note:
        click.echo(found[0].difference.note)
