"""Search asymmetry on a scripted judge with known rates of detection."""

from __future__ import annotations

import hashlib
import json

import pytest

from adjudge.api import make_judge
from adjudge.cli import main
from adjudge.errors import InputError
from adjudge.report import RunRecord
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge_validity.audit.asymmetry import MARK, asymmetries, kinds_of, planned

RUBRIC = Rubric(
    id="demo",
    version="1",
    criteria=(
        Criterion(id="flaw", text="There is a flaw.", weight=-1),
        Criterion(id="merit", text="There is a merit."),
    ),
)


def passages(count=60):
    return {
        kind: [Submission(id=f"{kind}{i}", output=f"{kind} number {i}.", metadata={"kind": kind}) for i in range(count)]
        for kind in ("flaw", "merit")
    }


def detector(**rates):
    """Finds what is sought at the rate of its kind, where it is there; never where it is not."""

    def said(question):
        sought = question.criterion
        text = question.prompt.output
        draw = int.from_bytes(hashlib.sha256(text.partition(sought)[2][:12].encode()).digest()[:4], "big") / 2**32
        found = f"{sought} number" in text and draw < rates[sought]
        return {"Yes": float(found), "No": float(not found)}

    return ScriptedBackend(said)


async def searched(kinds, **rates):
    items = planned(kinds, RUBRIC, sizes=(2, 4))
    async with make_judge(RUBRIC, backend=detector(**rates)) as bound:
        results = await bound.many(items)
    return asymmetries(RunRecord(title="search", created="2026", rubric=RUBRIC, items=items, results=results))


async def test_known_rates_of_detection_are_measured_within_their_intervals():
    whole, *parts = await searched(passages(), flaw=0.9, merit=0.5)
    assert whole.first.hits.low <= 0.9 <= whole.first.hits.high
    assert whole.second.hits.low <= 0.5 <= whole.second.hits.high
    assert whole.difference.low <= 0.4 <= whole.difference.high
    assert whole.difference.low > 0
    assert whole.first.false_alarms.value == whole.second.false_alarms.value == 0
    assert {one.part for one in parts} == {"2 others", "4 others", "first place", "middle place", "last place"}


async def test_swapping_the_kinds_changes_the_sign():
    kinds = passages()
    whole, *_ = await searched(kinds, flaw=0.9, merit=0.5)
    turned, *_ = await searched(dict(reversed(kinds.items())), flaw=0.9, merit=0.5)
    assert turned.difference.value == pytest.approx(-whole.difference.value)
    assert turned.difference.low == pytest.approx(-whole.difference.high)
    assert (turned.first.sought, whole.first.sought) == ("merit", "flaw")


async def test_a_judge_that_finds_both_alike_has_an_interval_that_holds_0():
    whole, *_ = await searched(passages(), flaw=0.7, merit=0.7)
    assert whole.difference.low <= 0 <= whole.difference.high


def test_each_passage_stands_among_others_of_the_other_kind_and_the_others_stand_alone():
    items = planned(passages(6), RUBRIC, sizes=(4,))
    assert len({item.id for item in items}) == len(items) == 24
    for item in items:
        mark = item.metadata[MARK]
        texts = item.output.split("\n\n")
        count = sum(text.startswith(mark["sought"]) for text in texts)
        assert count == int(mark["planted"])
        assert len(texts) == 4 + int(mark["planted"])
        assert [criterion.id for criterion in item.rubric.criteria] == [mark["sought"]]
    places = {item.metadata[MARK]["place"] for item in items}
    assert places == {"first", "middle", "last"}
    assert items == planned(passages(6), RUBRIC, sizes=(4,))


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (["flaw", "flaw"], r"two kinds with at least 2 passages each are needed; found flaw \(2\)"),
        (["flaw", "flaw", "merit"], r"found flaw \(2\), merit \(1\)"),
        (["flaw", "virtue"], "kind 'virtue' is no criterion of 'demo'"),
        ([None], "'p0' is no submission with a metadata field 'kind'"),
    ],
)
def test_what_cannot_be_searched_is_refused(kinds, message):
    items = [
        Submission(id=f"p{i}", output="x", metadata={} if kind is None else {"kind": kind})
        for i, kind in enumerate(kinds)
    ]
    with pytest.raises(InputError, match=message):
        kinds_of(items, "kind", RUBRIC)


def test_the_command_searches_and_the_same_again_asks_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text(
        "id: demo\nversion: '1'\ntitle: t\ndraft: true\ncriteria:\n"
        "  - {id: flaw, text: A flaw., options: {check: {kind: contains, value: flaw}}}\n"
        "  - {id: merit, text: A merit., options: {check: {kind: contains, value: great merit}}}\n"
    )
    rows = [
        {"id": f"{kind}{i}", "output": f"{kind} {i}", "sort": kind} for kind in ("flaw", "merit") for i in range(12)
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    common = ["asymmetry", "p.jsonl", "--rubric", "r.yaml", "--kind", "sort", "--judge", "rules", "--others", "2"]
    assert main(common) == 0
    assert "all: flaw less merit +1.00" in capsys.readouterr().out
    assert main([*common, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)[0]
    assert (whole["first"]["hits"]["value"], whole["second"]["hits"]["value"]) == (1, 0)
    assert main([*common, "--kind", "topic"]) == 2
    assert "metadata field 'topic'" in capsys.readouterr().err
