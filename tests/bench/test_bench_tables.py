"""The benches that every domain adds a module to: found by name, one table, and an exit status that tells."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from adjudge.metrics import Estimate, wilson

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The folder's modules, importable for one test; what the test imported goes again."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("tables")
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith((str(BENCH), str(tmp_path))):
            del sys.modules[name]


def module(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, "utf-8")


def test_modules_are_found_by_their_prefix_in_order(bench: ModuleType, tmp_path: Path) -> None:
    module(tmp_path, "pre_zebra", "kind = 'z'")
    module(tmp_path, "pre_ant", "kind = 'a'")
    module(tmp_path, "other_bee", "kind = 'b'")
    found = [(name, one.kind) for name, one in bench.modules("pre", folder=tmp_path)]
    assert found == [("ant", "a"), ("zebra", "z")]
    assert [name for name, _ in bench.modules("pre", ["zebra"], tmp_path)] == ["zebra"]
    with pytest.raises(SystemExit, match="'bee' is none of ant, zebra"):
        list(bench.modules("pre", ["bee"], tmp_path))


def test_every_module_of_a_domain_has_rows(bench: ModuleType) -> None:
    for prefix in ("reproduce", "baselines"):
        found = dict(bench.modules(prefix))
        assert "finance" in found
        assert all(callable(one.rows) for one in found.values())


@pytest.mark.parametrize(
    ("ours", "tolerance", "verdict"),
    [(0.594, 0.0, "ok"), (0.5943, 0.0005, "ok"), (0.5946, 0.0005, "differs"), (None, 1.0, "differs")],
)
def test_figures_agree_within_their_tolerance_and_nothing_agrees_with_none(
    bench: ModuleType, ours: float | None, tolerance: float, verdict: str
) -> None:
    published = importlib.import_module("published")
    row = published.number("a share", 0.594, ours, tolerance, ".3f")
    assert row.verdict == verdict
    assert row.published == "0.594"


def test_a_figure_that_differs_ends_with_status_one(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reproduce, published = importlib.import_module("reproduce"), importlib.import_module("published")
    rows = [published.number("same", 1, 1), published.number("other", 1, 2)]
    for given, status in ((rows[:1], 0), (rows, 1), ([], 2)):
        stand_in = ModuleType("stand_in")
        stand_in.rows = lambda given=given: iter(given)
        monkeypatch.setattr(reproduce, "modules", lambda *_names, one=stand_in: [("x", one)])
        assert reproduce.main([]) == status
    said = capsys.readouterr()
    assert "2 figures, 1 of them differ" in said.out
    assert "set ADJUDGE_DATA" in said.err


def test_baselines_have_a_line_for_each_judge_with_its_figures_side_by_side(bench: ModuleType) -> None:
    baseline, baselines = importlib.import_module("baseline"), importlib.import_module("baselines")
    rows = [
        baseline.Baseline("A", "majority", "", "accuracy", wilson(1, 2)),
        baseline.Baseline("A", "majority", "", "macro-F1", Estimate(value=0.25, n=2)),
        baseline.Baseline("B", "local", "label", "kappa", Estimate(value=None, n=4, note="one side"), 0.5),
    ]
    assert baselines.lines(rows) == [
        ["set", "judge", "read-out", "n", "coverage", "figures [95 %]"],
        ["A", "majority", "", "2", "100%", "accuracy 0.50 [0.09, 0.91]; macro-F1 0.25"],
        ["B", "local", "label", "4", "50%", "kappa undefined: one side"],
    ]


@pytest.mark.data
def test_published_figures_of_finance_are_reproduced(bench: ModuleType) -> None:
    if bench.data_set("financial_phrasebank") is None:
        pytest.skip("the data set is not under ADJUDGE_DATA")
    rows = list(importlib.import_module("reproduce_finance").rows())
    assert len(rows) == 16
    assert [row.what for row in rows if not row.agrees] == []


def test_a_table_is_rewritten_in_its_place_and_nowhere_else(bench: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- one -->\n\nold\n\n<!-- /one -->\n\nafter\n", "utf-8")
    for text in ("new", "newer"):
        bench.rewrite(page, "one", text)
        assert page.read_text("utf-8") == f"before\n\n<!-- one -->\n\n{text}\n\n<!-- /one -->\n\nafter\n"
    with pytest.raises(SystemExit, match="has no place <!-- two -->"):
        bench.rewrite(page, "two", "x")


@pytest.mark.data
def test_what_the_learned_read_out_is_measured_on_is_what_others_measured(bench: ModuleType) -> None:
    folder = bench.data_set("llm_rubric")
    if folder is None:
        pytest.skip("the data set is not under ADJUDGE_DATA")
    learned = importlib.import_module("validity_llm_rubric")
    rows = learned.load(folder)
    level = rows.truth @ learned.SCORES
    assert len(rows) == 355
    assert (len(set(rows.clusters)), len(set(rows.raters))) == (120, 24)
    error = {name: ((method(0) - level) ** 2).mean() ** 0.5 for name, _, method in list(learned.methods(rows))[:4]}
    assert error["the judge's expected level, uncalibrated"] == pytest.approx(1.042, abs=5e-4)
    assert error["mean of all labels"] == pytest.approx(0.831, abs=5e-4)
    assert error["ridge on all probabilities (the floor)"] == pytest.approx(0.757, abs=0.01)
    assert learned.unexplained(rows) == pytest.approx(0.744, abs=2e-3)
