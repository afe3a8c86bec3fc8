"""A chat server on the loopback interface that both engines ask, and evals in this process."""

from __future__ import annotations

import gc
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import Score

from adjudge import api
from adjudge.evals import bench

PROBE = "Say yes or no."
KEY = "sk-loopback-77aa5e4b213f9c1d"
RUBRIC = """\
id: manners
version: "2"
role: a host
draft: true
criteria:
  - id: polite
    text: The text is polite.
    dimension: tone
    weight: 2
  - id: short
    text: The text is short.
    dimension: form
"""


@dataclass
class Spoken:
    """What a server says: text, or a body of its own, or a status."""

    text: str | None = ""
    status: int = 200
    finish: str = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    logprobs: dict[str, float] | None = None
    hang: bool = False


Answer = Callable[[dict[str, Any]], Spoken]


def prompt_of(body: dict[str, Any]) -> str:
    """All turns as text."""
    return "\n".join(str(turn["content"]) for turn in body["messages"])


def levels_of(body: dict[str, Any]) -> list[str]:
    """The words that the schema allows; empty if no level is asked for."""
    form = body.get("response_format") or {}
    level = form.get("json_schema", {}).get("schema", {}).get("properties", {}).get("level", {})
    return list(level.get("enum", ()))


def by_the_text(body: dict[str, Any]) -> Spoken:
    """Met if the submission says please; a candidate says `please and thank you`; broken and odd where told to be."""
    shown = prompt_of(body)
    words = levels_of(body)
    said = "please" in (re.search(r"[Ss]ubmission.*", shown, re.DOTALL) or re.search(r".*", shown, re.DOTALL))[0]
    if not words and not body.get("logprobs"):
        return Spoken("please and thank you")
    if "BROKEN" in shown:
        return Spoken(status=400, raw=b'{"error": {"message": "out of order"}}')
    if "ODD" in shown:
        return Spoken("I would rather talk about the weather.")
    if body.get("logprobs"):
        likely, other = ("Yes", "No") if said else ("No", "Yes")
        return Spoken(likely, logprobs={likely: -0.1, other: -2.5})
    # Levels stand from low to high.
    return Spoken(json.dumps({"explanation": "as it says", "level": words[-1] if said else words[0]}))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Loopback:
    """The server; `answer` may be replaced by a test."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answer: Answer = by_the_text
        self.released = Event()
        self._lock = Lock()
        self._server = Server(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def model(self, name: str = "judge", **config: Any) -> Model:
        """The server as a model of inspect that does not retry."""
        settings = GenerateConfig.model_validate({"max_retries": 0, **config})
        return get_model(f"openai-api/loop/{name}", base_url=self.url, config=settings, memoize=False)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(200, {}, b'{"data": [{"id": "judge", "owned_by": "loop"}]}')

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                if not self.path.endswith("/chat/completions"):
                    self._send(404, {}, b"{}")
                    return
                with outer._lock:
                    # A backend may try out first what the server can do.
                    outer.bodies += [body] * (PROBE not in prompt_of(body))
                spoken = outer.answer(body)
                if spoken.hang:
                    outer.released.wait(5)
                data = spoken.raw if spoken.raw is not None else json.dumps(completion(spoken)).encode()
                self._send(spoken.status, spoken.headers, data)

            def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
                try:
                    self.send_response_only(status)
                    for name, value in {"Content-Type": "application/json", **headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data)))
                    # inspect closes no client; without this the end of its event loop would leave open sockets.
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def completion(spoken: Spoken) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": spoken.text}
    choice: dict[str, Any] = {"index": 0, "finish_reason": spoken.finish, "message": message}
    if spoken.logprobs is not None:
        rows = [{"token": k, "logprob": v, "bytes": list(k.encode())} for k, v in spoken.logprobs.items()]
        choice["logprobs"] = {"content": [{**rows[0], "top_logprobs": rows}], "refusal": None}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "total_tokens": 105,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "served",
        "choices": [choice],
        "usage": usage,
    }


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOOP_API_KEY", KEY)
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    monkeypatch.setenv("INSPECT_LOG_DIR", str(tmp_path / "logs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("INSPECT_EVAL_MODEL", raising=False)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def rubric_file(tmp_path: Path) -> str:
    path = tmp_path / "manners.yaml"
    path.write_text(RUBRIC, "utf-8")
    return str(path)


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., str]:
    """`rows({"id": …}, …)`: a data file."""

    def write(*table: dict[str, Any]) -> str:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
        return str(path)

    return write


def run(task: Any, **options: Any) -> EvalLog:
    """Evaluate one task in this process."""
    with warnings.catch_warnings():
        # inspect leaves streams open at the end of an eval; they are collected here rather than in another test.
        warnings.simplefilter("ignore", ResourceWarning)
        (log,) = inspect_eval(task, **{"model": "none/none", "display": "none", "log_level": "warning", **options})
        gc.collect()
    return log


def figures_of(log: EvalLog, name: str = "rubric") -> dict[str, float]:
    """Metrics of one of the log's scores."""
    assert log.results is not None
    found = [score.metrics for score in log.results.scores if score.name == name]
    assert found
    assert any(found)
    return {key: metric.value for metrics in found for key, metric in metrics.items()}


def sample_of(log: EvalLog, name: str) -> EvalSample:
    """The sample of that id."""
    (sample,) = [sample for sample in log.samples or () if sample.id == name]
    return sample


def score_of(log: EvalLog, name: str, scorer: str = "rubric") -> Score:
    """The score of the sample of that id."""
    return (sample_of(log, name).scores or {})[scorer]


PLUGIN = """
from pathlib import Path

from adjudge import BackendSpec, Label, Parameter, SolverSpec, Submission, TaskSpec, hookimpl
from adjudge.metrics import Estimate, level_agreement
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Message
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure

RUBRIC = Rubric(id="cli", version="3", criteria=(Criterion(id="polite", text="The text is polite.", dimension="tone"),))
MADE = []


def answer(question):
    shown = question.prompt.user
    if not question.labels and question.json_schema is None:
        return "please and thank you"
    if "DEAD" in shown:
        return Failure(reason="infra", detail="wrong key", fatal=True)
    if "ODD" in shown:
        return "well, it depends"
    return {"Yes": 0.9, "No": 0.1} if "please" in shown else {"Yes": 0.2, "No": 0.8}


def build(model=None, **options):
    MADE.append(ScriptedBackend(answer, name=model or "scripted"))
    return MADE[-1]


def rows(size=4, kind="short"):
    return [
        Submission(id=str(n), input="say it", output="please" if n % 2 else "now", metadata={"cluster": n // 2},
                   labels=(Label(criterion="polite", level="met" if n % 2 or n == 2 else "unmet"),))
        for n in range(size)
    ]


def questions(**_):
    return [Submission(id=str(n), input=(Message(role="user", content=f"question {n}"),)) for n in range(2)]


def pairs(items, results):
    right = [r.verdicts[0].level == i.labels[0].level for i, r in zip(items, results)]
    return {"pairs_right": sum(a and b for a, b in zip(right[::2], right[1::2])) / (len(right) / 2),
            "whole": Estimate(value=0.5, low=0.25, high=0.75, n=4), "table": [{"a": 1}], "undefined": None}


def faulty(items, results):
    raise ValueError("this metric is broken")


class Shouting:
    name = "shouting"

    async def solve(self, submission, ask):
        from adjudge.verdict import Prompt, Question
        reply = await ask(Question(prompt=Prompt(system="", input="shout", output="", ask="")))
        return submission.model_copy(update={"output": reply.text.upper() + " please"})


@hookimpl
def adjudge_backends():
    return [BackendSpec(name="scripted", build=build, summary="says what its script says")]


@hookimpl
def adjudge_solvers():
    return [SolverSpec(name="shouting", build=Shouting, summary="shouts")]


@hookimpl
def adjudge_rubric_packs():
    return [Path(__file__).parent / "packs"]


@hookimpl
def adjudge_tasks():
    parameters = (Parameter(name="size", summary="rows", default=4),
                  Parameter(name="kind", summary="which", default="short", choices=("short", "long")))
    return [
        TaskSpec(name="polite", summary="is it polite", kind="meta", dataset=rows, rubric=lambda **_: RUBRIC,
                 metrics=(level_agreement, faulty, pairs), parameters=parameters),
        TaskSpec(name="answers", summary="a candidate answers", kind="candidate", dataset=questions,
                 rubric=lambda **_: RUBRIC),
        TaskSpec(name="shouts", summary="a candidate shouts", kind="candidate", dataset=questions,
                 rubric=lambda **_: RUBRIC, solver="shouting"),
        TaskSpec(name="torn", summary="its pack is torn", kind="judge", dataset=rows, rubric="torn"),
        TaskSpec(name="takes", summary="has a parameter of everyone's", kind="judge", dataset=rows, rubric="torn",
                 parameters=(Parameter(name="judge", summary="mine"),)),
    ]
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin with tasks and a torn pack, and another one that does not load, installed for real."""
    site = tmp_path / "site"
    for name in ("evals_plugin", "dead_plugin"):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n", "utf-8"
        )
        (info / "entry_points.txt").write_text(f"[adjudge]\n{name.partition('_')[0]} = {name}\n", "utf-8")
    (site / "evals_plugin.py").write_text(PLUGIN, "utf-8")
    (site / "dead_plugin.py").write_text("raise SystemExit('no luck [today]')\n", "utf-8")
    (site / "packs").mkdir()
    (site / "packs" / "torn.yaml").write_text("id: torn\nversion: '1'\ncriteria: []\n", "utf-8")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("ADJUDGE_PLUGINS", "evals-plugin,dead-plugin,adjudge-openai")
    api.installed.cache_clear()
    bench._BENCHES.clear()
    yield site
    api.installed.cache_clear()
    bench._BENCHES.clear()
    sys.modules.pop("evals_plugin", None)
