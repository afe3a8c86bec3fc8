"""The batch API, on a server that keeps files and batches: submit, poll, restart, collect."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest

from adjudge.verdict import Question, Reply
from adjudge_openai.plugin import build_openai

from .conftest import KEY, Answer, Loopback, Seen
from .openai_replies import SCHEMA, completion, error, response

Make = Callable[..., Question]
Line = dict[str, Any]


class BatchService:
    """What `/files` and `/batches` do; `reply` says how a line is answered."""

    def __init__(self, server: Loopback) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Line] = {}
        self.looks = 0
        self.running_looks = 1
        self.failed_looks = 0
        self.broken_downloads = 0
        self.direct: Callable[[Seen], Answer] = lambda seen: Answer(completion())
        self.status = "completed"
        self.reply: Callable[[Line], Line] = lambda line: line_of(line, completion())
        server.answer = self

    def __call__(self, seen: Seen) -> Answer:
        path = seen.path.removeprefix("/v1/")
        if path in ("chat/completions", "responses"):
            return self.direct(seen)
        if path == "files":
            return self._upload(seen)
        if path == "batches":
            return self._create(seen.body)
        if path.endswith("/content"):
            if self.broken_downloads:
                self.broken_downloads -= 1
                return Answer(b"{", cut=True)
            return Answer(self.files[path.split("/")[1]])
        return self._look(path.split("/")[1])

    def _upload(self, seen: Seen) -> Answer:
        head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + seen.raw)
        (data,) = [part.get_payload(decode=True) for part in parts.iter_parts() if part.get_filename()]
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return Answer({"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "x", "purpose": "batch"})

    def _create(self, body: Line) -> Answer:
        name = f"batch-{len(self.batches)}"
        self.batches[name] = body
        return Answer(self._batch(name, "validating"))

    def _look(self, name: str) -> Answer:
        self.looks += 1
        if self.looks <= self.failed_looks:
            return Answer({}, 503)
        if self.looks <= self.failed_looks + self.running_looks:
            return Answer(self._batch(name, "in_progress"))
        rows = [self.reply(json.loads(row)) for row in self.files[self.batches[name]["input_file_id"]].splitlines()]
        good = [row for row in rows if row and row["response"] and row["response"]["status_code"] == 200]
        bad = [row for row in rows if row and row not in good]
        files = {}
        for kind, part in (("output_file_id", good[::-1]), ("error_file_id", bad)):
            if part:
                files[kind] = f"{kind}-{name}"
                self.files[files[kind]] = b"\n".join(json.dumps(row).encode() for row in part)
        return Answer(self._batch(name, self.status, **files))

    def _batch(self, name: str, status: str, **more: Any) -> Line:
        body = self.batches[name]
        fixed = {"object": "batch", "completion_window": "24h", "created_at": 1, "endpoint": body["endpoint"]}
        return {"id": name, "status": status, "input_file_id": body["input_file_id"], **fixed, **more}


def line_of(line: Line, body: Line, status: int = 200) -> Line:
    return {"id": "l", "custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": None}


@pytest.fixture
def service(loopback: Loopback) -> BatchService:
    return BatchService(loopback)


async def run(loopback: Loopback, questions: list[Question], **more: Any) -> tuple[list[Reply], list[str]]:
    handles: list[str] = []
    options = more.pop("options", {})
    backend = build_openai("gpt-4o-mini", base_url=loopback.url, **options)
    try:
        return await backend.ask_many(questions, handles.append, poll_seconds=0.01, **more), handles
    finally:
        await backend.aclose()


def echo(line: Line) -> Line:
    """Answers with the criterion that the line asked about."""
    text = line["body"]["messages"][-1]["content"]
    return line_of(line, completion(json.dumps({"why": text[-2:], "level": "met"})))


async def test_replies_come_in_the_order_of_the_questions_at_half_the_price(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    service.reply = echo
    questions = [question(f"{name}?", json_schema=SCHEMA) for name in "ABC"]
    replies, handles = await run(loopback, questions)
    assert [json.loads(reply.text)["why"] for reply in replies] == ["A?", "B?", "C?"]
    assert handles == ["batch-0"]
    full = (36 * 0.15 + 64 * 0.075 + 5 * 0.6) / 1e6
    assert replies[0].usage.cost == pytest.approx(full / 2)
    assert replies[0].sent["batch"] is True
    assert service.batches["batch-0"]["endpoint"] == "/v1/chat/completions"


async def test_after_a_restart_a_handle_collects_without_submitting_again(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    service.reply = echo
    questions = [question(f"{name}?", json_schema=SCHEMA) for name in "ABC"]

    class Killed(BaseException):
        pass

    def die(handle: str) -> None:
        raise Killed(handle)

    backend = build_openai("gpt-4o-mini", base_url=loopback.url)
    with pytest.raises(Killed, match="batch-0"):
        await backend.ask_many(questions, die, poll_seconds=0.01)
    await backend.aclose()
    replies, handles = await run(loopback, [*questions[::-1], question("D?")], handle="batch-0")
    assert [json.loads(reply.text)["why"] for reply in replies[:3]] == ["C?", "B?", "A?"]
    assert replies[3].failure is not None
    assert (replies[3].failure.reason, replies[3].failure.retryable) == ("infra", True)
    assert (len(service.batches), handles) == (1, [])


async def test_a_parameter_that_the_model_refuses_is_in_no_line(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    refusal = Answer(error("Unsupported value", param="temperature"), 400)
    service.direct = lambda seen: refusal if "temperature" in seen.body else Answer(completion())
    (reply,), _ = await run(loopback, [question()])
    assert reply.failure is None
    assert "temperature" not in json.loads(service.files["file-0"])["body"]


async def test_identical_questions_share_a_line(loopback: Loopback, service: BatchService, question: Make) -> None:
    replies, _ = await run(loopback, [question(), question(), question(repeat=1)])
    assert [reply.failure for reply in replies] == [None] * 3
    assert len(service.files["file-0"].splitlines()) == 2


LINES: dict[str, tuple[Callable[[Line], Line], str]] = {
    "refused": (lambda line: line_of(line, completion(None, message={"refusal": "no"})), "refusal"),
    "an error of the request": (lambda line: line_of(line, error("bad", "context_length_exceeded"), 400), "overflow"),
    "an error of the server": (lambda line: line_of(line, error("oops"), 500), "infra"),
    "expired": (
        lambda line: {"custom_id": line["custom_id"], "response": None, "error": {"code": "batch_expired"}},
        "infra",
    ),
    "no body": (lambda line: line_of(line, {}), "infra"),
    "missing": (lambda line: {}, "infra"),
}


@pytest.mark.parametrize("name", LINES)
async def test_a_line_that_failed_is_a_typed_failure_and_the_others_stand(
    name: str, loopback: Loopback, service: BatchService, question: Make
) -> None:
    fault, reason = LINES[name]
    service.reply = lambda line: fault(line) if line["body"]["messages"][-1]["content"].endswith("B?") else echo(line)
    replies, _ = await run(loopback, [question("A?"), question("B?")])
    assert replies[0].failure is None
    assert replies[1].failure is not None
    assert (replies[1].failure.reason, replies[1].text) == (reason, "")


async def test_labels_are_read_from_a_batch_too(loopback: Loopback, service: BatchService, question: Make) -> None:
    tops = [{"Yes": -0.2, "No": -1.9}]
    service.direct = lambda seen: Answer(completion("Yes", tops=tops))
    service.reply = lambda line: line_of(line, completion("Yes", tops=tops))
    (reply,), _ = await run(loopback, [question(labels=("Yes", "No"))])
    assert reply.logprobs == pytest.approx({"Yes": -0.2, "No": -1.9})
    service.reply = lambda line: line_of(line, completion("not", tops=[{"not": -0.1}]))
    (reply,), _ = await run(loopback, [question(labels=("met", "not met"))])
    assert reply.failure is not None


async def test_the_responses_api_has_batches_too(loopback: Loopback, service: BatchService, question: Make) -> None:
    service.direct = lambda seen: Answer(response())
    service.reply = lambda line: line_of(line, response())
    (reply,), _ = await run(loopback, [question(json_schema=SCHEMA)], options={"api": "responses"})
    assert (reply.failure, service.batches["batch-0"]["endpoint"]) == (None, "/v1/responses")


async def test_a_look_or_download_that_fails_is_repeated(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    service.failed_looks, service.running_looks, service.broken_downloads = 3, 2, 2
    (reply,), _ = await run(loopback, [question()])
    assert (reply.failure, service.looks) == (None, 6)


async def test_a_batch_that_is_refused_fails_every_question(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    service.status, service.reply = "failed", lambda line: {}
    replies, _ = await run(loopback, [question(), question("B?")])
    assert [reply.failure.reason for reply in replies if reply.failure] == ["infra", "infra"]


async def test_a_wrong_key_is_fatal_and_not_shown(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(error(f"wrong key {KEY}"), 401)
    (reply,), handles = await run(loopback, [question()])
    assert reply.failure is not None
    assert (reply.failure.fatal, handles) == (True, [])
    assert KEY not in reply.model_dump_json()
