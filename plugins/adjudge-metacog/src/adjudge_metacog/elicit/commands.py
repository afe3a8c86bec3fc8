"""The commands `adjudge elicit …`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from adjudge.cli.groups import WholeGroup
from adjudge_metacog.elicit.model import model_options, with_model
from adjudge_metacog.moral import EntropyForm

if TYPE_CHECKING:
    from adjudge.interfaces import Ask, Backend
    from adjudge_metacog.elicit.flow import Flow
    from adjudge_metacog.elicit.state import Elicitation
    from adjudge_metacog.elicit.store import Store
    from adjudge_metacog.moral import MoralGraph

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_store = click.argument("path", metavar="STORE", type=_FILE)


@click.group(cls=WholeGroup)
def elicit() -> None:
    """Interview people into values cards and let them vote on which value is wiser (moral graph elicitation)."""


def _filters(command: F) -> F:
    """Add the options that say which votes count and how values are ranked."""
    for option in reversed(
        (
            click.option("--votes", default=2, show_default=True, type=click.IntRange(0), help="Fewest `wiser`."),
            click.option("--likelihood", default=0.33, show_default=True, type=float, help="Least likelihood."),
            click.option("--entropy", default=1.69, show_default=True, type=float, help="Most entropy, in bits."),
            click.option(
                "--entropy-form",
                default="with_impressions",
                show_default=True,
                type=click.Choice(get_args(EntropyForm)),
                help="Over answers and impressions, or over answers alone.",
            ),
            click.option("--redistribute", is_flag=True, help="Ranks sum to 1, as is usual for PageRank."),
        )
    ):
        command = option(command)
    return command


@elicit.command()
@_store
@click.option("--person", required=True, help="A name of your choosing, not your real one; the same name goes on.")
@click.option("--cases", type=_FILE, help="YAML with the cases of a new elicitation; the shipped ones if not given.")
@click.option("--page", is_flag=True, help="Serve a page to this machine's browser rather than asking here.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the page; any free one if 0.")
@click.option("--stories", default=10, show_default=True, type=click.IntRange(0), help="Most stories to vote on.")
@model_options
def talk(path: Path, person: str, cases: Path | None, *, page: bool, port: int, stories: int, **model: Any) -> None:
    """Go a person's way: choose a case, be interviewed, accept a card, vote on stories, answer two closing questions.

    Everything is written to STORE at once; the same command goes on where the person left.
    """
    from adjudge_metacog.elicit.cases import load_cases
    from adjudge_metacog.elicit.events import Opened
    from adjudge_metacog.elicit.flow import Flow

    _check_name(person)
    store = _opened(path)
    given = load_cases(cases)
    if not store.state.cases:
        store.append(Opened(type="opened", cases=given))
    elif cases is not None and {case.id: case for case in given} != store.state.cases:
        raise click.UsageError(f"{path} was opened with other cases; leave --cases out, or choose another STORE")
    way = _on_page if page else _in_terminal

    async def go(ask: Ask, _: Backend) -> None:
        await way(Flow(store, person, ask, stories=stories), port)

    with_model(path, go, **model)


def _check_name(person: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from adjudge.values import Id

    try:
        TypeAdapter(Id).validate_python(person)
    except ValidationError:
        raise click.UsageError(f"--person {person!r}: use up to 80 letters, digits, `_`, `.` and `-`") from None


async def _in_terminal(flow: Flow, _: int) -> None:
    from adjudge_metacog.elicit.terminal import talk as in_terminal

    await in_terminal(flow)


async def _on_page(flow: Flow, port: int) -> None:
    from adjudge_metacog.elicit.page import Page

    with Page(flow, asyncio.get_running_loop(), port) as page:
        click.echo(f"open {page.url}\nEnds with the last step, or with Ctrl-C; everything is kept.")
        await page.ended()


@elicit.command()
@_store
@click.option(
    "--eps",
    show_default="0.3; 0.4 with use and e5",
    type=click.FloatRange(0, 2),
    help="Distance of neighbours, at most; 1 is that of unrelated cards.",
)
@click.option("--points", default=5, show_default=True, type=click.IntRange(1), help="Neighbours that make a core.")
@click.option("--embeddings", default="auto", show_default=True, help="auto, none, use or e5.")
@model_options
def merge(path: Path, *, eps: float | None, points: int, embeddings: str, **model: Any) -> None:
    """Merge cards that hold one value: clusters in an embedding, each pair then compared by the model.

    With `auto` the embeddings are those of the backend where it offers some, else those of the extra `embeddings`;
    without either, and with `none`, cards are near each other by the words they share.
    """
    from adjudge_metacog.elicit.merging import embedder
    from adjudge_metacog.elicit.merging import merge as merged

    store = _existing(path)

    async def go(ask: Ask, backend: Backend) -> None:
        by = embedder(backend, embeddings)
        done = await merged(store, ask, by.embed, backend.name, eps=by.reach(eps), points=points)
        click.echo(
            f"{done.clusters} clusters by {by.name}; {done.merged} cards merged, "
            f"{done.apart} found to hold another value, {done.unanswered} without an answer; "
            f"{len(store.state.values)} values"
        )

    with_model(path, go, **model)


@elicit.command()
@_store
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="Most new stories per context.")
@model_options
def stories(path: Path, *, most: int, **model: Any) -> None:
    """Have the model tell a story for each pair of values of one context, for people to vote on."""
    from adjudge_metacog.elicit.telling import tell

    store = _existing(path)

    async def go(ask: Ask, backend: Backend) -> None:
        done = await tell(store, ask, backend.name, most=most)
        click.echo(
            f"{done.told} stories told, {done.unanswered} without an answer, {done.left} left for the next round"
        )

    with_model(path, go, **model)


@elicit.command()
@_store
@click.option("--out", type=_FILE, help="File for the graph as JSON, unfiltered.")
@_filters
def graph(path: Path, *, out: Path | None, redistribute: bool, **filters: Any) -> None:
    """Show what came of it: ranks, the wisest values of each context, and the survey."""
    from adjudge_metacog.elicit.outcome import moral_graph

    state = _existing(path).state
    found = moral_graph(state)
    if out is not None:
        out.write_text(found.model_dump_json(indent=1) + "\n", "utf-8")
    _say(_told(state, found, _filtered(found, **filters), redistribute=redistribute))


@elicit.command()
@_store
@click.option("--id", "name", required=True, help="Id of the new rubric: `name` or `domain/name`.")
@click.option("--out", required=True, type=_FILE, help="YAML file to write; one that is there is not replaced.")
@_filters
def pack(path: Path, name: str, out: Path, *, redistribute: bool, **filters: Any) -> None:
    """Derive a draft rubric from the wisest values, for people to review."""
    from adjudge_metacog.elicit.outcome import moral_graph
    from adjudge_metacog.elicit.outcome import pack as derived

    state = _existing(path).state
    text = derived(state, _filtered(moral_graph(state), **filters), name, redistribute=redistribute)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{out} is there already; choose another file") from None
    click.echo(f"wrote {out}, a draft; `adjudge lint {out}` says what is missing")


@elicit.command()
@_store
@click.option("--graph", "rules", required=True, type=_FILE, help="Rule graph to add to; made if need be.")
@click.option("--by", required=True, help="Who does it; goes on record.")
@_filters
def plant(path: Path, rules: Path, by: str, *, redistribute: bool, **filters: Any) -> None:
    """Bring the values, and a proposed rule for each of the wisest, into a rule graph."""
    import datetime as dt

    from adjudge_metacog.changes import Author
    from adjudge_metacog.elicit.outcome import moral_graph, planted
    from adjudge_metacog.log import change

    state = _existing(path).state
    author = Author(by, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
    moral = _filtered(moral_graph(state), **filters)
    log = change(rules, lambda found: planted(found, state, moral, author, redistribute=redistribute))
    proposed = sum(rule.origin == "votes" for rule in log.graph.rules)
    click.echo(f"{rules}: {proposed} rules from votes, proposed until the gate or a person lets them guide")


def _opened(path: Path) -> Store:
    from adjudge_metacog.elicit.store import Store

    store = Store(path)
    if store.torn:
        click.echo(f"{path}: {store.torn} torn bytes at the end are set aside at the next write", err=True)
    return store


def _existing(path: Path) -> Store:
    if not path.exists():
        raise click.UsageError(f"{path}: no such file; `adjudge elicit talk {path} --person NAME` starts one")
    return _opened(path)


def _filtered(
    found: MoralGraph, votes: int, likelihood: float, entropy: float, entropy_form: EntropyForm
) -> MoralGraph:
    from adjudge_metacog.moral import Filter

    return found.filtered(Filter(votes=votes, likelihood=likelihood, entropy=entropy, form=entropy_form))


def _told(state: Elicitation, every: MoralGraph, kept: MoralGraph, *, redistribute: bool) -> Iterator[str]:
    from adjudge_metacog.elicit.outcome import left_out, survey

    titles = {card.id: card.title for card in every.values}
    people = sum(bool(person.card) for person in state.people.values())
    count, whole = len(kept.edges), len(every.edges)
    yield f"{people} people with a card, {len(every.values)} values, {count} of {whole} edges count"
    for why, cards in sorted(left_out(state).items()):
        yield f"{cards} cards take no part: {why}"
    for name, rank in kept.ranks(redistribute=redistribute).items():
        yield f"{rank:.6f}  {titles[name]}"
    for context, names in kept.winners(redistribute=redistribute).items():
        yield f"wisest where {context}: {', '.join(titles[name] for name in names)}"
    for question, share in survey(state).items():
        yield f"{question}: {share:.3f}"


def _say(lines: Iterator[str]) -> None:
    from adjudge_metacog.exporting import printable

    for line in lines:
        click.echo(printable(line))
