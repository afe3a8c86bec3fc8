"""The `commit-first` judge: it answers the task itself before it sees what is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.compare import OVERALL
from adjudge.judges.members import Through, asked_of, unscored
from adjudge.prompts import code, neutralise
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Submission, as_text
from adjudge.verdict import Failure, Prompt, Question, Reply, Sampling, Verdict

VERSION = "1"
"""Changes with the wording; part of the fingerprint."""

_SYSTEM = "Answer the task below yourself, as well as you can. Be brief."
_NOTE = (
    "Before you saw any submission, you answered the task yourself. Your own answer is a note to compare with; it is"
    " not what is judged, and it may be wrong.\n{block}\n\n"
)
_DECLINED = "(you declined to answer this task)"
_CUT = " (cut here)"
OWN_ANSWER = "own-answer"
"""What the question counts as in the ledger."""


@dataclass(frozen=True)
class Noted(Through):
    """Puts the judge's own answer behind the input of every prompt, where all candidates of the input share it."""

    answer: str = ""
    """The judge's own answer."""

    def changed(self, question: Question) -> Question:
        """The question with the note; its digest covers the answer, random codes aside."""
        prompt = question.prompt
        tag = f"own-answer-{code(self.secret, OWN_ANSWER, self.answer)}"
        block = f"<{tag}>\n{neutralise(self.answer)}\n</{tag}>"
        # A prompt without a digest stands for itself, byte by byte.
        digest = prompt.digest or repr((prompt.system, prompt.input, prompt.output, prompt.ask)).encode()
        note = f"{OWN_ANSWER} {VERSION}\x00{self.answer}\x00".encode("utf-8", "surrogatepass")
        changed = {
            "input": prompt.input + _NOTE.replace("{block}", block),
            "digest": hashlib.sha256(note + digest).digest(),
        }
        return question.model_copy(update={"prompt": prompt.model_copy(update=changed)})


@dataclass(frozen=True)
class CommitFirstJudge:
    """Has the member's model answer the input once, then judge with that answer as its own note.

    The answer is asked for once per input, whatever the number of submissions. If it fails, nothing is judged: whether
    the judge had committed itself must not depend on a server. A refusal is an answer.
    """

    members: tuple[Member, ...]
    """The judge, alone."""
    max_tokens: int = 400
    """Most tokens of its own answer."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'commit-first' wraps one judge: members=[{…}]")

    @property
    def name(self) -> str:
        """`commit-first` with the judge inside."""
        return f"commit-first({self.members[0].name})"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission or comparison, as the judge inside does."""
        member = self.members[0]
        way = ask if member.backend is None else ask.to(member.backend)
        asked = as_text(item.input if isinstance(item, Submission) else item.submissions[0].input)
        if not asked.strip():
            return await self._judged(item, rubric, ask, None)
        reply = await way(self.question(asked, item.id))
        own = _own_answer(reply)
        if isinstance(own, Failure):
            return self._failed(item, rubric, own, reply)
        return await self._judged(item, rubric, Noted(way, own), reply)

    def question(self, asked: str, item: str = "") -> Question:
        """The call for its own answer."""
        prompt = Prompt(system=_SYSTEM, input=asked, output="", ask="")
        sampling = Sampling(max_tokens=self.max_tokens)
        return Question(prompt=prompt, sampling=sampling, submission=item, criterion=OWN_ANSWER)

    async def _judged(self, item: Item, rubric: Rubric, ask: Ask, reply: Reply | None) -> list[Verdict]:
        """The member's verdicts; what its own answer cost is booked on the first."""
        given = await asked_of(self.members[0], item, rubric, ask)
        first, *rest = [verdict for found in given.values() for verdict in found]
        usage = first.usage if reply is None else first.usage + reply.usage
        return [first.model_copy(update={"usage": usage}), *rest]

    def _failed(self, item: Item, rubric: Rubric, failure: Failure, reply: Reply) -> list[Verdict]:
        names = [criterion.id for criterion in rubric.criteria] + [OVERALL] * isinstance(item, Comparison)
        why = {"reason": failure.reason, "detail": f"the judge's own answer: {failure.detail}"}
        return [
            unscored(item, name, self.members[0].name, **why, **({"usage": reply.usage} if name == names[0] else {}))
            for name in names
        ]


def _own_answer(reply: Reply) -> str | Failure:
    failure = reply.failure
    if reply.stop == "refusal" or (failure is not None and failure.reason == "refusal"):
        return reply.text.strip() or _DECLINED
    if failure is not None or reply.stop == "error":
        return failure or Failure(reason="infra", detail="the call failed")
    if not reply.text.strip():
        return Failure(reason="parse", detail="empty")
    return reply.text.strip() + (_CUT if reply.stop == "length" else "")
