"""An elicitation as a page in the browser of this machine.

The page needs no script and loads nothing: its policy forbids all but its own style and its own form.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from importlib.resources import files
from threading import Thread
from typing import Any, Self, TypeVar

from adjudge.errors import AdjudgeError
from adjudge.loopback import Answer, LoopbackServer, RefusedError, Visit, plainly
from adjudge_metacog.elicit.flow import Flow
from adjudge_metacog.elicit.rendering import page_html

T = TypeVar("T")
_MOST_BYTES = 64_000
STYLE = files("adjudge_metacog.elicit").joinpath("page.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
"""What a browser may do with the page."""


class Page:
    """The server of one person's page; also usable as a context manager."""

    def __init__(self, flow: Flow, loop: asyncio.AbstractEventLoop, port: int = 0) -> None:
        """Listen.

        Args:
            flow: The person's way.
            loop: The loop that the model is asked in; it runs in another thread than the requests.
            port: Of 127.0.0.1; a free one if 0.

        Raises:
            InputError: Something else listens there.
        """
        self._flow, self._loop = flow, loop
        self._turn = asyncio.Lock()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._server = LoopbackServer(self._answer, POLICY, port, longest=_MOST_BYTES)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address, with its token."""
        return self._server.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    async def ended(self) -> None:
        """Wait until the last screen was sent.

        Raises:
            AdjudgeError: The store or the model failed for good.
        """
        await self._ended

    def _answer(self, visit: Visit) -> Answer:
        if visit.path:
            raise RefusedError(403, "there is one page only; open the whole address that the command printed")
        try:
            return self._shown() if visit.form is None else self._taken(visit.form)
        except AdjudgeError as error:
            reason = error
            return replace(plainly(500, f"This cannot go on: {error}"), after=lambda: self._end(reason))

    def _shown(self) -> Answer:
        """The page as it now is."""
        data, is_last = self._in_loop(self._screen)
        return Answer(data=data, after=self._end if is_last else None)

    def _taken(self, form: Mapping[str, str]) -> Answer:
        """Take an answer; one to a step that is over changes nothing."""
        self._in_loop(lambda: self._answered(form))
        return Answer(303, location=f"/{self._server.token}/")

    def _end(self, error: AdjudgeError | None = None) -> None:
        """Let `ended` return, or raise."""
        self._loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, error: AdjudgeError | None) -> None:
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    def _in_loop(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    async def _screen(self) -> tuple[bytes, bool]:
        async with self._turn:
            screen = await self._flow.screen()
            return page_html(screen, self._flow.mark, STYLE), screen.is_last

    async def _answered(self, answer: Mapping[str, str]) -> None:
        async with self._turn:
            if answer.get("mark") == self._flow.mark:
                await self._flow.answer(answer.get("value", ""), answer.get("text", "").replace("\r\n", "\n"))
