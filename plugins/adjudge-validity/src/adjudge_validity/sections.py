"""The section of the HTML report on agreement with people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    " labels to the data, or give a file of them: adjudge agreement RUN --labels FILE."
)
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
        return (Section(title=TITLE, lead=_NO_LABELS),)
    from adjudge_validity.plots import INSTALL, can_draw

    parts: list[Plot | Table | str] = [] if can_draw() else [INSTALL]
    measured = [(name, *_measured(record)) for name, record in labelled]
    if can_draw():
        parts += _plots(measured)
    for name, ratings, found in measured:
        parts += [_figures(named("Agreement", name), found), *_confusions(name, ratings)]
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


Measured = tuple[str, "Ratings", "list[Agreement]"]


def _measured(record: RunRecord) -> tuple[Ratings, list[Agreement]]:
    from adjudge_validity.agreement import agreement
    from adjudge_validity.ratings import join

    ratings = join(record)
    return ratings, agreement(ratings, each=len(ratings.criteria) <= MOST_CRITERIA)


def _beyond(figures: dict[str, Estimate]) -> Estimate | None:
    """Agreement beyond chance: with squared distances where levels are in order."""
    return figures.get("qwk", figures.get("kappa"))


def _plots(measured: Sequence[Measured]) -> Iterator[Plot]:
    from adjudge_validity.plots import Series, forest

    rows = list(dict.fromkeys(one.name for _, _, found in measured for one in found))
    wanted = (
        ("Same level", "exact", "share of the same level"),
        ("Beyond chance", "", "agreement beyond chance (kappa)"),
    )
    for title, figure, axis in wanted:
        series = []
        for name, _, found in measured:
            for side in ("judge–human", "human–human"):
                estimates = {one.name: picked for one in found if (picked := _pick(one, side, figure)) is not None}
                if estimates and (side == "judge–human" or name == measured[0][0]):
                    who = {"judge–human": "judge and person", "human–human": "two people"}[side]
                    series.append(Series(named(who, name if side == "judge–human" else ""), estimates))
        if series:
            yield forest(title, rows, series, axis)
    if difficulty := _difficulty(measured):
        yield difficulty


def _pick(one: Agreement, side: Side, figure: str) -> Estimate | None:
    figures = one.sides.get(side, {})
    found = figures.get(figure) if figure else _beyond(figures)
    return found if found is not None and found.n else None


def _difficulty(measured: Sequence[Measured]) -> Plot | None:
    """How far levels lie from the worst to the best, by the judge and by people; the hardest criteria first."""
    from adjudge_validity.plots import Series, forest

    series = []
    for name, ratings, _ in measured:
        series.append(Series(named("judge", name), _reached(ratings, by_people=False)))
    series.append(Series("people", _reached(measured[0][1], by_people=True)))
    shown = series[-1].estimates
    rows = sorted(shown, key=lambda row: shown[row].value or 0.0)[:MOST_CRITERIA]
    title = "Difficulty of the criteria, the hardest first"
    return forest(title, rows, series, "share of the best level reached") if rows else None


def _reached(ratings: Ratings, *, by_people: bool) -> dict[str, Estimate]:
    from adjudge.metrics import clustered_mean

    found = {}
    for criterion in ratings.criteria:
        rows = [row for row in ratings.of(criterion) if row.humans and row.scale is not None and row.scale.range]
        shares = [(share, row.cluster) for row in rows if (share := _share(row, by_people=by_people)) is not None]
        if shares:
            found[criterion] = clustered_mean([share for share, _ in shares], [cluster for _, cluster in shares])
    return found


def _share(row: Rating, *, by_people: bool) -> float | None:
    number = row.human if by_people else row.value
    if number is None or row.scale is None or row.scale.range is None:
        return None
    low, high = row.scale.range
    return (number - low) / (high - low)


def _figures(title: str, found: Sequence[Agreement]) -> Table:
    columns = ("", "judge: same level", "people: same level", "judge: beyond chance", "people: beyond chance")
    more = {"AC1": "ac1", "finds the top level": "sensitivity", "finds the bottom level": "specificity", "bias": "bias"}
    rows = []
    for one in found:
        judge, people = one.sides.get("judge–human", {}), one.sides.get("human–human", {})
        figures = [judge.get("exact"), people.get("exact"), _beyond(judge), _beyond(people)]
        cells = [_cell(figure) for figure in (*figures, *(judge.get(name) for name in more.values()))]
        rows.append((one.name, *cells))
    return Table(title=title, columns=(*columns, *more), rows=tuple(rows))


def _cell(figure: Estimate | None) -> str:
    if figure is None or not figure.n:
        return "–"
    if figure.value is None:
        return f"undefined: {figure.note}"
    interval = "" if figure.low is None or figure.high is None else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.value:.2f}{interval}"


def _confusions(run: str, ratings: Ratings) -> Iterator[Table | str]:
    names = [name for name in ratings.criteria if any(row.levels and row.scale for row in ratings.of(name))]
    for name in names[:MOST_TABLES]:
        yield _confusion(named(f"{name}: what people say (rows) and the judge (columns)", run), ratings.of(name))
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
