"""The library's front door: load a rubric, make a judge, judge.

rubric = adjudge.load_rubric("nursing/bedside")
judge = adjudge.make_judge(rubric, backend="local")
result = await judge(adjudge.Submission(id="1", input="…", output="…"))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from adjudge.assembly import assemble
from adjudge.engine import Engine, run_judge
from adjudge.errors import BackendError, InputError, UnsupportedError
from adjudge.interfaces import Backend, Item, Judge, Scoring
from adjudge.judges.members import asks_for_labels, backends_of, check_judge, fitted
from adjudge.ledger import Ledger
from adjudge.options import refuse_options
from adjudge.plugins import Plugins, load_plugins, lookup
from adjudge.rubric import Rubric
from adjudge.scoring import score
from adjudge.sending import Policy
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Result, Score, Verdict

DEFAULT_BACKEND = "local"


@lru_cache(maxsize=1)
def installed() -> Plugins:
    """The plugins of this environment, loaded once."""
    return load_plugins()


def load_rubric(name: str | Path, plugins: Plugins | None = None) -> Rubric:
    """Load a rubric by the id of an installed pack or by the path of a YAML file.

    Raises:
        PackError: The pack is malformed; every problem with its place.
        UnknownNameError: No installed pack has this id.
        InputError: The file cannot be read.
    """
    text = str(name)
    if text.endswith((".yaml", ".yml")) or isinstance(name, Path):
        from adjudge.packs import load_pack

        return load_pack(text).rubric
    return (plugins or installed()).packs.get(text).rubric


class BoundJudge:
    """A judge, bound to a rubric, a backend and a ledger; call it with what is to be judged."""

    def __init__(
        self, judge: Judge, rubric: Rubric | None, backend: Backend, ledger: Ledger, plugins: Plugins, **engine: Any
    ) -> None:
        """Bind; `rubric` may be None if every submission brings its own. `engine` takes `concurrency`, `policy`."""
        self.downgraded = False
        """A read-out that nobody chose and that a backend cannot serve was replaced by `reasoned`."""
        judge = self._fitted(judge, backend)
        check_judge(judge, rubric, backend.capabilities)
        if rubric is not None:
            build_scoring(plugins, rubric)  # before anything is paid for
        self.judge = judge
        self.rubric = rubric
        self.backend = backend
        self.engine = Engine(backend, ledger, **engine)
        self._plugins = plugins

    def _fitted(self, judge: Judge, backend: Backend) -> Judge:
        found = fitted(judge, backend.capabilities)
        self.downgraded = self.downgraded or found is not judge
        return found

    @property
    def _backends(self) -> list[Backend]:
        """The backend and those that members bring, each once."""
        return list({id(one): one for one in (self.backend, *backends_of(self.judge))}.values())

    async def prepare(self) -> None:
        """Let the backends find out what their servers offer, and fit the judge to that; `many` does it by itself.

        Raises:
            UnsupportedError: A read-out was chosen that a server cannot serve.
        """
        for backend in self._backends:
            if (find_out := getattr(backend, "prepare", None)) is not None:
                # A server that cannot be reached now may be up at the first question, which is asked again and again.
                with suppress(BackendError):
                    await find_out(labels=asks_for_labels(self.judge))
        self.judge = self._fitted(self.judge, self.backend)
        check_judge(self.judge, None, self.backend.capabilities)

    async def __call__(self, item: Item | str) -> Result:
        """Judge one submission, comparison or plain text."""
        given = Submission(id="1", output=item) if isinstance(item, str) else item
        (result,) = await self.many([given])
        return result

    async def many(self, items: Sequence[Item], done: Callable[[int, Result], None] | None = None) -> list[Result]:
        """Judge many items.

        Args:
            items: Submissions or comparisons.
            done: Called with position and result as each is finished, in any order.

        Returns:
            Results in the order of the items.

        Raises:
            StoppedError: The engine was stopped before all were finished.
            LedgerError: The ledger cannot be written.
            UnsupportedError: The server turned out to lack what the chosen read-out needs.
        """
        await self.prepare()
        results: dict[int, Result] = {}

        def finish(position: int, verdicts: Sequence[Verdict]) -> None:
            results[position] = self.result(items[position], verdicts)
            if done is not None:
                done(position, results[position])

        await run_judge(self.engine, self.judge, items, self.rubric_of, finish)
        return [results[position] for position in range(len(items))]

    def rubric_of(self, item: Item) -> Rubric:
        """The item's own rubric, or the one that the judge is bound to.

        Raises:
            InputError: There is neither.
        """
        rubric = item.rubric or self.rubric
        if rubric is None:
            raise InputError(f"{item.id!r} brings no rubric and none was given; use --rubric ID or PATH")
        return rubric

    def result(self, item: Item, verdicts: Sequence[Verdict]) -> Result:
        """Combine the verdicts of one item."""
        return result_of(item, self.rubric_of(item), verdicts, self._plugins)

    async def aclose(self) -> None:
        """Release the backends, those of members too, and the ledger."""
        for backend in self._backends:
            await backend.aclose()
        self.engine.ledger.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


def result_of(item: Item, rubric: Rubric, verdicts: Sequence[Verdict], plugins: Plugins) -> Result:
    """Combine the verdicts of one item under the rubric's scoring."""
    if isinstance(item, Comparison):
        combined = preference_score(item, rubric, verdicts)
    else:
        combined = score(rubric, verdicts, build_scoring(plugins, rubric), submission=item.id)
    return Result(submission=item.id, verdicts=tuple(verdicts), score=combined)


def build_scoring(plugins: Plugins, rubric: Rubric) -> Scoring:
    """The scoring that a rubric names.

    Raises:
        UnknownNameError: No plugin brings it.
        ScoringError: It does not take these parameters.
    """
    spec = lookup(plugins, plugins.scorings, "scoring", rubric.scoring.name)
    return spec.build(**rubric.scoring.params)


def preference_score(comparison: Comparison, rubric: Rubric, verdicts: Sequence[Verdict]) -> Score:
    """A comparison has no number, only its preference; coverage says whether that is known."""
    count = len(rubric.criteria)
    each, overall = verdicts[:count], verdicts[count] if len(verdicts) > count else None
    scored = sum(verdict.status == "scored" for verdict in each)
    return Score(
        submission=comparison.id,
        rubric=f"{rubric.id} {rubric.version}",
        scoring="preference",
        value=None,
        bounds=None,
        coverage=scored / count,
        criteria={criterion.id: None for criterion in rubric.criteria},
        note=(overall.level or "") if overall is not None else "",
    )


def make_judge(
    rubric: Rubric | str | Path | None,
    *,
    backend: Backend | str = DEFAULT_BACKEND,
    judge: str | Judge = "isolated",
    ledger: Ledger | str | Path = ":memory:",
    backend_options: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
    policy: Policy | None = None,
    plugins: Plugins | None = None,
    **options: Any,
) -> BoundJudge:
    """Make a judge.

    Args:
        rubric: A rubric, the id of an installed pack, or the path of a YAML file; None if submissions bring their own.
        backend: A backend, or `name` or `name:model` of an installed one.
        judge: A judge, or the name of an installed one; for one made of judges see `docs/explanation/judges.md`.
        ledger: Where replies go; in memory by default.
        backend_options: Options of the backend.
        concurrency: Questions in flight.
        policy: Deadline, retries, rate limits, budget.
        plugins: Plugins to choose from; the installed ones by default.
        options: Options of the judge: `read_out`, `template`, `sampling`, `repeats`, …

    Raises:
        UnknownNameError: A name is not known.
        BackendError: The backend cannot start.
        UnsupportedError: The backend lacks what the judge or read-out needs.
        PackError: The pack is malformed.
    """
    known = plugins or installed()
    if options and not isinstance(judge, str):
        raise UnsupportedError(f"{', '.join(options)}: options of a judge that is made here; this one is made already")
    if backend_options and not isinstance(backend, str):
        raise UnsupportedError(f"{', '.join(backend_options)}: options of a backend that is made here, not of this one")
    chosen = rubric if isinstance(rubric, Rubric) or rubric is None else load_rubric(rubric, known)
    strategy, model = assemble(known, judge, options, backend, backend_options)
    book = ledger if isinstance(ledger, Ledger) else Ledger(ledger)
    return BoundJudge(strategy, chosen, model, book, known, concurrency=concurrency, policy=policy)


def build_judge(plugins: Plugins, name: str, options: Mapping[str, Any]) -> Judge:
    """Build a judge by name.

    Raises:
        UnknownNameError: No such judge.
        UnsupportedError: It has no such option.
    """
    spec = lookup(plugins, plugins.judges, "judge", name)
    refuse_options(f"the judge {name!r}", spec.build, options)
    try:
        return spec.build(**options)
    except TypeError as error:
        raise UnsupportedError(f"the judge {name!r} does not take these options: {error}") from error


def judge(
    submission: Item | str,
    rubric: Rubric | str | Path,
    *,
    input: str = "",  # noqa: A002 - the word of the submission's own field
    backend: Backend | str = DEFAULT_BACKEND,
    **options: Any,
) -> Result:
    """Judge one submission, synchronously.

    Args:
        submission: A submission, a comparison, or plain text.
        rubric: A rubric, the id of an installed pack, or the path of a YAML file.
        input: What was asked, if `submission` is plain text.
        backend: A backend, or `name` or `name:model` of an installed one.
        options: As for `make_judge`.

    Raises:
        UnsupportedError: An event loop is running, as in a notebook; there, await a judge from `make_judge`.
    """
    if _loop_is_running():
        raise UnsupportedError("an event loop is running here; use `await adjudge.make_judge(rubric)(submission)`")
    item = Submission(id="1", input=input, output=submission) if isinstance(submission, str) else submission

    async def once() -> Result:
        async with make_judge(rubric, backend=backend, **options) as bound:
            return await bound(item)

    return asyncio.run(once())


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
