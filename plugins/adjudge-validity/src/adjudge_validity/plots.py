"""Pictures for the report, drawn by matplotlib as SVG whose colours follow the page, light or dark.

matplotlib comes with `adjudge-validity[plots]` and is imported when something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import cycle
from typing import TYPE_CHECKING, Any

from adjudge.interfaces import Plot
from adjudge.metrics import Estimate

if TYPE_CHECKING:
    from adjudge_validity.confidence import Bin, Kept  # it imports scipy.stats, which takes its time

INSTALL = 'To see plots here: pip install "adjudge-validity[plots]"'
_COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--soft)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--best)",
    "#060606": "var(--middle)",
    "#070707": "var(--worst)",
}
"""What is drawn with, and what stands in its place in the page."""
INK, SOFT, LINE, ACCENT, BEST, MIDDLE, WORST = _COLOURS
_WIDTH = 6.2
_LONGEST = 34
_LINE = 44
"""Most characters of a legend in one line."""
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "adjudge",  # equal pictures give equal bytes
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "grid.color": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Series:
    """Estimates with one name, by row."""

    name: str
    """What they are, for the legend."""
    estimates: Mapping[str, Estimate]
    """By row; a row can be missing."""
    people: bool = False
    """They are of people alone, and look alike in every picture."""


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return find_spec("matplotlib") is not None


@contextmanager
def _drawing(height: float) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Axes to draw on, and a function that gives the SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height))
        stream = io.StringIO()

        def svg() -> str:
            figure.savefig(stream, format="svg", bbox_inches="tight", transparent=True, metadata={"Date": None})
            text = stream.getvalue()
            for drawn, shown in _COLOURS.items():
                text = text.replace(drawn, shown)
            return text

        yield figure.add_subplot(), svg


def plain(text: str) -> str:
    """A name as matplotlib shows it: short, and never taken for a formula."""
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return short.replace("$", r"\$").replace("\n", " ")


def forest(title: str, rows: Sequence[str], series: Sequence[Series], axis: str) -> Plot:
    """Estimates with their intervals, one line per row, one mark per series.

    Args:
        title: Headline.
        rows: Names of the rows, from above.
        series: What is shown in each row; the first one stands out.
        axis: What the axis means.
    """
    marks = cycle([("o", ACCENT), ("^", MIDDLE), ("D", BEST), ("v", WORST)])
    with _drawing(0.9 + len(rows) * (0.16 + 0.17 * len(series))) as (axes, svg):
        for number, one in enumerate(series):
            offset = (number - (len(series) - 1) / 2) * 0.7 / max(1, len(series))
            _marks(axes, rows, one, offset, ("s", INK) if one.people else next(marks))
        axes.set_yticks(range(len(rows)), [plain(row) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, 0.0), max(high, 1.02))
        axes.axvline(0, color=SOFT, linewidth=0.8)
        axes.grid(axis="x", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(plain(axis))
        if len(series) > 1:
            wide = sum(len(plain(one.name)) for one in series) > _LINE
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1 if wide else len(series), fontsize=9)
        return Plot(title=title, svg=svg(), says=_in_words(rows, series))


def _marks(axes: Any, rows: Sequence[str], series: Series, offset: float, mark: tuple[str, str]) -> None:
    marker, colour = mark
    known = [(place, one) for place, row in enumerate(rows) if (one := series.estimates.get(row)) is not None]
    for place, one in known:
        if one.value is not None and one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [place + offset] * 2, color=colour, linewidth=1.6, solid_capstyle="butt")
    points = [(one.value, place + offset) for place, one in known if one.value is not None]
    axes.plot(
        [x for x, _ in points], [y for _, y in points], marker, color=colour, markersize=6, label=plain(series.name)
    )


def _in_words(rows: Sequence[str], series: Sequence[Series]) -> str:
    said = [f"{row}, {one.name}: {one.estimates[row]:.2f}" for row in rows for one in series if row in one.estimates]
    return "; ".join(said) or "Nothing can be shown."


def reliability_plot(title: str, bins: Sequence[Bin]) -> Plot:
    """How often a judge was right, by how sure it was; on the diagonal its probabilities can be taken at their word."""
    with _drawing(3.6) as (axes, svg):
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--")
        for one in bins:
            axes.plot([one.confidence] * 2, [one.right.low, one.right.high], color=ACCENT, linewidth=1.6)
        axes.plot([one.confidence for one in bins], [one.right.value for one in bins], "o", color=ACCENT)
        axes.plot([one.confidence for one in bins], [one.right.value for one in bins], color=ACCENT, linewidth=1)
        _from_0_to_1(axes, "how sure the judge was", "share where people agree")
        says = "; ".join(f"{one.confidence:.0%} sure: people agree with {one.right:.2f}" for one in bins)
        return Plot(title=title, svg=svg(), says=says)


def abstention_plot(title: str, kept: Sequence[Kept]) -> Plot:
    """How often a judge is right if only its surest verdicts are kept."""
    with _drawing(3.6) as (axes, svg):
        axes.plot([one.coverage for one in kept], [one.accuracy for one in kept], color=ACCENT, linewidth=1.6)
        _from_0_to_1(axes, "share of verdicts kept, the surest first", "share where people agree")
        wanted = (0.25, 0.5, 0.75, 1.0)
        nearest = [min(kept, key=lambda one: abs(one.coverage - share)) for share in wanted]
        says = "; ".join(f"the surest {one.coverage:.0%}: people agree with {one.accuracy:.0%}" for one in nearest)
        return Plot(title=title, svg=svg(), says=says)


def _from_0_to_1(axes: Any, across: str, up: str) -> None:
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)
    axes.grid(linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
