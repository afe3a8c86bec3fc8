"""Calibrations: learned from a run and labels, judged by cross-validation, kept in a file, applied by a judge."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from adjudge.errors import InputError, UnsupportedError
from adjudge.interfaces import Ask, Item
from adjudge.judges.calibrated import CalibratedJudge
from adjudge.metrics import Estimate, paired_difference
from adjudge.report import RunRecord, identity_hash
from adjudge.rubric import Criterion, Rubric
from adjudge.verdict import Verdict
from adjudge_validity import maps
from adjudge_validity.maps import Parameters
from adjudge_validity.ratings import Rating
from adjudge_validity.tables import Array

FORMAT = 1
FOLDS = 5
LEAST = 10
"""Fewest labelled submissions that a map is learned from."""


@dataclass(frozen=True, kw_only=True)
class FittedOn:
    """Whose probabilities a calibration is for."""

    judge: str
    """Name of the judge."""
    read_out: str
    """Name of the read-out."""
    backend: str
    """Hash of the backend's identity."""
    rubric: str
    """Content hash of the rubric."""


@dataclass(frozen=True, kw_only=True)
class FileCalibration:
    """Maps by criterion; satisfies `adjudge.interfaces.Calibration`. A criterion without one passes as it is."""

    fitted_on: FittedOn
    """Whose probabilities it is for."""
    of: Mapping[str, Mapping[str, Any]]
    """Criterion to `method` and `parameters`."""

    @cached_property
    def name(self) -> str:
        """Methods and the hash of everything in it."""
        digest = hashlib.sha256(json.dumps(_plain(self), sort_keys=True).encode()).hexdigest()[:12]
        methods = dict.fromkeys(str(one["method"]) for one in self.of.values())
        return f"{'+'.join(methods)}:{digest}"

    def __call__(self, criterion: Criterion, distribution: Mapping[str, float]) -> Mapping[str, float]:
        """The mapped distribution."""
        if criterion.id not in self.of:
            return distribution
        levels = [level.id for level in criterion.scale.levels]
        one = self.of[criterion.id]
        given = np.array([[distribution[level] for level in levels]])
        shares = maps.apply(str(one["method"]), one["parameters"], given)[0]
        return dict(zip(levels, (shares / shares.sum()).tolist(), strict=True))


def _plain(calibration: FileCalibration) -> dict[str, Any]:
    return {"format": FORMAT, "fitted_on": asdict(calibration.fitted_on), "criteria": dict(calibration.of)}


def save(path: Path, calibration: FileCalibration) -> None:
    """Write the calibration as JSON; a file that is there is not touched.

    Raises:
        OSError: The file cannot be written, or is there.
    """
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(_plain(calibration), indent=2, sort_keys=True) + "\n")


def load(path: Path) -> FileCalibration:
    """Read what `save` wrote.

    Raises:
        InputError: It is missing, or no calibration of this format.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
        if value["format"] != FORMAT:
            raise InputError(f"{path}: format {value['format']}, this version reads {FORMAT}; calibrate again")
        of = {
            str(name): {"method": m["method"], "parameters": m["parameters"]} for name, m in value["criteria"].items()
        }
        calibration = FileCalibration(fitted_on=FittedOn(**value["fitted_on"]), of=of)
        strangers = {one["method"] for one in of.values()} - maps.FITS.keys()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; make one with adjudge calibrate") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no calibration ({error}); make one with adjudge calibrate") from None
    if strangers:
        raise InputError(f"{path}: unknown map {min(strangers)!r}; calibrate again")
    return calibration


def fitted_on(record: RunRecord) -> FittedOn:
    """Whose probabilities a run holds.

    Raises:
        InputError: Each submission has a rubric of its own.
    """
    if record.rubric is None:
        raise InputError("a calibration is for one rubric; in this run each submission has its own")
    given = record.provenance
    identity = given["backend identity"]
    assert isinstance(identity, dict)
    return FittedOn(
        judge=str(given["judge"]),
        read_out=str(given["read-out"]),
        backend=identity_hash(identity),
        rubric=record.rubric.hash,
    )


@dataclass(frozen=True, kw_only=True)
class Learned:
    """One map for one criterion, and what it is worth on labels that it did not see."""

    criterion: str
    """Its id."""
    method: str
    """Name of the map."""
    parameters: Parameters
    """Learned from all labels."""
    before: float
    """Log-loss of the judge's own probabilities."""
    after: float
    """Log-loss in cross-validation."""
    gain: Estimate
    """Before less after, with a clustered interval."""
    out_of_fold: Array
    """Mapped probabilities in cross-validation, shape (n, k)."""


def learn(rows: Sequence[Rating], method: str, *, seed: int = 0) -> Learned:
    """Learn a map for one criterion.

    Cross-validation with 5 folds keeps clusters together. A submission's labels weigh 1 together.

    Args:
        rows: Ratings of one criterion.
        method: A name in `maps.FITS`, or `auto` for the one with the least log-loss in cross-validation.
        seed: Seed of the folds.

    Raises:
        InputError: Fewer than 10 submissions have labels and probabilities, or the map needs an order of levels.
    """
    known = [row for row in rows if row.levels and row.verdict is not None and row.verdict.distribution]
    name = rows[0].criterion if rows else "?"
    if len(known) < LEAST or known[0].scale is None:
        raise InputError(
            f"criterion {name!r}: {len(known)} submissions have labels and probabilities, a calibration needs {LEAST};"
            " probabilities come with --read-out label"
        )
    ordered = known[0].scale.kind != "labels"
    if method not in ("auto", *maps.UNORDERED) and not ordered:
        raise InputError(f"criterion {name!r}: the map {method!r} needs levels in order; use temperature or platt")
    methods = [one for one in maps.FITS if ordered or one in maps.UNORDERED] if method == "auto" else [method]
    tried = [_tried(name, known, one, seed) for one in methods]
    return min(tried, key=lambda one: one.after)


def _tried(name: str, known: Sequence[Rating], method: str, seed: int) -> Learned:
    given, truth = arrays(known)
    clusters = [row.cluster for row in known]
    out = np.empty_like(given)
    for held in _folds(clusters, seed):
        fitted = maps.FITS[method](given[~held], truth[~held])
        out[held] = maps.apply(method, fitted, given[held])
    before, after = _losses(given, truth), _losses(out, truth)
    return Learned(
        criterion=name,
        method=method,
        parameters=maps.FITS[method](given, truth),
        before=float(before.mean()),
        after=float(after.mean()),
        gain=paired_difference(before.tolist(), after.tolist(), clusters),
        out_of_fold=out,
    )


def arrays(known: Sequence[Rating]) -> tuple[Array, Array]:
    """The judge's probabilities and people's labels as shares, both of shape (n, k), levels in order."""
    scale = known[0].scale
    assert scale is not None
    levels = [level.id for level in scale.levels]
    given = [[(row.verdict.distribution or {})[x] for x in levels] for row in known if row.verdict is not None]
    truth = [[row.levels.count(x) / len(row.levels) for x in levels] for row in known]
    return np.array(given), np.array(truth)


def _losses(shares: Array, truth: Array) -> Array:
    return np.asarray(-(truth * np.log(np.clip(shares, maps.SMALLEST, None))).sum(1))


def _folds(clusters: Sequence[str], seed: int) -> list[Any]:
    """Masks of what is held out, clusters together."""
    names = sorted(set(clusters))
    random.Random(seed).shuffle(names)  # noqa: S311 - statistics, not secrets
    fold = {name: place % FOLDS for place, name in enumerate(names)}
    places = np.array([fold[name] for name in clusters])
    return [places == number for number in range(FOLDS) if (places == number).any() and (places != number).any()]


class FittedJudge(CalibratedJudge):
    """A calibrated judge that refuses to map what its calibration was not fitted on."""

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission as the judge inside does, then map.

        Raises:
            UnsupportedError: Judge, read-out, backend or rubric are not those of the calibration.
        """
        calibration = self.calibration
        assert isinstance(calibration, FileCalibration)
        self._refuse(asdict(calibration.fitted_on), self._found(rubric, ask))
        return await super().judge(item, rubric, ask)

    def _found(self, rubric: Rubric, ask: Ask) -> dict[str, str]:
        inside = self.members[0].judge
        backend = self.members[0].backend or _backend(ask)
        read_out = getattr(getattr(inside, "settings", None), "read_out", None)
        return {
            "judge": inside.name,
            "read_out": str(getattr(read_out, "name", "none")),
            "backend": identity_hash(backend.identity),
            "rubric": rubric.hash,
        }

    def _refuse(self, wanted: Mapping[str, str], found: Mapping[str, str]) -> None:
        other = [part for part, value in wanted.items() if found[part] != value]
        if other:
            what = ", ".join(f"{part} {found[part][:12]!r}, not {wanted[part][:12]!r}" for part in other)
            raise UnsupportedError(f"this calibration was fitted on another {other[0]} ({what}); calibrate again")


def _backend(ask: Any) -> Any:
    """Who is asked in the end, behind whatever changes questions on their way."""
    while not hasattr(ask, "backend"):
        ask = ask.ask
    return ask.backend
