"""Replies that come in one turn of the event loop are committed together, and each waits until it is stored."""

from __future__ import annotations

import asyncio

import pytest

from adjudge.commits import Commits
from adjudge.errors import LedgerError
from adjudge.ledger import Ledger
from adjudge.verdict import Prompt, Question, Reply

QUESTION = Question(prompt=Prompt(system="", input="", output="", ask="?"), submission="s", criterion="c")


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as book:
        yield book


async def test_replies_of_one_turn_are_one_transaction(ledger):
    said = []
    ledger._db.set_trace_callback(said.append)
    commits = Commits(ledger)
    await asyncio.gather(*(commits.record(str(number), Reply(text=str(number)), QUESTION) for number in range(5)))
    ledger._db.set_trace_callback(None)
    assert [ledger.find(str(number)).text for number in range(5)] == list("01234")
    assert (said.count("BEGIN IMMEDIATE"), said.count("COMMIT")) == (1, 1)


async def test_a_reply_is_stored_once_its_wait_is_over(ledger):
    commits = Commits(ledger)
    for name in "ab":
        await commits.record(name, Reply(text=name), QUESTION)
        assert ledger.find(name).text == name


async def test_a_reply_is_stored_even_if_whoever_waits_is_cancelled(ledger):
    commits = Commits(ledger)
    task = asyncio.create_task(commits.record("a", Reply(text="a"), QUESTION))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert ledger.find("a").text == "a"


async def test_all_of_a_turn_hear_of_a_ledger_that_cannot_be_written(ledger):
    ledger._db.execute("DROP TABLE replies")
    commits = Commits(ledger)
    waits = (commits.record(name, Reply(text=name), QUESTION) for name in "ab")
    outcomes = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LedgerError, LedgerError]
