"""An explanation that contradicts its level is asked about once, and the level is never turned round by us."""

from __future__ import annotations

import json

import pytest

from adjudge.errors import UnsupportedError
from adjudge.judges.consistency import contradiction
from adjudge.rubric import BINARY, Criterion
from adjudge.verdict import Failure

FIVE = Criterion(id="a", text="a", scale="1-5").scale


@pytest.mark.parametrize(
    ("explanation", "level", "found"),
    [
        ("It does not meet the criterion.", "met", True),
        ("It does not meet the criterion.", "unmet", False),
        ("The criterion is met.", "unmet", True),
        ("The criterion is clearly met.", "met", False),
        ("This criterion is not met, since no dose is named.", "met", True),
        ("It doesn't fully satisfy this requirement.", "met", True),
        ("The reply fails to meet the requirement.", "met", True),
        ("The reply satisfies the requirement.", "unmet", True),
        ("The standard isn't met.", "met", True),
        ("The answer is No.", "met", True),
        ("Verdict: Yes", "unmet", True),
        # Silence is the rule where the words are not plain.
        ("It does not mention a dose.", "met", False),
        ("It meets the criterion in part and does not meet the criterion in part.", "met", False),
        ("No harm is named, so all is well.", "unmet", False),
        ("", "met", False),
        ("The answer is yes or the answer is no.", "met", False),
        ("Das Kriterium ist nicht erfüllt.", "met", False),
    ],
)
def test_plain_statements_about_the_criterion_are_seen(explanation, level, found) -> None:
    assert (contradiction(explanation, level, BINARY) is not None) == found


def test_a_number_that_is_stated_is_compared_with_the_level() -> None:
    assert contradiction("I give it a rating of 2.", "4", FIVE) == "it states '2'"
    assert contradiction("Score: 4", "4", FIVE) is None
    assert contradiction("It has 2 faults.", "4", FIVE) is None


def reply(level, explanation):
    return json.dumps({"explanation": explanation, "level": level})


AT_ODDS = reply("Yes", "It does not meet the criterion.")
WHOLE = reply("No", "It does not meet the criterion.")


def judged(kit, *replies, **options):
    backend = kit.backend("x", {"a": list(replies)})
    asked = {"read_out": "reasoned", "read_out_options": {"quotes": False}, "check_consistency": True, **options}
    result = kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), backend=backend, **asked)
    return result.verdicts[0], backend


def test_the_second_reading_counts_whatever_it_says(kit) -> None:
    verdict, backend = judged(kit, AT_ODDS, WHOLE)
    assert (verdict.level, verdict.flags, backend.asked) == ("unmet", (), 2)
    shown = backend.questions[1].follow_up
    assert shown[0].content == AT_ODDS
    assert "it says that the criterion is not met, and the level is 'Yes'" in shown[1].content
    assert verdict.usage.completion_tokens == 2 * (len(AT_ODDS) // 4 + 1)


def test_a_level_that_is_still_contradicted_stays_and_is_flagged(kit) -> None:
    verdict, backend = judged(kit, AT_ODDS, AT_ODDS)
    assert (verdict.level, verdict.flags, backend.asked) == ("met", ("inconsistent",), 2)


@pytest.mark.parametrize("second", ["perhaps", Failure(reason="infra")])
def test_if_the_second_answer_fails_the_first_stays_and_is_flagged(kit, second) -> None:
    verdict, _ = judged(kit, AT_ODDS, second)
    assert (verdict.level, verdict.flags) == ("met", ("inconsistent",))


def test_nothing_is_asked_again_without_a_contradiction_or_without_the_option(kit) -> None:
    assert judged(kit, WHOLE)[1].asked == 1
    verdict, backend = judged(kit, AT_ODDS, WHOLE, check_consistency=False)
    assert (verdict.level, backend.asked) == ("met", 1)


def test_a_run_that_asked_again_resumes_for_nothing(kit, tmp_path) -> None:
    runs = [judged(kit, AT_ODDS, WHOLE, ledger=tmp_path / "ledger.sqlite") for _ in range(2)]
    assert [backend.asked for _, backend in runs] == [2, 0]
    assert runs[0][0] == runs[1][0]


def test_a_joint_judge_asks_again_and_changes_the_doubtful_criterion_alone(kit) -> None:
    at_odds, whole = json.loads(AT_ODDS), json.loads(WHOLE)
    good = {"explanation": "The criterion is met.", "level": "Yes"}
    turned = {"explanation": "The criterion is not met.", "level": "No"}
    replies = [json.dumps({"a": at_odds, "b": good}), json.dumps({"a": whole, "b": turned})]
    backend = kit.backend("x", {"a+b": replies})
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))
    result = kit.judged(
        rubric, kit.submission(), backend=backend, judge="joint", read_out="reasoned", check_consistency=True
    )
    assert [(v.level, v.flags) for v in result.verdicts] == [("unmet", ()), ("met", ())]
    assert "a: it says" in backend.questions[1].follow_up[1].content


@pytest.mark.parametrize("options", [{"read_out": "label"}, {"read_out_options": {"order": "level-only"}}])
def test_a_read_out_without_explanations_has_nothing_to_check(kit, options) -> None:
    with pytest.raises(UnsupportedError, match="needs explanations"):
        judged(kit, WHOLE, **{"read_out_options": {}, **options})
