"""A silenced check says why, and only checks that run are silenced."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "plugins", "rubrics", "bench", "tests")
SILENCER = re.compile(r"#\s*(noqa|type: ignore)(:\s*[A-Z0-9, ]*[A-Z0-9]|\[[a-z, -]+\])?(?P<why>.*)")


def silencers() -> Iterator[tuple[str, re.Match[str]]]:
    """Place and text of every comment that silences a check."""
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        text = path.read_text("utf-8")
        if "noqa" in text or "type: ignore" in text:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT and (match := SILENCER.match(token.string)):
                    yield f"{path.relative_to(ROOT)}:{token.start[0]}", match


def test_every_silenced_check_is_named_and_says_why():
    found = list(silencers())
    assert len(found) > 50
    assert [place for place, match in found if not match[2] or not re.search(r"\w{2}", match["why"])] == []


def test_tests_silence_no_type_checker_since_none_reads_them():
    assert [place for place, match in silencers() if match[1] != "noqa" and place.startswith("tests/")] == []
