"""The static rule trees of the three domains, and the graph that they are the roots of.

    python -m adjudge_mentor.rules rules.jsonl

writes that graph, for the judge `reflective` and the solver `guided`.
"""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path

from adjudge_mentor.queries import DOMAINS, Domain
from adjudge_metacog.changes import Author
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.trees import RuleTree, graph_of, load_tree, planted

_AUTHOR = Author("adjudge-mentor")


def tree_of(domain: Domain) -> RuleTree:
    """The rule tree of a domain."""
    with as_file(files("adjudge_mentor") / "trees" / f"{domain}.yaml") as path:
        return load_tree(path)


def static_graph() -> RuleGraph:
    """The graph of all three trees, in memory."""
    return graph_of(*map(tree_of, DOMAINS), author=_AUTHOR)


def write_graph(path: str | Path) -> int:
    """Write the graph of all three trees; what the file holds already stays.

    Returns:
        The number of active rules.

    Raises:
        InputError: The file is there and is no rule graph.
    """
    from adjudge_metacog.log import change

    trees = [tree_of(domain) for domain in DOMAINS]
    log = change(path, *(lambda graph, tree=tree: planted(graph, tree, _AUTHOR) for tree in trees))
    return len(log.graph.active)


def main(arguments: list[str]) -> int:
    """Write the graph into the file that is named.

    Returns:
        Exit status.
    """
    from adjudge.errors import AdjudgeError

    if len(arguments) != 1:
        print("say where to: python -m adjudge_mentor.rules rules.jsonl", file=sys.stderr)  # noqa: T201 - a command
        return 2
    try:
        print(f"{write_graph(arguments[0])} active rules in {arguments[0]}")  # noqa: T201 - as above
    except AdjudgeError as error:
        print(error, file=sys.stderr)  # noqa: T201 - as above
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
