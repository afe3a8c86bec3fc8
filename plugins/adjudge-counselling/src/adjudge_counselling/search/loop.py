"""The search itself: first answers, then one node at a time, chosen by its bound, regenerated or refined."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from adjudge.interfaces import Ask
from adjudge.judges.asking import primed
from adjudge.verdict import Question, Reply, Usage, total
from adjudge_counselling.search.asking import FIRST_STRATEGY, Wording, read_review, read_strategy
from adjudge_counselling.search.limits import Limits
from adjudge_counselling.search.tree import ROOT, Kind, Node, Review, Tree


@dataclass
class Search:
    """One search for one case; `run` it once."""

    wording: Wording
    """What is asked."""
    limits: Limits
    """How far it may go."""
    ask: Ask
    """The way to the model."""
    tree: Tree = field(default_factory=Tree)
    """Grows."""
    strategies: list[str] = field(default_factory=lambda: [FIRST_STRATEGY])
    """All meta-prompts that were written under, the first one first."""
    strategy: int = 0
    """The one in force."""
    iterations: int = 0
    """Steps taken after the first answers."""
    calls: int = 0
    """Questions asked."""
    failures: list[str] = field(default_factory=list)
    """What came of questions that brought nothing, one line each."""
    stopped: str = ""
    """Why it ended."""
    usages: list[Usage] = field(default_factory=list)
    """Of every question."""

    @property
    def usage(self) -> Usage:
        """Tokens and cost so far."""
        return total(self.usages)

    async def run(self) -> Tree:
        """Search until a limit is reached.

        Raises:
            StoppedError: The engine was stopped; what was asked is in the ledger, and the same search goes on from it.
        """
        for number in range(self.limits.first_answers):
            if not self._can_afford(1 + self.limits.samples):
                break
            await self._write(f"initial:{number}", "initial", ROOT, self._fresh(f"initial:{number}"))
        while not self.stopped:
            await self._step()
        return self.tree

    async def _step(self) -> None:
        """Work on the node with the highest bound."""
        if self.iterations == self.limits.iterations:
            self.stopped = "iterations"
        elif not self._can_afford(2 + self.limits.samples):
            self.stopped = "calls"
        else:
            node = self.tree.next_node(self.limits.children, self.limits.exploration)
            if node is None:
                self.stopped = "no node has room" if self.tree.best else "no answer could be reviewed"
                return
            self.iterations += 1
            await (self._regenerate() if node.id == ROOT else self._refine(node))

    async def _regenerate(self) -> None:
        """A new first answer under a changed meta-prompt, which stays if the answer is no worse than the root was."""
        step = f"regenerate:{self.iterations}"
        before, last = self.tree.root.q, self._last_reviewed()
        plan = self.wording.plan(self.strategies[self.strategy], last.text, last.worst_review, step)
        changed = read_strategy(await self._asked(plan))
        if changed is None:
            self._failed(step, "parse: the plan could not be read")
            self.ask.discard(plan)
            return
        kept = self.strategy
        self.strategies.append(changed)
        self.strategy = len(self.strategies) - 1
        node = await self._write(step, "regenerated", ROOT, self._fresh(step))
        if node is None or not node.reviews or before is None or sum(node.rewards) / len(node.rewards) < before:
            self.strategy = kept

    async def _refine(self, node: Node) -> None:
        """A critique of the node beside its reviews, then the node rewritten after the harshest of them."""
        step = f"refine:{self.iterations}"
        review = await self._criticise(node, step)
        await self._write(step, "refined", node.id, self.wording.rewrite(node.text, review, step))

    async def _criticise(self, node: Node, step: str) -> Review:
        """One more critique of the node; its harshest review where that cannot be read."""
        question = self.wording.review(node.text, f"{step}:critique", self.limits.samples)
        found = read_review(await self._asked(question))
        if found is None:
            self._failed(step, "parse: the critique could not be read")
            self.ask.discard(question)
            return node.worst_review
        return found

    def _fresh(self, step: str) -> Question:
        return self.wording.write(self.strategies[self.strategy], step)

    def _last_reviewed(self) -> Node:
        """The newest child of the root that has a review; there is one, or the root had no value."""
        return next(n for n in reversed(self.tree.answers) if n.parent == ROOT and n.reviews)

    async def _write(self, step: str, kind: Kind, parent: int, question: Question) -> Node | None:
        """Ask for an answer, review it and hang it in; None if there is no answer."""
        reply = await self._asked(question)
        why = _why_unusable(reply)
        if why:
            self._failed(step, why)
            self.ask.discard(question)
            return None
        node = Node(len(self.tree.nodes), parent, kind, reply.text.strip(), self.strategy, cut=reply.stop == "length")
        await self._review(node, step)
        self.tree.add(node)
        return node

    async def _review(self, node: Node, step: str) -> None:
        """Ask for all reviews of an answer; one that cannot be read is counted, and asked for again by the next run."""
        asked = [self.wording.review(node.text, step, sample) for sample in range(self.limits.samples)]
        replies = await primed(self.ask, [partial(self._asked, question) for question in asked])
        reviews = [read_review(reply) for reply in replies]
        for question, review in zip(asked, reviews, strict=True):
            if review is None:
                self.ask.discard(question)
        node.reviews = tuple(review for review in reviews if review is not None)
        node.unread = reviews.count(None)

    async def _asked(self, question: Question) -> Reply:
        self.calls += 1
        reply = await self.ask(question)
        self.usages.append(reply.usage)
        return reply

    def _can_afford(self, calls: int) -> bool:
        return self.limits.calls is None or self.calls + calls <= self.limits.calls

    def _failed(self, step: str, why: str) -> None:
        self.failures.append(f"{step}: {why}")


def _why_unusable(reply: Reply) -> str:
    """Why a reply is no answer, reason first; empty if it is one."""
    if reply.failure is not None:
        return f"{reply.failure.reason}: {reply.failure.detail}"
    if reply.stop in {"refusal", "error"}:
        return "refusal: the candidate refused" if reply.stop == "refusal" else "infra: the call failed"
    return "" if reply.text.strip() else "parse: an empty answer"
