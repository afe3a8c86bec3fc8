"""Published figures beside ours, recomputed from the public data sets and from stored gradings; no model is asked.

    python bench/reproduce.py [NAME…] [--markdown]

Reads the folder named by ADJUDGE_DATA (by default ../shared/data beside the repository). Every module
`bench/reproduce_<name>.py` has a function `rows()` that gives `published.Row` values, none where its data are absent.
Ends with status 1 if a figure differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from published import Row
from tables import modules, table


def lines(found: Iterable[tuple[str, Row]]) -> list[list[str]]:
    """The table, its header first."""
    header = ["bench", "what", "published", "ours", "", "note"]
    return [header, *([name, row.what, row.published, row.ours, row.verdict, row.note] for name, row in found)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="modules reproduce_NAME.py; all if none")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args(arguments)
    found = [(name, row) for name, module in modules("reproduce", options.names) for row in module.rows()]
    if not found:
        print("reproduce: no data set found; set ADJUDGE_DATA to the folder that holds them", file=sys.stderr)
        return 2
    print(table(lines(found), markdown=options.markdown))
    differing = sum(not row.agrees for _, row in found)
    print(f"\n{len(found)} figures, {differing} of them differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
