"""From a name to a model on this disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adjudge.errors import BackendError, UnknownNameError
from adjudge_vllm.checksums import sha256_of
from adjudge_vllm.models import locate
from adjudge_vllm.options import Options


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Looks like a checkpoint."""
    made = tmp_path / "judge-7b"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    return made


def test_a_folder_with_configuration_and_weights_is_a_model(folder: Path) -> None:
    model = locate(str(folder), Options())
    assert (model.name, model.path, model.preset, model.adapter) == ("judge-7b", folder, None, "")


def test_any_changed_file_makes_it_another_model(folder: Path) -> None:
    before = sha256_of(folder)
    (folder / "model.safetensors").write_bytes(b"Weights")
    changed = sha256_of(folder)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert len({before, changed, sha256_of(folder)}) == 3


def test_what_the_engine_does_not_read_changes_nothing(folder: Path) -> None:
    before = sha256_of(folder)
    (folder / "README.md").write_text("about")
    assert sha256_of(folder) == before


def test_a_large_file_is_hashed_once_and_again_when_it_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge_vllm.checksums._REMEMBERED", 1)
    before = sha256_of(folder)
    assert sha256_of(folder) == before
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert sha256_of(folder) != before


def test_a_preset_may_be_named_for_a_model_by_path(folder: Path) -> None:
    model = locate(str(folder), Options(preset="glider"))
    assert model.preset is not None
    assert model.preset.name == "glider"
    with pytest.raises(UnknownNameError, match="no preset named 'glide'; did you mean 'glider'"):
        locate(str(folder), Options(preset="glide"))


def test_a_folder_without_weights_is_refused_unless_they_are_made_up(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(BackendError, match="holds no weights"):
        locate(str(folder), Options())
    assert locate(str(folder), Options(load_format="dummy")).path == folder


def test_a_folder_without_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"holds no config\.json"):
        locate(str(tmp_path), Options())


def test_a_path_that_is_not_there_is_refused() -> None:
    with pytest.raises(BackendError, match="is no folder of a checkpoint"):
        locate("/no/such/folder", Options())


def test_an_unknown_name_suggests_a_preset() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'prometheus-2'"):
        locate("prometheus2", Options())


def test_no_name_at_all_lists_the_presets() -> None:
    with pytest.raises(BackendError, match=r"name a model: .*selene-1-mini"):
        locate(None, Options())


def test_a_gguf_file_needs_its_tokenizer(tmp_path: Path) -> None:
    file = tmp_path / "judge.gguf"
    with pytest.raises(BackendError, match="is not there"):
        locate(str(file), Options())
    file.write_bytes(b"GGUF")
    with pytest.raises(BackendError, match="needs the option tokenizer"):
        locate(str(file), Options())
    assert locate(str(file), Options(tokenizer=str(tmp_path))).path == file


def test_an_adapter_is_part_of_the_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"holds no adapter_config\.json"):
        locate(str(folder), Options(lora=str(tmp_path)))
    (tmp_path / "adapter_config.json").write_text('{"r": 8}')
    assert locate(str(folder), Options(lora=str(tmp_path))).adapter


def test_nothing_is_downloaded_without_being_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The hub's client takes its folder from the environment when it is imported, which may have happened already.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        BackendError, match=r"prometheus-7b-v2\.0 \(licence: Apache-2\.0\) is not on this machine; .*download=true"
    ):
        locate("prometheus-2", Options())


def test_without_the_hub_client_a_folder_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BackendError, match="comes with vllm; give a folder"):
        locate("someone/some-model", Options())


def test_a_model_of_the_hub_keeps_its_name_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the hub's client lays its cache out.
    revision = "0" * 40
    snapshot = tmp_path / "models--someone--some-model" / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    references = tmp_path / "models--someone--some-model" / "refs"
    references.mkdir()
    (references / "main").write_text(revision)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackendError, match="someone/some-model is not on this machine"):
        locate("someone/some-model", Options())
    (snapshot / "model.safetensors").write_bytes(b"weights")
    model = locate("someone/some-model", Options())
    assert (model.name, model.path) == ("someone/some-model", snapshot)
