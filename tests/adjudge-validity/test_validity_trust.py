"""Thresholds of trust: found from labels, written, and kept to by a cascade."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from adjudge import api
from adjudge.cli import main
from adjudge.errors import InputError
from adjudge_validity.trust import load

PLUGIN = """
import re
from adjudge import BackendSpec, hookimpl
from adjudge.testing import ScriptedBackend


def cheap(question):
    share = float(re.search(question.criterion + " (0[.][0-9]+)", question.prompt.user)[1])
    return {"Yes": share, "No": 1 - share}


def dear(question):
    true = "TRUE" in question.prompt.user
    return {"Yes": 0.99 if true else 0.01, "No": 0.01 if true else 0.99}


@hookimpl
def adjudge_backends():
    return [BackendSpec(name="cheap", build=lambda model=None, **_: ScriptedBackend(cheap, name=model or "cheap"),
                        summary="as sure as the text says"),
            BackendSpec(name="dear", build=lambda model=None, **_: ScriptedBackend(dear, name=model or "dear"),
                        summary="always right")]
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """On `a` the cheap judge is right wherever it is sure; on `b` it knows nothing and is sure all the same."""
    site = tmp_path / "site"
    info = site / "two_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: two-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[adjudge]\ntwo = two_plugin\n")
    (site / "two_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    lines, labels = [], ["submission,criterion,level"]
    for i in range(120):
        sure = (0.52, 0.7, 0.9, 0.97)[i % 4]
        true = bool(rng.random() < 0.5)
        right = sure > 0.8 or bool(rng.random() < 0.6)
        share = sure if true == right else 1 - sure
        lines.append({"id": f"s{i}", "output": f"a {share:.2f} b 0.9 {'TRUE' if true else 'FALSE'}"})
        labels += [f"s{i},a,{'met' if true else 'unmet'}", f"s{i},b,{'met' if true else 'unmet'}"]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    criteria = "".join(f"  - {{id: {name}, text: It is {name}.}}\n" for name in "ab")
    (tmp_path / "r.yaml").write_text(f'id: r\nversion: "1"\ndraft: true\ncriteria:\n{criteria}')
    api.installed.cache_clear()
    yield tmp_path
    api.installed.cache_clear()
    sys.modules.pop("two_plugin", None)


def judge(out, *more):
    return main(["judge", "texts.jsonl", "--rubric", "r.yaml", "--read-out", "label", "--out", out, *more])


def verdicts(folder):
    return list(map(json.loads, (folder / "verdicts.jsonl").read_text().splitlines()))


def members(first="cheap"):
    return ["--backend", "dear", "-J", f'members=[{{"backend": "{first}"}}, {{"backend": "dear"}}]']


def test_a_threshold_found_from_labels_decides_what_the_cascade_asks_on(work, capsys):
    assert judge("run", "--backend", "cheap") == 0
    capsys.readouterr()
    assert main(["trust", "run", "--labels", "labels.csv", "--out", "t.json", "--json"]) == 0
    a, b = json.loads(capsys.readouterr().out)["criteria"]
    assert (a["threshold"], a["coverage"], a["agreement"], a["n"]) == (0.9, 0.5, 1.0, 60)
    assert b["threshold"] is None
    assert "no confidence guarantees an agreement of 0.9" in b["note"]

    assert judge("cascade", "--judge", "trusted", "-J", "file=t.json", *members()) == 0
    asked_on = dict.fromkeys("ab", 0)
    for one in verdicts(work / "cascade"):
        asked_on[one["criterion"]] += "escalated" in one["flags"]
        assert one["level"] == ("met" if "TRUE" in text_of(work, one["submission"]) else "unmet")
    assert asked_on == {"a": 60, "b": 120}

    capsys.readouterr()
    assert judge("refused", "--judge", "trusted", "-J", "file=t.json", *members("cheap:other")) == 2
    assert "these thresholds were found for another backend" in capsys.readouterr().err


def text_of(folder, name):
    lines = map(json.loads, (folder / "texts.jsonl").read_text().splitlines())
    return next(one["output"] for one in lines if one["id"] == name)


def test_the_option_that_is_printed_gives_the_same_cascade_without_a_file(work, capsys):
    assert judge("run", "--backend", "cheap") == 0
    capsys.readouterr()
    assert main(["trust", "run", "--labels", "labels.csv"]) == 0
    shown = capsys.readouterr().out
    assert "none: always ask on" in shown
    assert 'judge with --judge cascade -J threshold=1 -J \'thresholds={"a": 0.9, "b": 1.0}\'' in shown
    options = ["-J", "threshold=1", "-J", 'thresholds={"a": 0.9, "b": 1.0}']
    assert judge("cascade", "--judge", "cascade", *options, *members()) == 0
    assert sum("escalated" in one["flags"] for one in verdicts(work / "cascade")) == 180


def test_thresholds_of_a_fitted_judge_are_for_the_fitted_judge(work, capsys):
    assert judge("run", "--backend", "cheap") == 0
    assert main(["calibrate", "run", "--labels", "labels.csv", "--method", "platt", "--out", "c.json"]) == 0
    assert judge("mended", "--backend", "cheap", "--judge", "fitted", "-J", "file=c.json") == 0
    assert main(["trust", "mended", "--labels", "labels.csv", "--accuracy", "0.8", "--out", "t.json"]) == 0
    mended = {"judge": "fitted", "file": "c.json", "backend": "cheap"}
    pair = f"members={json.dumps([mended, {'backend': 'dear'}])}"
    assert judge("cascade", "--backend", "cheap", "--judge", "trusted", "-J", "file=t.json", "-J", pair) == 0
    assert 0 < sum("escalated" in one["flags"] for one in verdicts(work / "cascade")) < 240


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 2}'])
def test_a_file_that_holds_no_thresholds_is_refused(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError, match=r"t\.json: (holds no thresholds|another format).*adjudge trust"):
        load(tmp_path / "t.json")
    with pytest.raises(InputError, match="make one with adjudge trust"):
        load(tmp_path / "absent.json")
