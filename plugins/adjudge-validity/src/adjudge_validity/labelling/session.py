"""One rater at work on a labels file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from adjudge.errors import InputError
from adjudge.rubric import Criterion
from adjudge.submission import Submission
from adjudge.verdict import Verdict
from adjudge_validity.labelling.acts import (
    Act,
    Done,
    Draw,
    Drawn,
    Labels,
    Machine,
    RubricMark,
    content,
    now,
    read_labels,
)
from adjudge_validity.labelling.chain import Chain
from adjudge_validity.labelling.log import Log
from adjudge_validity.labelling.plan import Material, Wish, draw_of, refuse_another
from adjudge_validity.labelling.standing import Outcome, in_force, opinions, outcome, signatures

Answer = Literal["label", "cannot-tell", "agree", "edit", "sign-off"]
"""What a rater can say to one criterion."""
ANSWERS: Mapping[str, Sequence[Answer]] = {
    "label": ("label", "cannot-tell"),
    "review": ("agree", "edit", "sign-off", "cannot-tell"),
}
"""Purpose of a file to what can be said."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rater has got."""

    submissions: int
    """Submissions on which every criterion is answered."""
    of: int
    """Submissions drawn."""
    answers: int
    """Criteria answered."""


class Session:
    """One rater, one file, and what is shown; a context manager that holds the file."""

    def __init__(self, path: Path, material: Material, wish: Wish, *, rater: str, show_verdict: bool = False) -> None:
        """Open the file, drawing what is to be labelled if it is new.

        Args:
            path: The labels file.
            material: What labels can be given on.
            wish: How to draw.
            rater: Who labels.
            show_verdict: Show the judge's verdicts; a review always does.

        Raises:
            InputError: The file is broken, in use, or was begun on something else; or nothing can be drawn.
        """
        self.material, self.rater = material, rater
        self.shows_verdict = show_verdict or wish.purpose == "review"
        if self.shows_verdict and material.record is None:
            raise InputError("the judge's verdicts stand in a run; give its folder rather than a data file")
        draw = None if path.exists() else draw_of(material, wish)
        self.log = Log(path)
        try:
            self.draw, self._done = self._begun(draw, wish)
        except BaseException:
            self.log.close()
            raise

    def _begun(self, draw: Draw | None, wish: Wish) -> tuple[Draw, list[Done]]:
        if not self.log.lines:
            draw = draw or draw_of(self.material, wish)
            self.log.append(content(draw))
            return draw, []
        labels = read_labels(Chain(self.log.lines), str(self.log.path))
        refuse_another(labels.draw, self.material, wish, str(self.log.path))
        return labels.draw, list(labels.done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.log.close()

    @property
    def labels(self) -> Labels:
        """The file as it stands."""
        return Labels(self.draw, self._done)

    @property
    def own(self) -> list[Done]:
        """What this rater did."""
        return [one for one in self._done if one.act.rater == self.rater]

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {one.submission: place for place, one in enumerate(self.draw.submissions)}

    def at(self, place: int) -> Submission:
        """The submission at a place of the order, from 0."""
        return self.material.submissions[self.draw.submissions[place].submission]

    def criteria(self, place: int) -> list[Criterion]:
        """What to label of it."""
        one = self.draw.submissions[place]
        rubric = self.material.rubric_of(one.submission)
        return [rubric.criterion(name) for name in self.draw.criteria_of(one)]

    def verdict(self, submission: str, criterion: str) -> Verdict | None:
        """The judge's verdict; None if there is none."""
        result = self.material.results.get(submission)
        return None if result is None else next((one for one in result.verdicts if one.criterion == criterion), None)

    def machine(self, submission: str, criterion: str) -> Machine | None:
        """The judge's verdict as a line keeps it; None if the rater does not see it."""
        record, verdict = self.material.record, self.verdict(submission, criterion)
        if not self.shows_verdict or record is None or verdict is None:
            return None
        return Machine(
            run=self.material.run,
            judge=verdict.judge or str(record.provenance.get("judge", "")),
            fingerprint=verdict.fingerprint,
            status=verdict.status,
            level=verdict.level,
        )

    def answered(self) -> dict[tuple[str, str], list[Done]]:
        """Submission and criterion to what this rater holds of it in force."""
        found: dict[tuple[str, str], list[Done]] = {}
        for done in (*opinions(self.own).values(), *signatures(self.own).values()):
            found.setdefault((done.act.submission, done.act.criterion), []).append(done)
        return found

    def outcome(self, submission: str, criterion: str, machine: Machine) -> Outcome:
        """What stands of a verdict after all that anybody did to it."""
        acts = [one for one in self._done if (one.act.submission, one.act.criterion) == (submission, criterion)]
        return outcome(acts, machine)

    def _lacks(self, one: Drawn, answered: Mapping[tuple[str, str], object]) -> bool:
        return any((one.submission, name) not in answered for name in self.draw.criteria_of(one))

    def is_open(self, place: int) -> bool:
        """Whether this rater has something to answer there."""
        return self._lacks(self.draw.submissions[place], self.answered())

    def next_open(self, after: int = -1) -> int | None:
        """The next place with something to answer, round the order; put-off ones come last; None if all is answered."""
        answered, count = self.answered(), len(self.draw.submissions)
        off = {one.act.submission: turn for turn, one in enumerate(in_force(self.own)) if one.act.kind == "skip"}
        left = [place for place in range(count) if self._lacks(self.draw.submissions[place], answered)]
        return min(
            left,
            key=lambda place: (off.get(self.draw.submissions[place].submission, -1), (place - after - 1) % count),
            default=None,
        )

    @property
    def progress(self) -> Progress:
        """How far this rater has got."""
        answered = self.answered()
        done = sum(not self._lacks(one, answered) for one in self.draw.submissions)
        return Progress(done, len(self.draw.submissions), len(answered))

    def answer(self, place: int, criterion: str, answer: Answer, level: str | None, reason: str) -> None:
        """Add what the rater says to one criterion.

        An edit to the judge's own level is an agreement, and needs no reason.

        Raises:
            InputError: It is no answer to this criterion.
            OSError: It could not be written.
        """
        one, submission = self.draw.submissions[place], self.at(place)
        known = {found.id: found for found in self.criteria(place)}
        if criterion not in known or answer not in ANSWERS[self.draw.purpose]:
            raise InputError(f"{answer} on {criterion!r} is no answer here; load the page again")
        machine = self.machine(submission.id, criterion)
        if machine is None and self.draw.purpose == "review":
            raise InputError(f"the judge was not asked about {criterion!r}; there is nothing to review")
        if machine is not None and answer == "edit" and level is not None and level == machine.level:
            answer = "agree"
        self._add(
            Act(
                kind=answer,
                time=now(),
                rater=self.rater,
                submission=submission.id,
                criterion=criterion,
                level=self._level(answer, submission.id, known[criterion], level, machine),
                reason=_reason(answer, reason),
                machine=machine,
                probability=one.probability,
                drawn=self.draw.drawn,
                rubric=RubricMark.of(self.material.rubric_of(submission.id)),
            )
        )

    def _level(
        self, answer: Answer, submission: str, criterion: Criterion, chosen: str | None, machine: Machine | None
    ) -> str | None:
        if answer == "cannot-tell":
            return None
        if machine is not None and answer == "sign-off":
            return self.outcome(submission, criterion.id, machine).level
        if machine is not None and answer == "agree":
            if machine.level is None:
                raise InputError("the judge gave no level to agree with; choose one")
            return machine.level
        if chosen is None or chosen not in criterion.scale:
            raise InputError(f"choose a level of {criterion.id!r}")
        return chosen

    def skip(self, place: int) -> None:
        """Put a submission off until all others are answered."""
        self._add(Act(kind="skip", time=now(), rater=self.rater, submission=self.at(place).id))

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(in_force(self.own))

    def undo(self) -> int | None:
        """Take back the rater's last act in force, and give its place; None if there is none."""
        acts = in_force(self.own)
        if not acts:
            return None
        last = acts[-1]
        self._add(
            Act(
                kind="undo",
                time=now(),
                rater=self.rater,
                submission=last.act.submission,
                criterion=last.act.criterion,
                undoes=last.hash,
            )
        )
        return self._place[last.act.submission]

    def _add(self, act: Act) -> None:
        line = self.log.append(content(act))
        self._done.append(Done(line.line, line.hash, act))


def _reason(answer: Answer, reason: str) -> str:
    given = reason.strip()
    if answer == "edit" and not given:
        raise InputError("say why: an edit needs a reason")
    return given
