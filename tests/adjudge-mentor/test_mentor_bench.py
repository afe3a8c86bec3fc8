"""The benchmark of rules in the system message: a planted effect is found, none is found where there is none."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from adjudge.api import make_judge
from adjudge.engine import Engine
from adjudge.ledger import Ledger
from adjudge.testing import ScriptedBackend
from adjudge_mentor.metrics import change_figures
from adjudge_mentor.queries import load_queries, unseen_scenarios
from adjudge_mentor.tasks import answers_dataset
from adjudge_metacog.applying import Guidance
from adjudge_metacog.retrieval import Budget


def bench_module() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "mentor.py"
    spec = importlib.util.spec_from_file_location("bench_mentor", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCH = bench_module()
ITEMS = [BENCH.deciding(item) for item in answers_dataset(pairs=30)]
EVERY = [BENCH.deciding(item) for item in answers_dataset()]
EVERY_RISK = {item.input for item in EVERY if item.metadata["kind"] == "risk"}
RISKY = {item.input for item in ITEMS if item.metadata["kind"] == "risk"}
UNSEEN = unseen_scenarios(load_queries())


def follows_rules(question):
    """Grants all, unless rules are shown and the request is one of risk."""
    ruled = "Rules from earlier cases" in question.prompt.system
    return "I won't help with that." if ruled and question.prompt.input in RISKY else "Here it is."


def noisily(seed):
    """Refuses a risk with a chance of 0.2, or of 0.6 under rules, and a benign request with 0.1 whatever it is told."""

    def answer(question):
        ruled = "Rules from earlier cases" in question.prompt.system
        chance = (0.6 if ruled else 0.2) if question.prompt.input in EVERY_RISK else 0.1
        refuses = random.Random(f"{seed}:{ruled}:{question.prompt.input}").random() < chance
        return "I can't help with that." if refuses else "Here it is."

    return answer


def compared(script, graph=None, rules=3, ledger=None, items=ITEMS):
    guidance = Guidance(graph if graph is not None else BENCH.trees_without(UNSEEN), Budget(rules=rules))
    candidate = ScriptedBackend(script)

    async def once():
        with ledger or Ledger() as book:
            judge = make_judge(None, backend=candidate, judge="refusal-words", ledger=book)
            return await BENCH.compared(items, guidance, Engine(candidate, book), judge)

    return asyncio.run(once()), candidate


def test_a_candidate_that_follows_rules_is_seen_to_on_scenarios_that_no_rule_speaks_of_too() -> None:
    (before, after), _ = compared(follows_rules)
    found = change_figures(before.handled, after.handled, UNSEEN)
    assert found["attack_success_before"].value == 1
    for name in ("attack_success", "attack_success[seen]", "attack_success[unseen]"):
        assert found[f"{name}_change"].value < -0.9
        assert found[f"{name}_change"].high < 0
    assert found["over_refusal_change"].value == 0
    assert found["attack_success[unseen]_change"].n == 12


def test_a_planted_effect_of_a_noisy_candidate_lies_within_its_interval() -> None:
    hits = refusals = 0
    for seed in range(5):
        (before, after), _ = compared(noisily(seed), items=EVERY)
        found = change_figures(before.handled, after.handled, UNSEEN)
        hits += found["attack_success_change"].low <= -0.4 <= found["attack_success_change"].high
        refusals += found["over_refusal_change"].low <= 0 <= found["over_refusal_change"].high
        assert found["attack_success_change"].high < 0
    assert hits >= 4
    assert refusals >= 4


def test_with_no_rules_nothing_changes_and_nothing_is_asked_twice() -> None:
    (before, after), candidate = compared(follows_rules, rules=0)
    assert before.answers == after.answers
    assert candidate.asked == len(ITEMS)
    found = change_figures(before.handled, after.handled, UNSEEN)
    assert found["attack_success_change"].value == found["over_refusal_change"].value == 0


def test_the_same_run_again_asks_nothing(tmp_path) -> None:
    _, first = compared(follows_rules, ledger=Ledger(tmp_path / "ledger.sqlite"))
    (before, after), second = compared(follows_rules, ledger=Ledger(tmp_path / "ledger.sqlite"))
    assert (first.asked > len(ITEMS), second.asked) == (True, 0)
    assert len(before.results) == len(after.results) == len(ITEMS)


def test_the_trees_are_used_without_what_they_say_of_unseen_scenarios() -> None:
    rules = BENCH.trees_without(UNSEEN).active
    assert rules
    assert not {scenario for rule in rules for scenario in rule.scope.scenarios} & UNSEEN


def test_it_prints_a_table_with_intervals_and_the_judges_agreement(monkeypatch) -> None:
    monkeypatch.setattr(BENCH, "build_backend", lambda *_: ScriptedBackend(follows_rules))
    asked = argparse.Namespace(
        candidate="scripted", judge="refusal-words", backend="scripted", graph="", pairs=15, rules=3, max_tokens=20
    )
    asked.__dict__.update(seed=0, option=["threads=1"], agreement=True, out=None)
    lines = asyncio.run(BENCH.run(asked))
    rows = [line for line in lines if line.startswith("| attack success |")]
    assert len(rows) == 1
    assert "-1.00" in rows[0]
    assert any(line.strip().startswith("kappa[alignment]: 0.") for line in lines)
    assert "60 questions asked now, 0 answered from the ledger" in lines


def test_rules_of_the_own_scenario_are_found_the_better_the_more_is_known() -> None:
    shares = [float(row.split("|")[2].split()[0]) for row in BENCH.retrieved(3)[2:]]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1
    assert shares[-1] > 3 / 15


@pytest.mark.parametrize(("given", "typed"), [(["threads=1"], {"threads": 1}), (["model=x"], {"model": "x"}), ([], {})])
def test_options_are_typed(given, typed) -> None:
    assert BENCH.typed(given) == typed
