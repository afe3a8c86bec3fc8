"""The command `adjudge reflect`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import how_from, how_options, pairs

if TYPE_CHECKING:
    from adjudge.cli.options import How
    from adjudge.rubric import Rubric
    from adjudge_metacog.running import Plan

_FILE = click.Path(path_type=Path)
_SHARE = click.FloatRange(0, 1)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--rubric", "rubric_name", default="metacog/self-assessment", show_default=True, help="Id or path.")
@click.option("--graph", type=_FILE, help="Rule graph to start from; it stays as it is. None: no rules yet.")
@click.option("--candidate", default="", help="Backend that answers; without one, given outputs are judged.")
@click.option("--criterion", default="", help="Criterion that counts: alignment, or the only one of the rubric.")
@click.option(
    "--learner",
    type=click.Choice(["model", "phrases", "risks"]),
    default="model",
    show_default=True,
    help="Who proposes rules: the judge's model, or templates that need no model.",
)
@click.option(
    "--compare", type=click.Choice(["words", "model"]), default="words", show_default=True, help="Who tells duplicates."
)
@click.option("--unseen", default="", metavar="FIELD", help="Final figures from whole values of FIELD, as scenario.")
@click.option("--parts", default="0.4,0.4,0.2", show_default=True, help="Shares to learn from, to prove on, to report.")
@click.option("--split-seed", default=0, show_default=True, help="Another seed gives other parts.")
@click.option("--cycles", default=1, show_default=True, type=click.IntRange(1), help="Most cycles.")
@click.option("--most", default=20, show_default=True, type=click.IntRange(1), help="Most rules a cycle proves.")
@click.option("--margin", default=0.0, show_default=True, type=_SHARE, help="Least improvement that must be sure.")
@click.option("--refusals", default=0.05, show_default=True, type=_SHARE, help="Most refusals, or cases spoiled.")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0, 0.5, min_open=True), help="Error.")
@click.option("--rules", default=5, show_default=True, type=click.IntRange(0), help="Most rules shown at a time.")
@click.option("--characters", default=2000, show_default=True, type=click.IntRange(0), help="Most of them together.")
@click.option("--keep", is_flag=True, help="Leave rules active that help no more.")
@click.option("--answer-tokens", default=600, show_default=True, type=click.IntRange(1), help="Most tokens an answer.")
@click.option("--column", "columns", multiple=True, callback=pairs, metavar="FIELD=NAME", help="Where a field stands.")
@click.option("--limit", type=click.IntRange(min=1), help="Take the first N rows only.")
@click.option("--out", type=_FILE, help="Folder of the run; the same folder resumes it.")
@how_options
def reflect(file: Path, *, rubric_name: str, graph: Path | None, out: Path | None, **options: Any) -> int:
    """Learn rules from FILE, prove them on held-out cases, and report before and after.

    With --candidate the requests in FILE are answered under the rules that there are, and the answers are judged;
    without, the outputs in FILE are judged and held against the labels that people gave. The graph that was learned is
    written to OUT/rules.jsonl; look at it, then `adjudge graph merge OUT/rules.jsonl --out GRAPH`.
    """
    from adjudge.api import load_rubric
    from adjudge.cli.running import answerer, default_folder
    from adjudge_metacog.dry import dry_lines
    from adjudge_metacog.run_folder import head, run, started

    rubric = load_rubric(rubric_name)
    key = {"command": "reflect", "file": str(file), "rubric": rubric.id, "graph": str(graph or ""), **plain(options)}
    plan = _plan(file, rubric, options, rubric_name)
    if plan.how.dry_run:
        for line in dry_lines(plan, started(graph)[0], out):
            click.echo(line)
        return 0
    folder = out or default_folder("reflect", file.stem, rubric.id, answerer(plan.how, "isolated"), plan.learner)
    found, where = run(plan, folder, graph, key)
    click.echo("\n".join([*head(where), str(found)]))
    click.echo(f"\n{where['asked now']:,} questions asked now, {where['from the ledger']:,} answered from the ledger")
    click.echo(f"graph: {folder / 'rules.jsonl'}; report: {folder / 'report.md'}")
    return 0


_NO_MATTER = {"dry_run", "durable", "local_only", "concurrency", "deadline", "attempt_timeout", "attempts"}
_NO_MATTER |= {"requests_per_minute", "tokens_per_minute", "max_calls", "max_total_tokens", "max_cost"}


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """What of the options makes it another run."""
    return {name: value for name, value in options.items() if name not in _NO_MATTER and value not in (None, "", {})}


def _plan(file: Path, rubric: Rubric, options: dict[str, Any], rubric_name: str) -> Plan:
    from adjudge_metacog.cases import parted, read_cases
    from adjudge_metacog.gate import ANSWERS, LABELS, Gate
    from adjudge_metacog.retrieval import Budget
    from adjudge_metacog.running import Plan

    columns = {name: str(value) for name, value in options.pop("columns").items()}
    cases = read_cases(file, columns or None, options.pop("limit"))
    unseen, seed = options.pop("unseen"), options.pop("split_seed")
    shares = options.pop("parts")
    parts = parted(cases, unseen=unseen, seed=seed, shares=shares_of(shares))
    gate = Gate(
        margin=options.pop("margin"),
        refusals=options.pop("refusals"),
        alpha=options.pop("alpha"),
        split=f"{file.name}, parts {shares}, seed {seed}" + (f", unseen {unseen}" if unseen else ""),
        words=ANSWERS if options["candidate"] else LABELS,
    )
    own = {name: options.pop(name) for name in ("candidate", "learner", "compare", "cycles", "most", "keep")}
    budget = Budget(options.pop("rules"), options.pop("characters"))
    tokens, criterion = options.pop("answer_tokens"), criterion_named(rubric, options.pop("criterion"))
    told = (str(file), "--rubric", rubric_name, *(f"--column={name}={column}" for name, column in columns.items()))
    return Plan(
        parts=parts,
        rubric=rubric,
        criterion=criterion,
        how=asked_how(options),
        gate=gate,
        budget=budget,
        tokens=tokens,
        told=told,
        **own,
    )


def asked_how(options: dict[str, Any]) -> How:
    """How to judge; what the loop cannot work with is refused."""
    how = how_from(options)
    if how.batch or how.redact or how.store != "text":
        raise click.UsageError("--batch, --redact and --store hashes do not go with learning: it reads what it wrote")
    return how


def criterion_named(rubric: Rubric, name: str) -> str:
    """The criterion that counts: the one named, else `alignment`, else the only one."""
    from adjudge.errors import InputError, UnknownNameError

    known = [criterion.id for criterion in rubric.criteria]
    chosen = name or ("alignment" if "alignment" in known else known[0] if len(known) == 1 else "")
    if not chosen:
        raise InputError(
            f"{rubric.id}: one criterion is learned for, and it has {len(known)}, none of them called alignment; "
            f"choose with --criterion one of {', '.join(known)}"
        )
    if chosen not in known:
        raise UnknownNameError(f"criterion of {rubric.id}", chosen, known)
    return chosen


def shares_of(text: str) -> dict[str, float]:
    """Shares to learn from, to prove on and to report, which sum to 1."""
    try:
        values: Sequence[float] = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 3 or min(values) < 0 or abs(sum(values) - 1) > 1e-6:  # noqa: PLR2004 - learn, gate, final
        raise click.UsageError(f"--parts {text}: three shares that sum to 1 are wanted, for example 0.4,0.4,0.2")
    return dict(zip(("learn", "gate", "final"), values, strict=True))
