"""The commands for packs, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adjudge.cli import main
from adjudge.cli.packs import diff, lint, new, rubrics, schema
from adjudge.errors import InputError, UnknownNameError
from adjudge.packs import load_pack
from adjudge.packs.schema import NAMES, file_name

Invoke = Callable[..., Result]
DRAFT = 'id: d\nversion: "1"\ndraft: true\ncriteria:\n  - {id: a, text: b}\n'


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda command, *arguments: CliRunner().invoke(command, list(arguments))


def test_new_rubric_writes_a_pack_that_lints_clean(invoke: Invoke) -> None:
    made = invoke(new, "rubric", "team/replies")
    assert made.exit_code == 0
    assert "adjudge lint replies.yaml" in made.output
    assert load_pack("replies.yaml").rubric.id == "team/replies"
    assert json.loads(Path("rubric.schema.json").read_text())["title"] == "Rubric"
    linted = invoke(lint, "--strict", "replies.yaml")
    assert (linted.exit_code, linted.output) == (0, "1 pack, 0 errors, 0 warnings\n")


def test_the_starter_names_its_schema_for_editors(invoke: Invoke) -> None:
    invoke(new, "rubric", "replies", "--dir", "a/b")
    first = Path("a/b/replies.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=rubric.schema.json"
    assert Path("a/b/rubric.schema.json").is_file()


def test_new_rubric_never_overwrites(invoke: Invoke) -> None:
    Path("replies.yaml").write_text("mine")
    result = invoke(new, "rubric", "replies")
    assert isinstance(result.exception, InputError)
    assert "replies.yaml: exists already" in str(result.exception)
    assert Path("replies.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["Replies", "a/b/c", "../x", "", "a b"])
def test_new_rubric_refuses_names_that_are_no_id(name: str, invoke: Invoke, tmp_path: Path) -> None:
    assert isinstance(invoke(new, "rubric", name).exception, InputError)
    assert list(tmp_path.iterdir()) == []


def test_lint_prints_every_problem_and_fails(invoke: Invoke) -> None:
    Path("bad.yaml").write_text(DRAFT + "titel: x\nlanguages: en\n")
    Path("warned.yaml").write_text(DRAFT)
    result = invoke(lint, "bad.yaml", "warned.yaml")
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        "error: bad.yaml:6:1: unknown field 'titel'; did you mean 'title'? [unknown-field]",
        "error: bad.yaml:7:12: `languages` must be a list, not 'en'; begin each item with `- ` [wrong-kind]",
        "warning: warned.yaml:1:1: no golden tests, so no judge can be checked on this rubric; add `tests` [no-tests]",
        "2 packs, 2 errors, 1 warning",
    ]


def test_warnings_fail_only_when_strict(invoke: Invoke) -> None:
    Path("warned.yaml").write_text(DRAFT)
    assert invoke(lint, "warned.yaml").exit_code == 0
    assert invoke(lint, "--strict", "warned.yaml").exit_code == 2


def test_lint_knows_the_installed_scorings_and_templates(invoke: Invoke) -> None:
    Path("p.yaml").write_text(DRAFT + "scoring: weigthed\ntemplate: deflaut\n")
    output = invoke(lint, "p.yaml").output
    assert "did you mean 'weighted'? [unknown-scoring]" in output
    assert "did you mean 'default'? [unknown-template]" in output


def test_lint_tries_the_scoring_on_the_rubric(invoke: Invoke) -> None:
    Path("p.yaml").write_text(DRAFT + "scoring: {name: mean, params: {normalize: true}}\n")
    output = invoke(lint, "p.yaml").output
    assert "p.yaml:6:10: scoring 'mean' has no parameter 'normalize'; known: normalise [scoring-misfit]" in output


def test_lint_walks_folders(invoke: Invoke) -> None:
    Path("packs/deeper").mkdir(parents=True)
    Path("packs/a.yaml").write_text(DRAFT)
    Path("packs/deeper/b.yml").write_text(DRAFT)
    Path("packs/readme.txt").write_text("no pack")
    assert invoke(lint, "packs").output.splitlines()[-1] == "2 packs, 0 errors, 2 warnings"


def test_lint_of_nothing_is_an_error(invoke: Invoke) -> None:
    Path("empty").mkdir()
    assert isinstance(invoke(lint, "empty").exception, InputError)
    assert isinstance(invoke(lint, "missing.yaml").exception, InputError)


def test_schema_prints_the_rubrics_and_writes_all(invoke: Invoke) -> None:
    assert json.loads(invoke(schema).output)["title"] == "Rubric"
    invoke(schema, "--write", "here")
    assert sorted(path.name for path in Path("here").iterdir()) == sorted(map(file_name, NAMES))


def test_schema_says_when_it_cannot_write(invoke: Invoke) -> None:
    Path("file").write_text("")
    assert isinstance(invoke(schema, "--write", "file").exception, InputError)


def test_rubrics_lists_what_is_installed(invoke: Invoke) -> None:
    result = invoke(rubrics)
    assert result.exit_code == 0
    assert "rubric" in result.output


def test_rubrics_show_prints_a_file_for_reading(invoke: Invoke) -> None:
    invoke(new, "rubric", "team/replies")
    lines = invoke(rubrics, "show", "replies.yaml").output.splitlines()
    assert lines[0] == "team/replies 1.0: Replies to a customer's complaint"
    assert "  agreed by:    the service team" in lines
    assert "blame (should, weight -1)" in lines
    assert "    good = 2: Clear at first reading." in lines
    assert "    source: Service charter, 3" in lines


def test_rubrics_show_suggests_the_nearest_id(invoke: Invoke) -> None:
    assert isinstance(invoke(rubrics, "show", "no-such-rubric").exception, UnknownNameError)


def test_diff_says_what_has_to_be_done(invoke: Invoke) -> None:
    Path("old.yaml").write_text(DRAFT + "  - {id: b, text: b}\n  - {id: c, text: c}\n  - {id: e, text: e}\n")
    Path("new.yaml").write_text(DRAFT + "  - {id: b, text: B}\n  - {id: c, text: c, weight: 2}\n  - {id: d, text: d}\n")
    assert invoke(diff, "old.yaml", "new.yaml").output.splitlines() == [
        "new, to be judged: 1",
        "  d",
        "changed, to be judged again: 1",
        "  b (text)",
        "only scored again: 1",
        "  c (weight)",
        "unchanged: 1",
        "  a",
        "removed: 1",
        "  e",
        "the version is the same: raise it, since a changed rubric needs its judges validated again",
    ]


def test_diff_tells_of_changes_that_concern_all(invoke: Invoke) -> None:
    Path("old.yaml").write_text(DRAFT)
    Path("new.yaml").write_text(DRAFT.replace('"1"', '"2"') + "instructions: other\n")
    output = invoke(diff, "old.yaml", "new.yaml").output
    assert "changed, to be judged again: 1" in output
    assert "for all criteria: instructions changed" in output
    assert "version" not in output


def test_the_command_line_returns_2_and_prints_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("id: a: b")
    for arguments in (["lint", str(path)], ["rubrics", "show", str(path)], ["diff", str(path), "missing.yaml"]):
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert f"{path}:1:6: no valid YAML" in printed.out + printed.err
