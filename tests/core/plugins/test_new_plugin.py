"""`adjudge new plugin` writes a distribution under the name that discovery needs, and never over anything."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from adjudge.cli.packs import new
from adjudge.errors import InputError
from adjudge.packs import load_pack
from adjudge.scaffold import new_plugin


@pytest.mark.parametrize("name", ["soil-care", "adjudge-soil-care"])
def test_distribution_package_and_entry_point_have_the_names_that_belong_together(name: str, tmp_path: Path) -> None:
    project = new_plugin(name, tmp_path)
    assert project == tmp_path / "adjudge-soil-care"
    described = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    assert described["name"] == "adjudge-soil-care"
    assert described["entry-points"] == {"adjudge": {"soil-care": "adjudge_soil_care.plugin"}}
    assert (project / "src" / "adjudge_soil_care" / "py.typed").is_file()
    pack = load_pack(project / "src" / "adjudge_soil_care" / "packs" / "soil-care" / "answers.yaml")
    assert pack.rubric.id == "soil-care/answers"


def test_no_placeholder_is_left_in_any_file_or_name(tmp_path: Path) -> None:
    project = new_plugin("garden", tmp_path)
    files = [path for path in project.rglob("*") if path.is_file()]
    assert len(files) == 11
    for path in files:
        assert "@" not in str(path.relative_to(project))
        assert not [line for line in path.read_text("utf-8").splitlines() if line.count("@") > 1], path


def test_it_comes_with_a_licence_and_a_readme(tmp_path: Path) -> None:
    project = new_plugin("garden", tmp_path)
    assert (project / "LICENSE").read_text("utf-8") == (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")
    assert "adjudge run garden" in (project / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["", "adjudge-", "Garden", "a_b", "-a", "a-", "../a", "a/b", "1a", "a" * 41, "a b"])
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be a plugin's name"):
        new_plugin(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_never_writes_over_a_folder(tmp_path: Path) -> None:
    mine = tmp_path / "adjudge-garden" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(InputError, match="exists already; choose another name"):
        new_plugin("garden", tmp_path)
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written: .*--dir"):
        new_plugin("garden", tmp_path / "file")


def test_the_command_says_what_to_type_next(tmp_path: Path) -> None:
    made = CliRunner().invoke(new, ["plugin", "garden", "--dir", str(tmp_path / "a" / "b")])
    assert made.exit_code == 0
    assert f"cd {tmp_path / 'a' / 'b' / 'adjudge-garden'} && pip install -e '.[test]' && pytest" in made.output
