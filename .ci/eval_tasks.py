"""Runs every installed task as an eval of inspect-ai, with candidate and grader on loopback.

    python .ci/eval_tasks.py

Meant for a bare environment that holds one domain plugin, `adjudge[inspect]` and `openai`. The grader gives the first
level of every scale: what is shown is that each task loads its shipped cases, asks, reads and scores. Exit status 1 if
one does not.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any

from inspect_ai import eval as inspect_eval
from inspect_ai.model import get_model

from adjudge.api import installed
from adjudge.evals.scores import judged_of
from adjudge.testing.loopback import Loopback, Seen, Served

FEW = 2
"""Samples of each task."""


def example(schema: dict[str, Any]) -> Any:
    """The plainest value that a JSON schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0])
    kind = schema.get("type")
    if kind == "object":
        return {name: example(part) for name, part in schema.get("properties", {}).items()}
    return {"array": [], "integer": 1, "number": 1, "boolean": True}.get(kind, "Because.")


def answer(seen: Seen) -> Served:
    """A chat completion: JSON where a schema is asked for, else a sentence; it knows no other address."""
    if seen.method != "POST":
        return Served({"error": {"message": "not found"}}, 404)
    form = seen.body.get("response_format") or {}
    said = json.dumps(example(form["json_schema"]["schema"])) if "json_schema" in form else "I would ask for help."
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return Served(
        {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    )


def ran(name: str, url: str, logs: str) -> str:
    """Run one task; what is wrong with it, empty if nothing is."""
    candidate, grader = (
        get_model(f"openai-api/loop/{role}", base_url=url, memoize=False) for role in ("candidate", "grader")
    )
    roles = {"grader": grader}
    (log,) = inspect_eval(
        f"adjudge/{name}", model=candidate, model_roles=roles, limit=FEW, log_dir=logs, display="none"
    )
    if log.status != "success" or not log.samples:
        return f"{log.status}: {log.error.message if log.error else 'no samples'}"
    judged = [judged_of(score.metadata) for sample in log.samples for score in (sample.scores or {}).values()]
    verdicts = [verdict for one in judged if one is not None for verdict in one.verdicts]
    unscored = [verdict for verdict in verdicts if verdict.status == "unscored"]
    if not verdicts or len(unscored) == len(verdicts):
        return f"nothing was scored: {unscored[0].detail if unscored else 'no verdict'}"
    print(
        f"  adjudge/{name}: {len(log.samples)} samples, {len(verdicts)} verdicts, {len(unscored)} unscored", flush=True
    )
    return ""


def main() -> int:
    """Run them all."""
    os.environ["LOOP_API_KEY"] = "none"
    failed = 0
    with Loopback() as server, tempfile.TemporaryDirectory() as logs:
        server.answer = answer
        for name in sorted(installed().tasks):
            if fault := ran(name, f"{server.url}/v1", logs):
                failed += 1
                print(f"  adjudge/{name}: FAILED: {fault}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
