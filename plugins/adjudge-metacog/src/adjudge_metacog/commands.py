"""The commands `adjudge graph …`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from adjudge.cli.groups import WholeGroup
from adjudge_metacog.nodes import EdgeKind, Status

if TYPE_CHECKING:
    from adjudge.metrics import Estimate
    from adjudge_metacog.changes import Author
    from adjudge_metacog.graph import RuleGraph
    from adjudge_metacog.log import Log
    from adjudge_metacog.nodes import Rule

_FILE = click.Path(path_type=Path)
_graph = click.argument("path", metavar="GRAPH", type=_FILE)
_by = click.option("--by", required=True, help="Who decides; goes on record.")


@click.group(cls=WholeGroup)
def graph() -> None:
    """Look at a graph of learned rules, and change it."""


def _say(lines: Iterable[str]) -> None:
    """Print; a rule's text is not ours, so that nothing in it reaches the terminal as a command."""
    from adjudge_metacog.exporting import printable

    for line in lines:
        click.echo(printable(line))


def _log(path: Path) -> Log:
    from adjudge_metacog.snapshot import load

    log = load(path)
    if log.torn:
        click.echo(f"{path}: {len(log.torn)} torn bytes after event {log.count} are passed over", err=True)
    return log


def _author(by: str) -> Author:
    import datetime as dt

    from adjudge_metacog.changes import Author

    return Author(by, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))


@graph.command()
@_graph
@click.option("--status", type=click.Choice(get_args(Status)), help="Only rules of this status.")
@click.option("--active", is_flag=True, help="Only rules that may guide.")
def show(path: Path, status: str | None, *, active: bool) -> None:
    """List the rules of GRAPH."""
    found = _log(path).graph
    rules = found.active if active else list(found.rules)
    shown = [rule for rule in rules if status in (None, found.records[rule.id].status)]
    _say(_rule_line(found, rule) for rule in shown)
    _say([f"{len(shown)} of {sum(1 for _ in found.rules)} rules"])


def _rule_line(found: RuleGraph, rule: Rule) -> str:
    return f"{rule.id}  {'/'.join(found.records[rule.id].statuses)}  severity {rule.severity}  {rule.text}"


@graph.command()
@_graph
@click.argument("node")
@click.option("--steps", default=1, show_default=True, type=click.IntRange(0, 20), help="How far from NODE.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(get_args(EdgeKind)), help="Edges to walk; all if none."
)
def query(path: Path, node: str, steps: int, kinds: Sequence[EdgeKind]) -> None:
    """Show what is near NODE in GRAPH."""
    from adjudge_metacog.queries import near

    found = _log(path).graph
    nodes, edges = near(found, node, steps, kinds)
    _say(f"{name}  {found.records[name].node.kind}  {found.records[name].node.text}" for name in nodes)
    _say(map(str, edges))


@graph.command()
@_graph
@click.argument("text")
@click.option("--domain", default="", help="Field of work of the case; rules of another one are left out.")
@click.option("--scenario", default="", help="Its kind of situation; rules of others are left out.")
@click.option("--criterion", default="", help="What is judged; rules for other criteria are left out.")
@click.option("--tag", "tags", multiple=True, help="Word that it is filed under.")
@click.option("--rules", default=5, show_default=True, type=click.IntRange(0), help="Most rules.")
@click.option("--embeddings", default="auto", show_default=True, help="auto, none, use or e5.")
def find(path: Path, text: str, *, rules: int, embeddings: str, **about: Any) -> None:
    """Find the rules of GRAPH that a judge of TEXT would be given, and tell why each."""
    from adjudge_metacog.embedding import embedder
    from adjudge_metacog.retrieval import Budget, Query, Retriever, Similarity

    active, by = _log(path).graph.active, embedder(embeddings)
    retriever = Retriever(active, Similarity(active, by, path) if by else None)
    found = retriever.find(Query(text=text, **about), Budget(rules=rules))
    _say(f"{one.rule.id}  {one.score:.1f}  {one.rule.text}\n    {', '.join(one.why)}" for one in found)
    _say([f"{len(found)} of {len(active)} active rules, by {retriever.by}"])


@graph.command()
@_graph
@click.argument("rule")
def why(path: Path, rule: str) -> None:
    """Tell where RULE comes from, what it rests on and what it did."""
    from adjudge_metacog.queries import why as told

    _say(told(_log(path).graph, rule))


@graph.command()
@_graph
@click.argument("rule", required=False)
@click.option("--accept", "status", flag_value="validated", help="The rule may guide from now on.")
@click.option("--retire", "status", flag_value="retired", help="The rule may guide no more.")
@click.option("--reason", default="", help="Why, in one line.")
@click.option("--by", default="", help="Who decides; goes on record.")
def review(path: Path, rule: str | None, status: Status | None, reason: str, by: str) -> None:
    """List the rules that wait for a person, or decide on RULE."""
    from adjudge_metacog.log import change
    from adjudge_metacog.queries import to_review

    if rule is None and status is None:
        waiting = to_review(_log(path).graph)
        _say(f"{name}: {'; '.join(reasons)}" for name, reasons in waiting.items())
        _say([f"{len(waiting)} to review"])
        return
    if rule is None or status is None or not by:
        raise click.UsageError("to decide, give RULE, --accept or --retire, and --by")
    log = change(_log(path), lambda graph: _author(by).moves(graph, rule, status, reason, reviewed=True))
    held = log.graph.why_not_active(rule)
    _say([f"{rule}: {log.graph.record(rule).status}, {'not active: ' + '; '.join(held) if held else 'active'}"])


@graph.command()
@_graph
@click.option(
    "--format",
    "form",
    default="mermaid",
    show_default=True,
    type=click.Choice(["graphml", "html", "jsonld", "mermaid"]),
)
@click.option("--out", type=_FILE, help="File to write; printed if not given.")
@click.option("--domain", help="Only this field of work.")
@click.option("--near", help="Only what is near this node.")
@click.option("--steps", default=2, show_default=True, type=click.IntRange(0, 20), help="How far from it.")
def export(path: Path, form: str, out: Path | None, *, domain: str | None, near: str | None, steps: int) -> None:
    """Write GRAPH, or a part of it, for another program or, as html, for a browser."""
    from adjudge_metacog.exporting import exported
    from adjudge_metacog.queries import part

    found = _log(path).graph
    if domain is not None or near is not None:
        found = part(found, domain=domain, near_to=near, steps=steps)
    text = exported(found, form) if form != "html" else _page(found, path.name)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")


def _page(found: RuleGraph, title: str) -> str:
    from adjudge_metacog.view.page import rendered

    return rendered(found, title)


@graph.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
def diff(old: Path, new: Path) -> None:
    """Tell what differs between two graphs."""
    from adjudge_metacog.merging import differences

    found = list(differences(_log(old).graph, _log(new).graph))
    _say(f"{name}: {what}" for name, what in found)
    _say([f"{len(found)} difference{'' if len(found) == 1 else 's'}"])


@graph.command()
@click.argument("sources", nargs=-1, required=True, type=_FILE)
@click.option("--out", required=True, type=_FILE, help="Graph to write; what it holds already is merged in.")
@click.option("--by", default="", help="Who brings rule trees in; goes on record.")
def merge(sources: Sequence[Path], out: Path, by: str) -> None:
    """Merge graphs, and rule trees in YAML, into one graph; nothing is lost, and what disagrees stays side by side."""
    from adjudge_metacog.log import change, read, write
    from adjudge_metacog.merging import merged
    from adjudge_metacog.trees import load_tree, planted

    trees = [load_tree(path) for path in sources if path.suffix in {".yaml", ".yml"}]
    paths = [path for path in sources if path.suffix not in {".yaml", ".yml"}]
    logs = [read(path) for path in (*paths, *([out] if out.exists() else []))]
    if paths:
        write(out, (event for _, event in merged(logs).events()))
    author = _author(by)
    changes = [lambda graph, tree=tree: planted(graph, tree, author) for tree in trees]
    _say(_summary(change(out, *changes).graph))


@graph.command()
@_graph
@click.option("--to", "number", required=True, type=click.IntRange(0), help="Number of the event to go back to.")
@_by
def rollback(path: Path, number: int, by: str) -> None:
    """Bring GRAPH back to what it was after an event; nothing is erased, and it can be rolled back in turn."""
    from adjudge_metacog.log import change, read
    from adjudge_metacog.merging import rolled_back

    before = read(path)
    count = before.count
    after = change(before, rolled_back(before, number, _author(by)))
    _say([f"back to event {number} with {after.count - count} events; now {after.count}"])


@graph.command()
@_graph
@click.option("--verify", "check", is_flag=True, help="Replay the whole log and compare it with the snapshot.")
@click.option("--snapshot", is_flag=True, help="Write a snapshot beside GRAPH, so that it loads faster.")
def stats(path: Path, *, check: bool, snapshot: bool) -> None:
    """Count nodes, edges and statuses, and tell how often the outcome was in order after a rule was shown."""
    from adjudge_metacog.log import read
    from adjudge_metacog.snapshot import verify, write_snapshot

    _say(_summary(_log(path).graph))
    if snapshot:
        _say([f"wrote {write_snapshot(read(path))}"])
    if check:
        _say([verify(path)])


def _summary(found: RuleGraph) -> Iterator[str]:
    from adjudge_metacog.queries import figures

    for name, value in figures(found).items():
        yield f"{name + ':':<20}{_told(value)}"


def _told(value: dict[str, int] | int | Estimate | Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "none"
    return str(value)
