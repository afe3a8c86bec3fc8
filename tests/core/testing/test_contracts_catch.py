"""Every claim of a contract is broken on purpose by something small, and the contract notices."""

from __future__ import annotations

import asyncio
import math
from types import MappingProxyType

import pytest

from adjudge.errors import InputError
from adjudge.interfaces import Capabilities, Parameter, ScoringSpec, TaskSpec
from adjudge.judges.isolated import IsolatedJudge
from adjudge.packs import starter_pack
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Label, Submission
from adjudge.testing import (
    BackendContract,
    ComparingJudgeContract,
    JudgeContract,
    PackContract,
    ScoringContract,
    ScriptedBackend,
    TaskContract,
)
from adjudge.verdict import Failure, Reply, Usage, Verdict

RAW = Capabilities(label_logprobs="raw", json_schema=True)
NONE = Capabilities()


def contract_of_backend(make, failing=None):
    class Broken(BackendContract):
        def make_backend(self):
            return make()

        def make_failing_backend(self):
            return failing() if failing else None

    return Broken()


def saying(script, capabilities=RAW, **changes):
    def make():
        backend = ScriptedBackend(script, capabilities=capabilities)
        for name, value in changes.items():
            setattr(backend, name, value)
        return backend

    return make


def counting():
    """A backend whose identity, and whose answers, are never the same twice."""
    backend = ScriptedBackend(lambda _: "no" if next(TURN) % 2 else "yes", capabilities=NONE)
    backend.identity = {"made": next(TURN)}
    return backend


TURN = iter(range(10_000))


class Fragile(ScriptedBackend):
    """Breaks when a question is cancelled or it is closed twice."""

    broken = False

    async def ask(self, question):
        if self.broken:
            return Reply(failure=Failure(reason="infra", detail="lost"))
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            self.broken = True
            raise
        return await super().ask(question)

    async def aclose(self):
        await super().aclose()
        if self.closed > 1:
            raise RuntimeError("closed twice")


class MixedUp(ScriptedBackend):
    """Answers a question with what another one in flight wants."""

    def __init__(self):
        super().__init__(capabilities=RAW)
        self.last = None

    async def ask(self, question):
        self.last = question
        await asyncio.sleep(0)
        labels = self.last.labels
        likely = labels[len(self.last.prompt.input) % len(labels)] if labels else "x"
        text = likely if set(labels) else "x"
        return Reply(text=text)


BROKEN_BACKENDS = [
    ("it_is_a_backend_with_a_name_and_honest_numbers", saying(None, name="two\nlines")),
    ("it_is_a_backend_with_a_name_and_honest_numbers", saying(None, Capabilities(concurrency=0))),
    ("its_identity_is_json_and_the_same_for_two_of_a_kind", counting),
    ("its_identity_is_json_and_the_same_for_two_of_a_kind", saying(None, identity={})),
    ("labels_get_the_log_probabilities_that_it_declares", saying("yes")),
    ("labels_get_the_log_probabilities_that_it_declares", saying(Failure(reason="infra"))),
    ("labels_get_the_log_probabilities_that_it_declares", saying(Reply(logprobs={"yes": 0.0}, logprobs_are="raw"))),
    (
        "labels_get_the_log_probabilities_that_it_declares",
        saying(lambda q: Reply(logprobs=dict.fromkeys(q.labels, 0.5), logprobs_are="raw")),
    ),
    (
        "labels_get_the_log_probabilities_that_it_declares",
        saying(
            lambda q: Reply(logprobs=dict.fromkeys(q.labels, -9.0), logprobs_are="masked"),
            Capabilities(label_logprobs="masked"),
        ),
    ),
    (
        "labels_without_log_probabilities_are_told_apart",
        saying(Reply(text="yes", logprobs={"yes": 0.0}, logprobs_are="raw"), NONE),
    ),
    ("json_follows_the_schema_or_the_reply_says_why_not", saying('{"level": "perhaps"}')),
    ("a_plain_question_gets_text_or_a_failure", saying("")),
    ("a_prompt_beyond_the_context_is_a_failure", saying(None, Capabilities(context_tokens=8))),
    (
        "usage_is_never_negative_and_no_more_is_cached_than_asked",
        saying(Reply(text="yes", usage=Usage(prompt_tokens=1, cached_tokens=2))),
    ),
    ("greedy_decoding_answers_alike_twice", counting),
    ("questions_in_flight_together_are_not_mixed_up", MixedUp),
    ("a_cancelled_question_leaves_it_usable", Fragile),
    ("it_may_be_closed_twice", Fragile),
]


@pytest.mark.parametrize(("test", "make"), BROKEN_BACKENDS)
def test_a_broken_backend_is_caught(test, make) -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(contract_of_backend(make), f"test_{test}")()


def test_a_failure_that_looks_like_an_answer_is_caught() -> None:
    with pytest.raises(AssertionError, match="must not look like an answer"):
        contract_of_backend(saying(None), saying("yes")).test_a_failed_call_is_a_reply_with_its_failure()


def verdict(criterion, level=None, **fields):
    status = "unscored" if level is None else "scored"
    return Verdict(submission=fields.pop("submission", "s"), criterion=criterion, level=level, status=status, **fields)


class BrokenJudge(IsolatedJudge):
    """Judges well, then spoils the verdicts."""

    def __init__(self, spoil):
        super().__init__()
        object.__setattr__(self, "spoil", spoil)

    async def judge(self, item, rubric, ask):
        return self.spoil(await super().judge(item, rubric, ask))


def made_up(verdicts):
    return [verdict(one.criterion, one.level or "met") for one in verdicts]


BROKEN_JUDGES = [
    ("there_is_one_verdict_per_criterion_and_repeat_in_order", (), lambda all_: all_[::-1]),
    ("there_is_one_verdict_per_criterion_and_repeat_in_order", (), lambda all_: all_[:-1]),
    ("there_is_one_verdict_per_criterion_and_repeat_in_order", (), lambda all_: [*all_, verdict("more", "met")]),
    ("levels_are_on_the_scale_with_their_score", (), lambda all_: [verdict("polite", "splendid"), *all_[1:]]),
    ("levels_are_on_the_scale_with_their_score", (), lambda all_: [verdict("polite", "met", score=7), *all_[1:]]),
    ("it_judges_alike_twice", (), lambda all_: [all_[0].model_copy(update={"detail": str(next(TURN))}), *all_[1:]]),
    (
        "distributions_sum_to_one",
        (),
        lambda all_: [verdict("polite", "met", distribution={"met": 0.5}), *all_[1:]],
    ),
    ("a_failed_reply_stays_unscored_with_its_reason", ("refusal",), made_up),
    (
        "a_failed_reply_stays_unscored_with_its_reason",
        ("refusal",),
        lambda all_: [one.model_copy(update={"reason": "parse"}) for one in all_],
    ),
    ("no_level_comes_from_an_unreadable_reply", ("perhaps",), made_up),
    ("no_level_comes_from_a_reply_cut_short", (), made_up),
    ("a_failure_on_one_criterion_gives_that_one_no_level", (), made_up),
]


@pytest.mark.parametrize(("test", "arguments", "spoil"), BROKEN_JUDGES)
def test_a_broken_judge_is_caught(test, arguments, spoil) -> None:
    class Broken(JudgeContract):
        def make_judge(self):
            return BrokenJudge(spoil)

    with pytest.raises(AssertionError):
        getattr(Broken(), f"test_{test}")(*arguments)


def test_a_judge_that_asks_although_it_says_not_is_caught() -> None:
    class Broken(JudgeContract):
        asks = False

        def make_judge(self):
            return IsolatedJudge()

    with pytest.raises(AssertionError, match="3 questions were asked"):
        Broken().test_it_says_truly_whether_it_asks()


class FirstIsBest:
    """Compares nothing: the submission that is shown first wins."""

    name = "first-is-best"

    async def judge(self, item, rubric, ask):
        return [verdict(criterion.id, "first", submission=item.id) for criterion in rubric.criteria]


@pytest.mark.parametrize(
    ("test", "arguments"),
    [
        ("swapping_the_two_submissions_swaps_the_verdict", ("first-place",)),
        ("it_finds_the_better_one_wherever_it_stands", ()),
    ],
)
def test_a_judge_that_looks_at_the_place_alone_is_caught(test, arguments) -> None:
    class Broken(ComparingJudgeContract):
        def make_judge(self):
            return FirstIsBest()

    with pytest.raises(AssertionError):
        getattr(Broken(), f"test_{test}")(*arguments)


def spread(rubric, scores):
    """The best minus the worst: does not move one way with each criterion."""
    return max(scores.values()) - min(scores.values()) if scores else None


def first_counts_double(rubric, scores):
    return sum(scores.values()) + scores.get(rubric.criteria[0].id, 0)


def greedy(rubric, scores):
    scores.pop("safe", None)
    return 1.0


BROKEN_SCORINGS = [
    ("the_bounds_hold_every_way_in_which_the_unscored_can_turn_out", spread),
    ("the_order_of_criteria_does_not_matter", first_counts_double),
    ("it_leaves_what_it_is_given_alone", greedy),
    ("an_unknown_parameter_is_refused", spread),
]


@pytest.mark.parametrize(("test", "scoring"), BROKEN_SCORINGS)
def test_a_broken_scoring_is_caught(test, scoring) -> None:
    class Broken(ScoringContract):
        def spec(self):
            return ScoringSpec(name="broken", summary="broken on purpose", build=lambda **_: scoring)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(Broken(), f"test_{test}")()


def test_a_scoring_over_submissions_that_gives_a_number_is_caught() -> None:
    class Broken(ScoringContract):
        def spec(self):
            return ScoringSpec(name="b", summary="b", build=lambda **_: spread, over="submissions")

    with pytest.raises(AssertionError):
        Broken().test_a_scoring_over_submissions_gives_one_submission_no_number()


STARTER = starter_pack("demo/replies", "replies.yaml")
BROKEN_PACKS = [
    ("every_pack_loads", STARTER.replace("scale: quality", "scale: qualty")),
    ("every_pack_loads", None),
    ("ids_are_those_written_down", STARTER.replace("id: apology", "id: sorry").replace("apology:", "sorry:")),
    ("lint_finds_nothing", STARTER.replace("values: [honesty, respect]", "values: [honesty, respect, thrift]")),
    ("golden_tests_cover_every_criterion", STARTER.replace("apology: met, ", "").replace("apology: unmet, ", "")),
    ("the_scoring_fits_the_rubric", STARTER.replace("scoring: weighted", "scoring: mean")),
]


def contract_of_packs(folder):
    class Packs(PackContract):
        IDS = MappingProxyType({"demo/replies": ["no-false-promise", "apology", "clarity", "blame"]})

        def folders(self):
            return [folder]

    return Packs()


@pytest.mark.parametrize(("test", "text"), BROKEN_PACKS)
def test_a_broken_pack_is_caught(test, text, tmp_path) -> None:
    assert text != STARTER
    if text is not None:
        (tmp_path / "replies.yaml").write_text(text, "utf-8")
    with pytest.raises(AssertionError):
        getattr(contract_of_packs(tmp_path), f"test_{test}")()


@pytest.mark.parametrize("test", sorted({test for test, _ in BROKEN_PACKS}))
def test_the_starter_pack_keeps_the_contract(test, tmp_path) -> None:
    (tmp_path / "replies.yaml").write_text(STARTER, "utf-8")
    getattr(contract_of_packs(tmp_path), f"test_{test}")()


RUBRIC = Rubric(id="r", version="1", draft=True, criteria=(Criterion(id="c", text="It is so."),))
ITEM = Submission(id="1", output="so", labels=(Label(criterion="c", level="met"),))


def task(items=(ITEM,), **fields):
    given = {"name": "t", "summary": "one line", "kind": "meta", "rubric": lambda **_: RUBRIC}
    return TaskSpec(**{**given, "dataset": lambda **_: items, **fields})


def nan(items, results):
    return {"accuracy": math.nan}


def absent(**_):
    raise InputError("no such file")


BROKEN_TASKS = [
    ("it_says_in_one_line_what_it_is", task(summary="two\nlines")),
    ("parameters_have_unique_names_and_allowed_defaults", task(parameters=(Parameter(name="a b", summary=""),))),
    (
        "parameters_have_unique_names_and_allowed_defaults",
        task(parameters=(Parameter(name="a", summary="", default=1, choices=(2, 3)),)),
    ),
    ("every_item_has_an_id_of_its_own", task([ITEM, ITEM])),
    ("every_item_has_an_id_of_its_own", task([])),
    ("the_data_set_is_the_same_twice", task(dataset=lambda **_: [Submission(id=str(next(TURN)))])),
    ("gold_labels_are_on_the_scale", task([ITEM.model_copy(update={"labels": (Label(criterion="d", level="met"),)})])),
    ("gold_labels_are_on_the_scale", task([ITEM.model_copy(update={"labels": (Label(criterion="c", level="5"),)})])),
    ("gold_labels_are_on_the_scale", task([ITEM.model_copy(update={"labels": (Label(criterion="c", score=5),)})])),
    ("a_task_that_measures_the_judge_has_gold_labels", task([Submission(id="1", output="so")])),
    ("answers_are_there_to_judge_or_left_to_the_candidate", task([Submission(id="1")])),
    ("answers_are_there_to_judge_or_left_to_the_candidate", task(kind="candidate")),
    ("what_it_asks_for_is_installed", task(judge="nobody")),
    ("what_it_asks_for_is_installed", task(read_out="tea leaves")),
    ("metrics_cope_with_no_items_and_with_nothing_scored", task(metrics=(nan,))),
    ("metrics_cope_with_no_items_and_with_nothing_scored", task(metrics=(lambda i, r: {"first": r[0].submission},))),
    ("missing_data_say_what_to_get_from_where_under_which_licence_and_where_to_put_it", task(dataset=absent)),
]


@pytest.mark.parametrize(("test", "spec"), BROKEN_TASKS)
def test_a_broken_task_is_caught(test, spec) -> None:
    class Broken(TaskContract):
        MISSING = MappingProxyType({})

        def task(self):
            return spec

    with pytest.raises((AssertionError, IndexError)):
        getattr(Broken(), f"test_{test}")()


FROM, UNDER, TO = "get it from https://example.org", "licence CC0-1.0", "put it into ./data"


@pytest.mark.parametrize("parts", [(FROM, UNDER), (FROM, TO), (UNDER, TO), (FROM, UNDER, TO)])
def test_the_message_about_missing_data_must_say_all_three_things(parts) -> None:
    def lacking(**_):
        raise InputError("; ".join(parts))

    class Shown(TaskContract):
        MISSING = MappingProxyType({})

        def task(self):
            return task(dataset=lacking)

    check = Shown().test_missing_data_say_what_to_get_from_where_under_which_licence_and_where_to_put_it
    if len(parts) == 3:
        check()
    else:
        with pytest.raises(AssertionError, match=r"says (no|not) "):
            check()
