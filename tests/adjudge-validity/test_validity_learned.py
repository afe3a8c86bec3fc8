"""Learned read-outs: the network, what raters add, nested cross-validation, and the whole way through the commands."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from adjudge import api
from adjudge.cli import main
from adjudge_validity import network
from adjudge_validity.learned import MEMBERS, ReadOut, Recipe, choose, cross_validated, fit, folds, losses, recipes
from adjudge_validity.observations import Observations
from adjudge_validity.stored import Stored, from_parameters

PLUGIN = """
import re
from adjudge import BackendSpec, hookimpl
from adjudge.testing import ScriptedBackend


def answer(question):
    share = float(re.search(question.criterion + " (0[.][0-9]+)", question.prompt.user)[1])
    return {"Yes": share, "No": 1 - share}


@hookimpl
def adjudge_backends():
    return [BackendSpec(name="says", build=lambda model=None, **_: ScriptedBackend(answer, name=model or "says"),
                        summary="what the text says of each criterion")]
"""


def observations(n, *, raters=6, severity=1.5, seed=0, levels=4):
    """Labels on `a` that depend on what the judge says of `a` and `b`, and on how severe the rater is."""
    rng = np.random.default_rng(seed)
    given_ = {name: rng.dirichlet(np.full(levels, 0.7), n) for name in "ab"}
    who = rng.integers(0, raters, n)
    lean = severity * np.linspace(-1, 1, raters)
    latent = 2 * (given_["b"] @ np.arange(levels)) - (given_["a"] @ np.arange(levels)) / 2 + lean[who]
    step = np.digitize(latent + rng.logistic(size=n) / 2, np.quantile(latent, [0.25, 0.5, 0.75]))
    return Observations(
        given=given_,
        ordered=frozenset("ab"),
        extra=np.zeros((n, 0)),
        raters=[f"r{x}" for x in who],
        clusters=[f"s{i}" for i in range(n)],
        truth=np.eye(levels)[step],
        target="a",
    )


def test_without_order_and_hidden_units_it_is_logistic_regression():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 3))
    truth = np.eye(3)[(inputs[:, :1] + rng.normal(size=(200, 2)) > 0).sum(1)]
    found = network.fit(inputs, truth, ordered=False).probabilities(inputs)
    oracle = LogisticRegression(C=1.0, tol=1e-8).fit(inputs, truth.argmax(1)).predict_proba(inputs)
    assert found == pytest.approx(oracle, abs=2e-3)  # the prior on the levels' own offsets is the difference


@pytest.mark.parametrize(("ordered", "hidden"), [(True, 0), (True, 3), (False, 0), (False, 3)])
def test_the_gradient_is_that_of_the_loss(ordered, hidden):
    rng = np.random.default_rng(1)
    inputs, truth, o = rng.normal(size=(9, 4)), np.eye(3)[rng.integers(0, 3, 9)], 1 if ordered else 3
    shapes = [(3,), (4, o), (4, hidden), (hidden,), (hidden, o)]
    cuts = np.cumsum([math.prod(shape) for shape in shapes])

    def loss(x):
        parts = (part.reshape(shape) for part, shape in zip(np.split(x, cuts[:-1]), shapes, strict=True))
        return network._loss(network.Network(*parts), inputs, truth)

    point = rng.normal(size=cuts[-1])
    assert optimize.check_grad(lambda x: loss(x)[0], lambda x: loss(x)[1], point) < 1e-5


def test_hidden_units_learn_what_no_line_separates():
    inputs = np.array([[a, b] for a in (-3.0, 3.0) for b in (-3.0, 3.0)] * 20)
    truth = np.eye(2)[(inputs[:, 0] * inputs[:, 1] > 0).astype(int)]
    plain = network.fit(inputs, truth, ordered=True).probabilities(inputs)
    deep = network.fit(inputs, truth, ordered=True, hidden=4).probabilities(inputs)
    assert plain.max() < 0.6
    assert (deep * truth).sum(1).min() > 0.8


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 5), st.sampled_from([*recipes(raters=True), *recipes(raters=False)]))
def test_any_recipe_gives_probabilities_whatever_it_learned_from(seed, levels, recipe):
    rows = observations(16, seed=seed, levels=levels) if levels == 4 else observations(16, seed=seed)
    found = fit(rows.part(slice(0, 12)), [recipe])
    for shares in (found.probabilities(rows), found.of_anyone(rows)):
        assert shares.sum(1) == pytest.approx(1)
        assert (shares >= 0).all()


def test_it_reads_what_the_judge_says_elsewhere_and_how_severe_each_rater_is():
    rows = observations(240)
    alike = losses(cross_validated(rows, [Recipe()]), rows.truth).mean()
    known = losses(cross_validated(rows, [Recipe(offsets=2.0)]), rows.truth).mean()
    alone = losses(cross_validated(replace(rows, given={"a": rows.given["a"]}), [Recipe()]), rows.truth).mean()
    assert known < alike - 0.1
    assert alike < alone - 0.1


def test_a_severe_rater_is_predicted_lower_and_anyone_lies_between():
    rows = observations(240)
    read_out = fit(rows, [Recipe(offsets=2.0)])
    one = rows.part([0])
    scores = np.arange(4)
    low, high = (read_out.probabilities(replace(one, raters=[name])) @ scores for name in ("r0", "r5"))
    assert low + 0.5 < read_out.of_anyone(one) @ scores < high - 0.5


def test_the_best_recipes_vote_and_are_chosen_without_what_is_held_out():
    rows = observations(60, raters=3, severity=0.0)
    among = recipes(raters=True)[:7]
    chosen = choose(rows, among)
    assert len(chosen) == MEMBERS
    read_out = fit(rows, among)
    assert isinstance(read_out, ReadOut)
    assert [member.recipe for member in read_out.members] == chosen
    each = [fit(rows, [recipe]).probabilities(rows) for recipe in chosen]
    assert read_out.probabilities(rows) == pytest.approx(np.mean(each, axis=0))
    # Other labels of what is held out change nothing in what is predicted for it.
    held = next(folds(rows.clusters))
    other = replace(rows, truth=np.where(held[:, None], rows.truth[:, ::-1], rows.truth))
    few = among[:2]
    assert cross_validated(rows, few)[held] == pytest.approx(cross_validated(other, few)[held])


def test_where_there_is_nothing_to_learn_cross_validation_does_not_promise_anything():
    rows = observations(120)
    noise = replace(rows, truth=np.eye(4)[np.random.default_rng(3).integers(0, 4, 120)])
    assert losses(cross_validated(noise, recipes(raters=True)[:MEMBERS]), noise.truth).mean() > math.log(4) - 0.05


def test_a_cluster_is_never_split():
    clusters = [f"c{i % 7}" for i in range(40)]
    for held in folds(clusters):
        inside = {name for name, out in zip(clusters, held, strict=True) if out}
        assert not inside & {name for name, out in zip(clusters, held, strict=True) if not out}


def test_further_features_are_read_and_what_is_missing_counts_as_average():
    rows = observations(160, severity=0.0)
    told = replace(rows, extra=rows.truth @ np.arange(4.0)[:, None])
    best = Recipe(features="logs", extra=0.1)
    assert losses(cross_validated(told, [best]), rows.truth).mean() < 0.5
    gap = replace(rows, given={**rows.given, "b": np.full_like(rows.given["b"], np.nan)})
    assert np.isfinite(fit(rows, [Recipe()]).probabilities(gap)).all()
    assert np.isfinite(fit(gap, [Recipe(features="logs")]).probabilities(rows)).all()


def test_json_gives_back_the_same_read_out():
    rows = observations(60)
    among = [recipes(raters=True)[0], recipes(raters=True)[-1], recipes(raters=False)[0]]
    levels = dict.fromkeys("ab", ("1", "2", "3", "4"))
    stored = Stored(target="a", levels=levels, ordered=rows.ordered, read_out=fit(rows, among))
    again = from_parameters(json.loads(json.dumps(stored.parameters())))
    said = {name: dict(zip(levels[name], rows.given[name][0].tolist(), strict=True)) for name in "ab"}
    assert again.distribution(said, "r0") == pytest.approx(stored.distribution(said, "r0"))
    assert again.read_out.raters == stored.read_out.raters
    assert list(stored.distribution(said, "r0").values()) == pytest.approx(
        stored.read_out.probabilities(replace(rows.part([0]), raters=["r0"]))[0]
    )
    assert again.distribution(said, "stranger") == again.distribution(said) != again.distribution(said, "r0")
    assert sum(again.distribution({}).values()) == pytest.approx(1)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Texts whose criterion `a` follows what the judge says of `b`; labels by a kind rater and a severe one."""
    site = tmp_path / "site"
    info = site / "says_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: says-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[adjudge]\nsays = says_plugin\n")
    (site / "says_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    shares = rng.uniform(0.02, 0.98, (60, 2))
    lines = [{"id": f"s{i}", "output": f"a {x:.2f} b {y:.2f}"} for i, (x, y) in enumerate(shares)]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    criteria = "".join(f"  - {{id: {name}, text: It is {name}.}}\n" for name in "ab")
    for name in ("r", "other"):
        (tmp_path / f"{name}.yaml").write_text(f'id: {name}\nversion: "1"\ndraft: true\ncriteria:\n{criteria}')
    rows = ["submission,criterion,level,rater"]
    for i, (_, y) in enumerate(shares):
        for rater, cut in (("kind", 0.25), ("severe", 0.75)):
            rows.append(f"s{i},a,{'met' if y + rng.normal() / 20 > cut else 'unmet'},{rater}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    api.installed.cache_clear()
    yield tmp_path
    api.installed.cache_clear()
    sys.modules.pop("says_plugin", None)


def judge(out, *more, rubric="r.yaml"):
    arguments = ["texts.jsonl", "--rubric", rubric, "--backend", "says", "--read-out", "label", "--out", out, *more]
    return main(["judge", *arguments])


def levels_of(folder, criterion="a"):
    lines = map(json.loads, (folder / "verdicts.jsonl").read_text().splitlines())
    return {one["submission"]: one for one in lines if one["criterion"] == criterion}


def test_a_read_out_learned_from_a_run_predicts_each_rater_and_refuses_any_other_judge(work, capsys):
    assert judge("run") == 0
    capsys.readouterr()
    assert main(["calibrate", "run", "--labels", "labels.csv", "--method", "learned", "--out", "c.json", "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)["criteria"]
    assert said["after"] < 0.75 * said["before"]
    assert said["after_of_rater"] < 0.75 * said["after"]

    fitted = ["--judge", "fitted", "-J", "file=c.json"]
    found = {}
    for rater in ("kind", "severe"):
        assert judge(rater, *fitted, "-J", f"rater={rater}") == 0
        found[rater] = levels_of(work / rater)
    assert judge("anyone", *fitted) == 0
    found["anyone"] = levels_of(work / "anyone")
    met = {who: sum(one["level"] == "met" for one in verdicts.values()) for who, verdicts in found.items()}
    assert met["severe"] + 5 < met["anyone"] < met["kind"] - 5
    one = found["kind"]["s0"]
    assert "calibrated" in one["flags"]
    assert len({found[who]["s0"]["fingerprint"] for who in found} | {one["members"][0]["fingerprint"]}) == 4
    assert levels_of(work / "kind", "b")["s0"]["distribution"] == levels_of(work / "run", "b")["s0"]["distribution"]

    capsys.readouterr()
    assert judge("stranger", *fitted, "-J", "rater=nobody") == 2
    assert "does not know the rater 'nobody'; it has kind, severe" in capsys.readouterr().err
    assert judge("refused", *fitted, rubric="other.yaml") == 2
    assert "fitted on another rubric" in capsys.readouterr().err


def test_a_damaged_read_out_and_too_few_labels_are_refused(work, capsys):
    assert judge("run") == 0
    (work / "few.csv").write_text("submission,criterion,level\n" + "".join(f"s{i},a,met\n" for i in range(9)))
    capsys.readouterr()
    assert main(["calibrate", "run", "--labels", "few.csv", "--method", "learned"]) == 2
    assert "9 submissions have labels and probabilities, a read-out needs 10" in capsys.readouterr().err
    assert main(["calibrate", "run", "--labels", "labels.csv", "--method", "learned", "--out", "c.json"]) == 0
    assert "rater known" in capsys.readouterr().out
    value = json.loads((work / "c.json").read_text())
    value["criteria"]["a"]["parameters"]["members"][0]["network"]["inner"] = [[1.0]]
    (work / "c.json").write_text(json.dumps(value))
    assert judge("broken", "--judge", "fitted", "-J", "file=c.json") == 2
    assert "c.json: no calibration" in capsys.readouterr().err
