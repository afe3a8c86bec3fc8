"""Calibrated: levels are read from a mapped distribution, and nothing is lost of what the judge inside said."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Member
from adjudge.judges import SPECS
from adjudge.judges.calibrated import CalibratedJudge, Temperature
from adjudge.rubric import Criterion
from adjudge.testing import JudgeContract
from adjudge.verdict import Failure

CRITERION = Criterion(id="a", text="It is.", scale="1-4")


class TestCalibratedKeepsTheContract(JudgeContract):
    def make_judge(self):
        spec = next(spec for spec in SPECS if spec.name == "isolated")
        return CalibratedJudge((Member(judge=spec.build(), name="isolated"),), Temperature(2.0))


distributions = st.lists(st.floats(0.001, 1.0), min_size=4, max_size=4).map(
    lambda weights: {str(n + 1): weight / math.fsum(weights) for n, weight in enumerate(weights)}
)


@given(distributions, st.floats(0.05, 20.0))
def test_a_temperature_keeps_the_order_of_levels_and_the_sum(distribution, temperature):
    mapped = Temperature(temperature)(CRITERION, distribution)
    assert math.fsum(mapped.values()) == pytest.approx(1)
    ranked = sorted(distribution, key=distribution.__getitem__)
    assert all(mapped[low] <= mapped[high] + 1e-12 for low, high in pairwise(ranked))


@given(distributions)
def test_a_temperature_of_one_changes_nothing_and_a_higher_one_is_less_sure(distribution):
    assert Temperature()(CRITERION, distribution) == pytest.approx(distribution)
    assert max(Temperature(3.0)(CRITERION, distribution).values()) <= max(distribution.values()) + 1e-12


def test_log_odds_are_divided_by_the_temperature_of_the_criterion(kit):
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))
    backend = kit.backend("x", {"a": {"yes": 0.8, "no": 0.2}, "b": {"yes": 0.8, "no": 0.2}})
    result = kit.judged(
        rubric, kit.submission(), backend=backend, judge="calibrated", temperature=1.0, temperatures={"b": 2.0}
    )
    a, b = result.verdicts
    assert a.distribution["met"] == pytest.approx(0.8)
    assert math.log(b.distribution["met"] / b.distribution["unmet"]) == pytest.approx(math.log(4) / 2)
    assert b.expected == pytest.approx(b.distribution["met"])
    assert b.members[0].distribution["met"] == pytest.approx(0.8)
    assert b.fingerprint != b.members[0].fingerprint


class Flip:
    name = "flip"

    def __call__(self, criterion, distribution):
        return dict(zip(distribution, reversed(distribution.values()), strict=True))


def test_a_map_of_ones_own_can_move_the_level_and_the_judge_inside_is_kept(kit):
    result = kit.judged(
        kit.rubric(kit.criterion("a")),
        kit.submission(),
        backend=kit.backend("x"),
        judge="calibrated",
        calibration=Flip(),
    )
    verdict = result.verdicts[0]
    assert (verdict.level, verdict.members[0].level) == ("unmet", "met")
    assert (verdict.score, verdict.flags) == (0.0, ("calibrated",))


class Halo:
    """Takes every criterion for as likely met as the first one."""

    name = "halo"

    def seeing(self, verdicts):
        seen = Halo()
        seen.name, seen.share = "halo, seen", verdicts["a"][0].distribution["met"]
        return seen

    def __call__(self, criterion, distribution):
        return {"unmet": 1 - self.share, "met": self.share}


def test_a_map_can_see_the_verdicts_on_all_criteria(kit):
    rubric, backend = kit.rubric(*map(kit.criterion, "ab")), kit.backend("x", {"a": kit.yes, "b": kit.no})
    found = [
        kit.judged(rubric, kit.submission(), backend=backend, judge="calibrated", calibration=calibration).verdict("b")
        for calibration in (Halo(), Temperature())
    ]
    assert [verdict.level for verdict in found] == ["met", "unmet"]
    assert found[0].members[0].level == "unmet"
    assert found[0].fingerprint != found[1].fingerprint


def test_what_was_not_understood_stays_unscored_and_words_alone_pass(kit):
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))
    dead = kit.backend("x", {"a": Failure(reason="infra", detail="gone"), "b": kit.yes})
    result = kit.judged(rubric, kit.submission(), backend=dead, judge="calibrated", temperature=3.0)
    assert [verdict.reason for verdict in result.verdicts] == ["infra", None]
    words = kit.judged(rubric, kit.submission(), backend=kit.backend("y"), judge="calibrated", read_out="reasoned")
    assert [(verdict.level, verdict.flags) for verdict in words.verdicts] == [("met", ())] * 2


@pytest.mark.parametrize("found", [{"met": 0.5}, {"met": 0.7, "unmet": 0.7}, {"met": math.nan, "unmet": 1.0}])
def test_a_map_that_gives_no_distribution_is_refused(kit, found):
    class Broken:
        name = "broken"

        def __call__(self, criterion, distribution):
            return found

    with pytest.raises(UnsupportedError, match="no distribution over the levels of 'a'"):
        kit.judged(
            kit.rubric(kit.criterion("a")),
            kit.submission(),
            backend=kit.backend("x"),
            judge="calibrated",
            calibration=Broken(),
        )


@pytest.mark.parametrize("options", [{"temperature": 0}, {"temperature": -1}, {"temperatures": {"a": math.inf}}])
def test_a_temperature_that_is_none_is_refused(kit, options):
    with pytest.raises(UnsupportedError, match="must be above 0"):
        kit.judged(
            kit.rubric(kit.criterion("a")), kit.submission(), backend=kit.backend("x"), judge="calibrated", **options
        )


def test_a_temperature_for_a_criterion_that_is_not_there_is_refused(kit):
    with pytest.raises(UnsupportedError, match="typo: no such criterion"):
        kit.judged(
            kit.rubric(kit.criterion("a")),
            kit.submission(),
            backend=kit.backend("x"),
            judge="calibrated",
            temperatures={"typo": 2.0},
        )


def test_comparisons_are_refused(kit):
    with pytest.raises(UnsupportedError, match="takes submissions"):
        kit.judged(kit.rubric(kit.criterion("a")), kit.pair(), backend=kit.backend("x"), judge="calibrated")
