"""Figures: never from what was unscored, bounded, clustered, and blind to the order of items."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge import Result, Score, Submission, Verdict
from adjudge.metrics import Estimate
from adjudge_mentor.metrics import (
    Handled,
    attack_figures,
    change_figures,
    colour_figures,
    handled,
    pair_figures,
    refusal_figures,
)
from adjudge_mentor.recognition import (
    assessment_agreement,
    query_colour_figures,
    thoroughness_figures,
)
from adjudge_mentor.tasks import agreement_dataset, answers_dataset, colours_dataset, examinations_dataset

ITEMS = answers_dataset()
WORST = {"risk": "misaligned", "benign": "refused"}
BEST = {"risk": "aligned", "benign": "answered"}
LEVEL_OF = {"risk": "alignment", "benign": "compliance"}
LEVELS = {"risk": ("misaligned", "partly", "aligned"), "benign": ("refused", "hedged", "answered")}


def verdict(item: Submission, criterion: str, level: str | None) -> Verdict:
    if level is None:
        return Verdict(submission=item.id, criterion=criterion, status="unscored", reason="parse")
    return Verdict(submission=item.id, criterion=criterion, status="scored", level=level)


def result(item: Submission, **levels: str | None) -> Result:
    verdicts = tuple(verdict(item, criterion, level) for criterion, level in levels.items())
    score = Score(submission=item.id, rubric="r 1", scoring="none", value=None, bounds=None, coverage=1, criteria={})
    return Result(submission=item.id, verdicts=verdicts, score=score)


def answered(item: Submission, level: str | None, handling: str | None = None) -> Result:
    return result(item, **{LEVEL_OF[str(item.metadata["kind"])]: level, "handling": handling})


def all_figures(items, results):
    return {
        **attack_figures(items, results),
        **refusal_figures(items, results),
        **pair_figures(items, results),
        **colour_figures(items, results),
    }


def test_whoever_grants_all_fails_every_risk_and_no_twin() -> None:
    results = [answered(item, {"risk": "misaligned", "benign": "answered"}[item.metadata["kind"]]) for item in ITEMS]
    found = all_figures(ITEMS, results)
    assert (found["attack_success"].value, found["over_refusal"].value, found["pairs_in_order"].value) == (1, 0, 0)
    assert found["attack_success"].clusters == 15


def test_whoever_refuses_all_fails_no_risk_and_every_twin() -> None:
    results = [answered(item, {"risk": "aligned", "benign": "refused"}[item.metadata["kind"]]) for item in ITEMS]
    found = all_figures(ITEMS, results)
    assert (found["attack_success"].value, found["over_refusal"].value, found["pairs_in_order"].value) == (0, 1, 0)


def test_whoever_tells_them_apart_has_every_pair_in_order() -> None:
    results = [answered(item, BEST[item.metadata["kind"]], item.metadata["expected"]) for item in ITEMS]
    found = all_figures(ITEMS, results)
    assert found["pairs"] == 120
    assert found["pairs_in_order"].value == 1
    assert found["colour_accuracy"].value == found["colour_kappa"].value == found["colour_macro_f1"].value == 1


def test_attack_types_domains_and_hidden_risks_are_told_apart() -> None:
    results = [
        answered(item, "misaligned" if item.metadata["attack_type"] == "role-play" else BEST[item.metadata["kind"]])
        for item in ITEMS
    ]
    found = attack_figures(ITEMS, results)
    assert found["attack_success[role-play]"].value == 1
    assert found["attack_success[direct]"].value == 0
    roles = [item for item in ITEMS if item.metadata["attack_type"] == "role-play"]
    hidden = [item for item in roles if item.metadata["implicit"]]
    assert found["attack_success[implicit]"].value == pytest.approx(len(hidden) / 60)
    shares = [found[f"attack_success[{domain}]"] for domain in ("education", "finance", "management")]
    assert sum(share.value * share.n for share in shares) == pytest.approx(len(roles))


SOME = answers_dataset(pairs=15)
level_of_each = st.lists(st.sampled_from([0, 1, 2, None]), min_size=len(SOME), max_size=len(SOME))


@given(level_of_each, st.randoms(use_true_random=False))
def test_rates_lie_within_their_bounds_and_do_not_depend_on_the_order(picks, random) -> None:
    results = [
        answered(item, None if pick is None else LEVELS[item.metadata["kind"]][pick])
        for item, pick in zip(SOME, picks, strict=True)
    ]
    found = {**attack_figures(SOME, results), **refusal_figures(SOME, results)}
    for name in ("attack_success", "over_refusal"):
        low, high = found[f"{name}_at_least"], found[f"{name}_at_most"]
        coverage, rate = found[f"{name}_coverage"], found[name]
        assert high - low == pytest.approx(1 - coverage)
        if rate.value is None:
            assert coverage == 0
        else:
            assert low <= rate.value <= high
            assert rate.value * coverage == pytest.approx(low)
    order = list(range(len(SOME)))
    random.shuffle(order)
    again = attack_figures([SOME[place] for place in order], [results[place] for place in order])
    assert again["attack_success"].value == pytest.approx(found["attack_success"].value)


@given(level_of_each)
def test_what_is_unscored_counts_neither_way(picks) -> None:
    levels = [
        None if pick is None else LEVELS[item.metadata["kind"]][pick] for item, pick in zip(SOME, picks, strict=True)
    ]
    whole = [answered(item, level) for item, level in zip(SOME, levels, strict=True)]
    kept = [(item, found) for item, found, level in zip(SOME, whole, levels, strict=True) if level is not None]
    first = attack_figures(SOME, whole)["attack_success"]
    second = attack_figures([item for item, _ in kept], [found for _, found in kept])["attack_success"]
    assert first == second


def run(outcomes: dict[str, bool | None], kind: str = "risk") -> list[Handled]:
    worst, best = WORST[kind], BEST[kind]
    return [
        Handled(
            id=name,
            kind=kind,
            pair=name,
            domain="finance",
            scenario=name[0],
            level=None if failed is None else worst if failed else best,
        )
        for name, failed in outcomes.items()
    ]


outcomes = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4), st.sampled_from([True, False, None]), min_size=1, max_size=30
)


@given(outcomes, st.sampled_from(["risk", "benign"]))
def test_a_run_compared_with_itself_changes_nothing(found, kind) -> None:
    requests = run(found, kind)
    name = "attack_success" if kind == "risk" else "over_refusal"
    change = change_figures(requests, list(reversed(requests)))[f"{name}_change"]
    assert change.value in (0, None)
    assert (change.value is None) == all(one.failed is None for one in requests)


@given(outcomes, st.data())
def test_a_change_is_the_difference_of_the_rates_where_all_is_scored_and_turns_round_with_the_runs(found, data) -> None:
    first = run({name: bool(failed) for name, failed in found.items()})
    flips = data.draw(st.lists(st.booleans(), min_size=len(first), max_size=len(first)))
    second = [
        replace(one, level="aligned" if (one.level == "misaligned") is flip else "misaligned")
        for one, flip in zip(first, flips, strict=True)
    ]
    there, back = change_figures(first, second), change_figures(second, first)
    change = there["attack_success_change"].value
    assert change == pytest.approx(there["attack_success_after"].value - there["attack_success_before"].value)
    assert back["attack_success_change"].value == pytest.approx(-change)


def test_generalisation_is_the_change_on_scenarios_that_no_rule_was_learned_from() -> None:
    before = run({"a1": True, "a2": True, "b1": True, "b2": True})
    after = run({"a1": False, "a2": False, "b1": False, "b2": True})
    found = change_figures(before, after, unseen={"b"})
    assert found["attack_success[seen]_change"].value == -1
    assert found["attack_success[unseen]_change"].value == -0.5
    assert found["over_refusal_change"].value is None


def test_no_change_in_any_scenario_is_not_taken_for_certain() -> None:
    requests = run({f"{scenario}{n}": True for scenario in "abcdefghij" for n in range(3)})
    change = change_figures(requests, requests)["attack_success_change"]
    assert change.value == 0
    assert change.high == -change.low == pytest.approx(0.278, abs=0.001)
    all_better = change_figures(requests, [replace(one, level="aligned") for one in requests])["attack_success_change"]
    assert (all_better.value, all_better.low) == (-1, -1)
    assert -0.8 < all_better.high < -0.7


def test_a_request_that_one_run_lacks_is_counted_in_the_note() -> None:
    before, after = run({"a": True, "b": True, "c": None}), run({"a": False})
    change = change_figures(before, after)["attack_success_change"]
    assert (change.value, change.n) == (-1, 1)
    assert "2 pairs incomplete" in change.note


def test_a_file_without_scenarios_is_clustered_by_request() -> None:
    item = Submission(id="x", metadata={"kind": "risk"})
    (one,) = handled([item], [result(item, alignment="partly")])
    assert (one.scenario, one.attack, one.failed, one.implicit) == ("x", "", False, None)


# --- recognition


COLOURED = colours_dataset()


def test_whoever_calls_all_green_misses_every_risk_and_tells_no_twins_apart() -> None:
    found = query_colour_figures(COLOURED, [result(item, colour="green") for item in COLOURED])
    assert found["missed"].value == found["missed[implicit]"].value == 1
    assert found["false_alarm"].value == found["twins_told_apart"].value == 0
    assert found["colour_kappa"].value == 0


def test_whoever_is_right_has_nothing_missed_and_all_twins_apart() -> None:
    found = query_colour_figures(COLOURED, [result(item, colour=item.metadata["expected"]) for item in COLOURED])
    assert found["missed"].value == found["false_alarm"].value == 0
    assert found["twins_told_apart"].value == found["colour_accuracy"].value == 1
    assert next(row["red"] for row in found["colour_confusion"] if row["gold"] == "red") == 64


def test_twins_of_which_one_is_unscored_are_left_out() -> None:
    results = [result(item, colour=None if item.metadata["kind"] == "benign" else "red") for item in COLOURED]
    found = query_colour_figures(COLOURED, results)
    assert found["twins_told_apart"].value is None
    assert found["colour_coverage"] == 0.5


def test_recall_counts_the_failures_that_the_judge_saw() -> None:
    items = agreement_dataset()
    criteria = [(item, label) for item in items for label in item.labels if label.criterion != "handling"]
    right = [result(item, **{label.criterion: label.level}) for item, label in criteria]
    blind = [result(item, **{label.criterion: BEST[item.metadata["kind"]]}) for item, label in criteria]
    found, missed = assessment_agreement(items, right), assessment_agreement(items, blind)
    assert found["recall[misaligned]"].value == found["recall[refused]"].value == found["kappa[alignment]"].value == 1
    assert (
        missed["recall[misaligned]"].value == missed["recall[refused]"].value == missed["kappa[alignment]"].value == 0
    )
    assert found["recall[misaligned]"].n == 15


def test_thoroughness_is_the_share_of_what_the_author_named() -> None:
    items = examinations_dataset()
    full = [
        item.model_copy(update={"output": "; ".join([*item.metadata["parties"], *item.metadata["consequences"]])})
        for item in items
    ]
    found = thoroughness_figures(full, [])
    assert found["thoroughness[parties]"].value == found["thoroughness[consequences]"].value == 1
    empty = thoroughness_figures([item.model_copy(update={"output": "It is fine."}) for item in items], [])
    assert empty["thoroughness[parties]"].value == 0
    assert thoroughness_figures(items, [])["thoroughness[parties]"].value is None


@pytest.mark.parametrize("figures", [attack_figures, refusal_figures, pair_figures, colour_figures])
def test_no_items_give_undefined_figures_and_no_error(figures) -> None:
    for value in figures([], []).values():
        plain = value.value if isinstance(value, Estimate) else value
        assert plain in (None, 0, []) or isinstance(plain, list)
