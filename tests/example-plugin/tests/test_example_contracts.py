"""The example keeps the contracts of adjudge."""

from __future__ import annotations

from importlib.resources import files
from types import MappingProxyType

from adjudge_example import plugin
from adjudge_example.keywords import KeywordBackend

from adjudge.testing import BackendContract, JudgeContract, PackContract, TaskContract


class TestKeywordBackend(BackendContract):
    def make_backend(self):
        return KeywordBackend()

    def make_failing_backend(self):
        return KeywordBackend(context_tokens=1)


class TestGenerous(JudgeContract):
    asks = False

    def make_judge(self):
        (spec,) = plugin.adjudge_judges()
        return spec.build(read_out="label")


class TestPacks(PackContract):
    IDS = MappingProxyType({"example/courtesy": ("greets", "thanks", "tone")})

    def folders(self):
        return plugin.adjudge_rubric_packs()


class TestCourtesy(TaskContract):
    MISSING = MappingProxyType({"source": "no/such/file.jsonl"})

    def task(self):
        (spec,) = plugin.adjudge_tasks()
        return spec


class TestCourtesyFromAFile(TestCourtesy):
    GIVEN = MappingProxyType({"source": str(files("adjudge_example") / "data" / "courtesy.jsonl")})
