"""Plugins are found in metadata, and switched on and off, without importing them."""

from __future__ import annotations

import importlib
import sys

import pytest

from adjudge.cli import main
from adjudge.discovery import COMMANDS_GROUP, find_plugins, is_present
from adjudge.errors import PluginError


def names() -> set[str]:
    return {found.name for found in find_plugins()}


def test_an_installed_plugin_is_found_with_its_distribution_and_version(install) -> None:
    install("adjudge-demo", entry="demo", version="3.4")
    (found,) = [found for found in find_plugins() if found.name == "demo"]
    assert (found.distribution, found.version, found.module, found.importable) == (
        "adjudge-demo",
        "3.4",
        "adjudge_demo",
        True,
    )


def test_listing_imports_nothing_of_a_plugin(install, capsys) -> None:
    module = install("adjudge-deadly", "raise SystemExit(7)\n")
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if "deadly" in line] == [
        ["adjudge-deadly", "adjudge-deadly", "1.2", "installed"]
    ]
    assert module not in sys.modules


def test_a_plugin_whose_package_is_gone_is_listed_as_broken(install, capsys) -> None:
    install("adjudge-hollow", None)
    assert main(["plugins"]) == 0
    assert "broken: no package for adjudge_hollow" in capsys.readouterr().out


def test_two_distributions_with_one_entry_point_name_are_refused_by_name(install, capsys) -> None:
    install("adjudge-one", entry="same")
    install("adjudge-two", entry="same")
    with pytest.raises(PluginError, match=r"entry point named 'same': adjudge-\w+ and adjudge-\w+; uninstall one"):
        find_plugins()
    assert main(["plugins"]) == 2
    said = capsys.readouterr().err
    assert "adjudge-one" in said
    assert "adjudge-two" in said
    assert "Traceback" not in said


def test_the_way_out_of_a_clash_that_the_message_names_works(install, monkeypatch) -> None:
    install("adjudge-one", entry="same")
    install("adjudge-two", entry="same")
    monkeypatch.setenv("ADJUDGE_DISABLE", "adjudge-two")
    assert "same" in names()


@pytest.mark.parametrize("spelling", ["demo", "adjudge-demo", "adjudge_demo", "Adjudge.Demo", " demo , other "])
def test_a_plugin_is_switched_off_by_entry_point_or_distribution_in_any_spelling(
    install, monkeypatch, spelling
) -> None:
    install("adjudge-demo", entry="demo")
    monkeypatch.setenv("ADJUDGE_DISABLE", spelling)
    assert "demo" not in names()


def test_only_the_named_plugins_and_core_are_left(install, monkeypatch) -> None:
    install("adjudge-demo", entry="demo")
    install("adjudge-other", entry="other")
    monkeypatch.setenv("ADJUDGE_PLUGINS", "demo")
    assert names() == {"core", "inspect", "demo"}
    monkeypatch.setenv("ADJUDGE_DISABLE", "demo,core,adjudge")
    assert names() == {"core", "inspect"}


def test_a_strangers_entry_point_named_core_clashes_and_can_be_switched_off(install, monkeypatch) -> None:
    install("adjudge-impostor", entry="core")
    with pytest.raises(PluginError, match="'core'"):
        find_plugins()
    monkeypatch.setenv("ADJUDGE_DISABLE", "adjudge-impostor")
    assert [found.distribution for found in find_plugins() if found.name == "core"] == ["adjudge"]


def test_of_a_distribution_that_is_there_twice_the_first_on_the_path_counts(
    install, site, monkeypatch, write_again
) -> None:
    install("adjudge-demo", entry="demo", version="1.0")
    write_again("adjudge-demo", entry="demo", version="2.0")
    assert [found.version for found in find_plugins() if found.name == "demo"] == ["2.0"]


@pytest.fixture
def write_again(tmp_path, monkeypatch, install):
    """Install into a second folder, which stands before the first one."""
    from shutil import move

    def write(name, **more):
        install(name, **more)
        info = f"{name.replace('-', '_')}-{more['version']}.dist-info"
        (tmp_path / "before").mkdir()
        move(tmp_path / "site" / info, tmp_path / "before" / info)
        monkeypatch.syspath_prepend(tmp_path / "before")

    return write


def test_a_torn_entry_point_file_is_one_line_that_names_the_distribution(install, site, capsys) -> None:
    install("adjudge-torn")
    (site / "adjudge_torn-1.2.dist-info" / "entry_points.txt").write_text("[adjudge]\nno equals sign\n", "utf-8")
    importlib.invalidate_caches()
    assert main(["plugins"]) == 2
    assert capsys.readouterr().err == (
        "adjudge: the entry points of adjudge-torn cannot be read; install it again: pip install adjudge-torn\n"
    )


def test_a_dist_info_folder_without_metadata_is_passed_over(site) -> None:
    (site / "leftover-1.0.dist-info").mkdir(parents=True)
    assert "core" in names()


def test_names_of_subcommands_come_from_metadata_alone(install) -> None:
    module = install("adjudge-demo", "raise SystemExit\n", commands="greet")
    assert "greet" in {found.name for found in find_plugins(COMMANDS_GROUP)}
    assert module not in sys.modules


def test_presence_of_a_module_below_an_absent_package_is_no_error() -> None:
    assert is_present("json.decoder")
    assert not is_present("no_such_package.part")
