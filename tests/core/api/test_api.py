"""The library's front door: three lines from a rubric to a result, and errors before anything is paid for."""

from __future__ import annotations

import pytest

import adjudge
from adjudge.api import DEFAULT_BACKEND, BoundJudge, build_judge, installed, load_rubric, make_judge
from adjudge.errors import InputError, LedgerError, PackError, UnknownNameError, UnsupportedError
from adjudge.interfaces import Capabilities
from adjudge.judges import settings_from
from adjudge.judges.isolated import IsolatedJudge
from adjudge.ledger import Ledger
from adjudge.rubric import Criterion, Rubric, ScoringChoice
from adjudge.submission import Comparison, Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure

PACK = """\
id: replies
version: "1"
draft: true
criteria:
  - {id: polite, text: It is polite., weight: 3}
  - {id: clear, text: It is clear.}
"""
PLAIN = Capabilities(json_schema=True)
PAIR = Comparison(
    id="p", submissions=tuple(Submission(id=name, input="Why?", output=f"{name} so") for name in ("one", "two"))
)


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "replies.yaml"
    path.write_text(PACK)
    return path


def rubric_of(*names, **fields):
    criteria = tuple(Criterion(id=name, text=f"It is {name}.") for name in names)
    return Rubric(id="test", version="1", draft=True, criteria=criteria, **fields)


async def test_three_lines_judge_a_text(pack):
    rubric = adjudge.load_rubric(pack)
    judge = adjudge.make_judge(rubric, backend=ScriptedBackend({"polite": {"Yes": 0.9}, "clear": {"No": 0.9}}))
    result = await judge(adjudge.Submission(id="1", input="Hello?", output="Good day to you."))
    assert [verdict.level for verdict in result.verdicts] == ["met", "unmet"]
    assert result.score.value == pytest.approx(0.75)
    assert result.score.coverage == 1


def test_the_same_without_an_event_loop(pack):
    result = adjudge.judge("Good day to you.", pack, backend=ScriptedBackend())
    assert result.submission == "1"
    assert {verdict.level for verdict in result.verdicts} == {"met"}


def test_what_was_asked_can_be_given_beside_a_text(pack):
    backend = ScriptedBackend()
    adjudge.judge("Good day.", str(pack), input="THE TASK", backend=backend)
    assert all("THE TASK" in prompt for prompt in backend.prompts)


def test_the_backend_and_the_ledger_are_closed_afterwards(pack):
    backend, ledger = ScriptedBackend(), Ledger()
    adjudge.judge("Good day.", pack, backend=backend, ledger=ledger)
    assert backend.closed == 1
    with pytest.raises(LedgerError, match="closed"):
        ledger.find("key")


async def test_in_a_running_loop_the_sync_call_says_what_to_await(pack):
    with pytest.raises(UnsupportedError, match=r"await adjudge\.make_judge"):
        adjudge.judge("Good day.", pack, backend=ScriptedBackend())


async def test_many_results_come_in_the_order_of_the_items():
    items = [Submission(id=str(n), input=str(n % 3), output=f"answer {n}") for n in range(20)]
    backend = ScriptedBackend(latency=lambda question: 0.0005 * (20 - int(question.submission)))
    seen = []
    async with make_judge(rubric_of("a", "b"), backend=backend) as judge:
        results = await judge.many(items, lambda position, result: seen.append((position, result.submission)))
    assert [result.submission for result in results] == [str(n) for n in range(20)]
    assert sorted(seen) == sorted((n, str(n)) for n in range(20))
    assert seen != sorted(seen)


async def test_no_items_give_no_results():
    async with make_judge(rubric_of("a"), backend=ScriptedBackend()) as judge:
        assert await judge.many([]) == []


async def test_a_submission_may_bring_its_own_rubric():
    own = Submission(id="own", output="Some text.", rubric=rubric_of("x", "y"))
    plain = Submission(id="plain", output="Some text.")
    async with make_judge(rubric_of("a"), backend=ScriptedBackend()) as judge:
        results = await judge.many([own, plain])
    assert [[verdict.criterion for verdict in result.verdicts] for result in results] == [["x", "y"], ["a"]]


async def test_without_any_rubric_the_submission_is_named():
    backend = ScriptedBackend()
    async with make_judge(None, backend=backend) as judge:
        with pytest.raises(InputError, match="'lonely' brings no rubric and none was given; use --rubric"):
            await judge(Submission(id="lonely", output="Some text."))
    assert backend.asked == 0


async def test_a_rerun_over_one_ledger_asks_only_what_changed(tmp_path):
    path, item = tmp_path / "ledger.sqlite", Submission(id="s", output="Some text.")
    async with make_judge(rubric_of("a", "b"), backend=ScriptedBackend(), ledger=path) as judge:
        first = await judge(item)
    backend = ScriptedBackend()
    async with make_judge(rubric_of("a", "b", "c"), backend=backend, ledger=path) as judge:
        second = await judge(item)
    assert [question.criterion for question in backend.questions] == ["c"]
    assert second.verdicts[:2] == first.verdicts


async def test_a_failed_verdict_leaves_no_value_but_bounds_and_coverage():
    script = {"a": {"Yes": 0.9}, "b": Failure(reason="refusal")}
    async with make_judge(rubric_of("a", "b"), backend=ScriptedBackend(script)) as judge:
        result = await judge("Some text.")
    assert result.score.value is None
    assert result.score.coverage == 0.5
    assert result.score.bounds == pytest.approx((0.5, 1))
    assert result.verdict("b").reason == "refusal"


async def test_a_comparison_has_a_preference_and_no_number():
    backend = ScriptedBackend(lambda question: {"A" if "A:\n<output-a" in question.prompt.output else "B": 0.9})
    async with make_judge(rubric_of("a", "b"), judge="compare", backend=backend) as judge:
        result = await judge(PAIR)
    assert result.score.value is None
    assert result.score.coverage == 1
    assert list(result.score.criteria) == ["a", "b"]
    assert result.score.note == result.verdicts[-1].level


async def test_a_comparison_may_bring_the_rubric_that_its_submissions_share():
    own = rubric_of("short", "polite")
    pair = Comparison(id="p", submissions=[one.model_copy(update={"rubric": own}) for one in PAIR.submissions])
    async with adjudge.make_judge(rubric_of("kind"), backend=ScriptedBackend(), judge="compare") as judge:
        shared, given = await judge.many([pair, PAIR])
    assert [verdict.criterion for verdict in shared.verdicts] == ["short", "polite", "overall"]
    assert [verdict.criterion for verdict in given.verdicts] == ["kind", "overall"]


def test_submissions_of_a_comparison_that_bring_different_rubrics_are_refused():
    first, second = PAIR.submissions
    with pytest.raises(ValueError, match="must share one rubric"):
        Comparison(id="p", submissions=[first.model_copy(update={"rubric": rubric_of("kind")}), second])


async def test_a_criterion_may_be_named_overall():
    async with make_judge(rubric_of("overall"), judge="compare", backend=ScriptedBackend()) as judge:
        result = await judge(PAIR)
    assert result.score.coverage == 1
    assert result.score.note in ("first", "second", "tie")


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match="no judge named 'isolatd'; did you mean 'isolated'"):
        make_judge(rubric_of("a"), judge="isolatd", backend=ScriptedBackend())
    with pytest.raises(UnknownNameError, match="no backend named 'lokal'"):
        make_judge(rubric_of("a"), backend="lokal")
    with pytest.raises(UnknownNameError, match="no rubric"):
        load_rubric("nursing/bedsied")
    with pytest.raises(UnknownNameError, match="no template named 'defalt'; did you mean 'default'"):
        make_judge(rubric_of("a"), template="defalt", backend=ScriptedBackend())


def test_a_rubric_file_that_is_not_there_or_broken_is_an_error_of_ours(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml"):
        load_rubric(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("id: [")
    with pytest.raises(PackError, match=r"broken\.yaml:2:1: "):
        load_rubric(str(broken))


def test_a_chosen_label_read_out_is_refused_before_any_call_where_there_are_no_log_probabilities():
    backend = ScriptedBackend(capabilities=PLAIN)
    with pytest.raises(UnsupportedError, match="no label log-probabilities; use --read-out reasoned"):
        make_judge(rubric_of("a"), backend=backend, read_out="label")
    assert backend.asked == 0


async def test_a_read_out_that_nobody_chose_becomes_reasoned_where_there_are_no_log_probabilities_and_says_so():
    async with make_judge(rubric_of("a"), backend=ScriptedBackend(capabilities=PLAIN)) as judge:
        result = await judge("Some text.")
        assert judge.downgraded
        assert judge.judge.settings.read_out.name.startswith("reasoned")
    assert result.verdicts[0].level is not None
    assert result.verdicts[0].distribution is None


class Shows:
    """A judge of somebody else's that shows the settings of one inside it and has none to replace."""

    name = "shows"

    def __init__(self):
        self.inner = IsolatedJudge(settings_from())

    @property
    def settings(self):
        return self.inner.settings

    async def judge(self, item, rubric, ask):
        return await self.inner.judge(item, rubric, ask)


def test_a_judge_whose_settings_cannot_be_replaced_is_refused_with_what_to_choose():
    with pytest.raises(UnsupportedError, match="use --read-out reasoned"):
        make_judge(rubric_of("a"), judge=Shows(), backend=ScriptedBackend(capabilities=PLAIN))


async def test_a_read_out_is_not_replaced_where_the_backend_can_serve_it():
    async with make_judge(rubric_of("a"), backend=ScriptedBackend()) as judge:
        await judge("Some text.")
        assert not judge.downgraded


class FindsOut(ScriptedBackend):
    """Tells only when it is asked to prepare what its server offers."""

    prepared_for: bool | None = None

    async def prepare(self, *, labels=False):
        self.prepared_for = labels
        self.capabilities = PLAIN


async def test_what_a_server_lacks_is_found_out_before_the_first_question():
    backend = FindsOut()
    async with make_judge(rubric_of("a"), backend=backend) as judge:
        result = await judge("Some text.")
        assert judge.downgraded
    assert backend.prepared_for
    assert result.score.coverage == 1


async def test_a_chosen_read_out_that_the_server_turns_out_to_lack_ends_the_run_before_the_first_question():
    backend = FindsOut()
    async with make_judge(rubric_of("a"), backend=backend, read_out="label") as judge:
        with pytest.raises(UnsupportedError, match="use --read-out reasoned"):
            await judge("Some text.")
    assert backend.asked == 0


@pytest.mark.parametrize("options", [{"judge": "isolated", "read_out": "reasoned"}, {"judge": "joint"}])
async def test_what_needs_no_log_probabilities_is_not_refused(options):
    async with make_judge(rubric_of("a", "b"), backend=ScriptedBackend(capabilities=PLAIN), **options) as judge:
        result = await judge("Some text.")
    assert result.score.coverage == 1


def test_a_scoring_that_nobody_brings_is_refused_before_any_call():
    rubric = rubric_of("a", scoring=ScoringChoice(name="weightd"))
    with pytest.raises(UnknownNameError, match="no scoring named 'weightd'; did you mean 'weighted'"):
        make_judge(rubric, backend=ScriptedBackend())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"read_outt": "label"}, "no option of the judge 'isolated' named 'read_outt'; did you mean 'read_out'"),
        ({"judge": "joint", "sise": 3}, "did you mean 'size'"),
        ({"judge": "joint", "size": -1}, "size"),
        ({"judge": "joint", "size": "two"}, "size"),
        ({"judge": "compare", "margin": 2}, "margin"),
        ({"judge": "compare", "repeats": 3}, "takes no repeats"),
        ({"repeats": 0}, "repeats"),
        ({"repeats": "many"}, "repeats"),
        ({"sampling": {"temprature": 1}}, "did you mean 'temperature'"),
        ({"sampling": {"temperature": "hot"}}, "temperature='hot'"),
        ({"read_out_options": {"min_mass": "x"}}, "min_mass='x'"),
        ({"read_out": "reasoned", "read_out_options": {"order": "x"}}, "order='x'"),
    ],
)
def test_options_that_do_not_fit_are_one_readable_line(options, text):
    with pytest.raises((UnknownNameError, UnsupportedError)) as caught:
        make_judge(rubric_of("a"), backend=ScriptedBackend(), **options)
    assert text in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_options_beside_what_is_made_already_are_refused_rather_than_ignored():
    with pytest.raises(UnsupportedError, match="read_out"):
        make_judge(rubric_of("a"), judge=IsolatedJudge(), backend=ScriptedBackend(), read_out="reasoned")
    with pytest.raises(UnsupportedError, match="threads"):
        make_judge(rubric_of("a"), backend=ScriptedBackend(), backend_options={"threads": 2})


async def test_decoding_parameters_and_repeats_reach_the_backend():
    backend = ScriptedBackend()
    options = {"sampling": {"temperature": 0.7, "seed": 3}, "repeats": 2}
    async with make_judge(rubric_of("a"), backend=backend, **options) as judge:
        await judge("Some text.")
    assert [(question.sampling.temperature, question.sampling.seed) for question in backend.questions] == [(0.7, 3)] * 2
    assert backend.questions[0].sampling.max_tokens == 16


def test_a_judge_of_ones_own_needs_no_settings():
    class Own:
        name = "own"

        async def judge(self, item, rubric, ask):
            return []

    bound = BoundJudge(Own(), None, ScriptedBackend(capabilities=PLAIN), Ledger(), installed())
    assert bound.judge.name == "own"


def test_every_installed_judge_can_be_built_without_options():
    plugins = installed()
    assert {"isolated", "joint", "compare"} <= set(plugins.judges)
    assert all(build_judge(plugins, name, {}).name.startswith(name) for name in ("isolated", "joint", "compare"))
    assert isinstance(DEFAULT_BACKEND, str)
