"""Figures by band, breaches let pass with their upper bound, what goes to a person, and scores of texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge.api import installed, result_of
from adjudge.submission import Label, Submission
from adjudge.verdict import Result, Verdict
from adjudge_finance.breaches import DOUBT, escalate, miss_figures, passes, rate_below
from adjudge_finance.metrics import band_figures, majority
from adjudge_finance.phrasebank import SENTIMENTS
from adjudge_finance.rubrics import pack
from adjudge_finance.tasks import writing_answers_dataset
from adjudge_finance.writing_metrics import writing_figures

QUIET = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
FIGURES = band_figures(SENTIMENTS)


def sentence(number: int, gold: str, band: str, cluster: str = "") -> Submission:
    about = {"band": band, "cluster": cluster or str(number)}
    return Submission(id=str(number), output="x", labels=(Label(criterion="sentiment", level=gold),), metadata=about)


def judged(item: Submission, levels: dict[str, str | None], **fields) -> Result:
    """A result with these levels; None is unscored."""
    rubric = item.rubric or pack("investor-sentiment")
    verdicts = [
        Verdict(submission=item.id, criterion=name, status="unscored", reason="parse")
        if level is None
        else Verdict(
            submission=item.id,
            criterion=name,
            status="scored",
            level=level,
            score=rubric.criterion(name).scale.level(level).score,
            **fields,
        )
        for name, level in levels.items()
    ]
    return result_of(item, rubric, verdicts, installed())


def answered(items: Sequence[Submission], answer: Callable[[Submission], str | None]) -> list[Result]:
    return [judged(item, {"sentiment": answer(item)}) for item in items]


ITEMS = [
    sentence(1, "positive", "50-65"),
    sentence(2, "neutral", "100"),
    sentence(3, "neutral", "100"),
    sentence(4, "negative", "100"),
    sentence(5, "neutral", "50-65"),
]


def test_figures_are_given_in_all_and_by_band_from_the_surest() -> None:
    found = FIGURES(ITEMS, answered(ITEMS, lambda item: "neutral"))
    assert found["accuracy"].value == found["majority"].value == 0.6
    assert found["accuracy[100]"].value == found["majority[100]"].value == pytest.approx(2 / 3)
    assert found["macro_f1[100]"].value == pytest.approx(0.8 / 3)
    assert [name for name in found if name.startswith("accuracy[")] == ["accuracy[100]", "accuracy[50-65]"]
    assert found["accuracy[100]"].low < 2 / 3 < found["accuracy[100]"].high
    assert found["confusion"][0] == {"gold": "positive", "positive": 0, "neutral": 1, "negative": 0, "unscored": 0}


def test_what_is_unscored_is_left_out_counted_and_bounded() -> None:
    def answer(item: Submission) -> str | None:
        return None if item.id in {"2", "3"} else str(item.labels[0].level)

    found = FIGURES(ITEMS, answered(ITEMS, answer))
    assert found["accuracy"].value == 1
    assert found["accuracy"].n == 3
    assert found["coverage"] == 0.6
    assert found["coverage[100]"] == pytest.approx(1 / 3)
    assert (found["accuracy_if_unscored_wrong"], found["accuracy_if_unscored_right"]) == (0.6, 1)


def test_one_band_alone_is_not_repeated() -> None:
    assert not any("[" in name for name in FIGURES(ITEMS[1:4], answered(ITEMS[1:4], lambda item: "neutral")))


def test_a_sentence_that_stands_twice_is_one_cluster() -> None:
    twice = [sentence(1, "positive", "100", "a"), sentence(2, "neutral", "100", "a"), sentence(3, "neutral", "100")]
    assert FIGURES(twice, answered(twice, lambda item: "neutral"))["accuracy"].clusters == 2


def test_the_majority_of_nothing_is_undefined() -> None:
    assert majority([]).value is None
    assert majority(["b", "a"]).value == 0.5


ADVICE = pack("advice")


def advice(name: str, **gold: str) -> Submission:
    labels = tuple(Label(criterion=criterion, level=level) for criterion, level in gold.items())
    return Submission(id=name, output="x", labels=labels, rubric=ADVICE.with_criteria(gold))


BAD = advice("bad", suitability="breach", fair_claims="breach", client_fit="breach")
FAIR = advice("fair", suitability="partial", fair_claims="sound")


def test_a_breach_let_pass_is_a_miss_and_other_criteria_do_not_count() -> None:
    results = [
        judged(BAD, {"suitability": "partial", "fair_claims": "breach", "client_fit": "sound"}),
        judged(FAIR, {"suitability": "breach", "fair_claims": "sound"}),
    ]
    found = miss_figures([BAD, FAIR], results)
    assert found["breaches"] == 2
    assert found["miss_rate"].value == 0.5
    assert found["miss_rate[suitability]"].value == 1
    assert found["miss_rate[fair_claims]"].value == 0
    assert found["false_alarm_rate"].value == 0.5
    assert "miss_rate[client_fit]" not in found


@pytest.mark.parametrize(
    ("labels", "breaches"),
    [
        ((Label(criterion="fair_claims", level="sound"), Label(criterion="fair_claims", level="breach")), 1),
        ((Label(criterion="fair_claims", score=0),), 1),
        ((Label(criterion="fair_claims", score=2),), 0),
        ((Label(criterion="fair_claims", level="dreadful"), Label(criterion="fair_claims", score=0.5)), 0),
        ((Label(criterion="suitability", level="breach"),), 0),
    ],
)
def test_a_breach_is_one_that_any_rater_saw_by_level_or_score(labels: tuple[Label, ...], breaches: int) -> None:
    item = Submission(id="x", output="x", labels=labels, rubric=ADVICE.with_criteria(["fair_claims"]))
    assert miss_figures([item], [judged(item, {"fair_claims": "sound"})])["breaches"] == breaches


def test_an_unscored_breach_is_no_miss_and_no_success() -> None:
    results = [judged(BAD, {"suitability": None, "fair_claims": "breach", "client_fit": None})]
    found = miss_figures([BAD], results)
    assert (found["miss_rate"].value, found["miss_rate"].n) == (0, 1)
    assert found["miss_rate"].note == "1 unscored breaches left out"
    assert found["miss_rate_if_unscored_missed"].value == 0.5
    assert found["miss_rate[suitability]"].value is None


def test_people_get_breaches_then_what_is_unscored_then_what_is_in_doubt() -> None:
    doubt = {"breach": DOUBT, "partial": 0.1, "sound": 0.9 - DOUBT}
    sure = {"breach": 0.05, "partial": 0.05, "sound": 0.9}
    results = [
        judged(advice("doubt", suitability="sound"), {"suitability": "sound"}, distribution=doubt),
        judged(advice("sure", suitability="sound"), {"suitability": "sound"}, distribution=sure),
        judged(BAD, {"suitability": None, "fair_claims": "breach", "client_fit": "breach"}),
    ]
    items = [advice("doubt", suitability="sound"), advice("sure", suitability="sound"), BAD]
    found = escalate(items, results)
    assert found["escalated"] == 2
    assert [(row["submission"], row["criterion"], row["why"]) for row in found["escalate"]] == [
        ("bad", "fair_claims", "breach"),
        ("bad", "suitability", "unscored: parse"),
        ("doubt", "suitability", "in doubt"),
    ]
    assert found["escalate"][2]["probability"] == DOUBT


def test_escalation_needs_no_gold_labels() -> None:
    item = Submission(id="x", output="x", rubric=ADVICE.with_criteria(["fair_claims"]))
    found = escalate([item], [judged(item, {"fair_claims": "breach"})])
    assert found["escalate"][0]["why"] == "breach"
    assert miss_figures([item], [judged(item, {"fair_claims": "breach"})])["miss_rate"].value is None


def test_a_must_passes_at_the_level_that_it_names() -> None:
    suitability = ADVICE.criterion("suitability")
    assert [passes(suitability, level.id) for level in suitability.scale.levels] == [False, True, True]
    fit = ADVICE.criterion("client_fit")
    assert [passes(fit, level.id) for level in fit.scale.levels] == [False, False, True]


@pytest.mark.parametrize(
    ("count", "n", "bound"),
    [(0, 10, 1 - 0.05 ** (1 / 10)), (0, 59, 1 - 0.05 ** (1 / 59)), (1, 10, 0.394163), (5, 50, 0.198833), (3, 3, 1)],
)
def test_the_upper_bound_is_the_exact_one(count: int, n: int, bound: float) -> None:
    assert rate_below(count, n).high == pytest.approx(bound, abs=1e-6)


@QUIET
@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_at_the_bound_so_few_are_as_unlikely_as_the_level_says(pair: tuple[int, int]) -> None:
    from scipy.stats import binom

    count, n = pair
    bound = rate_below(count, n).high
    assert count / n <= bound <= 1
    if count < n:
        assert binom.cdf(count, n, bound) == pytest.approx(0.05, abs=1e-4)


def test_texts_have_a_mean_score_per_kind_and_agreement_over_all_criteria() -> None:
    items = writing_answers_dataset()

    def levels(item: Submission, shift: int) -> dict[str, str | None]:
        return {label.criterion: str(max(1, int(label.score or 0) - shift)) for label in item.labels}

    exact = writing_figures(items, [judged(item, levels(item, 0)) for item in items])
    assert exact["spearman"].value == pytest.approx(1)
    assert exact["same_band"].value == 1
    assert exact["unscored"] == 0
    assert exact["score"].clusters == 3
    assert {"score[Briefing]", "score[Business Correspondence]", "score[Investment Analysis]"} <= set(exact)
    lower = writing_figures(items, [judged(item, levels(item, 2)) for item in items])
    assert lower["score"].value < exact["score"].value
    assert lower["same_band"].value < 1


def test_texts_without_gold_or_score_give_no_agreement_and_are_counted() -> None:
    item = writing_answers_dataset()[0].model_copy(update={"labels": ()})
    found = writing_figures([item], [judged(item, dict.fromkeys([c.id for c in item.rubric.criteria]))])
    assert found["unscored"] == 1
    assert found["score"].value is None
    assert "spearman" not in found
    assert not any(isinstance(value, float) and math.isnan(value) for value in found.values())
