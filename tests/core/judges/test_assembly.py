"""How judges made of judges are put together: backends once, options passed on, everything closed, one budget."""

from __future__ import annotations

import asyncio
import json

import pytest

from adjudge import make_judge
from adjudge.api import installed
from adjudge.cli import main
from adjudge.engine import Engine
from adjudge.errors import UnknownNameError
from adjudge.interfaces import BackendSpec
from adjudge.judges.members import backends_of, described
from adjudge.ledger import Ledger
from adjudge.sending import Policy
from adjudge.testing import ScriptedBackend


@pytest.fixture
def started(monkeypatch):
    """Backends by name `fake:MODEL`, started by their plugin; every start is kept."""
    starts = []

    def build(model=None, shade=""):
        starts.append(ScriptedBackend(name=f"fake:{model}{shade}"))
        return starts[-1]

    spec = BackendSpec(name="fake", summary="for tests", build=build)
    monkeypatch.setitem(installed().backends, "fake", spec)
    return starts


def test_a_backend_is_started_once_however_many_members_name_it(kit, started) -> None:
    members = ["fake:a", {"backend": "fake:a", "judge": "joint"}, {"backend": "fake:b"}, {}]
    kit.judged(kit.rubric(kit.criterion("x")), kit.submission(), judge="panel", members=members, backend="fake:a")
    assert [backend.name for backend in started] == ["fake:a", "fake:b"]
    assert [backend.closed for backend in started] == [1, 1]


def test_other_options_are_another_backend(kit, started) -> None:
    members = [{"backend": "fake:a", "backend_options": {"shade": "!"}}, "fake:a"]
    result = kit.judged(kit.rubric(kit.criterion("x")), kit.submission(), judge="panel", members=members)
    assert [backend.name for backend in started] == ["fake:a!", "fake:a"]
    assert [v.judge for v in result.verdicts[0].members] == ["isolated@fake:a!", "isolated@fake:a"]


def test_a_backend_that_nobody_asks_is_not_started(kit, started) -> None:
    kit.judged(
        kit.rubric(kit.criterion("x")), kit.submission(), judge="panel", members=["fake:a", "fake:b"], backend="fake:c"
    )
    assert [backend.name for backend in started] == ["fake:a", "fake:b"]


def test_a_judge_made_by_hand_brings_its_backends_too(kit, started) -> None:
    from adjudge.interfaces import Member
    from adjudge.judges.isolated import IsolatedJudge
    from adjudge.judges.panel import PanelJudge

    members = [Member(judge=IsolatedJudge(), backend=kit.backend(name), name=name) for name in "xy"]
    bound = make_judge(kit.rubric(kit.criterion("a")), judge=PanelJudge(tuple(members)), backend="fake:c")
    assert (bound.backend.name, started) == ("x", [])
    shared = PanelJudge((*members, Member(judge=IsolatedJudge(), name="z")))
    bound = make_judge(kit.rubric(kit.criterion("a")), judge=shared, backend="fake:c")
    assert bound.backend.name == "fake:c"


def test_options_of_the_run_reach_every_member_and_a_members_own_come_first(kit, started) -> None:
    members = ["fake:a", {"backend": "fake:b", "repeats": 3}]
    result = kit.judged(
        kit.rubric(kit.criterion("x")), kit.submission(), judge="panel", members=members, read_out="reasoned", repeats=2
    )
    assert [(v.judge, v.repeat) for v in result.verdicts[0].members] == [
        *(("isolated@fake:a", repeat) for repeat in range(2)),
        *(("isolated@fake:b", repeat) for repeat in range(3)),
    ]
    assert all(question.json_schema for backend in started for question in backend.questions)


def test_judges_nest_and_the_inner_ones_inherit_the_backend(kit, started) -> None:
    inner = {"judge": "anytime", "backend": "fake:b", "repeats": 3, "members": {"judge": "joint"}}
    bound = make_judge(
        kit.rubric(kit.criterion("x")), judge="cascade", members=["fake:a", inner], threshold=1, read_out="reasoned"
    )

    async def run():
        async with bound:
            return await bound(kit.submission())

    verdict = asyncio.run(run()).verdicts[0]
    assert [backend.asked for backend in started] == [1, 2]
    assert [v.repeat for v in verdict.members] == [0, 0, 1]
    assert {backend.name for backend in backends_of(bound.judge)} == {"fake:a", "fake:b"}
    (_, second) = described(bound.judge)
    assert second["members"][0]["backend"] == "fake:b"
    assert json.dumps(described(bound.judge))


def test_members_share_what_is_in_flight_the_count_the_budget_and_the_stop(kit) -> None:
    one, two = kit.backend("x"), kit.backend("x")

    async def run():
        with Ledger() as ledger:
            engine = Engine(one, ledger, policy=Policy(max_calls=3))
            assert engine.to(one) is engine
            assert engine.to(two).to(one) is engine
            assert engine.to(two) is engine.to(two)
            assert engine.to(two).tally is engine.tally
            engine.stop()
            return engine.to(two).stopping

    assert asyncio.run(run())
    criteria = [kit.criterion(name) for name in "abcd"]
    result = kit.judged(
        kit.rubric(*criteria),
        kit.submission(),
        judge="panel",
        members=[one, kit.backend("y")],
        policy=Policy(max_calls=3),
    )
    said = [v for verdict in result.verdicts for v in verdict.members]
    assert sum(v.status == "scored" for v in said) == 3
    assert {v.reason for v in said if v.status == "unscored"} == {"budget"}


def test_two_members_of_one_identity_ask_a_question_once(kit) -> None:
    one, two = kit.backend("x", latency=0.01), kit.backend("x", latency=0.01)
    kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=[one, two])
    assert one.asked + two.asked == 1


def test_a_name_that_is_not_known_is_told(kit, started) -> None:
    for members in (["fak:a", "fake:b"], [{"judge": "isolate"}, "fake:b"]):
        with pytest.raises(UnknownNameError, match="did you mean"):
            make_judge(kit.rubric(kit.criterion("x")), judge="panel", members=members)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "rubric.yaml").write_text(
        "id: t\nversion: '1'\ndraft: true\ncriteria:\n- {id: a, text: Is it polite?}\n- {id: b, text: Is it long?}\n"
    )
    (tmp_path / "data.jsonl").write_text('{"id": "1", "input": "Hello?", "output": "Good day to you."}\n')
    return tmp_path


def test_the_command_line_takes_members_as_json(files, started, capsys) -> None:
    command = ["judge", "data.jsonl", "--rubric", "rubric.yaml", "--judge", "panel", "--out", "run"]
    members = '["fake:a", {"backend": "fake:b", "name": "second"}]'
    assert _exit(main, [*command, "-J", f"members={members}", "-J", "rule=unanimous"]) == 0
    lines = [json.loads(line) for line in (files / "run" / "verdicts.jsonl").read_text().splitlines()]
    assert [[v["judge"] for v in line["members"]] for line in lines] == [["isolated@fake:a", "second"]] * 2
    assert [backend.closed > 0 for backend in started] == [True, True]
    started.clear()
    assert _exit(main, [*command, "-J", f"members={members}", "-J", "rule=unanimous"]) == 0
    assert [backend.asked for backend in started] == [0, 0]
    assert _exit(main, [*command[:-1], "other", "-J", f"members={members}", "-J", "rule=loudest"]) == 2
    assert "loudest" in capsys.readouterr().err


def test_the_command_line_judges_by_rules_without_a_backend(files, started) -> None:
    text = (files / "rubric.yaml").read_text().replace("polite?}", "polite?, options: {check: {kind: length, min: 3}}}")
    (files / "rubric.yaml").write_text(text.replace("long?}", "long?, options: {check: {kind: length, min: 30}}}"))
    command = ["judge", "data.jsonl", "--rubric", "rubric.yaml", "--judge", "rules", "--backend", "fake:a"]
    assert _exit(main, [*command, "--out", "run"]) == 0
    assert started == []


def _exit(command, arguments):
    try:
        code = command(arguments)
    except SystemExit as stop:
        code = stop.code
    return code or 0
