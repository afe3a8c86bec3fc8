"""`adjudge judge` and `adjudge test`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adjudge.api import load_rubric
from adjudge.cli.options import how_from, how_options, out_options, pairs


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rubric", "rubric_name", help="Id of an installed rubric, or path of a YAML file.")
@click.option("--column", "columns", multiple=True, callback=pairs, metavar="FIELD=NAME", help="Where a field stands.")
@click.option("--limit", type=click.IntRange(min=1), help="Judge the first N rows only.")
@click.option(
    "--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be read, rather than refusing the file."
)
@how_options
@out_options
def judge(
    file: Path,
    rubric_name: str | None,
    *,
    columns: dict[str, Any],
    limit: int | None,
    skip_bad_rows: bool,
    out: Path | None,
    parquet: bool,
    min_coverage: float,
    **options: Any,
) -> int:
    """Judge FILE (.jsonl, .csv, .parquet) by a rubric.

    Prints a table and writes verdicts.jsonl, scores.jsonl, the ledger and report.html. The same command again asks
    only what is missing, failed or changed.
    """
    from adjudge.cli.job import Job
    from adjudge.cli.running import answerer, default_folder, execute, show, status
    from adjudge.dataset import read_items
    from adjudge.label_checks import refuse_misfits
    from adjudge.tasks import unknown_labels

    rubric = load_rubric(rubric_name) if rubric_name else None
    data = read_items(file, columns={k: str(v) for k, v in columns.items()}, skip_bad_rows=skip_bad_rows, limit=limit)
    refuse_misfits(data, rubric)
    how = how_from(options)
    job = Job(
        title=f"{file.name} by {rubric.title or rubric.id if rubric else 'its own rubrics'}",
        items=data.items,
        rubric=rubric,
        how=how,
        out=out or default_folder(file.stem, rubric.id if rubric else "own rubrics", answerer(how), *how.settings),
        source={"command": "judge", "file": str(file)},
        limit=limit,
        warnings=[
            *(f"left out, since it could not be read: {row}" for row in data.bad_rows),
            *unknown_labels(data.items, rubric),
        ],
        rubric_file=rubric_name if rubric_name and rubric_name.endswith((".yaml", ".yml")) else "",
        data_hash=data.sha256,
    )
    record = execute(job)
    show(record, job, parquet=parquet)
    return status(record, min_coverage)


@click.command()
@click.argument("rubric_name", metavar="RUBRIC")
@click.option("--fail-under", type=click.FloatRange(0, 1), help="Exit with 1 if a smaller share of the levels agrees.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.")
@how_options
def test(rubric_name: str, *, fail_under: float | None, out: Path | None, **options: Any) -> int:
    """Run the golden tests of RUBRIC (id or path) against a judge.

    Prints the confusion table and keeps the result as the judge card of this backend, read-out and rubric.
    """
    from rich.console import Console

    from adjudge.cli.golden import measure_card
    from adjudge.cli.running import answerer, default_folder
    from adjudge.report import confusion_table, line

    rubric, how = load_rubric(rubric_name), how_from(options)
    folder = out or default_folder("test", rubric.id, answerer(how), *how.settings)
    card, _ = measure_card(rubric, how, folder)
    Console().print(confusion_table(card))
    click.echo(f"{line(card)}\nkept in {folder} and in the user's cache of judge cards")
    agreed = card.agreement or 0.0
    return 1 if card.scored == 0 or (fail_under is not None and agreed < fail_under) else 0
