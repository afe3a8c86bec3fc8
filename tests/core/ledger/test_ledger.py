"""The ledger: what was stored is found again, whoever writes beside it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading

import pytest

from adjudge.errors import LedgerError
from adjudge.ledger import Ledger
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Failure, Reply, Usage, Verdict


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def verdict_on(criterion, level="met"):
    return Verdict(submission="s", criterion=criterion, status="scored", level=level)


def test_a_reply_is_found_again_whole_and_marked_as_cached(path):
    reply = Reply(
        text='naïve "护理" \x00 text',
        logprobs={"No": -0.1234567890123456, "Yes": float("-inf")},
        logprobs_are="raw",
        usage=Usage(prompt_tokens=5, cached_tokens=3, completion_tokens=2, cost=0.1 + 0.2),
        served_model="m",
        sent={"temperature": 0.0},
    )
    with Ledger(path) as ledger:
        ledger.record("key", reply)
    with Ledger(path) as ledger:
        found = ledger.find("key")
    assert found == reply.model_copy(update={"cached": True})
    assert ledger is not None


def test_nothing_is_found_under_another_key(path):
    with Ledger(path) as ledger:
        ledger.record("key", Reply(text="x"))
        assert ledger.find("other") is None


def test_a_failed_reply_is_kept_but_never_served(path):
    with Ledger(path) as ledger:
        ledger.record("key", Reply(failure=Failure(reason="infra")))
        assert ledger.find("key") is None
        ledger.record("key", Reply(text="later"))
        ledger.record("key", Reply(failure=Failure(reason="infra")))
        assert ledger.find("key").text == "later"
        assert ledger.counts() == (3, 1)


def test_the_latest_usable_reply_is_served(path):
    with Ledger(path) as ledger:
        for text in ("first", "second"):
            ledger.record("key", Reply(text=text))
        assert ledger.find("key").text == "second"


def test_a_discarded_reply_is_kept_but_never_served_again(path):
    with Ledger(path) as ledger:
        ledger.record("key", Reply(text="x"))
        ledger.record("other", Reply(text="y"))
        ledger.discard("key")
        assert ledger.find("key") is None
        assert ledger.find("other").text == "y"
        assert ledger.counts() == (2, 1)
        ledger.record("key", Reply(text="again"))
        assert ledger.find("key").text == "again"


def test_what_a_question_came_to_is_its_latest_usable_reply_or_else_its_latest(path):
    with Ledger(path) as ledger:
        assert ledger.last_reply("key") is None
        ledger.record("key", Reply(text="first"))
        ledger.record("key", Reply(text="second"))
        ledger.discard("key")
        assert ledger.last_reply("key").text == "second"
        ledger.record("key", Reply(text="third"))
        ledger.record("key", Reply(stop="error", failure=Failure(reason="infra")))
        assert ledger.last_reply("key").text == "third"


def test_the_secret_stays_and_is_the_ledgers_own(path, tmp_path):
    with Ledger(path) as first, Ledger(tmp_path / "other.sqlite") as other, Ledger() as memory:
        secrets = {first.secret, other.secret, memory.secret}
        assert len(secrets) == 3
        assert {len(secret) for secret in secrets} == {16}
    with Ledger(path) as again:
        assert again.secret == first.secret


def test_items_come_back_in_file_order_whatever_the_order_of_judging(path):
    pair = Comparison(id="p", submissions=(Submission(id="1"), Submission(id="2")))
    items = {2: pair, 0: Submission(id="s", output="护理"), 1: Submission(id="t")}
    with Ledger(path) as ledger:
        run = ledger.begin_run("{}")
        for position, item in items.items():
            ledger.record_item(run, position, item, [verdict_on("b"), verdict_on("a")])
    with Ledger(path) as ledger:
        read = ledger.read_run(run)
    assert [item for item, _ in read] == [items[position] for position in range(3)]
    assert [[verdict.criterion for verdict in verdicts] for _, verdicts in read] == [["b", "a"]] * 3


def test_an_item_recorded_again_replaces_all_of_its_verdicts(path):
    with Ledger(path) as ledger:
        run = ledger.begin_run("{}")
        ledger.record_item(run, 0, Submission(id="s"), [verdict_on("a"), verdict_on("b"), verdict_on("c")])
        ledger.record_item(run, 0, Submission(id="s"), [verdict_on("a", "unmet")])
        ((_, verdicts),) = ledger.read_run(run)
    assert [(verdict.criterion, verdict.level) for verdict in verdicts] == [("a", "unmet")]


def test_an_item_is_stored_whole_or_not_at_all(path):
    def verdicts():
        yield verdict_on("a")
        raise RuntimeError

    with Ledger(path) as ledger:
        run = ledger.begin_run("{}")
        with pytest.raises(RuntimeError):
            ledger.record_item(run, 0, Submission(id="s"), verdicts())
        ledger._db.execute(
            "CREATE TRIGGER no BEFORE INSERT ON verdicts WHEN NEW.part = 1 BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(LedgerError, match="no"):
            ledger.record_item(run, 0, Submission(id="s"), [verdict_on("a"), verdict_on("b")])
        assert ledger.read_run(run) == []
        ledger.record_item(run, 0, Submission(id="s"), [verdict_on("a")])
        assert len(ledger.read_run(run)) == 1


def test_runs_are_kept_apart_and_the_last_one_is_known(path):
    with Ledger(path) as ledger:
        with pytest.raises(LedgerError, match="holds no run yet"):
            ledger.last_run()
        first, second = ledger.begin_run("1"), ledger.begin_run("2")
        ledger.update_run(second, "two")
        ledger.record_item(first, 0, Submission(id="s"), [])
        assert ledger.last_run() == (second, "two")
        assert ledger.read_run(second) == []


def test_closing_twice_is_allowed(path):
    ledger = Ledger(path)
    ledger.close()
    ledger.close()


def test_a_closed_ledger_says_so(path):
    ledger = Ledger(path)
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.record("key", Reply(text="x"))


@pytest.mark.parametrize(("durable", "synchronous"), [(False, 1), (True, 2)])
def test_durability_is_an_option(path, durable, synchronous):
    with Ledger(path, durable=durable) as ledger:
        assert ledger._pragma("journal_mode") == "wal"
        assert ledger._pragma("synchronous") == synchronous
        assert ledger._pragma("busy_timeout") == 30_000


def test_threads_with_a_ledger_each_lose_nothing(path):
    def write(name):
        with Ledger(path) as ledger:
            for number in range(30):
                ledger.record(f"{name}-{number}", Reply(text=str(number)))
            secrets.add(ledger.secret)

    secrets: set[bytes] = set()
    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Ledger(path) as ledger:
        assert ledger.counts() == (120, 120)
        assert ledger.find("3-29").text == "29"
    assert secrets == {ledger.secret}


WRITER = """
import sys
from adjudge.ledger import Ledger
from adjudge.verdict import Reply
with Ledger(sys.argv[1]) as ledger:
    for number in range(40):
        ledger.record(f"{sys.argv[2]}-{number}", Reply(text=str(number)))
    print(ledger.secret.hex())
"""


def test_processes_that_make_and_write_one_ledger_at_once_lose_nothing(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in "abc"
    ]
    told = [writer.communicate(timeout=60) for writer in writers]
    assert [(writer.returncode, error) for writer, (_, error) in zip(writers, told, strict=True)] == [(0, b"")] * 3
    with Ledger(path) as ledger:
        assert ledger.counts() == (120, 120)
        assert {out.decode().strip() for out, _ in told} == {ledger.secret.hex()}


def test_a_new_ledger_has_its_secret_from_its_first_transaction(path):
    """Nobody who opens it in between may find it without."""
    seen = []

    class Spy(Ledger):
        def _create(self):
            super()._create()
            with sqlite3.connect(path) as other:
                seen.append(other.execute("SELECT count(*) FROM meta WHERE key = 'secret'").fetchone()[0])
            other.close()

    Spy(path).close()
    assert seen == [1]


def test_values_are_json_text(path):
    with Ledger(path) as ledger:
        ledger.record("key", Reply(text="x"), submission="s", criterion="c")
    connection = sqlite3.connect(path)
    row = connection.execute("SELECT submission, criterion, usable, json_valid(reply) FROM replies").fetchone()
    connection.close()
    assert row == ("s", "c", 1, 1)
