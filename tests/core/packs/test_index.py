"""The index of installed packs: lazy, fenced in, and a broken pack hides nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from adjudge.errors import PackError, PluginError, UnknownNameError
from adjudge.packs import PackIndex


def write_pack(folder: Path, name: str, rubric_id: str, rest: str = "criteria: [{id: a, text: b}]\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'id: {rubric_id}\nversion: "1"\ndraft: true\n{rest}')
    return path


def test_packs_are_found_by_id_in_all_folders(tmp_path: Path) -> None:
    write_pack(tmp_path / "one", "x.yaml", "b/x")
    write_pack(tmp_path / "one", "deeper/y.yml", "a/y")
    write_pack(tmp_path / "two", "any-name.yaml", "z")
    (tmp_path / "two" / "rubric.schema.json").write_text("{}")
    (tmp_path / "two" / ".hidden.yaml").write_text("[")
    index = PackIndex([("dist-one", tmp_path / "one"), ("dist-two", tmp_path / "two")])
    assert [(entry.id, entry.distribution, entry.name) for entry in index.ids().values()] == [
        ("a/y", "dist-one", "dist-one/deeper/y.yml"),
        ("b/x", "dist-one", "dist-one/x.yaml"),
        ("z", "dist-two", "dist-two/any-name.yaml"),
    ]
    pack = index.get("z")
    assert (pack.rubric.id, pack.distribution, pack.path) == ("z", "dist-two", "dist-two/any-name.yaml")
    assert index.get("z") is pack
    assert index.broken() == {}


def test_listing_reads_no_pack_to_its_end(tmp_path: Path) -> None:
    write_pack(tmp_path, "x.yaml", "x", "criteria: [broken")
    index = PackIndex([("d", tmp_path)])
    assert list(index.ids()) == ["x"]
    with pytest.raises(PackError, match=r"d/x.yaml:5:1: no valid YAML"):
        index.get("x")


def test_broken_packs_are_told_of_and_hide_no_others(tmp_path: Path) -> None:
    write_pack(tmp_path, "good.yaml", "good")
    write_pack(tmp_path, "half.yaml", "half", "criteria: []\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00")
    (tmp_path / "empty.yaml").write_bytes(b"")
    (tmp_path / "nameless.yaml").write_text("version: '1'\n")
    (tmp_path / "listed.yaml").write_text("- id: x\n")
    index = PackIndex([("d", tmp_path)])
    assert list(index.ids()) == ["good", "half"]
    assert index.get("good").rubric.id == "good"
    assert sorted(index.broken()) == [
        "d/binary.yaml",
        "d/empty.yaml",
        "d/half.yaml",
        "d/listed.yaml",
        "d/nameless.yaml",
    ]
    assert {error.problems[0].file for error in index.broken().values()} == set(index.broken())


def test_an_unknown_id_suggests_the_nearest(tmp_path: Path) -> None:
    write_pack(tmp_path, "x.yaml", "nursing/values")
    with pytest.raises(UnknownNameError, match="did you mean 'nursing/values'"):
        PackIndex([("d", tmp_path)]).get("nursing/value")


def test_an_unknown_id_tells_of_packs_that_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff")
    with pytest.raises(UnknownNameError, match=r"could not be read: d/binary\.yaml"):
        PackIndex([("d", tmp_path)]).get("x")


def test_two_packs_of_one_id_are_refused_with_both_names(tmp_path: Path) -> None:
    write_pack(tmp_path / "one", "x.yaml", "x")
    write_pack(tmp_path / "two", "y.yaml", "x")
    index = PackIndex([("dist-one", tmp_path / "one"), ("dist-two", tmp_path / "two")])
    with pytest.raises(PluginError, match=r"dist-one/x\.yaml of dist-one and dist-two/y\.yaml of dist-two"):
        index.get("x")


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    outside = write_pack(tmp_path / "elsewhere", "x.yaml", "x")
    folder = tmp_path / "packs"
    write_pack(folder, "inside.yaml", "inside")
    (folder / "alias.yaml").symlink_to(folder / "nowhere.yaml")
    (folder / "link.yaml").symlink_to(outside)
    (folder / "all").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    index = PackIndex([("d", folder)])
    assert list(index.ids()) == ["inside"]
    assert {name: error.problems[0].rule for name, error in index.broken().items()} == {
        "d/alias.yaml": "unreadable",
        "d/link.yaml": "outside",
    }


def test_packs_inside_an_archive_are_read(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, "x.yaml", "x")
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(pack, "packs/x.yaml")
    index = PackIndex([("d", zipfile.Path(archive, "packs/"))])
    assert index.get("x").rubric.id == "x"


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert PackIndex([("d", tmp_path / "missing")]).ids() == {}
