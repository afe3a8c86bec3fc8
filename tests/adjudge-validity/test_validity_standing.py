"""What lines add up to: against a plain model of it, and as chances that an estimate can be trusted with."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adjudge_validity.corrected import corrected_mean
from adjudge_validity.drawing import inclusion
from adjudge_validity.labelling.acts import Act, Done, Draw, Drawn, Labels
from adjudge_validity.labelling.standing import given as in_hand
from adjudge_validity.labelling.standing import in_force, opinions

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "ben"]),
        st.sampled_from(["label", "cannot-tell", "skip", "undo"]),
        st.sampled_from("abc"),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["met", "unmet"]),
    ),
    max_size=40,
)


def done(steps):
    """The acts of these steps; an undo takes back the rater's last act in force, if there is one."""
    found = []
    for line, (rater, kind, submission, criterion, level) in enumerate(steps):
        act = {"kind": kind, "time": "2026", "rater": rater, "submission": submission}
        if kind in ("label", "cannot-tell"):
            act |= {"criterion": criterion, "level": level if kind == "label" else None}
        if kind == "undo":
            own = [one for one in in_force(found) if one.act.rater == rater]
            if not own:
                continue
            act |= {"undoes": own[-1].hash}
        found.append(Done(line, str(line), Act(**act)))
    return found


@given(STEPS)
def test_opinions_are_those_of_a_stack_per_rater(steps):
    stacks = defaultdict(list)
    for step in steps:
        if step[1] != "undo":
            stacks[step[0]].append(step)
        elif stacks[step[0]]:
            stacks[step[0]].pop()
    wanted = {}
    for rater, stack in stacks.items():
        for _, kind, submission, criterion, level in stack:
            if kind != "skip":
                wanted[submission, criterion, rater] = level if kind == "label" else None
    assert {key: one.act.level for key, one in opinions(done(steps)).items()} == wanted


def study(toss, *, scale, power=None):
    """An estimate from the first half of an active draw in random order; `scale` says whether chances tell that."""
    judged = np.array([toss.random() for _ in range(400)])
    doubts = [min(x, 1 - x) for x in judged]
    truth = np.array([float(toss.random() < x**2) for x in judged])
    chances = inclusion(doubts, 120)
    drawn = [i for i in range(400) if toss.random() < chances[i]]
    toss.shuffle(drawn)
    draw = Draw(
        format=1,
        purpose="label",
        time="2026",
        source="",
        rubric=None,
        drawn="active",
        size=120,
        of=400,
        seed=0,
        criteria=("c",),
        submissions=tuple(Drawn(submission=str(i), probability=chances[i]) for i in drawn),
    )
    acts = [
        Act(
            kind="label",
            time="2026",
            rater="ann",
            submission=str(i),
            criterion="c",
            level="met" if truth[i] else "unmet",
            probability=chances[i],
            drawn="active",
        )
        for i in drawn[: len(drawn) // 2]
    ]
    labels = Labels(draw, [Done(n, str(n), act) for n, act in enumerate(acts)])
    known = {int(one.done.act.submission): one for one in in_hand(labels)}
    weights = [known[i].probability if scale and i in known else chances[i] for i in range(400)]
    human = [truth[i] if i in known else None for i in range(400)]
    return corrected_mean(list(judged), human, probabilities=weights, power=power), float(truth.mean())


def test_an_estimate_from_half_of_a_draw_holds_the_truth_as_often_as_it_says():
    toss = random.Random(1)
    studies = [study(toss, scale=True) for _ in range(400)]
    inside = np.mean([found.estimate().low <= truth <= found.estimate().high for found, truth in studies])
    assert 0.92 <= inside <= 0.98
    assert abs(np.mean([found.value - truth for found, truth in studies])) < 0.01


def test_chances_that_leave_out_how_far_the_labelling_got_would_mislead():
    toss = random.Random(1)
    off = [
        np.mean([x.value - t for x, t in (study(toss, scale=s, power=1.0) for _ in range(100))]) for s in (True, False)
    ]
    assert abs(off[0]) < 0.02
    assert abs(off[1]) > 0.06
