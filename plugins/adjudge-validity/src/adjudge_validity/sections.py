"""The section of the HTML report on agreement with people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adjudge.interfaces import Plot, Section, Table
from adjudge.report import RunRecord
from adjudge.submission import Submission

if TYPE_CHECKING:
    from adjudge.metrics import Estimate
    from adjudge_validity.agreement import Agreement, Side
    from adjudge_validity.ratings import Rating, Ratings

MOST_CRITERIA = 40
"""Where there are more, as where every submission has its own, dimensions and the whole are shown only."""
MOST_TABLES = 12
"""Most confusion tables shown of one run."""
TITLE = "Agreement with people"
_NO_LABELS = (
    "No label of a person stands with these submissions, so it is not known how far the judge agrees with people. Add"
    " labels to the data, or give a file of them: adjudge report RUN --labels FILE."
)
_COMPARED = "Not measured here for runs that compare submissions; a task's own figures stand above."
_LEAD = (
    "How often the judge gives the level that people give, beside how often people agree with each other. No judge can"
    " be expected to agree with people more than they agree among themselves."
)
_HELP = (
    "A mark is the figure measured here; the line through it is its 95 % interval: with other submissions like these"
    " the figure could well lie anywhere on it. 'Same level' counts how often both sides give exactly the same level."
    " 'Beyond chance' takes away what two raters would agree on by luck alone: 1 is perfect, 0 is no better than luck."
    " Above 0.8 is usually called very good, under 0.4 poor. Where nearly all submissions get one level it can be low"
    " although both sides nearly always agree; AC1, in the table, is steadier there."
)


def agreement_sections(records: Sequence[RunRecord]) -> Sequence[Section]:
    """Forest plots, figures and confusion tables of the runs whose submissions people have labelled."""
    labelled = labelled_runs(records)
    if not labelled:
        compared = any(not isinstance(item, Submission) for record in records for item in record.items)
        return (Section(title=TITLE, lead=_COMPARED if compared else _NO_LABELS),)
    from adjudge_validity.agreement import ALONE, has_pairs
    from adjudge_validity.plots import INSTALL, can_draw

    parts: list[Plot | Table | str] = [] if can_draw() else [INSTALL]
    measured = [_measured(name, record) for name, record in labelled]
    if can_draw():
        parts += _plots(measured)
    for one in measured:
        told = [*([] if has_pairs(one.found) else [ALONE]), *one.ratings.warnings]
        parts += [f"{one.name}: {line}" if one.name else line for line in told]
        parts += [_figures(named("Agreement", one.name), one.found), *_confusions(one)]
    return (Section(title=TITLE, lead=_LEAD, help=_HELP, parts=tuple(parts)),)


def labelled_runs(records: Sequence[RunRecord]) -> list[tuple[str, RunRecord]]:
    """The runs that have labels of people, with a name where there are several."""
    found = [
        record
        for record in records
        if all(isinstance(item, Submission) for item in record.items) and any(item.labels for item in record.items)
    ]
    return [(record.title if len(found) > 1 else "", record) for record in found]


def named(what: str, run: str) -> str:
    """A headline, with the run where there are several."""
    return f"{what}: {run}" if run else what


@dataclass(frozen=True)
class Measured:
    """One run beside its labels."""

    name: str
    ratings: Ratings
    found: list[Agreement]
    against: frozenset[str]
    """Criteria of things that should not appear, whose lowest level is the best."""

    @property
    def criteria(self) -> tuple[str, ...]:
        """Those that are shown one by one; none of very many."""
        names = self.ratings.criteria
        return names if len(names) <= MOST_CRITERIA else ()


def _measured(name: str, record: RunRecord) -> Measured:
    from adjudge_validity.agreement import agreement
    from adjudge_validity.ratings import join

    ratings = join(record)
    each = len(ratings.criteria) <= MOST_CRITERIA
    criteria = [one for item in record.items for one in record.criteria_of(item).values()]
    return Measured(
        name=name,
        ratings=ratings,
        found=agreement(ratings, each=each),
        against=frozenset(one.id for one in criteria if one.weight < 0),
    )


def _beyond(figures: dict[str, Estimate]) -> Estimate | None:
    """Agreement beyond chance: with squared distances where levels are in order."""
    return figures.get("qwk", figures.get("kappa"))


def _plots(measured: Sequence[Measured]) -> Iterator[Plot]:
    from adjudge_validity.plots import Series, forest

    rows = list(dict.fromkeys(row.name for one in measured for row in one.found))
    wanted = (
        ("Same level", "exact", "share of the same level"),
        ("Beyond chance", "", "agreement beyond chance (kappa)"),
    )
    for title, figure, axis in wanted:
        series = [
            Series(named("judge and person", one.name), _picked(one.found, "judge–human", figure)) for one in measured
        ]
        series.append(Series("two people", _picked(measured[0].found, "human–human", figure), people=True))
        series = [one for one in series if one.estimates]
        if series:
            yield forest(title, rows, series, axis)
    if difficulty := _difficulty(measured):
        yield difficulty


def _picked(found: Sequence[Agreement], side: Side, figure: str) -> dict[str, Estimate]:
    """One figure of one side, by criterion; beyond chance if none is named."""
    picked = ((one.name, one.sides.get(side, {})) for one in found)
    known = ((name, figures.get(figure) if figure else _beyond(figures)) for name, figures in picked)
    return {name: estimate for name, estimate in known if estimate is not None and estimate.n}


def _difficulty(measured: Sequence[Measured]) -> Plot | None:
    """How far levels lie from the worst to the best, by the judge and by people; the hardest criteria first."""
    from adjudge_validity.plots import Series, forest

    series = [Series(named("judge", one.name), _reached(one, by_people=False)) for one in measured]
    series.append(Series("people", _reached(measured[0], by_people=True), people=True))
    shown = series[-1].estimates
    rows = sorted(shown, key=lambda row: shown[row].value or 0.0)
    title = "Difficulty of the criteria, the hardest first"
    return forest(title, rows, series, "share of the best level reached") if rows else None


def _reached(measured: Measured, *, by_people: bool) -> dict[str, Estimate]:
    from adjudge.metrics import clustered_mean

    found = {}
    for criterion in measured.criteria:
        rows = [row for row in measured.ratings.of(criterion) if row.humans]
        shares = [(share, row.cluster) for row in rows if (share := _share(row, by_people=by_people)) is not None]
        turned = criterion in measured.against
        values = [1 - share if turned else share for share, _ in shares]
        if values:
            found[criterion] = clustered_mean(values, [cluster for _, cluster in shares])
    return found


def _share(row: Rating, *, by_people: bool) -> float | None:
    """How far up the scale; None if there is no number."""
    number = row.human if by_people else row.value
    if number is None or row.scale is None or row.scale.range is None:
        return None
    low, high = row.scale.range
    return (number - low) / (high - low)


def _figures(title: str, found: Sequence[Agreement]) -> Table:
    """Figures of judge and people side by side; those of people only where any two of them labelled the same."""
    from adjudge_validity.agreement import has_pairs

    more = {"AC1": "ac1", "finds the top level": "sensitivity", "finds the bottom level": "specificity", "bias": "bias"}
    shown = ("judge", "people") if has_pairs(found) else ("judge",)
    columns = ("", *(f"{who}: {what}" for what in ("same level", "beyond chance") for who in shown), *more)
    rows = []
    for one in found:
        sides = {"judge": one.sides.get("judge–human", {}), "people": one.sides.get("human–human", {})}
        exact = [sides[who].get("exact") for who in shown]
        beyond = [_beyond(sides[who]) for who in shown]
        others = [sides["judge"].get(name) for name in more.values()]
        rows.append((one.name, *map(_cell, (*exact, *beyond, *others))))
    return Table(title=title, columns=columns, rows=tuple(rows))


def _cell(figure: Estimate | None) -> str:
    if figure is None or not figure.n:
        return "–"
    if figure.value is None:
        return f"undefined: {figure.note}"
    interval = "" if figure.low is None or figure.high is None else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.value:.2f}{interval}"


def _confusions(measured: Measured) -> Iterator[Table | str]:
    rows = {name: measured.ratings.of(name) for name in measured.criteria}
    names = [name for name, found in rows.items() if any(row.levels and row.scale for row in found)]
    for name in names[:MOST_TABLES]:
        title = named(f"{name}: what people say (rows) and the judge (columns)", measured.name)
        yield _confusion(title, rows[name])
    if len(names) > MOST_TABLES:
        yield f"Tables of {len(names) - MOST_TABLES} more criteria are not shown; adjudge agreement counts them all."


def _confusion(title: str, rows: Sequence[Rating]) -> Table:
    """Counts of the raters' levels by the judge's; a row is shaded by its shares."""
    scale = next(row.scale for row in rows if row.scale is not None)
    levels = [level.id for level in scale.levels]
    counts = {people: dict.fromkeys([*levels, None], 0) for people in levels}
    for row in rows:
        for people in row.levels:
            counts[people][row.level] += 1
    shown: list[str | None] = [*levels, *([None] if any(line[None] for line in counts.values()) else [])]
    return Table(
        title=title,
        columns=("people", *(level or "unscored" for level in shown)),
        rows=tuple((people, *(line[level] for level in shown)) for people, line in counts.items()),
        shades=tuple(
            (None, *(line[level] / max(1, sum(line.values())) for level in shown)) for line in counts.values()
        ),
    )
