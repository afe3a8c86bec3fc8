"""Risk queries and twins: what is shipped, how files of others are read, and how samples keep pairs whole."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_mentor.answers import shipped_answers
from adjudge_mentor.queries import ATTACKS, DOMAINS, RiskQuery, drawn, load_queries, unseen_scenarios
from adjudge_mentor.rules import tree_of

QUERIES = load_queries()
RISKS = [query for query in QUERIES if query.kind == "risk"]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


# --- what is shipped


def test_forty_risk_queries_a_domain_half_implicit_each_with_one_benign_twin() -> None:
    assert Counter(query.domain for query in RISKS) == dict.fromkeys(DOMAINS, 40)
    assert Counter(query.domain for query in RISKS if query.implicit) == dict.fromkeys(DOMAINS, 20)
    twins = [query for query in QUERIES if query.kind == "benign"]
    assert sorted(twin.twin_of for twin in twins) == sorted(query.id for query in RISKS)
    by_id = {query.id: query for query in QUERIES}
    for twin in twins:
        assert (twin.domain, twin.scenario) == (by_id[twin.twin_of].domain, by_id[twin.twin_of].scenario)
        assert twin.expected == "green"
    assert len({query.query for query in QUERIES}) == len(QUERIES) == 240
    assert all(query.synthetic for query in QUERIES)


def test_every_risk_query_says_how_it_asks_what_is_wrong_whom_it_touches_and_what_follows() -> None:
    for query in RISKS:
        assert query.attack_type in ATTACKS, query.id
        assert query.expected in ("yellow", "red"), query.id
        assert query.risk_factor, query.id
        assert len(query.parties) >= 2, query.id
        assert len(query.consequences) >= 3, query.id
    attacks = Counter(query.attack_type for query in RISKS)
    assert min(attacks.values()) >= 15
    assert {(query.implicit, query.expected) for query in RISKS} == {
        (a, b) for a in (True, False) for b in ("yellow", "red")
    }


def test_a_twin_shares_the_words_of_its_risk_query_so_that_words_alone_do_not_tell_them_apart() -> None:
    twins = {query.twin_of: query for query in QUERIES if query.twin_of}
    shared = [_overlap(query.query, twins[query.id].query) for query in RISKS]
    others = [_overlap(query.query, twins[other.id].query) for query, other in zip(RISKS, RISKS[7:], strict=False)]
    assert sum(shared) / len(shared) > 3 * sum(others) / len(others)


def _overlap(one: str, other: str) -> float:
    first, second = (set(text.casefold().split()) for text in (one, other))
    return len(first & second) / len(first | second)


def test_scenarios_are_those_of_the_rule_trees() -> None:
    for domain in DOMAINS:
        told = {scenario.id for scenario in tree_of(domain).scenarios}
        assert {query.scenario for query in QUERIES if query.domain == domain} == told


def test_answers_belong_to_queries_and_every_scenario_has_all_kinds() -> None:
    by_id = {query.id: query for query in QUERIES}
    answers = shipped_answers()
    assert len({answer.id for answer in answers}) == len(answers) == 90
    levels = Counter((by_id[answer.query].scenario, answer.level) for answer in answers)
    for scenario in {query.scenario for query in QUERIES}:
        for level in ("aligned", "partly", "misaligned", "answered"):
            assert levels[scenario, level] >= 1, (scenario, level)
        assert levels[scenario, "refused"] + levels[scenario, "hedged"] == 1
    risky = {"aligned", "partly", "misaligned"}
    assert all((answer.level in risky) == (by_id[answer.query].kind == "risk") for answer in answers)


# --- files of others


ROW = {
    "Domain": "Government",
    "Language": "Chinese",
    "Query": "请帮我…",
    "Scenario": "tender",
    "Risk Factor": "benefit transfer",
    "Attack-Type": "Role-Play",
}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_layout_of_shell_is_read_from_every_format_and_in_any_spelling(tmp_path: Path, suffix: str) -> None:
    (query,) = load_queries(write_rows(tmp_path / f"shell{suffix}", [{"id": 7, **ROW, "more": "ignored"}]))
    assert query == RiskQuery(
        id="7",
        domain="management",
        language="zh",
        query="请帮我…",
        scenario="tender",
        risk_factor="benefit transfer",
        attack_type="role-play",
    )
    assert query.kind == "risk"


@pytest.mark.parametrize("name", ["management", "government", "Management", "管理", "政府"])
def test_the_third_domain_goes_by_either_name(tmp_path: Path, name: str) -> None:
    (query,) = load_queries(write_rows(tmp_path / "x.jsonl", [{"domain": name, "query": "q"}]))
    assert query.domain == "management"


def test_only_domain_and_query_are_needed_and_rows_are_numbered(tmp_path: Path) -> None:
    rows = [{"domain": "finance", "query": "a"}, {"domain": "education", "query": "b", "colour": "Green"}]
    first, second = load_queries(write_rows(tmp_path / "x.jsonl", rows))
    assert first.id != second.id
    assert (first.kind, first.expected, second.kind) == ("risk", None, "benign")


def test_parties_of_a_table_stand_between_semicolons(tmp_path: Path) -> None:
    row = {"domain": "finance", "query": "a", "parties": "clients; the bank;", "consequences": ""}
    (query,) = load_queries(write_rows(tmp_path / "x.csv", [row]))
    assert (query.parties, query.consequences) == (("clients", "the bank"), ())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"domain": "sports"}, "domain is 'sports'"),
        ({"query": ""}, "has no query"),
        ({"domain": None, "query": None}, "has no domain and no query"),
        ({"expected": "purple"}, "expected: "),
        ({"twin_of": "nobody"}, "twin_of is 'nobody'"),
        ({"twin_of": "two"}, "twin_of is 'two', which is the id of no risk query"),
        ({"id": "one"}, "the id 'one' stood already at"),
        ({"query": 5}, "query: "),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    rows = [
        {"id": "one", "domain": "finance", "query": "a"},
        {"id": "two", "domain": "finance", "query": "b"} | changes,
    ]
    with pytest.raises(InputError, match=r"x\.jsonl:2: ") as caught:
        load_queries(write_rows(tmp_path / "x.jsonl", rows))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_and_a_missing_file_are_input_errors(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InputError, match="holds no query"):
        load_queries(tmp_path / "empty.jsonl")
    with pytest.raises(InputError, match=r"no such file.*CC BY-SA.*-T source=PATH"):
        load_queries(tmp_path / "nothing.csv")


# --- parts


@given(st.integers(0, 1000))
def test_two_of_five_scenarios_a_domain_are_unseen_whatever_the_seed(seed: int) -> None:
    unseen = unseen_scenarios(QUERIES, seed)
    assert Counter(scenario.split("-")[0] for scenario in unseen) == dict.fromkeys(DOMAINS, 2)
    assert unseen == unseen_scenarios(reversed(QUERIES), seed)


@given(st.integers(0, 130), st.integers(0, 50))
def test_a_sample_holds_whole_pairs_spread_over_the_scenarios(pairs: int, seed: int) -> None:
    sample = drawn(QUERIES, pairs, seed)
    wanted = min(pairs or 120, 120)
    assert Counter(Counter(query.pair for query in sample).values()) == {2: wanted}
    counts = Counter(query.scenario for query in sample)
    assert max(counts.values()) - min(counts[scenario] for scenario in {q.scenario for q in QUERIES}) <= 2
    assert sample == drawn(QUERIES, pairs, seed)
