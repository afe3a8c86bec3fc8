"""What the benches share: modules found by their name, text tables, and the folder of public data sets."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import ModuleType

BENCH = Path(__file__).resolve().parent


def modules(prefix: str, wanted: Collection[str] = (), folder: Path = BENCH) -> Iterator[tuple[str, ModuleType]]:
    """The modules `<prefix>_<name>.py` of a folder with their names, sorted; all of them if none is asked for.

    Raises:
        SystemExit: A wanted name has no module; says which there are.
    """
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    known = sorted(path.stem.removeprefix(f"{prefix}_") for path in folder.glob(f"{prefix}_*.py"))
    strangers = set(wanted) - set(known)
    if strangers:
        sys.exit(f"{prefix}: {min(strangers)!r} is none of {', '.join(known)}")
    for name in wanted or known:
        yield name, importlib.import_module(f"{prefix}_{name}")


def data_set(name: str) -> Path | None:
    """The folder of a public data set under ADJUDGE_DATA; None, with a word on stderr, where it is absent."""
    root = Path(os.environ.get("ADJUDGE_DATA", BENCH.parent / "../shared/data"))
    if (root / name).is_dir():
        return root / name
    print(f"{name}: not under ADJUDGE_DATA, left out", file=sys.stderr)
    return None


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE from the command line."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def table(rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Rows as text, the first one the header."""
    if markdown:
        lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def rewrite(page: Path, name: str, text: str) -> None:
    """Put text between `<!-- name -->` and `<!-- /name -->` of a page, in place of what stands there.

    Raises:
        SystemExit: The page has no such place.
    """
    start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    before, found, rest = page.read_text("utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        sys.exit(f"{page}: has no place {start.strip()} … {end.strip()}")
    page.write_text(f"{before}{start}\n{text}\n{end}{after}", "utf-8")
