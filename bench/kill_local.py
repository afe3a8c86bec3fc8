"""Kill -9 a run of the local model at ten random moments, finish it, and compare with an undisturbed run.

    python bench/kill_local.py [--moments 10] [--samples 8] [--model PATH]

What a prefix cache holds moves log-probabilities a little, so verdicts need not be bit-equal. Levels must be the same
wherever the two likeliest ones are more than 0.5 nat apart; the others are counted. The exit status is 1 if one of the
former differs or a question was asked twice that was not in flight.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from adjudge.ledger import Ledger

APART = 0.5
"""Log-probabilities of the two likeliest levels that differ by more must give the same level."""
RUBRIC = """\
id: kill-local
version: "1"
draft: true
criteria:
  - {id: safe, text: The advice does no harm to the person who is cared for.}
  - {id: help, text: The advice says when to call a nurse or a doctor.}
  - {id: clear, text: The advice can be followed without asking again., scale: 1-5}
  - {id: kind, text: The advice is written with respect., scale: 1-5}
"""
# Synthetic advice; each sample takes another stretch of it.
SENTENCES = (
    "Wash your hands before you touch the dressing.",
    "If the wound is warm or swollen, call the nurse on duty.",
    "Just wait, it always gets better by itself.",
    "Write down what you saw and when.",
    "Double the dose if the pain does not stop.",
    "Ask the person whether you may look at the wound now.",
)
LEDGER = "ledger.sqlite"
Verdicts = dict[tuple[str, str], dict[str, Any]]


def write_data(folder: Path, samples: int) -> None:
    """A rubric, a file of submissions, and two folders whose ledgers share a secret, so that prompts are the same."""
    for out in ("calm", "killed"):
        (folder / out).mkdir()
    Ledger(folder / "calm" / LEDGER).close()
    (folder / "killed" / LEDGER).write_bytes((folder / "calm" / LEDGER).read_bytes())
    (folder / "rubric.yaml").write_text(RUBRIC, "utf-8")
    rows = [
        {"id": f"s{n}", "input": "How do I look after the wound?", "output": " ".join(_turned(n))}
        for n in range(samples)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def _turned(number: int) -> list[str]:
    start = number % len(SENTENCES)
    return [*SENTENCES[start:], *SENTENCES[:start]][: 3 + number % 4]


def started(folder: Path, out: str, backend: str) -> subprocess.Popen[bytes]:
    """Begin or resume a run in a process of its own."""
    command = [sys.executable, "-m", "adjudge", "judge", "rows.jsonl", "--rubric", "rubric.yaml", "--backend", backend]
    command += ["-B", "threads=1", "--out", out]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)


def replies(folder: Path, out: str) -> int:
    """Replies in the ledger so far."""
    path = folder / out / LEDGER
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM replies").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def killed_run(folder: Path, backend: str, moments: list[int], draw: random.Random) -> int:
    """Kill the run each time that the ledger holds that many replies; returns how often it was killed."""
    kills = 0
    for moment in moments:
        process = started(folder, "killed", backend)
        while process.poll() is None and replies(folder, "killed") < moment:
            time.sleep(0.01)
        time.sleep(draw.random() / 2)
        process.kill()
        kills += process.wait() < 0
    return kills


def finished(folder: Path, out: str, backend: str) -> None:
    """Run to the end."""
    status = started(folder, out, backend).wait()
    if status != 0:
        sys.exit(f"kill_local: the run ended with status {status}")


def verdicts(folder: Path, out: str) -> Verdicts:
    """Verdicts by submission and criterion."""
    lines = (folder / out / "verdicts.jsonl").read_text("utf-8").splitlines()
    return {(row["submission"], row["criterion"]): row for row in map(json.loads, lines)}


def gap(verdict: dict[str, Any]) -> float:
    """Distance of the two likeliest levels in nat."""
    first, second = sorted(verdict["distribution"].values(), reverse=True)[:2]
    return math.log(first) - math.log(max(second, 1e-300))


def compare(calm: Verdicts, disturbed: Verdicts) -> dict[str, float]:
    """Counts of what is the same and what moved."""
    assert calm.keys() == disturbed.keys()
    pairs = [(calm[key], disturbed[key]) for key in calm]
    both = [(a, b) for a, b in pairs if a["distribution"] and b["distribution"]]
    clear = [(a, b) for a, b in both if min(gap(a), gap(b)) > APART]
    close = [(a, b) for a, b in both if min(gap(a), gap(b)) <= APART]
    moved = [abs(a["distribution"][x] - b["distribution"][x]) for a, b in both for x in a["distribution"]]
    return {
        "verdicts": len(pairs),
        "unscored in one of the runs": len(pairs) - len(both),
        f"more than {APART} nat apart": len(clear),
        "of these, other level": sum(a["level"] != b["level"] for a, b in clear),
        f"within {APART} nat": len(close),
        "of these, another level": sum(a["level"] != b["level"] for a, b in close),
        "bit-equal distributions": sum(a["distribution"] == b["distribution"] for a, b in both),
        "largest move of a probability": max(moved, default=0.0),
    }


def main() -> int:
    """Run, kill, finish, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--model", help="path of a GGUF file")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    backend = f"local:{options.model}" if options.model else "local"
    draw, questions = random.Random(options.seed), 4 * options.samples
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, options.samples)
        finished(folder, "calm", backend)
        kills = killed_run(folder, backend, sorted(draw.sample(range(questions - 1), options.moments)), draw)
        finished(folder, "killed", backend)
        found = compare(verdicts(folder, "calm"), verdicts(folder, "killed"))
        # A reply is stored once and never bought again, so more replies than questions would be a repeat.
        twice = replies(folder, "killed") - questions
    for label, value in {"kills": kills, **found, "questions answered twice": twice}.items():
        print(f"{label:32} {value:g}")
    return int(found["of these, other level"] > 0 or twice > 0)


if __name__ == "__main__":
    sys.exit(main())
