"""The engine: every question is asked once, in time, a few at a time, and what was paid for is kept."""

from __future__ import annotations

import asyncio
import gc

import pytest

from adjudge.engine import Engine, StoppedError, run_each, run_judge
from adjudge.errors import BackendError, InputError, LedgerError, UnsupportedError
from adjudge.judges.isolated import IsolatedJudge
from adjudge.ledger import Ledger
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Prompt, Question, Reply, Usage

RUBRIC = Rubric(
    id="test", version="1", draft=True, criteria=tuple(Criterion(id=name, text=f"It is {name}.") for name in "abc")
)


@pytest.fixture
def ledger():
    with Ledger() as book:
        yield book


def question_about(text="x", **fields):
    prompt = Prompt(system="", input="", output=text, ask="?", digest=text.encode())
    return Question(prompt=prompt, labels=("No", "Yes"), **fields)


class Gated(ScriptedBackend):
    """Answers when the gate is opened."""

    def __init__(self, *args, **fields):
        super().__init__(*args, **fields)
        self.gate = asyncio.Event()
        self.started = asyncio.Event()
        self.finished = 0

    async def ask(self, question):
        self.started.set()
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await self.gate.wait()
        finally:
            self._in_flight -= 1
        self.finished += 1
        return await super().ask(question)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_identical_questions_in_flight_are_asked_once(ledger):
    backend = Gated()
    engine = Engine(backend, ledger)
    tasks = [asyncio.create_task(engine(question_about(submission=str(n)))) for n in range(8)]
    await settle()
    backend.gate.set()
    replies = await asyncio.gather(*tasks)
    assert backend.asked == 1
    assert all(reply == replies[0] for reply in replies)
    assert (engine.tally.asked, engine.tally.served) == (1, 7)
    assert engine.tally.usage == replies[0].usage
    assert engine._in_flight == {}


async def test_a_question_answered_before_comes_from_the_ledger(ledger):
    backend = ScriptedBackend()
    first = await Engine(backend, ledger)(question_about())
    engine = Engine(backend, ledger)
    second = await engine(question_about())
    assert backend.asked == 1
    assert (first.cached, second.cached) == (False, True)
    assert second.logprobs == first.logprobs
    assert engine.tally.usage == Usage()


async def test_another_model_never_gets_this_ones_answers(ledger):
    for name in ("one", "two"):
        backend = ScriptedBackend({"Yes": 0.9}, name=name)
        await Engine(backend, ledger)(question_about())
        assert backend.asked == 1


async def test_a_failed_reply_reaches_all_who_wait_and_is_asked_again_later(ledger):
    backend = Gated(Failure(reason="infra", detail="down"))
    engine = Engine(backend, ledger)
    tasks = [asyncio.create_task(engine(question_about())) for _ in range(3)]
    await settle()
    backend.gate.set()
    assert {reply.failure.detail for reply in await asyncio.gather(*tasks)} == {"down"}
    assert engine.tally.failed == 1
    await engine(question_about())
    assert backend.asked == 2


@pytest.mark.parametrize("concurrency", [1, 3, None])
async def test_no_more_questions_are_in_flight_than_allowed(ledger, concurrency):
    backend = Gated()
    engine = Engine(backend, ledger, concurrency=concurrency)
    tasks = [asyncio.create_task(engine(question_about(str(n)))) for n in range(40)]
    await settle()
    backend.gate.set()
    await asyncio.gather(*tasks)
    assert backend.most_in_flight == (concurrency or backend.capabilities.concurrency)
    assert backend.asked == 40


@pytest.mark.parametrize(
    "fields", [{"concurrency": 0}, {"concurrency": -1}, {"deadline": 0}, {"deadline": float("nan")}]
)
async def test_nonsense_bounds_are_refused(ledger, fields):
    with pytest.raises(UnsupportedError, match="both must be more than 0"):
        Engine(ScriptedBackend(), ledger, **fields)


async def test_a_question_past_its_deadline_is_an_infra_failure_and_the_run_goes_on(ledger):
    class Slow(ScriptedBackend):
        async def ask(self, question):
            if question.criterion == "b":
                await asyncio.Event().wait()
            return await super().ask(question)

    engine = Engine(Slow(), ledger, deadline=0.05)
    verdicts = await IsolatedJudge().judge(Submission(id="s", output="text"), RUBRIC, engine)
    assert [verdict.status for verdict in verdicts] == ["scored", "unscored", "scored"]
    assert (verdicts[1].reason, verdicts[1].detail) == ("infra", "no reply within 0.05 s")


@pytest.mark.parametrize("error", [RuntimeError, ValueError, OSError, TimeoutError, KeyError, StopAsyncIteration])
async def test_a_backend_that_raises_gives_a_failed_call_without_the_errors_text(ledger, error):
    class Broken(ScriptedBackend):
        async def ask(self, question):
            raise error("Authorization: Bearer sk-secret")

    engine = Engine(Broken(), ledger)
    reply = await engine(question_about())
    assert (reply.failure.reason, reply.failure.detail) == ("infra", f"the backend raised {error.__name__}")
    stored = ledger._db.execute("SELECT reply FROM replies").fetchone()[0]
    assert "sk-secret" not in stored
    assert engine.tally.failed == 1


async def test_what_a_backend_says_on_purpose_is_passed_on(ledger):
    class Unfit(ScriptedBackend):
        async def ask(self, question):
            raise BackendError("no such model; choose another")

    with pytest.raises(BackendError, match="no such model"):
        await Engine(Unfit(), ledger)(question_about())


async def test_half_characters_in_a_reply_are_replaced_before_it_is_stored(ledger):
    engine = Engine(ScriptedBackend("cut \ud83d"), ledger)
    assert (await engine(question_about())).text == "cut ?"
    assert (await engine(question_about())).text == "cut ?"


async def test_a_cancelled_asker_does_not_cancel_the_others(ledger):
    backend = Gated()
    engine = Engine(backend, ledger)
    tasks = [asyncio.create_task(engine(question_about())) for _ in range(4)]
    await settle()
    tasks[0].cancel()
    await settle()
    backend.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert all(isinstance(outcome, Reply) for outcome in outcomes[1:])
    assert backend.finished == 1


async def test_a_cancelled_waiter_does_not_cancel_the_asker(ledger):
    backend = Gated()
    engine = Engine(backend, ledger)
    tasks = [asyncio.create_task(engine(question_about())) for _ in range(2)]
    await settle()
    tasks[1].cancel()
    backend.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], Reply)
    assert isinstance(outcomes[1], asyncio.CancelledError)


async def test_stop_lets_what_is_in_flight_finish_and_reach_the_ledger(ledger):
    backend = Gated()
    engine = Engine(backend, ledger, concurrency=2)
    items = [Submission(id=str(n), output=f"answer {n}") for n in range(6)]
    run = asyncio.create_task(run_judge(engine, IsolatedJudge(), items, lambda _: RUBRIC, lambda *_: None))
    await backend.started.wait()
    await settle()
    engine.stop()
    backend.gate.set()
    with pytest.raises(StoppedError, match="takes no new questions"):
        await run
    assert backend.asked == 2
    assert ledger.counts() == (2, 2)


async def test_stop_in_the_middle_of_an_item_drains_its_other_questions(ledger):
    """One question that finds the engine stopped must not leave the others behind unrecorded."""
    backend = Gated()
    engine = Engine(backend, ledger, concurrency=2)
    wide = Rubric(
        id="wide",
        version="1",
        draft=True,
        criteria=tuple(Criterion(id=f"c{n}", text=f"It is {n}.") for n in range(6)),
    )
    first = asyncio.Event()

    async def ask_first_at_once(question):
        if question.criterion == "c0":
            return await ScriptedBackend.ask(backend, question)
        first.set()
        return await Gated.ask(backend, question)

    backend.ask = ask_first_at_once
    item = Submission(id="s", output="text")
    run = asyncio.create_task(run_judge(engine, IsolatedJudge(), [item], lambda _: wide, lambda *_: None))
    await first.wait()
    await settle()
    engine.stop()
    backend.gate.set()
    with pytest.raises(StoppedError):
        await run
    assert backend.asked == 3
    assert ledger.counts() == (3, 3)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_stopped_engine_still_answers_from_the_ledger(ledger):
    engine = Engine(ScriptedBackend(), ledger)
    await engine(question_about())
    engine.stop()
    assert (await engine(question_about())).cached
    with pytest.raises(StoppedError):
        await engine(question_about("new"))


async def test_items_that_share_an_input_are_asked_about_side_by_side(ledger):
    backend = ScriptedBackend()
    items = [Submission(id=f"{n}{name}", input=name, output=f"{n}{name}") for n in range(3) for name in "xy"]
    await run_judge(Engine(backend, ledger, concurrency=1), IsolatedJudge(), items, lambda _: RUBRIC, lambda *_: None)
    assert [question.submission for question in backend.questions[::3]] == ["0x", "1x", "2x", "0y", "1y", "2y"]


async def test_results_carry_their_place_in_the_file_whatever_the_order_of_finishing(ledger):
    backend = ScriptedBackend(latency=lambda question: 0.001 * (10 - int(question.submission)))
    items = [Submission(id=str(n), output=f"answer {n}") for n in range(10)]
    finished = []

    def done(position, verdicts):
        finished.append((position, {verdict.submission for verdict in verdicts}))

    await run_judge(Engine(backend, ledger), IsolatedJudge(), items, lambda _: RUBRIC, done)
    assert sorted(finished) == [(n, {str(n)}) for n in range(10)]


@pytest.mark.parametrize("count", [20, 400])
async def test_only_as_many_items_are_open_as_questions_may_be_in_flight(ledger, count):
    """So what an item costs does not grow with the number of items."""
    open_items: set[str] = set()
    most = 0

    class Counting:
        name = "counting"

        async def judge(self, item, rubric, ask):
            nonlocal most
            open_items.add(item.id)
            most = max(most, len(open_items))
            await ask(question_about(item.id))
            open_items.remove(item.id)
            return []

    items = [Submission(id=str(n)) for n in range(count)]
    engine = Engine(ScriptedBackend(keep=False), ledger, concurrency=4)
    await run_judge(engine, Counting(), items, lambda _: RUBRIC, lambda *_: None)
    assert most <= 4
    assert engine._in_flight == {}
    assert ledger.counts() == (count, count)


async def test_no_items_are_no_work(ledger):
    await run_judge(Engine(ScriptedBackend(), ledger), IsolatedJudge(), [], lambda _: RUBRIC, lambda *_: None)


async def test_an_item_that_cannot_be_judged_stops_the_run_before_more_is_paid(ledger):
    backend = ScriptedBackend()
    engine = Engine(backend, ledger, concurrency=1)
    items = [Submission(id=str(n), output=f"answer {n}") for n in range(5)]

    def rubric_of(item):
        if item.id == "2":
            raise InputError("brings no rubric")
        return RUBRIC

    with pytest.raises(InputError):
        await run_judge(engine, IsolatedJudge(), items, rubric_of, lambda *_: None)
    assert {question.submission for question in backend.questions} == {"0", "1"}
    assert not engine.stopping


async def test_work_that_was_begun_is_finished_when_another_fails(ledger):
    finished = []
    engine = Engine(ScriptedBackend(), ledger, concurrency=3)

    async def work(position):
        await asyncio.sleep(0)
        if position == 0:
            raise InputError("first")
        await settle()
        finished.append(position)

    with pytest.raises(InputError, match="first"):
        await run_each(engine, range(9), work)
    assert finished == [1, 2]


async def test_a_ledger_that_cannot_be_written_stops_the_asking(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger._db.execute(f"PRAGMA max_page_count = {ledger._pragma('page_count')}")
        backend = ScriptedBackend(lambda question: Reply(text="x" * 50_000))
        engine = Engine(backend, ledger, concurrency=2)
        items = [Submission(id=str(n), output=f"answer {n}") for n in range(50)]
        with pytest.raises(LedgerError, match="the disk is full"):
            await run_judge(engine, IsolatedJudge(), items, lambda _: RUBRIC, lambda *_: None)
    assert backend.asked <= 2


async def test_a_full_disk_is_named_even_if_others_only_saw_the_engine_stop(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger._db.execute(f"PRAGMA max_page_count = {ledger._pragma('page_count')}")

        def script(question):
            return {"Yes": 0.9} if question.criterion == "a" else Reply(text="x" * 50_000)

        engine = Engine(ScriptedBackend(script), ledger, concurrency=1)
        with pytest.raises(LedgerError, match="the disk is full"):
            await run_judge(engine, IsolatedJudge(), [Submission(id="s", output="text")], lambda _: RUBRIC, print)


async def test_a_cancelled_run_leaves_no_task_and_nothing_to_complain_about(ledger):
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    backend = Gated()
    items = [Submission(id=str(n), output="one text for all") for n in range(20)]
    engine = Engine(backend, ledger)
    run = asyncio.create_task(run_judge(engine, IsolatedJudge(), items, lambda _: RUBRIC, lambda *_: None))
    await backend.started.wait()
    await settle()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await settle()
    del run
    gc.collect()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    assert complaints == []
    assert engine._in_flight == {}


async def test_usage_and_cost_are_summed_over_what_was_sent(ledger):
    paid = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=2, cost=0.25)
    engine = Engine(ScriptedBackend(Reply(text="Yes", usage=paid)), ledger)
    for text in ("a", "b", "a"):
        await engine(question_about(text))
    assert engine.tally.usage == paid + paid
    assert (engine.tally.asked, engine.tally.served) == (2, 1)


@pytest.mark.parametrize(("failure", "reason"), [("refusal: no", "refusal"), ("infra: down", "infra"), ("?", "infra")])
async def test_a_candidate_that_gave_no_answer_is_not_judged(ledger, failure, reason):
    backend, found = ScriptedBackend(), {}
    items = [
        Submission(id="silent", metadata={"solver_failure": failure}),
        Submission(id="spoke", output="text", metadata={"solver_failure": failure}),
    ]
    await run_judge(Engine(backend, ledger), IsolatedJudge(), items, lambda _: RUBRIC, found.__setitem__)
    assert {(verdict.status, verdict.reason) for verdict in found[0]} == {("unscored", reason)}
    assert [verdict.criterion for verdict in found[0]] == ["a", "b", "c"]
    assert found[0][0].detail == f"the candidate: {failure}"
    assert {verdict.status for verdict in found[1]} == {"scored"}
    assert {question.submission for question in backend.questions} == {"spoke"}
