"""The commands `adjudge steer …`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge.cli.groups import WholeGroup

if TYPE_CHECKING:
    from adjudge_steering.fitting import Fitted
    from adjudge_steering.vectors import Vector

_PATH = click.Path(path_type=Path)


@click.group(cls=WholeGroup)
def steer() -> None:
    """Make a model with open weights follow rules, by directions in its hidden states."""


@steer.command()
@click.argument("pairs", required=False, type=_PATH)
@click.option("--model", required=True, help="Folder of a checkpoint, or a .gguf file.")
@click.option("--out", required=True, type=_PATH, help="Folder for the vectors.")
@click.option("--rule", "rules", multiple=True, help="Only this rule; all of PAIRS if not given.")
@click.option(
    "--layer", "layers", multiple=True, type=click.IntRange(0), help="Only this block; six spread if not given."
)
@click.option(
    "--cap", default=1.1, show_default=True, type=click.FloatRange(1), help="Largest perplexity over that before."
)
@click.option("--neutral", type=_PATH, help="Texts about no rule, one a line; the shipped ones if not given.")
@click.option("--dtype", default="float32", show_default=True, help="float32, bfloat16 or float16.")
@click.option("--device", default="cpu", show_default=True, help="Where the model runs.")
@click.option("--threads", type=click.IntRange(1), help="Threads that compute.")
def fit(
    pairs: Path | None,
    *,
    model: str,
    out: Path,
    rules: tuple[str, ...],
    layers: tuple[int, ...],
    cap: float,
    neutral: Path | None,
    dtype: str,
    device: str,
    threads: int | None,
) -> None:
    """Find a vector for each rule of PAIRS (JSONL: id, rule, input, follows, breaks) and save them.

    Without PAIRS, two synthetic rules that come with adjudge are fitted.
    """
    from adjudge.errors import UnknownNameError
    from adjudge_steering.fitting import Grid, together
    from adjudge_steering.fitting import fit as fitted
    from adjudge_steering.pairs import by_rule, load_pairs, neutral_texts, parted, shipped
    from adjudge_steering.weights import load_weights

    known = by_rule(load_pairs(pairs or shipped()))
    for rule in rules:
        if rule not in known:
            raise UnknownNameError("rule", rule, known)
    chosen = {rule: some for rule, some in known.items() if not rules or rule in rules}
    for some in chosen.values():
        parted(some)  # too few pairs are told before a model is loaded
    texts = neutral_texts(neutral)
    weights = load_weights(model, dtype=dtype, threads=threads, device=device)
    too_deep = [layer for layer in layers if layer >= len(weights.blocks)]
    if too_deep:
        raise click.UsageError(f"--layer {too_deep[0]}: {weights.name} has the blocks 0 to {len(weights.blocks) - 1}")
    found = []
    for some in chosen.values():
        found.append(fitted(weights, some, texts, Grid(layers=layers, cap=cap)))
        click.echo("\n".join(_told(found[-1])))
    together(weights, found).save(out)
    click.echo(f"wrote {out}; use it with --backend steering:{model} -B vectors={out}")


@steer.command()
@click.argument("folder", type=_PATH)
def show(folder: Path) -> None:
    """Tell what the vectors in FOLDER are, and what they were measured to do."""
    from adjudge_steering.vectors import load_vectors

    about = load_vectors(folder).about
    click.echo(f"for {about.model} ({about.fingerprint[:12]}…), {about.layers} blocks of width {about.width}")
    for vector in about.vectors:
        click.echo(_line(vector))


def _told(one: Fitted) -> Iterator[str]:
    yield _line(one.vector)
    yield f"  probability of following, final pairs: {one.before:.3f} before, {one.after:.3f} after"
    if not one.vector.strength:
        yield "  no strength helps within the cap: the vector is kept at strength 0"


def _line(vector: Vector) -> str:
    choice = vector.choice
    gained = "not measured"
    if choice is not None and choice.value is not None:
        ends = f" [{choice.low:+.3f}, {choice.high:+.3f}]" if choice.low is not None and choice.high is not None else ""
        gained = f"{choice.value:+.3f}{ends} n={choice.n}"
    torn = "not measured" if vector.perplexity is None else f"x {vector.perplexity:.3f}"
    where = f"{vector.method} at block {vector.layer}, strength {vector.strength:g}"
    return f"{vector.rule}: {where}; probability of following {gained}; perplexity {torn}"
