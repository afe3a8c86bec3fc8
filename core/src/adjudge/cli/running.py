"""Runs a judge over items: folder, ledger, progress, Ctrl-C, results, report."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from adjudge.api import BoundJudge, installed
from adjudge.assembly import assemble
from adjudge.batching import TWO_DAYS, BatchBackend
from adjudge.cli.dry import DryBackend
from adjudge.cli.interrupt import stopping
from adjudge.cli.job import Job
from adjudge.cli.options import How
from adjudge.cli.progress import Progress
from adjudge.cli.record import ASKED, DOWNGRADED, SERVED, now, record_of, saved
from adjudge.engine import Engine
from adjudge.errors import InputError, UnsupportedError
from adjudge.interfaces import Backend, Item, Judge
from adjudge.judges.members import asking, backends_of
from adjudge.ledger import LEDGER, Ledger
from adjudge.privacy import Store
from adjudge.recipe import Started
from adjudge.report import RunRecord, print_record, write_verdicts
from adjudge.report.export import SCORES
from adjudge.report.writing import report_folder
from adjudge.sending import Policy
from adjudge.submission import Comparison
from adjudge.verdict import Result

MARKER = "run.json"


def open_folder(out: Path, key: Mapping[str, Any], *, durable: bool = False, store: Store = "text") -> Ledger:
    """Open the folder of a run, and resume it if it is the same run.

    Raises:
        InputError: The folder holds something else.
        LedgerError: The ledger is torn or cannot be written.
    """
    check_folder(out, key)
    out.mkdir(parents=True, exist_ok=True)
    return Ledger(out / LEDGER, durable=durable, store=store)


def check_folder(out: Path, key: Mapping[str, Any]) -> None:
    """Refuse a folder that holds something else.

    Raises:
        InputError: It does.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: a file, not a folder; choose another --out")
    marker = out / MARKER
    if out.is_dir() and not marker.exists() and any(out.iterdir()) and not (out / LEDGER).exists():
        raise InputError(f"{out}: holds other files; choose an empty or new folder with --out")
    if marker.exists() and (other := _difference(_read_key(marker), key)):
        raise InputError(f"{out}: holds another run ({other}); choose another --out")


def _read_key(marker: Path) -> dict[str, Any]:
    try:
        value = json.loads(marker.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{marker}: not the record of a run ({error}); choose another --out") from error
    return value if isinstance(value, dict) else {}


def _difference(held: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """In what the run that a folder holds differs from the one that was asked for; empty if in nothing."""
    # Older folders hold the limit; fewer rows are refused by their results.
    names = [name for name in {**held, **asked} if name != "limit" and held.get(name) != asked.get(name)]
    return "; ".join(f"{name} {_told(held.get(name))}, here {_told(asked.get(name))}" for name in names)


def _told(value: Any) -> Any:
    return "not given" if value is None else value


def default_folder(*parts: str) -> Path:
    """Where a run goes if the user does not say: a name made of what is judged, by which rubric and backend."""
    words = (re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-").lower()[:40] for part in parts)
    return Path("-".join(("adjudge", *(word for word in words if word))))


def answerer(how: How, judge: str = "") -> str:
    """Who answers, for the name of a folder: the backend, or nobody where the judge asks no model.

    Args:
        how: How to judge.
        judge: The judge if nobody chose one.
    """
    spec = installed().judges.get(how.judge or judge)
    return how.backend if spec is None or spec.asks else ""


def execute(job: Job) -> RunRecord:
    """Judge everything that is missing, write the results and the report, and give the record.

    Raises:
        click.exceptions.Exit: With 130 after Ctrl-C; what was judged is in the ledger.
    """
    key = {
        **job.source,
        "rubric": job.rubric.id if job.rubric else "each submission's own",
        "backend": job.how.backend,
        "judge": job.how.judge or job.judge,
        "read-out": job.how.read_out,
        **job.how.told,
        "candidate": job.candidate,
        **({"solver": " ".join((job.solver, *_pairs(job.solver_options)))} if job.candidate else {}),
        **({"candidate options": dict(job.candidate_options)} if job.candidate_options else {}),
    }
    _check_rubrics(job)
    if job.how.redact is not None:
        from adjudge.cli.redact import redacted

        job = replace(job, items=redacted(job.items, job.how.redact))
    if job.how.dry_run:
        click.echo(asyncio.run(_dry(job)))
        raise click.exceptions.Exit(0)
    if job.limit:
        _refuse_fewer(job)
    check_folder(job.out, key)
    return asyncio.run(_execute(job, key))


def _check_rubrics(job: Job) -> None:
    lacking = next((item.id for item in job.items if item.rubric is None), None) if job.rubric is None else None
    if lacking is not None:
        raise InputError(f"{lacking!r} brings no rubric and none was given; use --rubric ID or PATH")


def _refuse_fewer(job: Job) -> None:
    """Refuse to put the results of a few rows in the place of those of more.

    Raises:
        InputError: The folder holds results of more rows than `--limit` leaves.
    """
    path = job.out / SCORES
    held = len(path.read_bytes().splitlines()) if path.exists() else 0
    if held > len(job.items):
        raise InputError(
            f"{job.out}: holds the results of {held:,} rows, and --limit {job.limit} would replace them by"
            f" {len(job.items):,}; choose another --out"
        )


def _pairs(options: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(options.items())]


def _assembled(job: Job, started: Started) -> tuple[Judge, Backend, list[Backend]]:
    """The judge, its backend, and all backends that must be closed."""
    judge, backend = assemble(installed(), *_parts(job), start=started)
    return judge, backend, list({id(one): one for one in (backend, *backends_of(judge))}.values())


def _parts(job: Job) -> tuple[str, dict[str, Any], str, dict[str, Any]]:
    """What the judge is made of."""
    name = job.how.judge or job.judge or ("compare" if _compares(job.items) else "isolated")
    return name, job.how.options(dict(job.defaults)), job.how.backend, job.how.backend_options


def _recipe(job: Job, started: Started) -> dict[str, Any]:
    """How the judge can be made again; not kept where texts are not, since no question could be found again."""
    recipe = None if job.how.store == "hashes" else started.recipe(*_parts(job))
    return {} if recipe is None else {"recipe": recipe.model_dump(mode="json")}


async def _execute(job: Job, key: Mapping[str, Any]) -> RunRecord:
    started = Started(installed())
    judge, backend, backends = _assembled(job, started)
    try:
        for one in backends:
            _check_local(job.how, one)
        with Ledger(":memory:") as nowhere:
            _bound(job, judge, backend, nowhere, batch=job.how.batch)
        # Only now is there a folder: a misspelt name or a judge that does not fit the rubric leaves none behind.
        with open_folder(job.out, key, durable=job.how.durable, store=job.how.store) as ledger:
            bound = _bound(job, judge, backend, ledger, batch=job.how.batch)
            return await _run(job, key, bound, ledger, started)
    finally:
        for one in backends:
            await one.aclose()


async def _run(job: Job, key: Mapping[str, Any], bound: BoundJudge, ledger: Ledger, started: Started) -> RunRecord:
    items = await _answered(job, bound.engine)
    # Only now is it a run: a candidate that fails must not make the folder another run's.
    (job.out / MARKER).write_text(json.dumps(dict(key), indent=2, sort_keys=True) + "\n", "utf-8")
    begun = {"title": job.title, "source": dict(job.source), "started": now()}
    run = ledger.begin_run(json.dumps(begun))
    results = await _judge_all(bound, items, ledger, run)
    record = record_of(job, items, results, bound)
    kept = {"title": job.title, "created": record.created, **saved(record), **_recipe(job, started)}
    ledger.update_run(run, json.dumps(kept))
    return record


def _bound(job: Job, judge: Judge, backend: Backend, ledger: Ledger, *, batch: bool = False) -> BoundJudge:
    patience = {"deadline": TWO_DAYS, "attempt_timeout": TWO_DAYS} if job.how.batch else {}
    policy = Policy(**(patience | job.how.policy))
    asked = BatchBackend(backend, ledger) if batch else backend
    return BoundJudge(judge, job.rubric, asked, ledger, installed(), concurrency=job.how.concurrency, policy=policy)


async def _dry(job: Job) -> str:
    """What the run would take; a ledger that is there is looked at, and nothing is written."""
    judge, backend, backends = _assembled(job, Started(installed()))
    dry = {id(one): DryBackend(one) for one in backends}
    asked = asking(judge, lambda one: dry[id(one)])
    if not all(isinstance(one, DryBackend) for one in backends_of(asked)):
        raise UnsupportedError(
            f"the judge {judge.name!r} cannot be tried with --dry-run: it keeps its backends to itself"
        )
    path = job.out / LEDGER
    items, candidate = await _answered_dry(job)
    try:
        with Ledger(path if path.is_file() else ":memory:") as ledger:
            await _bound(job, asked, dry[id(backend)], ledger).many(items)
    finally:
        for one in backends:
            await one.aclose()
    counted = [*candidate, *([one for one in dry.values() if one.questions] or [dry[id(backend)]])]
    return "\n".join(one.line() for one in counted)


async def _answered_dry(job: Job) -> tuple[Sequence[Item], list[DryBackend]]:
    """The items as if they were answered, and who would have been asked for that."""
    if job.candidate is None:
        return job.items, []
    from adjudge.cli.candidate import answer_dry

    items, dry = await answer_dry(job)
    return items, [dry]


def _check_local(how: How, backend: Backend) -> None:
    if how.local_only and not backend.capabilities.local:
        raise UnsupportedError(f"{backend.name} is not on this machine and --local-only is set; use --backend local")


def _compares(items: Sequence[Item]) -> bool:
    return bool(items) and isinstance(items[0], Comparison)


async def _answered(job: Job, engine: Engine) -> Sequence[Item]:
    """The items, with a candidate's answers where the job asks for one."""
    if job.candidate is None:
        return job.items
    from adjudge.cli.candidate import answer_all

    return await answer_all(job, engine)


async def _judge_all(bound: BoundJudge, items: Sequence[Item], ledger: Ledger, run: int) -> list[Result]:
    await bound.prepare()
    if bound.downgraded:
        click.echo(f"warning: {DOWNGRADED}", err=True)
    progress = Progress(len(items), bound.engine.tally)

    def done(position: int, result: Result) -> None:
        ledger.record_item(run, position, items[position], result.verdicts)
        progress.advance(result)

    with progress, stopping(bound.engine):
        return await bound.many(items, done)


def show(record: RunRecord, job: Job, *, parquet: bool = False) -> None:
    """Write the run's files and print its table."""
    from rich.console import Console

    write_verdicts(job.out, record.results, parquet=parquet)
    report = report_folder(job.out, record)
    print_record(record, Console())
    asked, served = (record.provenance[name] for name in (ASKED, SERVED))
    click.echo(f"{asked:,} questions asked now, {served:,} answered from the ledger\nreport: {report}")


def status(record: RunRecord, min_coverage: float) -> int:
    """Exit status: 1 if coverage is under the bar, or nothing at all was scored."""
    due = [verdict for result in record.results for verdict in result.verdicts if verdict.status != "skipped"]
    coverage = sum(verdict.status == "scored" for verdict in due) / len(due) if due else 0.0
    if coverage == 0:
        click.echo("nothing was scored; the report says why", err=True)
        return 1
    if coverage < min_coverage:
        click.echo(f"coverage {coverage:.1%} is under the minimum of {min_coverage:.1%}", err=True)
        return 1
    return 0
