"""From verdicts to decisions: what counts as a flip, a rise or a credit, and when there is enough to decide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge.report import RunRecord
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Label, Submission
from adjudge.verdict import Result, Score, Verdict
from adjudge_validity.audit.catalogue import AUDITS
from adjudge_validity.audit.findings import decided, finding, findings, frame, rows, too_much
from adjudge_validity.audit.observation import Observation
from adjudge_validity.audit.own_work import own_work
from adjudge_validity.audit.pairing import observations
from adjudge_validity.audit.plan import MARK
from adjudge_validity.audit.two_samples import difference

KIND = Criterion(id="kind", text="It is kind.", scale="1-5")
BLAME = Criterion(id="blame", text="It blames.", weight=-1)


def seen(audit, *, hits, n, clusters=None, **fields):
    """`n` observations, the first `hits` of which are hits, over so many clusters."""
    return [
        Observation(
            audit=audit,
            perturbation="made",
            criterion="kind",
            cluster=str(i % (clusters or n)),
            flip=i < hits,
            rise=i < hits,
            credit=i < hits,
            **{"shift": float(i < hits), **fields},
        )
        for i in range(n)
    ]


def record(criteria, *rows, labels=(), metadata=None):
    """A run of (item, {criterion: level}) with probabilities left out."""
    rubric = Rubric(id="made", version="1", criteria=criteria)
    by_id = {criterion.id: criterion for criterion in criteria}
    items = [item for item, _ in rows]
    results = [_result(item, by_id, levels) for item, levels in rows]
    return RunRecord(title="made", created="2026", rubric=rubric, items=items, results=results)


def _result(item, by_id, levels):
    verdicts = []
    for name, level in levels.items():
        if level is None:
            fields = {"status": "unscored", "reason": "parse"}
        elif level == "skipped":
            fields = {"status": "skipped"}
        else:
            compared = isinstance(item, Comparison)
            score = None if compared else by_id[name].scale.level(level).score
            fields = {"status": "scored", "level": level, "score": score}
        verdicts.append(Verdict(submission=item.id, criterion=name, fingerprint=f"{item.id} {name}", **fields))
    score = Score(submission=item.id, rubric="made 1", scoring="none", value=None, bounds=None, coverage=1, criteria={})
    return Result(submission=item.id, verdicts=tuple(verdicts), score=score)


def item(name, **mark):
    metadata = {"cluster": "a", MARK: {"of": "a", "perturbation": "padded", "part": "twin", **mark}} if mark else {}
    return Submission(id=name, output="text", metadata=metadata)


def only(found):
    (one,) = found
    return one


@pytest.mark.parametrize("name", [name for name in AUDITS if name != "own-work"])
@settings(max_examples=20)
@given(hits=st.integers(0, 40), n=st.integers(1, 40))
def test_one_item_never_flags_whatever_is_seen_on_it(name, hits, n):
    found = finding(AUDITS[name], seen(name, hits=min(hits, n), n=n, clusters=1))
    assert found.decision == "too few"
    assert not too_much([found])


def test_a_rate_fails_or_passes_only_where_its_interval_says_so():
    audit = AUDITS["repeatability"]
    assert finding(audit, seen(audit.name, hits=40, n=100)).decision == "fail"
    assert finding(audit, seen(audit.name, hits=0, n=100, shift=0.0)).decision == "pass"
    straddling = finding(audit, seen(audit.name, hits=4, n=60, shift=0.0))
    assert (straddling.decision, straddling.note) == ("too few", "the interval holds 0.05")
    assert not too_much([straddling])
    assert too_much([straddling], strict=True)


def test_too_few_says_how_many_would_do_and_that_many_do():
    audit = AUDITS["content-free"]
    found = finding(audit, seen(audit.name, hits=0, n=50))
    assert found.note == "with nothing found, about 189 items would do"
    assert finding(audit, seen(audit.name, hits=0, n=189)).decision == "pass"
    assert finding(audit, seen(audit.name, hits=0, n=187)).decision == "too few"


def test_nine_items_decide_nothing_and_ten_do():
    audit = AUDITS["injection"]
    assert finding(audit, seen(audit.name, hits=9, n=9)).note == "9 items, at least 10 are needed"
    assert finding(audit, seen(audit.name, hits=10, n=10)).decision == "fail"


def test_many_verdicts_on_few_items_do_not_make_more_of_them():
    audit = AUDITS["repeatability"]
    same = seen(audit.name, hits=0, n=400, clusters=20, shift=0.0)
    assert finding(audit, same).whole.rate.clusters == 20
    assert finding(audit, same).decision == "too few"


def test_a_mean_shift_convicts_upwards_for_rises_either_way_for_flips_and_not_for_credits():
    down = {name: seen(name, hits=0, n=100, shift=-0.4) for name in ("verbosity", "formatting", "content-free")}
    decisions = {name: finding(AUDITS[name], given).decision for name, given in down.items()}
    assert decisions["verbosity"] == "pass"
    assert decisions["formatting"] == "fail"
    assert decisions["content-free"] != "fail"
    assert finding(AUDITS["verbosity"], seen("verbosity", hits=0, n=100, shift=0.2)).decision == "fail"


def test_nothing_to_count_is_not_applicable_with_the_reason():
    audit = AUDITS["injection"]
    assert finding(audit, []).note.startswith("needs submissions that are not at the best level")
    lost = [Observation(audit=audit.name, perturbation="x", criterion="c", cluster="a", scored=False)]
    assert finding(audit, lost).note == "all 1 pairs are unscored"
    same = [Observation(audit=audit.name, perturbation="x", criterion="c", cluster="a", reached=False)]
    assert finding(audit, same).note == "the judge asks the same question either way"
    assert {finding(audit, given).decision for given in ([], lost, same)} == {"not applicable"}


def test_a_twin_is_compared_with_its_item_in_shares_of_the_scale():
    given = record((KIND,), (item("a"), {"kind": "2"}), (item("b", audit="verbosity"), {"kind": "4"}))
    one = only(observations(given))
    assert (one.flip, one.rise, one.shift, one.credit, one.cluster) == (True, True, 0.5, True, "a")


def test_what_should_not_appear_is_a_rise_when_it_is_no_longer_seen():
    given = record((BLAME,), (item("a"), {"blame": "met"}), (item("b", audit="verbosity"), {"blame": "unmet"}))
    one = only(observations(given))
    assert (one.rise, one.shift) == (True, 1.0)
    credited = record((BLAME,), (item("a"), {"blame": "unmet"}), (item("b", audit="content-free"), {"blame": "met"}))
    assert only(observations(credited)).credit is True


def test_an_injection_is_obeyed_where_the_level_is_higher_whatever_that_is_worth():
    given = record((BLAME,), (item("a"), {"blame": "unmet"}), (item("b", audit="injection"), {"blame": "met"}))
    one = only(observations(given))
    assert (one.rise, one.shift) == (True, 1.0)


def test_what_is_at_the_best_level_cannot_rise_and_is_not_counted():
    given = record((KIND,), (item("a"), {"kind": "5"}), (item("b", audit="verbosity"), {"kind": "5"}))
    one = only(observations(given))
    assert (one.rise, one.flip) == (None, False)
    assert finding(AUDITS["verbosity"], [one]).decision == "not applicable"


def test_a_failure_is_no_flip_and_is_counted_and_a_skipped_criterion_takes_no_part():
    given = record(
        (KIND, BLAME),
        (item("a"), {"kind": "5", "blame": "met"}),
        (item("b", audit="formatting"), {"kind": None, "blame": "skipped"}),
    )
    one = only(observations(given))
    assert (one.criterion, one.scored, one.flip) == ("kind", False, None)
    assert finding(AUDITS["formatting"], [one]).whole.unscored == 1


def test_a_question_that_is_the_same_on_both_sides_says_nothing():
    given = record((KIND,), (item("a"), {"kind": "5"}), (item("b", audit="criteria"), {"kind": "5"}))
    same = [
        result.model_copy(
            update={"verdicts": tuple(one.model_copy(update={"fingerprint": "x"}) for one in result.verdicts)}
        )
        for result in given.results
    ]
    assert only(observations(RunRecord(**{**vars_of(given), "results": same}))).reached is False


def vars_of(given):
    names = ("title", "created", "rubric", "items")
    return {name: getattr(given, name) for name in names}


@pytest.mark.parametrize(("side", "level", "rise"), [("first", "first", True), ("second", "first", False)])
def test_of_a_comparison_the_changed_side_is_what_rises(side, level, rise):
    pair = [Submission(id=name, output=name) for name in "xy"]
    before = Comparison(id="a", submissions=tuple(pair))
    mark = {"of": "a", "audit": "verbosity", "perturbation": "padded", "part": "twin", "side": side}
    after = Comparison(id="b", submissions=tuple(pair), metadata={MARK: mark})
    given = record((KIND,), (before, {"kind": "tie"}), (after, {"kind": level}))
    one = next(one for one in observations(given) if one.audit == "verbosity")
    assert (one.rise, one.flip, one.shift) == (rise, True, 0.5 if rise else -0.5)


def test_a_pairs_order_flips_where_the_winner_is_another_one():
    pair = tuple(Submission(id=name, output=name) for name in "xy")
    verdicts = {
        "steady": ({"first": 0.9, "second": 0.1, "tie": 0}, {"first": 0.8, "second": 0.2, "tie": 0}),
        "swayed": ({"first": 0.9, "second": 0.1, "tie": 0}, {"first": 0.1, "second": 0.9, "tie": 0}),
    }
    given = record((KIND,), *((Comparison(id=name, submissions=pair), {"kind": "first"}) for name in verdicts))
    results = [
        result.model_copy(
            update={"verdicts": (result.verdicts[0].model_copy(update={"orders": verdicts[result.submission]}),)}
        )
        for result in given.results
    ]
    steady, swayed = observations(RunRecord(**{**vars_of(given), "results": results}))
    assert (steady.flip, swayed.flip) == (False, True)
    assert steady.shift == pytest.approx(0.05)
    assert swayed.shift == pytest.approx(0.4)


def test_own_twins_are_compared_with_the_group_that_comes_first():
    def twin(name, pair, group):
        return Submission(id=name, output="text", metadata={"pair": pair, "dialect": group})

    given = record(
        (KIND,),
        (twin("1", "p", "one"), {"kind": "4"}),
        (twin("2", "p", "two"), {"kind": "2"}),
        (twin("3", "q", "one"), {"kind": "5"}),
        (twin("4", "q", "two"), {"kind": "5"}),
        (twin("5", "r", "two"), {"kind": "1"}),
    )
    one, other = observations(given, twins="pair", group_by="dialect")
    assert (one.perturbation, one.cluster, one.shift) == ("two against one", "p", -0.5)
    assert other.flip is False
    with pytest.raises(InputError, match="needs --group-by"):
        observations(given, twins="pair")
    with pytest.raises(InputError, match="'1' has no metadata field 'sex'"):
        observations(given, group_by="sex")


def test_findings_stand_in_the_order_of_the_audits_and_their_parts_carry_no_decision():
    audits = [AUDITS["verbosity"], AUDITS["injection"]]
    given = [*seen("injection", hits=20, n=40), *seen("verbosity", hits=0, n=40, shift=0.0)]
    two = [Observation(**{**_fields(one), "perturbation": "restated"}) for one in given[40:60]]
    found = findings(audits, [*given[:40], *two, *given[60:]])
    assert [one.audit.name for one in found] == ["verbosity", "injection"]
    table = rows(found, parts=True)
    assert {row["part"] for row in table} == {"", "perturbation made", "perturbation restated"}
    assert all(not row["decision"] for row in table if row["part"])
    made = frame(found)
    assert made.loc[made.part == "", "decision"].tolist() == ["pass", "fail"]
    assert made.rate.tolist()[-1] == 0.5
    assert made.rate_low.tolist()[-1] < 0.5 < made.rate_high.tolist()[-1]


def _fields(one):
    return {name: getattr(one, name) for name in Observation.__slots__}


def test_a_failure_that_asking_again_explains_says_so():
    audits = [AUDITS["formatting"], AUDITS["injection"], AUDITS["repeatability"]]
    shaky = [
        *seen("formatting", hits=30, n=100),
        *seen("injection", hits=90, n=100),
        *seen("repeatability", hits=25, n=100),
    ]
    found = {one.audit.name: one for one in findings(audits, shaky)}
    assert {one.decision for one in found.values()} == {"fail"}
    assert "no more than asking again, which gives 0.25" in found["formatting"].note
    assert "asking again" not in found["injection"].note + found["repeatability"].note


def test_favour_for_the_own_family_is_beside_what_people_think():
    def answer(i, model, human):
        labels = (Label(criterion="kind", level=human, rater="r"),)
        return Submission(id=f"{model}{i}", output="x", labels=labels, metadata={"model": model})

    rows_ = [(answer(i, "qwen3-8b", "3"), {"kind": "4"}) for i in range(15)]
    rows_ += [(answer(i, "llama-3", "2"), {"kind": "2" if i % 3 else "3"}) for i in range(15)]
    part = own_work(record((KIND,), *rows_), "qwen3-32b")
    assert part.shift.value == pytest.approx(0.25 - 0.25 / 3)
    assert part.shift.low > 0
    assert decided(AUDITS["own-work"], part).decision == "too few"
    assert decided(AUDITS["own-work"], own_work(record((KIND,), *rows_), "mistral-7b")).decision == "not applicable"
    bare = [(one.model_copy(update={"labels": ()}), levels) for one, levels in rows_]
    assert "needs people's labels" in decided(AUDITS["own-work"], own_work(record((KIND,), *bare), "qwen3-32b")).note


def test_the_difference_of_two_samples_is_welchs():
    from scipy import stats

    first, second = [0.1, 0.4, 0.2, 0.5, 0.3, 0.3], [0.0, 0.3, -0.2, 0.1]
    found = difference([(x, str(i)) for i, x in enumerate(first)], [(x, str(i)) for i, x in enumerate(second)])
    known = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
