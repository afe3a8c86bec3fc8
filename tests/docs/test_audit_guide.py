"""The how-to of audits can be followed: its files, its commands, and what it says that they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adjudge.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "audit-a-judge.md").read_text("utf-8")
STEP = re.compile(
    r'^```(?:text title="what it prints"\n(?P<printed>.*?)|\w+ title="(?P<file>[^"]+)"\n(?P<text>.*?)'
    r"|console\n\$ (?P<line>.*?))^```",
    re.MULTILINE | re.DOTALL,
)


def test_the_page_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran, compared, shown = [], 0, ""
    for step in STEP.finditer(PAGE):
        if step["file"]:
            (tmp_path / step["file"]).write_text(step["text"], "utf-8")
        elif step["line"]:
            program, *arguments = step["line"].split()
            assert program == "adjudge"
            ran.append(main(arguments))
            shown = capsys.readouterr().out
        else:
            assert shown == step["printed"]
            compared += 1
    assert (ran, compared) == ([1, 0, 0], 2)


def test_commands_that_need_a_model_of_the_readers_own_have_options_that_exist() -> None:
    from adjudge.plugins import load_plugins

    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) == 5
    for line in lines:
        program, name, *arguments = line.split()
        assert program == "adjudge"
        load_plugins().commands[name].make_context(name, arguments, resilient_parsing=False)
