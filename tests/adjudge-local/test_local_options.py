"""Options, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudge.errors import BackendError
from adjudge.interfaces import BackendSpec
from adjudge_local.options import Options, cores
from adjudge_local.plugin import adjudge_backends, build


def test_an_unknown_option_names_the_known_ones() -> None:
    with pytest.raises(BackendError, match=r"no option 'thread'; did you mean 'threads'\? known: threads, context"):
        build(thread=2)


@pytest.mark.parametrize("value", [0, -1, "many", 1.5, True])
def test_an_option_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(BackendError, match=r"option threads is .*; give a whole number"):
        Options.parse({"threads": value})


def test_numbers_and_flags_may_come_as_text() -> None:
    assert Options.parse({"context": "2048", "download": "yes"}) == Options(context=2048, download=True)


def test_download_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADJUDGE_DOWNLOAD", raising=False)
    assert not Options.parse({}).download
    monkeypatch.setenv("ADJUDGE_DOWNLOAD", "1")
    assert Options.parse({}).download
    with pytest.raises(BackendError, match="option download is 'maybe'"):
        Options.parse({"download": "maybe"})


def test_threads_default_to_the_cores_that_may_be_used() -> None:
    assert Options().computing_threads == cores() >= 1
    assert Options(threads=3).computing_threads == 3


def test_the_hook_offers_one_backend_with_what_it_needs() -> None:
    (spec,) = adjudge_backends()
    assert isinstance(spec, BackendSpec)
    assert (spec.name, spec.requires, spec.install) == ("local", ("xllamacpp",), "pip install adjudge-local")
    assert (Path(str(spec.cards)) / "README.md").is_file()
