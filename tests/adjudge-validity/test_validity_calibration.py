"""Maps of probabilities: learned, cross-validated, kept in a file, applied by a judge."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from adjudge import api
from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.rubric import Criterion
from adjudge.submission import Label
from adjudge.verdict import Verdict
from adjudge_validity import maps
from adjudge_validity.calibration import learn
from adjudge_validity.fitted import FileCalibration, FittedOn, load, save
from adjudge_validity.learning import learn_read_out
from adjudge_validity.ratings import Rating, Ratings

FITTED_ON = FittedOn(judge="isolated", read_out="label", backend="b", rubric="r")
PLUGIN = """
import re
from adjudge import BackendSpec, hookimpl
from adjudge.testing import ScriptedBackend


def answer(question):
    share = float(re.search(r"chance (0[.][0-9]+)", question.prompt.user)[1])
    return {"Yes": share, "No": 1 - share}


@hookimpl
def adjudge_backends():
    return [BackendSpec(name="sure", build=lambda model=None, **_: ScriptedBackend(answer, name=model or "sure"),
                        summary="as sure as the text says")]
"""


def overconfident(n, k=2, power=3.0, seed=0):
    """True probabilities, those of a judge that is too sure, and one label of each."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.full(k, 0.8), n)
    said = np.clip(true, 1e-4, 1) ** power
    truth = np.eye(k)[[rng.choice(k, p=p) for p in true]]
    return true, said / said.sum(1, keepdims=True), truth


def rows(said, truth, scale="binary"):
    criterion = Criterion(id="good", text="It is good.", scale=scale)
    levels = [level.id for level in criterion.scale.levels]
    return [
        Rating(
            submission=str(i),
            criterion="good",
            cluster=str(i),
            scale=criterion.scale,
            verdict=Verdict(
                submission=str(i),
                criterion="good",
                status="scored",
                level=levels[int(p.argmax())],
                distribution=dict(zip(levels, p.tolist(), strict=True)),
            ),
            humans=(Label(criterion="good", level=levels[int(t.argmax())]),),
        )
        for i, (p, t) in enumerate(zip(said, truth, strict=True))
    ]


def test_a_temperature_recovers_how_much_too_sure_a_judge_is():
    _, said, truth = overconfident(1500, k=4)
    assert maps.fit_temperature(said, truth)["temperature"] == pytest.approx(3, rel=0.15)


def test_platt_equals_logistic_regression():
    _, said, truth = overconfident(4000)
    found = maps.apply("platt", maps.fit_platt(said, truth), said)
    clipped = np.clip(said, maps.SMALLEST, None)
    log_odds = np.log(clipped[:, 1] / clipped[:, 0])[:, None]
    oracle = LogisticRegression(C=np.inf, tol=1e-8).fit(log_odds, truth[:, 1]).predict_proba(log_odds)
    assert found == pytest.approx(oracle, abs=2e-3)  # the prior of one observation is the difference


def test_isotonic_equals_scikit_learn_but_for_the_pseudo_observations():
    _, said, truth = overconfident(300)
    found = maps.apply("isotonic", maps.fit_isotonic(said, truth), said)[:, 1]
    oracle = IsotonicRegression().fit(said[:, 1], truth[:, 1]).predict(said[:, 1])
    assert found == pytest.approx((oracle * 300 + 1) / 302, abs=1e-6)


@pytest.mark.parametrize(
    ("method", "k"),
    [*((method, 2) for method in maps.FITS), *((method, 4) for method in maps.FITS if method != "ordinal")],
)
def test_every_map_brings_probabilities_nearer_to_the_true_ones(method, k):
    true, said, truth = overconfident(600, k=k, seed=1)
    found = maps.apply(method, maps.FITS[method](said, truth), said)
    assert found.sum(1) == pytest.approx(1)
    assert np.abs(found - true).mean() < 0.7 * np.abs(said - true).mean()


def test_the_ordinal_map_recovers_proportional_odds():
    rng = np.random.default_rng(2)
    said = rng.dirichlet(np.full(5, 0.5), 2000)
    mean = said @ np.arange(5)
    reached = 1 / (1 + np.exp(-(1.5 * mean[:, None] + np.array([1.0, -1.0, -3.0, -5.0]))))
    step = (rng.random(2000)[:, None] < reached).sum(1)
    found = maps.fit_ordinal(said, np.eye(5)[step])
    assert found["slope"] == pytest.approx(1.5, abs=0.2)
    assert found["cuts"] == pytest.approx([1.0, -1.0, -3.0, -5.0], abs=0.4)


@settings(max_examples=15)
@given(st.sampled_from(sorted(maps.FITS)), st.integers(2, 5), st.integers(0, 1000))
def test_any_map_gives_probabilities_whatever_it_was_fitted_on(method, k, seed):
    rng = np.random.default_rng(seed)
    said = rng.dirichlet(np.full(k, 0.3), 12)
    truth = np.eye(k)[rng.integers(0, k, 12)]
    found = maps.apply(method, maps.FITS[method](said, truth), np.vstack([said, np.eye(k)]))
    assert found.sum(1) == pytest.approx(1)
    assert (found >= 0).all()


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.floats(0.2, 5))
def test_a_temperature_keeps_the_order_of_levels(weights, temperature):
    given_ = np.array([weights]) / sum(weights)
    found = maps.apply("temperature", {"temperature": temperature}, given_)[0]
    assert (np.diff(found[np.argsort(given_[0], kind="stable")]) >= -1e-12).all()


def test_auto_takes_the_best_in_cross_validation_and_tells_the_gain():
    _, said, truth = overconfident(100, seed=3)
    known = rows(said, truth)
    found = learn(known, "auto")
    assert found.after == min(learn(known, method).after for method in maps.FITS)
    assert found.after < found.before
    assert (found.gain.low or 0) > 0
    assert found.gain.value == pytest.approx(found.before - found.after)


def test_cross_validation_promises_nothing_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(4)
    said = rng.dirichlet([1, 1], 40)
    truth = np.eye(2)[rng.integers(0, 2, 40)]
    truth_of_noise = learn(rows(np.full((40, 2), 0.5), truth), "isotonic")
    assert truth_of_noise.after >= truth_of_noise.before - 0.05
    assert learn(rows(said, truth), "platt").before > 0.69


def test_too_few_labels_and_levels_without_order_are_refused():
    _, said, truth = overconfident(9)
    with pytest.raises(InputError, match="9 submissions have labels and probabilities, a calibration needs 10"):
        learn(rows(said, truth), "auto")
    _, said, truth = overconfident(12, k=3)
    scale = {"kind": "labels", "levels": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}
    with pytest.raises(InputError, match="needs levels in order"):
        learn(rows(said, truth, scale), "isotonic")
    assert learn(rows(said, truth, scale), "auto").method in maps.UNORDERED


def test_labels_of_one_cluster_leave_nothing_to_hold_out():
    _, said, truth = overconfident(12)
    one = [replace(row, cluster="ward 3") for row in rows(said, truth)]
    with pytest.raises(InputError, match="all labelled submissions are of the cluster 'ward 3'"):
        learn(one, "platt")
    with pytest.raises(InputError, match="all labelled submissions are of the cluster 'ward 3'"):
        learn_read_out(Ratings("judge", tuple(one)), "good")


def test_a_file_gives_back_what_was_saved_and_its_name_changes_with_it(tmp_path):
    of = {"good": {"method": "temperature", "parameters": {"temperature": 2.0}}}
    calibration = FileCalibration(fitted_on=FITTED_ON, of=of)
    save(tmp_path / "c.json", calibration)
    again = load(tmp_path / "c.json")
    assert again == calibration
    assert again.name == calibration.name
    other = {"good": {"method": "temperature", "parameters": {"temperature": 2.1}}}
    assert FileCalibration(fitted_on=FITTED_ON, of=other).name != calibration.name
    criterion = Criterion(id="good", text="It is good.")
    assert again(criterion, {"unmet": 0.2, "met": 0.8}) == pytest.approx({"unmet": 1 / 3, "met": 2 / 3})
    assert again(criterion.model_copy(update={"id": "other"}), {"unmet": 0.2, "met": 0.8})["met"] == 0.8
    with pytest.raises(FileExistsError):
        save(tmp_path / "c.json", calibration)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no calibration"),
        ('{"format": 2}', "format 2, this version reads 1"),
        ('{"format": 1, "criteria": {}}', "no calibration"),
        (
            json.dumps(
                {
                    "format": 1,
                    "fitted_on": {"judge": "", "read_out": "", "backend": "", "rubric": ""},
                    "criteria": {"a": {"method": "magic", "parameters": {}}},
                }
            ),
            "unknown map 'magic'",
        ),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path, text, message):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "c.json")
    with pytest.raises(InputError, match="make one with adjudge calibrate"):
        load(tmp_path / "absent.json")


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with texts, a rubric, labels, and a backend that is too sure, installed."""
    site = tmp_path / "site"
    info = site / "sure_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sure-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[adjudge]\nsure = sure_plugin\n")
    (site / "sure_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    _, said, truth = overconfident(80, seed=5)
    lines = [{"id": f"s{i}", "output": f"chance {min(0.99, max(0.01, p)):.2f}"} for i, p in enumerate(said[:, 1])]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for name in ("r", "other"):
        (tmp_path / f"{name}.yaml").write_text(
            f'id: {name}\nversion: "1"\ndraft: true\ncriteria:\n  - {{id: good, text: It is {name}.}}\n'
        )
    labels = [f"s{i},good,{'met' if t else 'unmet'}" for i, t in enumerate(truth[:, 1])]
    (tmp_path / "labels.csv").write_text("\n".join(["submission,criterion,level", *labels]))
    api.installed.cache_clear()
    yield tmp_path
    api.installed.cache_clear()
    sys.modules.pop("sure_plugin", None)


def judge(out, *more, rubric="r.yaml", backend="sure"):
    return main(["judge", "texts.jsonl", "--rubric", rubric, "--backend", backend, "--out", out, *more])


def test_a_calibration_learned_from_a_run_mends_the_next_and_refuses_any_other(work, capsys):
    assert judge("run", "--read-out", "label") == 0
    capsys.readouterr()
    assert main(["calibrate", "run", "--labels", "labels.csv", "--out", "c.json", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kept"] == ["good"]
    assert said["criteria"][0]["after"] < said["criteria"][0]["before"]

    fitted = ["--judge", "fitted", "-J", "file=c.json", "--read-out", "label"]
    assert judge("mended", *fitted) == 0
    verdict = json.loads((work / "mended" / "verdicts.jsonl").read_text().splitlines()[0])
    before = json.loads((work / "run" / "verdicts.jsonl").read_text().splitlines()[0])
    assert "calibrated" in verdict["flags"]
    assert verdict["members"][0]["distribution"] == before["distribution"]
    assert verdict["distribution"] != before["distribution"]

    capsys.readouterr()
    for number, (other, what) in enumerate(
        [({"rubric": "other.yaml"}, "another rubric"), ({"backend": "sure:larger"}, "another backend")]
    ):
        assert judge(f"refused{number}", *fitted, **other) == 2
        assert f"fitted on {what}" in capsys.readouterr().err
    assert judge("words", *fitted[:-1], "reasoned") == 2
    assert "fitted on another read_out" in capsys.readouterr().err
