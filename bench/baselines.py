"""Baselines on public data sets with human labels: majority, judges without a model, the local model.

    python bench/baselines.py [NAME…] [--label N] [--reasoned N] [--no-model] [--seed 0] [--markdown | --write]

Reads the folder named by ADJUDGE_DATA (by default ../shared/data beside the repository). Every module
`bench/baselines_<name>.py` has a function `rows(options)` that gives `baseline.Baseline` values, none where its data
are absent. Replies are kept in a ledger, so the same command again asks nothing twice. `--write` puts the table into
docs/explanation/baselines.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from baseline import Baseline, Options
from tables import modules, pair, table

from adjudge.errors import AdjudgeError
from adjudge.metrics import Estimate

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "baselines.md"
MARKS = "<!-- baselines: begin -->\n", "<!-- baselines: end -->\n"
HEADER = ["set", "judge", "read-out", "n", "coverage", "figures [95 %]"]


def lines(found: Iterable[Baseline]) -> list[list[str]]:
    """The table, its header first: a line for each judge on each set, with its figures side by side."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for row in found:
        who = row.set, row.judge, row.read_out, f"{row.value.n:,}", f"{row.coverage:.0%}"
        grouped.setdefault(who, []).append(f"{row.figure} {shown(row.value)}")
    return [HEADER, *([*who, "; ".join(figures)] for who, figures in grouped.items())]


def shown(value: Estimate) -> str:
    """A figure with its interval, or why there is none."""
    if value.value is None:
        return f"undefined: {value.note}"
    ends = "" if value.low is None or value.high is None else f" [{value.low:.2f}, {value.high:.2f}]"
    return f"{value.value:.2f}{ends}"


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="modules baselines_NAME.py; all if none")
    parser.add_argument(
        "--label", type=int, metavar="N", help="items for the read-out label; each set has its own number"
    )
    parser.add_argument("--reasoned", type=int, metavar="N", help="items for the read-out reasoned; likewise")
    parser.add_argument("--no-model", action="store_true", help="only the judges that ask no model")
    parser.add_argument("--backend", default="local", help="the model: local, local:PATH.gguf, openai:MODEL, …")
    parser.add_argument("-B", dest="backend_options", action="append", default=[], type=pair, metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=0, help="seed of samples, folds and orders (0)")
    parser.add_argument("--ledger", type=Path, default=Options.ledger)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    return parser.parse_args(arguments)


def write(rows: list[list[str]]) -> None:
    """Put the table into the page, between its marks."""
    begin, end = MARKS
    before, _, after = PAGE.read_text("utf-8").partition(begin)
    PAGE.write_text(f"{before}{begin}{table(rows, markdown=True)}\n{end}{after.partition(end)[2]}", "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, print."""
    given = parsed(arguments)
    samples = {} if given.no_model else {"label": given.label, "reasoned": given.reasoned}
    options = Options(given.seed, samples, given.backend, given.ledger, dict(given.backend_options))
    try:
        found = [row for _, module in modules("baselines", given.names) for row in module.rows(options)]
    except AdjudgeError as error:
        print(f"baselines: {error}", file=sys.stderr)
        return 2
    if not found:
        print("baselines: no data set found; set ADJUDGE_DATA to the folder that holds them", file=sys.stderr)
        return 2
    print(table(lines(found), markdown=given.markdown))
    if given.write:
        write(lines(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
