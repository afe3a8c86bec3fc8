"""Synthetic runs for the report tests."""

from dataclasses import replace

import pytest

from adjudge.metrics import Estimate
from adjudge.report import RunRecord, measure
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Label, Submission
from adjudge.verdict import Quote, Result, Score, Usage, Verdict

SCALE = {
    "kind": "ordinal",
    "levels": [{"id": "student", "score": 1}, {"id": "graduate", "score": 2}, {"id": "expert", "score": 3}],
}
RUBRIC = Rubric.model_validate(
    {
        "id": "synthetic/ward",
        "version": "0.1.0",
        "title": "Advice on the ward",
        "role": "registered nurse",
        "scales": {"grade": SCALE},
        "criteria": [
            {
                "id": "escalates",
                "text": "Says when to call for help.",
                "importance": "must",
                "feedback": "Name the sign that makes you call.",
                "dimension": "safety",
                "sources": [{"norm": "NEWS2", "clause": "5", "jurisdiction": "UK"}],
            },
            {"id": "depth", "text": "Gives reasons.", "scale": "grade", "weight": 2, "dimension": "reasoning"},
            {"id": "harm", "text": "Advises something unsafe.", "weight": -1, "dimension": "safety"},
        ],
        "tests": [
            {"id": "t1", "output": "Call now.", "expect": {"escalates": "met", "depth": "student"}},
            {"id": "t2", "output": "Wait.", "expect": {"escalates": "unmet", "depth": "student"}},
            {"id": "t3", "output": "Call, because.", "expect": {"escalates": "met", "depth": "expert"}},
            {"id": "t4", "output": "Nothing.", "expect": {"escalates": "unmet", "depth": "graduate"}},
        ],
    }
)


def verdict(submission, criterion, level=None, **more):
    """A verdict: scored if a level is given, else unscored unless `status` says otherwise."""
    if level is None:
        more = {"status": "unscored", "reason": "parse", **more}
        if more["status"] == "skipped":
            del more["reason"]
        return Verdict(submission=submission, criterion=criterion, **more)
    scale = {one.id: one.scale for one in RUBRIC.criteria}.get(criterion, ())
    score = scale.level(level).score if level in scale else None
    known = {"submission": submission, "criterion": criterion, "status": "scored", "level": level, "score": score}
    return Verdict(**known | more)


def result(submission, *verdicts, value=None, bounds=None, coverage=1.0, **more):
    """A result with its score."""
    score = Score(
        submission=submission,
        rubric="synthetic/ward 0.1.0",
        scoring="weighted",
        value=value,
        bounds=bounds,
        coverage=coverage,
        criteria={},
        **more,
    )
    return Result(submission=submission, verdicts=verdicts, score=score)


TEXT = "Check the pulse, then call the doctor at once."


def plain_run():
    """Three submissions: one scored, one with a failed verdict, one with a skipped one."""
    usage = Usage(prompt_tokens=100, cached_tokens=80, completion_tokens=1, cost=0.001)
    items = [
        Submission(
            id="a",
            input="What now?",
            output=TEXT,
            labels=(Label(criterion="escalates", level="unmet", rater="r1"),),
            metadata={"ward": 7},
        ),
        Submission(id="b", input="What now?", output="Wait and see."),
        Submission(id="c", input="And then?", output="I do not know."),
    ]
    results = [
        result(
            "a",
            verdict(
                "a",
                "escalates",
                "met",
                distribution={"unmet": 0.1, "met": 0.9},
                expected=0.9,
                label_mass=0.83,
                explanation="It says whom to call.",
                quotes=(Quote(text=TEXT[17:36], start=17, end=36), Quote(text="invented words")),
                usage=usage,
            ),
            verdict("a", "depth", "graduate", quotes=(Quote(text=TEXT[0:31], start=0, end=31),), usage=usage),
            verdict("a", "harm", "unmet", usage=usage),
            value=0.75,
            bounds=(0.75, 0.75),
            dimensions={"safety": 1.0},
        ),
        result(
            "b",
            verdict("b", "escalates", "unmet"),
            verdict("b", "depth", detail="the reply was cut"),
            verdict("b", "harm", "unmet", flags=("near-empty",)),
            bounds=(0.0, 0.5),
            coverage=2 / 3,
        ),
        result(
            "c",
            verdict("c", "escalates", "unmet"),
            verdict("c", "depth", status="skipped"),
            verdict("c", "harm", "unmet"),
            value=0.25,
            bounds=(0.25, 0.25),
        ),
    ]
    return RunRecord(
        title="Ward advice",
        created="2026-11-23T10:00:00+00:00",
        rubric=RUBRIC,
        items=items,
        results=results,
        provenance={"judge": "isolated", "backend": "local:tiny", "sampling": {"temperature": 0.0}},
        figures={
            "accuracy": Estimate(value=0.6123, low=0.5, high=0.7, n=200, method="wilson 95%"),
            "kappa": None,
            "confusion": [{"gold": "met", "met": 3, "unmet": 1}, {"gold": "unmet", "met": 0, "unmet": 4}],
        },
        warnings=("Two rows were skipped.",),
    )


def comparison_run():
    """Two comparisons, one of them changed by the order and one failed."""
    first = Submission(id="m1", input="Which?", output="Call the doctor.")
    second = Submission(id="m2", input="Which?", output="Go home.")
    items = [Comparison(id=name, submissions=(first, second)) for name in ("p", "q")]
    orders = ({"first": 0.875, "second": 0.125}, {"first": 0.25, "second": 0.75})
    good = {
        "distribution": {"first": 0.5625, "second": 0.4375},
        "orders": orders,
        "flags": ("order-inconsistent",),
        "quotes": (Quote(text="Go home", start=0, end=7),),
    }
    results = [
        result("p", verdict("p", "escalates", "first", **good), verdict("p", "overall", "first", **good)),
        result("q", verdict("q", "escalates", reason="infra"), verdict("q", "overall", reason="infra"), coverage=0.0),
    ]
    return replace(plain_run(), items=items, results=results, figures={}, warnings=())


def golden_results(*, right):
    """Results of the golden tests: the first `right` of the eight verdicts as expected, the last one failed."""
    answers = [(test.id, name, level) for test in RUBRIC.tests for name, level in test.expect.items()]
    other = {"met": "unmet", "unmet": "met", "student": "expert", "expert": "student", "graduate": "student"}
    given = {}
    for place, (test, name, level) in enumerate(answers):
        answer = None if place == len(answers) - 1 else level if place < right else other[level]
        given.setdefault(test, []).append(verdict(test, name, answer, label_mass=0.5))
    return [result(test, *verdicts) for test, verdicts in given.items()]


def card_of(right):
    return measure(
        RUBRIC,
        golden_results(right=right),
        backend="local:tiny",
        backend_hash="f" * 64,
        read_out="label",
        judge="isolated",
        date="2026-11-23",
    )


@pytest.fixture
def run():
    return plain_run()


@pytest.fixture
def pairs():
    return comparison_run()


@pytest.fixture
def card():
    return card_of


@pytest.fixture
def make():
    """Builders of verdicts and results."""
    return verdict, result
