"""Runs to measure: one made of values, one made by the command line; and the labelling page as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from adjudge.cli import main
from adjudge.report import RunRecord
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Label, Submission
from adjudge.verdict import Result, Score, Verdict

PACK = """
id: letters
version: "1"
title: Letters
draft: true
criteria:
  - {id: polite, text: The letter is polite., options: {check: {kind: contains, value: please}}}
  - {id: short, text: The letter is short., options: {check: {kind: length, max: 5}}}
"""
Row = tuple[str, str | None, Sequence[str]]
"""Submission, the judge's level, the raters' levels."""


@pytest.fixture
def record() -> Callable[..., RunRecord]:
    """Make a run of one criterion from (submission, judge's level, raters' levels)."""

    def make(rows: Sequence[Row], scale: Any = "binary", *, metadata: Any = None) -> RunRecord:
        criterion = Criterion(id="good", text="It is good.", dimension="quality", scale=scale)
        rubric = Rubric(id="made", version="1", criteria=(criterion,))
        items = [
            Submission(
                id=name,
                output="text",
                metadata=dict((metadata or {}).get(name, {})),
                labels=tuple(Label(criterion="good", level=x, rater=str(i)) for i, x in enumerate(humans)),
            )
            for name, _, humans in rows
        ]
        results = [_result(criterion, name, level) for name, level, _ in rows]
        return RunRecord(title="made", created="2026", rubric=rubric, items=items, results=results)

    return make


def _result(criterion: Criterion, name: str, level: str | None) -> Result:
    score = None if level is None else criterion.scale.level(level).score
    status: dict[str, Any] = {"status": "scored"} if level else {"status": "unscored", "reason": "parse"}
    verdict = Verdict(submission=name, criterion="good", level=level, score=score, **status)
    total = Score(
        submission=name,
        rubric="made 1",
        scoring="mean",
        value=score,
        bounds=None,
        coverage=float(level is not None),
        criteria={"good": score},
    )
    return Result(submission=name, verdicts=(verdict,), score=total)


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Path]:
    """Judge texts by rules, for real, and give the folder of the run."""

    def run(texts: Mapping[str, str], name: str = "run") -> Path:
        (tmp_path / "letters.yaml").write_text(PACK)
        data = tmp_path / f"{name}.jsonl"
        data.write_text("".join(json.dumps({"id": key, "output": text}) + "\n" for key, text in texts.items()))
        out = tmp_path / name
        arguments = [str(data), "--rubric", str(tmp_path / "letters.yaml"), "--judge", "rules", "--out", str(out)]
        assert main(["judge", *arguments]) == 0
        return out

    return run


class Labelling:
    """`adjudge label` in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-u", "-m", "adjudge", "label", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = iter(self.process.stdout.readline, "")
        self.url = next((line.split()[1] for line in said if line.startswith("open ")), "")
        """The page's address."""
        if not self.url:
            pytest.fail(f"no page: {self.process.communicate()[1]}")

    def end(self, number: int = signal.SIGKILL) -> tuple[int, str, str]:
        """End it, and give its exit status and what it said since."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.fixture
def labelling() -> Iterator[Callable[..., Labelling]]:
    """Start `adjudge label` with arguments; whatever still runs is killed after the test."""
    started: list[Labelling] = []

    def start(*arguments: object) -> Labelling:
        started.append(Labelling(*map(str, arguments)))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Serve the labelling page of a run in this process, on `<tmp_path>/<name>`; gives the server."""
    from adjudge_validity.labelling.plan import Wish, material_of
    from adjudge_validity.labelling.server import PageServer
    from adjudge_validity.labelling.session import Session

    with ExitStack() as stack:

        def start(
            run: Path, rater: str = "ann", name: str = "l.jsonl", *, show_verdict: bool = False, **wish: Any
        ) -> Any:
            opened = Session(
                tmp_path / name, material_of(run, None), Wish(**wish), rater=rater, show_verdict=show_verdict
            )
            server = stack.enter_context(PageServer(stack.enter_context(opened)))
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server

        yield start
