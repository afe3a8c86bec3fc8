"""How fast a backend is asked: an adaptive gate, rate limits, a circuit breaker and a budget.

Each is a small object with its own state and no knowledge of the others; `adjudge.sending` puts them together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType

from adjudge.verdict import Usage

Clock = Callable[[], float]


class Gate:
    """Lets so many questions through at once, fewer while the server is overloaded.

    The limit falls by 30 % when more than a fifth of the latest replies were overload, at most once per window of
    `limit` replies, and grows back by one for each window without. Single failures change nothing.
    """

    SHRINK = 0.7
    TOLERATED = 0.2

    def __init__(self, most: int) -> None:
        """Start wide open.

        Args:
            most: Questions in flight when all is well.
        """
        self.most = most
        self.limit = most
        """Questions that may be in flight now."""
        self.inside = 0
        """Questions in flight."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._window: list[bool] = []

    async def __aenter__(self) -> None:
        if self.inside < self.limit and not self._waiting:
            self.inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # let in and cancelled in the same breath
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self.inside -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self.inside < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)

    def note(self, *, overloaded: bool) -> None:
        """Count a reply."""
        self._window.append(overloaded)
        if len(self._window) < self.limit:
            return
        share = sum(self._window) / len(self._window)
        self._window.clear()
        if share > self.TOLERATED:
            self.limit = max(1, int(self.limit * self.SHRINK))
        elif share == 0 and self.limit < self.most:
            self.limit += 1
            self._let_in()


class Rate:
    """Spreads an amount (requests, tokens) evenly over time, with bursts of at most one second's worth."""

    def __init__(self, per_minute: float | None, clock: Clock) -> None:
        """Start with a full burst.

        Args:
            per_minute: Most of the amount in a minute; None for no limit.
            clock: Seconds.
        """
        self._per_second = None if per_minute is None else per_minute / 60
        self._clock = clock
        self._free_at = -1.0

    def wait(self, amount: float = 1.0) -> float:
        """Book an amount; the seconds to sleep before using it."""
        if self._per_second is None:
            return 0.0
        now = self._clock()
        start = max(self._free_at, now - 1.0)
        self._free_at = start + amount / self._per_second
        return max(0.0, start - now)


class Breaker:
    """Opens after many failures in a row without a success between them, and lets one question probe after a pause.

    Each failed probe doubles the pause; after `trips` of them the server counts as down.
    """

    LONGEST_PAUSE = 60.0

    def __init__(self, failures: int, pause: float, trips: int, clock: Clock) -> None:
        """Start closed.

        Args:
            failures: Failures in a row that open it.
            pause: Seconds of the first pause.
            trips: Openings in a row after which the server counts as down.
            clock: Seconds.
        """
        self._failures, self._pause, self._trips, self._clock = failures, pause, trips, clock
        self._in_a_row = 0
        self._opened = 0
        self._until = -1.0
        self._probing = False

    @property
    def is_down(self) -> bool:
        """Whether probing did not help."""
        return self._opened > self._trips

    def wait(self) -> float:
        """Seconds until this question may ask again; 0 to go on. The first to come after a pause is the probe."""
        now = self._clock()
        if self._opened == 0 or self.is_down:
            return 0.0
        if now < self._until:
            return self._until - now
        self._probing = True
        self._until = now + self._current_pause()  # the others wait for what becomes of the probe
        return 0.0

    def _current_pause(self) -> float:
        return min(self._pause * 2.0 ** (self._opened - 1), self.LONGEST_PAUSE)

    def note(self, *, failed: bool) -> None:
        """Count the outcome of an attempt; while open, only the probe's failure counts."""
        if not failed:
            self._in_a_row = self._opened = 0
            self._probing = False
        elif self._opened == 0:
            self._in_a_row += 1
            if self._in_a_row >= self._failures:
                self._open()
        elif self._probing:
            self._open()

    def _open(self) -> None:
        self._probing = False
        self._opened += 1
        self._until = self._clock() + self._current_pause()


class Budget:
    """Caps on calls, tokens and money; questions in flight when one is reached still finish."""

    def __init__(self, calls: int | None = None, tokens: int | None = None, cost: float | None = None) -> None:
        """Set the caps.

        Args:
            calls: Most calls.
            tokens: Most tokens, prompt and reply.
            cost: Most money, in US dollars.
        """
        self._calls, self._tokens, self._cost = calls, tokens, cost
        self._called = 0
        self._used_tokens = 0
        self._used_cost = 0.0

    def book(self) -> str:
        """Book a call; empty if it fits, else the cap that is reached."""
        for name, used, cap in (
            ("calls", self._called, self._calls),
            ("tokens", self._used_tokens, self._tokens),
            ("cost", self._used_cost, self._cost),
        ):
            if cap is not None and used >= cap:
                return f"the cap of {cap:,} {'US dollars' if name == 'cost' else name} is reached"
        self._called += 1
        return ""

    def spend(self, usage: Usage) -> None:
        """Count what a call used."""
        self._used_tokens += usage.prompt_tokens + usage.completion_tokens
        self._used_cost += usage.cost
