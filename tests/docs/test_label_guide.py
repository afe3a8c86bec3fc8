"""The how-to on labelling: its files are written and its commands run, in the order of the page."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from adjudge.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "label-and-review.md").read_text("utf-8")
FILES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', PAGE, re.MULTILINE | re.DOTALL))
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


def test_the_commands_of_the_page_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, "utf-8")
    for command in COMMANDS:
        _, *arguments = shlex.split(command)
        if "--rater" in arguments:
            answer_all(arguments)
        else:
            assert main(arguments) == 0, command
    shown = capsys.readouterr()
    assert "labels.csv: 8 rows" in shown.out
    assert "labels are by raters who saw the verdict" in shown.err


def answer_all(arguments):
    """Start the page, answer both criteria of all four letters, and end it with Ctrl-C."""
    command = [sys.executable, "-u", "-m", "adjudge", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        url = urlsplit(next(line.split()[1] for line in server.stdout if line.startswith("open ")))
        for place in range(1, 5):
            for criterion in ("polite", "short"):
                act = "agree" if "--review" in arguments else "label"
                level = "met" if place % 2 else "unmet"
                post(url, place, {"criterion": criterion, "act": act, "level": level})
        server.send_signal(signal.SIGINT)
        said = server.stdout.read()
    assert server.returncode == 0
    assert ("agreed to: 8" if "--review" in arguments else "levels given: 8") in said


def post(url, place, form):
    connection = HTTPConnection(url.netloc, timeout=10)
    connection.request("POST", f"{url.path}at/{place}", urlencode(form), {"Origin": f"http://{url.netloc}"})
    with connection.getresponse() as reply:
        assert reply.status == 303
    connection.close()


@pytest.mark.parametrize(
    "option", ["--rater", "--review", "--verify", "--export", "--port", "--drawn", "--show-verdict"]
)
def test_options_that_the_page_names_exist(option):
    from adjudge_validity.commands_label import label

    assert option in PAGE
    assert option in {name for parameter in label.params for name in parameter.opts}
