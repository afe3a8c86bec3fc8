"""A batch service is asked once for everything; its handle outlives the process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from adjudge import Criterion, Rubric, Submission, make_judge
from adjudge.batching import TWO_DAYS, BatchBackend
from adjudge.errors import UnsupportedError
from adjudge.ledger import Ledger
from adjudge.sending import Policy
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Question, Reply

RUBRIC = Rubric(id="r", version="1", criteria=[Criterion(id=f"c{n}", text=f"criterion {n}") for n in range(3)])
ITEMS = [Submission(id=str(n), input=f"in {n}", output=f"out {n}") for n in range(5)]
PATIENT = Policy(deadline=TWO_DAYS, attempt_timeout=TWO_DAYS)


class Service(ScriptedBackend):
    """Keeps submissions by handle, as the service's own machines would; outlives the client."""

    def __init__(self, jobs: dict[str, list[Question]]) -> None:
        super().__init__({"*": {"Yes": 0.8, "No": 0.2}})
        self.jobs = jobs
        self.ready = asyncio.Event()
        self.ready.set()
        self.submitted = asyncio.Event()

    async def ask(self, question: Question) -> Reply:
        raise AssertionError("asked one by one")

    async def ask_many(self, questions: Sequence[Question], on_handle=None, *, handle=None) -> list[Reply]:
        if handle is None:
            handle = f"batch-{len(self.jobs)}"
            self.jobs[handle] = list(questions)
            on_handle(handle)
            self.submitted.set()
        await self.ready.wait()
        known = {question.content for question in self.jobs[handle]}
        lost = Reply(failure=Failure(reason="infra", detail="not in it"))
        return [await super(Service, self).ask(q) if q.content in known else lost for q in questions]


def judging(service: Service, ledger: Ledger):
    return make_judge(RUBRIC, backend=BatchBackend(service, ledger, quiet_seconds=0.02), ledger=ledger, policy=PATIENT)


async def test_all_questions_of_a_run_go_out_in_one_batch():
    jobs: dict[str, list[Question]] = {}
    async with judging(Service(jobs), Ledger()) as judge:
        results = await judge.many(ITEMS)
    assert {verdict.level for result in results for verdict in result.verdicts} == {"met"}
    assert {handle: len(questions) for handle, questions in jobs.items()} == {"batch-0": 15}


async def test_a_run_that_was_stopped_collects_what_it_had_submitted(tmp_path):
    jobs: dict[str, list[Question]] = {}
    service = Service(jobs)
    service.ready.clear()
    async with judging(service, Ledger(tmp_path / "l.sqlite")) as judge:
        run = asyncio.create_task(judge.many(ITEMS))
        await service.submitted.wait()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    async with judging(Service(jobs), Ledger(tmp_path / "l.sqlite")) as judge:
        results = await judge.many([*ITEMS, Submission(id="new", output="one more")])
    assert all(verdict.level == "met" for result in results for verdict in result.verdicts)
    assert {handle: len(questions) for handle, questions in jobs.items()} == {"batch-0": 15, "batch-1": 3}


async def test_verdicts_of_a_batch_are_shared_with_the_backend_itself():
    ledger = Ledger()
    plain = ScriptedBackend({"*": {"Yes": 0.8, "No": 0.2}})
    judge = make_judge(RUBRIC, backend=plain, ledger=ledger)
    await judge.many(ITEMS)
    jobs: dict[str, list[Question]] = {}
    await judging(Service(jobs), ledger).many(ITEMS)
    assert jobs == {}


async def test_a_line_that_failed_is_unscored_and_asked_again_by_the_next_run_only():
    jobs: dict[str, list[Question]] = {"batch-x": []}
    ledger = Ledger()
    backend = BatchBackend(Service(jobs), ledger, quiet_seconds=0.02)
    judge = make_judge(RUBRIC, backend=backend, ledger=ledger, policy=PATIENT)
    questions: list[str] = []
    original = ledger.handle_of
    ledger.handle_of = lambda key: questions.append(key) or original(key) or "batch-x"
    (result,) = await judge.many(ITEMS[:1])
    assert {verdict.reason for verdict in result.verdicts} == {"infra"}
    assert len(questions) == 3
    ledger.handle_of = original
    (result,) = await judge.many(ITEMS[:1])
    assert {verdict.level for verdict in result.verdicts} == {"met"}


async def test_a_look_that_failed_for_now_keeps_the_handle(tmp_path):
    jobs: dict[str, list[Question]] = {}
    service = Service(jobs)
    original = service.ask_many

    async def broken(questions, on_handle=None, *, handle=None):
        await original(questions, on_handle, handle=handle)
        return [Reply(failure=Failure(reason="infra", detail="line down", retryable=True)) for _ in questions]

    service.ask_many = broken
    async with judging(service, Ledger(tmp_path / "l.sqlite")) as judge:
        (result,) = await judge.many(ITEMS[:1])
    assert {verdict.reason for verdict in result.verdicts} == {"infra"}
    async with judging(Service(jobs), Ledger(tmp_path / "l.sqlite")) as judge:
        (result,) = await judge.many(ITEMS[:1])
    assert {verdict.level for verdict in result.verdicts} == {"met"}
    assert list(jobs) == ["batch-0"]


def test_a_backend_without_a_batch_service_is_refused():
    with pytest.raises(UnsupportedError, match="leave --batch out"):
        BatchBackend(ScriptedBackend(), Ledger())
