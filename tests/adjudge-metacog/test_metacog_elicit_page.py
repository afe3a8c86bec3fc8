"""The page of an elicitation, over real HTTP on the loopback interface."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlencode, urlsplit

import pytest

from adjudge.engine import Engine
from adjudge.errors import BackendError, InputError
from adjudge.ledger import Ledger
from adjudge.testing import ScriptedBackend
from adjudge_metacog.elicit.events import Opened
from adjudge_metacog.elicit.flow import Flow
from adjudge_metacog.elicit.page import POLICY, STYLE, Page
from adjudge_metacog.elicit.store import Store

from .elicit_script import CASES, DOWN, script


class Browser:
    """Sends requests as a browser does, and follows the redirect after a form."""

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self.body = ""

    def request(self, method: str = "GET", path: str | None = None, body: str | None = None, **headers: str):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=20)
        usual = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self.url.netloc}"}
        sent = headers if body is None else {**usual, **headers}
        connection.request(method, self.url.path if path is None else path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def get(self) -> str:
        answer, self.body = self.request()
        assert answer.status == 200
        return self.body

    def send(self, **fields: str) -> str:
        mark = re.search('name="mark" value="([0-9a-f]+)"', self.body)
        answer, _ = self.request("POST", body=urlencode({"mark": mark[1] if mark else "", **fields}))
        assert (answer.status, answer.headers["Location"]) == (303, self.url.path)
        return self.get()


def run_in(loop, work):
    async def call():
        return work()

    return asyncio.run_coroutine_threadsafe(call(), loop).result(10)


@contextmanager
def served(path, **answers):
    """A page for ana, its loop in a thread of its own."""
    backend = answers.pop("backend", None) or ScriptedBackend(script(**answers))
    store = Store(path)
    if not store.state.cases:
        store.append(Opened(type="opened", cases=CASES))
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    ledger = run_in(loop, lambda: Ledger(":memory:"))  # it lives in the thread that opened it
    try:
        with Page(Flow(store, "ana", Engine(backend, ledger)), loop) as page:
            yield page
    finally:
        run_in(loop, ledger.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "talk.jsonl"


def test_a_person_goes_the_whole_way_with_forms_alone(path):
    with served(path) as page:
        browser = Browser(page.url)
        assert CASES[0].text in browser.get()
        assert "<textarea" in browser.send(value="garage")
        assert "Room to find out" in browser.send(text="That he decides.\r\nHimself.")
        assert "no stories to vote on yet" in browser.send(value="accept")
        assert "say what you care about" in browser.send(value="close")
        assert "call that fair" in browser.send(value="yes")
        assert "<form" not in browser.send(value="no")
        asyncio.run_coroutine_threadsafe(page.ended(), page._loop).result(10)
    person = Store(path).state.people["ana"]
    assert person.turns[0].text == "That he decides.\nHimself."
    assert (person.closed.represented, person.closed.fair) == ("yes", "no")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_whole_address_nothing_is_shown_or_taken(path, method):
    with served(path) as page:
        browser = Browser(page.url)
        browser.get()
        good = browser.url.path
        body = urlencode({"value": "garage"}) if method == "POST" else None
        wrong = [
            {"path": "/"},
            {"path": good[:-2] + "/"},
            {"path": good + "x"},
            {"path": f"/x{good}"},
            {"path": "/%C3%A9/"},
        ]
        wrong += [{"Host": "evil.example"}, {"Host": f"evil.example:{page.port}"}, {"Origin": "http://evil.example"}]
        wrong += [{"Origin": "null"}]
        for one in wrong:
            answer, text = browser.request(method, body=body, **one)
            assert answer.status == 403, one
            assert CASES[0].text not in text
        assert browser.request(method, body=body, Host=f"localhost:{page.port}")[0].status in {200, 303}
    assert Store(path).state.people == {}


def test_it_listens_on_the_loopback_interface_alone_and_every_page_has_a_token_of_its_own(path):
    with served(path) as one, served(path) as two:
        assert one._server.server_address[0] == "127.0.0.1"
        assert len(urlsplit(one.url).path) > 30
        assert urlsplit(one.url).path != urlsplit(two.url).path


def test_the_policy_forbids_everything_but_its_own_style_and_form(path):
    with served(path) as page:
        answer, text = Browser(page.url).request()
        refused, _ = Browser(page.url).request(path="/")
    assert answer.headers["Content-Security-Policy"] == refused.headers["Content-Security-Policy"] == POLICY
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"<style>{STYLE}</style>" in text
    assert "<script" not in text
    assert " style=" not in text
    assert "http" not in text.replace(page.url, "")


def test_nothing_that_a_person_or_a_model_writes_becomes_markup(path):
    bad = {"ready": False, "question": "<img src=x onerror=alert(1)>?"}
    with served(path, ask=bad) as page:
        browser = Browser(page.url)
        browser.get()
        browser.send(value="garage")
        text = browser.send(text='<script>alert("x")</script>\x1b[2J')
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in text
    assert "&lt;img src=x" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "\x1b" not in text


def test_an_answer_to_a_step_that_is_over_changes_nothing(path):
    with served(path) as page:
        browser = Browser(page.url)
        old = browser.get()
        browser.send(value="garage")
        browser.body = old
        assert "<textarea" in browser.send(value="debt")
    assert Store(path).state.people["ana"].case == "garage"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [("text=" + "x" * 70_000, {}, 413), ("x", {"Content-Length": "-1"}, 413), ("&".join(["a=1"] * 20), {}, 400)],
)
def test_too_long_or_odd_answers_are_refused(path, body, headers, status):
    with served(path) as page:
        browser = Browser(page.url)
        assert browser.request("POST", body=body, **headers)[0].status == status


def test_an_answer_that_is_cut_off_is_not_taken(path):
    with served(path) as page:
        url = urlsplit(page.url)
        mark = re.search('name="mark" value="([0-9a-f]+)"', Browser(page.url).get())[1]
        body = urlencode({"mark": mark, "value": "garage"})
        head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body) + 5}\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
            connection.sendall((head + body).encode())
            connection.shutdown(socket.SHUT_WR)
            assert b" 400 " in connection.makefile("rb").readline()
    assert Store(path).state.people == {}


def test_a_port_that_is_taken_is_an_error_in_one_line(path):
    with served(path) as page, pytest.raises(InputError, match=f"--port {page.port}: Address already in use"):
        Page(page._flow, page._loop, page.port)


def test_a_model_that_is_down_is_told_and_the_answer_is_kept(path):
    with served(path, ask=DOWN) as page:
        browser = Browser(page.url)
        browser.get()
        browser.send(value="garage")
        assert "the server is down" in browser.send(text="That he decides.")
    assert Store(path).state.people["ana"].turns[0].text == "That he decides."


def test_a_failure_for_good_ends_the_page_with_its_reason(path):
    class Broken(ScriptedBackend):
        async def ask(self, question):
            raise BackendError("the key was refused")

    with served(path, backend=Broken()) as page:
        browser = Browser(page.url)
        browser.get()
        browser.send(value="garage")
        mark = re.search('name="mark" value="([0-9a-f]+)"', browser.body)[1]
        answer, text = browser.request("POST", body=urlencode({"mark": mark, "text": "x"}))
        assert (answer.status, text) == (500, "This cannot go on: the key was refused\n")
        with pytest.raises(BackendError, match="key was refused"):
            asyncio.run_coroutine_threadsafe(page.ended(), page._loop).result(10)
