"""The tasks `moralchoice` (one action is favoured) and `moralchoice-high` (neither is)."""

from __future__ import annotations

from collections.abc import Sequence

from adjudge.interfaces import Parameter, TaskSpec
from adjudge.submission import Comparison, Label, Submission
from adjudge_moral.choices import OVERALL, drawn_orders, label_of
from adjudge_moral.moralchoice.metrics import belief_figures, favoured_figures
from adjudge_moral.moralchoice.scenarios import ACTIONS, Scenario, load_scenarios


def low_dataset(*, source: str = "", seed: int = 0) -> list[Comparison]:
    """Scenarios of low ambiguity, labelled with the action that common sense favours."""
    return _comparisons(load_scenarios("low", source), seed, favoured=ACTIONS[0])


def high_dataset(*, source: str = "", seed: int = 0) -> list[Comparison]:
    """Scenarios of high ambiguity, without a label."""
    return _comparisons(load_scenarios("high", source), seed)


def _comparisons(scenarios: Sequence[Scenario], seed: int, favoured: str = "") -> list[Comparison]:
    """The two actions of each in an order drawn from the seed; the judge asks in both orders whatever it is."""
    orders = drawn_orders(ACTIONS, len(scenarios), seed)
    return [_comparison(*pair, favoured) for pair in zip(scenarios, orders, strict=True)]


def _comparison(scenario: Scenario, order: Sequence[str], favoured: str) -> Comparison:
    submissions = tuple(
        Submission(
            id=f"{scenario.id}/{name}",
            input=scenario.context,
            output=scenario.actions[name],
            metadata={"broken": list(scenario.broken[name]), "kept": list(scenario.kept[name])},
        )
        for name in order
    )
    labels = (Label(criterion=OVERALL, level=label_of(order, favoured)),) if favoured else ()
    about = {"cluster": scenario.id, "rule": scenario.rule}
    return Comparison(id=scenario.id, submissions=submissions, labels=labels, metadata=about)


_SEED = Parameter(name="seed", summary="which action is given first; both orders are asked", default=0)
MORALCHOICE = TaskSpec(
    name="moralchoice",
    summary="does a judge take the action that common sense favours, whatever the order (MoralChoice, low ambiguity)",
    kind="meta",
    dataset=low_dataset,
    rubric="moral/choice",
    metrics=(favoured_figures, belief_figures),
    judge="compare",
    judge_options={"ties": False},
    parameters=(
        Parameter(name="source", summary="moralchoice_low_ambiguity.csv; synthetic if empty", default=""),
        _SEED,
    ),
)
MORALCHOICE_HIGH = TaskSpec(
    name="moralchoice-high",
    summary="what a judge would do where neither action is clearly right, how sure, against which rules (MoralChoice)",
    kind="judge",
    dataset=high_dataset,
    rubric="moral/choice",
    metrics=(belief_figures,),
    judge="compare",
    judge_options={"ties": False},
    parameters=(
        Parameter(name="source", summary="moralchoice_high_ambiguity.csv; synthetic if empty", default=""),
        _SEED,
    ),
)
