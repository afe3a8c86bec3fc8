#!/usr/bin/env python3
"""adjudge against servers: cost beside bare clients, tokens, faults, kill -9, several processes, many samples.

    python bench/servers.py [--what overhead faults …] [--n 100] [--rounds 5] [--many 10000] [--json]

The server is `mock_server.py` on this machine: 50 ms ± 30 % a reply, 64 questions in flight, 8 criteria a sample. Costs
are CPU time per verdict, both sides in one process and in alternating rounds; the least of the rounds counts, since
neighbours on the same cores only ever add.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from overhead import CRITERIA
from server_clients import IN_FLIGHT, TIMEOUT

BENCH = Path(__file__).resolve().parent
FEW = 400
FAULTS = {"too-many": 0.05, "broken": 0.02, "malformed": 0.01, "hanging": 0.01, "cut": 0.01}
COMPATIBLE = "openai-compatible"


@dataclass(frozen=True)
class Row:
    """A figure beside its goal."""

    what: str
    figure: str
    goal: str
    met: bool | None
    """None without a goal."""
    detail: str = ""
    peers: str = ""
    """What other harnesses were measured at, on the same kind of machine with another mock of the same latency."""

    @property
    def verdict(self) -> str:
        return "" if self.met is None else "ok" if self.met else "missed"


def most(what: str, value: float, goal: float, unit: str, detail: str = "", *, peers: str = "") -> Row:
    """A figure that should not be above its goal."""
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return Row(what, f"{shown} {unit}", f"≤ {goal:,g}", value <= goal, detail, peers)


PER_CALL = "openevals 3.7, prometheus-eval 4.3, autorubric 5.7, inspect 12, deepeval 37 CPU ms a judgement"


class Server:
    """The mock, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url

    def stats(self) -> dict[str, Any]:
        with urlopen(f"{self.url}/stats") as reply:  # our own process on this machine
            found: dict[str, Any] = json.load(reply)
        return found

    def reset(self) -> None:
        urlopen(Request(f"{self.url}/reset", method="POST")).close()

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"url": self.url, "backend": COMPATIBLE, "judge": "isolated", "read_out": "reasoned", **more}


@contextmanager
def serving(**options: float) -> Iterator[Server]:
    """A mock with these options, ended afterwards."""
    given = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, str(BENCH / "mock_server.py"), *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process, f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


def started(task: str, settings: Mapping[str, Any]) -> subprocess.Popen[str]:
    """A client in a process of its own."""
    command = [sys.executable, str(BENCH / "server_clients.py"), task, json.dumps(settings)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=compiling_once())


def compiling_once() -> dict[str, str]:
    """The environment in which Python keeps compiled modules, as it does unless it is told not to."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a client has found."""
    said, _ = process.communicate()
    if process.returncode:
        sys.exit(f"bench/servers.py: a client ended with {process.returncode}")
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def client(task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Run a client to its end."""
    return ended(started(task, settings))


COMPARED: Sequence[tuple[str, dict[str, Any], float]] = (
    ("openai-compatible, labels", {"read_out": "label"}, 2.0),
    ("openai-compatible, JSON", {}, 2.0),
    ("openai, chat completions, JSON", {"backend": "openai"}, 1.2),
    ("openai, responses, JSON", {"backend": "openai", "api": "responses"}, 1.2),
    ("anthropic, messages, JSON", {"backend": "anthropic"}, 1.2),
)


def overhead(options: argparse.Namespace) -> Iterator[Row]:
    """CPU per verdict against bare clients; questions in flight."""
    with serving() as server:
        for name, more, goal in COMPARED:
            found = client("compare", server.settings(n=options.n, rounds=options.rounds, **more))
            bare, own = min(found["bare"]), min(found["adjudge"])
            each = [mine / theirs for mine, theirs in zip(found["adjudge"], found["bare"], strict=True)]
            detail = f"{own:.2f} over {bare:.2f} CPU ms a verdict; by round {', '.join(f'{one:.1f}' for one in each)}"
            yield most(name, own / bare, goal, "times bare", detail, peers=PER_CALL if more == {} else "")
        yield _peak(server, options.n)
        joint = server.settings(n=FEW, judge="joint")
        runs = [client("judge", joint) for _ in range(options.rounds)]
        yield most(
            "joint, one call a sample", min(run["ms"] for run in runs), 0.1, "CPU ms a verdict", peers="autorubric 1.26"
        )


def _peak(server: Server, count: int) -> Row:
    server.reset()
    client("judge", server.settings(n=count, read_out="label"))
    peak = server.stats()["peak"]
    return Row("most questions in flight", str(peak), f"≥ 60 of {IN_FLIGHT}", peak >= 60)


def start(options: argparse.Namespace) -> Iterator[Row]:
    """What it takes to be ready to ask, beside the imports that any such client needs; the memory of a run."""
    runs, bare = [], []
    with serving() as server:
        for _ in range(options.rounds):
            runs.append(client("judge", server.settings(n=options.n, read_out="label")))
            bare.append(_cpu("import asyncio, aiohttp, orjson"))
    detail = f"importing aiohttp and orjson alone took {min(bare):.2f} CPU s"
    ready, peers = min(run["ready_s"] for run in runs), "openevals 1.0, inspect 1.3, autorubric 4.5 CPU s"
    yield most("start-up until the first question", ready, 0.5, "CPU s", detail, peers=peers)
    detail = f"a run of {options.n} samples"
    memory, peers = max(run["rss_mib"] for run in runs), "openevals 90, inspect 208, autorubric 331 MiB"
    yield most("peak memory", memory, 100, "MiB", detail, peers=peers)


def _cpu(code: str) -> float:
    """CPU seconds of a process that runs this."""
    command = [sys.executable, "-c", f"{code}; import time; print(time.process_time())"]
    return float(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=compiling_once()).stdout)


def tokens(options: argparse.Namespace) -> Iterator[Row]:
    """Tokens by characters / 4, the shared prefix by blocks of 64 characters, and the order of sending."""
    with serving() as server:
        client("judge", server.settings(n=options.n, read_out="label"))
        found = server.stats()
    peers = "openevals 4,074, ragas 5,426, autorubric 19,536"
    yield most("prompt tokens a sample", found["tokens_per_sample"], 5000, "tokens", peers=peers)
    share, peers = found["shared_share"], "openevals 83 %, autorubric 80 %, inspect 63 %, ragas 28 %"
    yield Row("of them an earlier prompt's prefix", f"{share:.1%}", "≥ 80 %", share >= 0.8, peers=peers)
    yield most("uncached tokens a sample", found["uncached_per_sample"], 1000, "tokens")
    cold = f"{found['warm']} after the sample's first reply began"
    yield Row("later questions sent to a cold cache", str(found["cold"]), "0", not found["cold"], cold)


def faults(options: argparse.Namespace) -> Iterator[Row]:
    """Right, lost and wrong samples while the server misbehaves."""
    with serving(**FAULTS) as server:
        for name, more in (("labels", {"read_out": "label"}), ("JSON", {}), ("joint", {"judge": "joint"})):
            server.reset()
            found = client("judge", server.settings(n=options.n, timeout=TIMEOUT, **more))
            met = server.stats()["faults"]
            detail = ", ".join(f"{count} {fault.replace('_', ' ')}" for fault, count in met.items() if fault)
            figure = f"{found['right']} right, {found['lost']} lost, {found['wrong']} wrong"
            right = found["right"] == options.n
            yield Row(f"faults, {name}", figure, f"all {options.n} right", right, f"met: {detail}", LOST)


LOST = "10 of 100 lost (openevals, ragas, inspect), 10 wrong (autorubric), 16 lost (deepeval)"
REPEATED = "64 (deepeval), 95 (autorubric), 173 (inspect), 414 (openevals), 448 (prometheus-eval) half-way"


def kill(options: argparse.Namespace) -> Iterator[Row]:
    """kill -9 and the same command again."""
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        alone = client("judge", server.settings(n=options.n))
        for share in (0.1, 0.5, 0.9):
            server.reset()
            settings = server.settings(n=options.n, ledger=str(Path(folder) / f"{share}.sqlite"))
            at = _killed(server, started("judge", settings), int(share * options.n * CRITERIA))
            again = client("judge", settings)
            repeated = server.stats()["answered_again"]
            equal = again["digest"] == alone["digest"]
            detail = f"at {at} of {options.n * CRITERIA} answers; scores {'equal to the bit' if equal else 'DIFFER'}"
            met = repeated <= IN_FLIGHT and equal
            yield Row("answered again after kill -9", str(repeated), f"≤ {IN_FLIGHT}", met, detail, REPEATED)


def _killed(server: Server, process: subprocess.Popen[str], answers: int) -> int:
    """Kill a client once so many answers were given; how many there were in the end."""
    while server.stats()["answered"] < answers:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while server.stats()["in_flight"]:
        time.sleep(0.05)
    return int(server.stats()["answered"])


def processes(options: argparse.Namespace) -> Iterator[Row]:
    """Four processes, one ledger, the same samples."""
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        settings = server.settings(n=options.n, ledger=str(Path(folder) / "ledger.sqlite"))
        running = [started("judge", settings) for _ in range(4)]
        found = [ended(one) for one in running]
        again = server.stats()["answered_again"]
    same = len({one["digest"] for one in found}) == 1 and all(one["right"] == options.n for one in found)
    detail = f"asked {', '.join(str(one['asked']) for one in found)}; results {'equal' if same else 'DIFFER'}"
    yield Row("asked twice by four processes", str(again), "0", not again and same, detail)


def scale(options: argparse.Namespace) -> Iterator[Row]:
    """Cost of a verdict in a long run over that in a short one; a fixed loop tells how fast the core was meanwhile."""
    with serving() as server:
        few = [client("judge", server.settings(n=FEW)) for _ in range(3)]
        many = client("judge", server.settings(n=options.many))
    cost = min(run["ms"] for run in few)
    grown = (many["ms"] / many["loop_ms"]) / median(run["ms"] / run["loop_ms"] for run in few)
    detail = (
        f"{cost:.2f} and {many['ms']:.2f} CPU ms a verdict, each divided by a fixed loop; {many['rss_mib']:.0f} MiB"
    )
    yield most(f"cost at {options.many:,} samples over {FEW}", grown, 1.1, "times", detail)


BENCHES: Mapping[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "overhead": overhead,
    "start": start,
    "tokens": tokens,
    "faults": faults,
    "kill": kill,
    "processes": processes,
    "scale": scale,
}


def table(rows: Sequence[Row]) -> str:
    """The rows as a table for the documentation."""
    lines = ["| | figure | goal | | | others |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row.what} | {row.figure} | {row.goal} | {row.verdict} | {row.detail} | {row.peers} |" for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--what", nargs="+", choices=BENCHES, default=list(BENCHES))
    parser.add_argument("--n", type=int, default=100, help="samples")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=int, default=10_000, help="samples of the long run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for name in options.what:
        for row in BENCHES[name](options):
            rows.append(row)
            print(f"{name}: {row.what}: {row.figure} {row.verdict}", file=sys.stderr, flush=True)
    print(json.dumps([asdict(row) for row in rows], indent=2) if options.json else table(rows))


if __name__ == "__main__":
    main()
