"""What every distribution of rubric packs must keep, as tests to inherit."""
# ruff: noqa: D102 - the names of the tests say what they hold

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import ClassVar

from adjudge.api import build_scoring, installed
from adjudge.errors import AdjudgeError
from adjudge.packs import Pack, PackIndex, lint
from adjudge.prompts import templates
from adjudge.scoring import check_scoring

TELLS_THE_TIME = frozenset({"expired-source", "source-not-in-force"})
"""Lint rules that depend on the day: left to `adjudge lint`, since tests must not fail by themselves one morning."""


class PackContract:
    """Inherit it, name the class `Test…`, say where the packs are and which criteria they have."""

    IDS: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Criteria of every pack, by id of the pack. Verdicts and gold labels of others refer to these names, so a name
    that changes is a new criterion; writing them down makes that a decision."""
    ALLOWED_WARNINGS: ClassVar[Collection[str]] = ()
    """Lint rules that these packs break on purpose."""

    def folders(self) -> Sequence[Traversable]:
        """The folders of packs: what the plugin's `adjudge_rubric_packs()` returns."""
        raise NotImplementedError("say where the packs are: override folders")

    def packs(self) -> list[Pack]:
        """All packs that load."""
        index = self._index()
        broken = index.broken()
        return [index.get(name) for name, entry in index.ids().items() if entry.name not in broken]

    def test_every_pack_loads(self) -> None:
        problems = [str(error) for error in self._index().broken().values()]
        assert not problems, "\n".join(problems)
        assert self.packs(), "there is no pack in these folders"

    def test_ids_are_those_written_down(self) -> None:
        found = {pack.rubric.id: [criterion.id for criterion in pack.rubric.criteria] for pack in self.packs()}
        wanted = {rubric: list(criteria) for rubric, criteria in self.IDS.items()}
        assert found == wanted, f"write this down if it is meant: IDS = {found}"

    def test_lint_finds_nothing(self) -> None:
        today = dt.datetime.now(dt.UTC).date()
        ignored = {*self.ALLOWED_WARNINGS, *TELLS_THE_TIME}
        found = [
            str(problem)
            for pack in self.packs()
            for problem in lint(pack, today, scorings=list(installed().scorings), templates=list(templates()))
            if problem.rule not in ignored
        ]
        assert not found, "\n".join(found)

    def test_golden_tests_cover_every_criterion(self) -> None:
        for pack in self.packs():
            tested = {criterion for test in pack.rubric.tests for criterion in test.expect}
            missing = [criterion.id for criterion in pack.rubric.criteria if criterion.id not in tested]
            assert not missing, f"{pack.rubric.id}: no golden test expects a level of {', '.join(missing)}"

    def test_the_scoring_fits_the_rubric(self) -> None:
        faults = [fault for pack in self.packs() if (fault := _scoring_fault(pack))]
        assert not faults, "\n".join(faults)

    def _index(self) -> PackIndex:
        return PackIndex([("under test", folder) for folder in self.folders()])


def _scoring_fault(pack: Pack) -> str:
    try:
        check_scoring(pack.rubric, build_scoring(installed(), pack.rubric))
    except AdjudgeError as error:
        return f"{pack.rubric.id}: {error}"
    return ""
