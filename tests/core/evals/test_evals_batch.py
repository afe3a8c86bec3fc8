"""A judging model that inspect asks through a batch service: half the price, the same verdicts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from inspect_ai.model import BatchConfig, GenerateConfig, get_model

from adjudge import _registry
from adjudge.evals.scores import judged_of
from adjudge.testing import Loopback, Seen, Served

from .conftest import by_the_text, completion, run, score_of

judge = _registry.TASKS["judge"]


class BatchService:
    """The files and batches of OpenAI's batch interface; every batch is done when it is looked at."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: list[int] = []
        """Number of requests of each batch."""
        self.asked_singly = 0

    def answer(self, seen: Seen) -> Served:
        path = seen.path.partition("?")[0]
        if path.endswith("/content"):
            return Served(self.files[path.split("/")[-2]])
        if path.endswith("/files"):
            return Served(self._file(self._uploaded(seen)))
        if "/files/" in path:
            return Served(self._described(path.rpartition("/")[2]))
        if "/batches" in path:
            return Served(self._batch(path.rpartition("/")[2] if seen.method == "GET" else seen.body["input_file_id"]))
        self.asked_singly += 1
        return Served(completion(by_the_text(seen.body)))

    def _uploaded(self, seen: Seen) -> bytes:
        boundary = re.search(r"boundary=(\S+)", seen.headers["content-type"])
        assert boundary is not None
        parts = seen.raw.split(b"--" + boundary[1].strip('"').encode())
        (content,) = [part.partition(b"\r\n\r\n")[2].rstrip(b"\r\n") for part in parts if b"filename=" in part]
        return content

    def _file(self, content: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return self._described(name)

    def _described(self, name: str) -> dict[str, Any]:
        size = len(self.files[name])
        said = {"id": name, "object": "file", "bytes": size, "created_at": 1, "filename": "f", "purpose": "batch"}
        return {**said, "status": "processed"}

    def _batch(self, file: str) -> dict[str, Any]:
        out = f"{file}-out"
        if out not in self.files:
            requests = [json.loads(line) for line in self.files[file].splitlines()]
            self.batches.append(len(requests))
            self.files[out] = b"\n".join(json.dumps(self._line(one)).encode() for one in requests)
        return {
            "id": file,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "input_file_id": file,
            "completion_window": "24h",
            "created_at": 1,
            "status": "completed",
            "output_file_id": out,
            "request_counts": {"total": 1, "completed": 1, "failed": 0},
        }

    def _line(self, request: dict[str, Any]) -> dict[str, Any]:
        body = completion(by_the_text(request["body"]))
        return {
            "id": "r",
            "custom_id": request["custom_id"],
            "response": {"status_code": 200, "body": body},
            "error": None,
        }


def test_a_grader_can_be_asked_through_a_batch_service(
    rubric_file: str, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
    service = BatchService()
    table = [{"id": f"r{n}", "input": "say it", "output": f"{n} please" if n % 2 else f"{n} now"} for n in range(4)]
    with Loopback() as server:
        server.answer = service.answer
        config = GenerateConfig(batch=BatchConfig(send_delay=0.3, tick=0.1), max_retries=0)
        grader = get_model("openai/gpt-4o-mini", base_url=f"{server.url}/v1", config=config, memoize=False)
        log = run(judge(rubric=rubric_file, dataset=rows(*table)), model_roles={"grader": grader})
    assert log.status == "success"
    for row in table:
        judged = judged_of(score_of(log, row["id"]).metadata)
        assert judged is not None
        assert judged.result.score.coverage == 1
        assert {verdict.level for verdict in judged.verdicts if verdict.criterion == "polite"} == {
            "met" if "please" in row["output"] else "unmet"
        }
    assert service.asked_singly == 0
    assert sum(service.batches) == sum(len(judged_of(score_of(log, row["id"]).metadata).verdicts) for row in table)
    assert len(service.batches) <= 2, "all criteria are asked at once"
