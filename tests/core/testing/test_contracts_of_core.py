"""Core keeps the contracts that it gives to plugin authors."""

from __future__ import annotations

from adjudge.judges import SPECS as JUDGES
from adjudge.rubric import Criterion, Group, Rubric
from adjudge.scoring import SPECS as SCORINGS
from adjudge.testing import (
    BackendContract,
    ComparingJudgeContract,
    JudgeContract,
    ScoringContract,
    ScriptedBackend,
)
from adjudge.testing.judges import sample_rubric
from adjudge.verdict import Failure


def judge_spec(name):
    return next(spec for spec in JUDGES if spec.name == name)


class TestScriptedBackend(BackendContract):
    def make_backend(self):
        return ScriptedBackend()

    def make_failing_backend(self):
        return ScriptedBackend(Failure(reason="infra", detail="no route to host"))


class TestIsolatedByLabel(JudgeContract):
    def make_judge(self):
        return judge_spec("isolated").build()


class TestIsolatedReasonedWithRepeats(JudgeContract):
    repeats = 3

    def make_judge(self):
        return judge_spec("isolated").build(read_out="reasoned", repeats=3)


class TestIsolatedOnOneCriterion(JudgeContract):
    def make_judge(self):
        return judge_spec("isolated").build()

    def rubric(self) -> Rubric:
        return sample_rubric().model_copy(update={"criteria": sample_rubric().criteria[:1]})


class TestJoint(JudgeContract):
    def make_judge(self):
        return judge_spec("joint").build(read_out="reasoned")


class TestJointInPairs(JudgeContract):
    repeats = 2

    def make_judge(self):
        return judge_spec("joint").build(size=2, repeats=2)


class TestCompareByLabel(ComparingJudgeContract):
    def make_judge(self):
        return judge_spec("compare").build()


class TestCompareReasoned(ComparingJudgeContract):
    def make_judge(self):
        return judge_spec("compare").build(read_out="reasoned")


class BuiltInScoring(ScoringContract):
    name: str

    def spec(self):
        return next(spec for spec in SCORINGS if spec.name == self.name)


class TestWeighted(BuiltInScoring):
    name = "weighted"


class TestPoints(BuiltInScoring):
    name = "points"


class TestMeanBroughtToOneRange(BuiltInScoring):
    name = "mean"
    PARAMS = {"normalise": True}  # noqa: RUF012 - as documented


class TestGated(BuiltInScoring):
    name = "gated"


class TestLogSigmoid(BuiltInScoring):
    name = "log_sigmoid"


class TestNone(BuiltInScoring):
    name = "none"


class TestPareto(BuiltInScoring):
    name = "pareto"


class TestTree(BuiltInScoring):
    name = "tree"
    GROUPS = (Group(id="part"),)

    def criteria(self):
        return tuple(c.model_copy(update={"group": "part", "weight": abs(c.weight)}) for c in super().criteria())


class TestWeightedWithADependency(BuiltInScoring):
    name = "weighted"

    def criteria(self):
        safe, clear, _ = super().criteria()
        thanks = Criterion(id="thanks", text="It thanks.", depends_on=({"criterion": "safe", "levels": ("met",)},))
        return safe, clear, thanks
