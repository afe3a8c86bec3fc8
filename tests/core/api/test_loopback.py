"""The loopback server: who is served, what a visit says, and when it ends."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from urllib.parse import urlencode

import pytest

from adjudge.errors import InputError
from adjudge.loopback import Answer, LoopbackServer, RefusedError, Visit

POLICY = "default-src 'none'"


@contextmanager
def served(answer, **options) -> Iterator[LoopbackServer]:
    with LoopbackServer(answer, POLICY, **options) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server, path="", form=None, **headers):
    """Status, headers and body; a form comes from this page unless `Origin` says otherwise."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    body = None if form is None else urlencode(form)
    sent = {} if form is None else {"Origin": f"http://{server.hosts[0]}"}
    sent = {name: value for name, value in {**sent, **headers}.items() if value}
    target = path if path.startswith("/") else f"/{server.token}/{path}"
    connection.request("GET" if form is None else "POST", target, body, sent)
    reply = connection.getresponse()
    with reply:
        found = reply.status, dict(reply.getheaders()), reply.read().decode()
    connection.close()
    return found


def echo(visit: Visit) -> Answer:
    return Answer(data=f"{visit.path} {visit.form}".encode())


def test_a_visit_says_where_it_leads_and_what_was_sent():
    with served(echo) as server:
        assert ask(server)[2] == " None"
        assert ask(server, "at/1/?a=b")[2] == "at/1 None"
        assert ask(server, "x", {"a": "1", "b": ""})[2] == "x {'a': '1', 'b': ''}"
        assert ask(server, "x", {}, Origin=f"http://{server.hosts[1]}")[2] == "x {}"
        assert server.url == f"http://127.0.0.1:{server.server_address[1]}/{server.token}/"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/wrong/", {}),
        ("", {"Host": "evil.example"}),
        ("", {"Host": "127.0.0.1"}),
        ("", {"Origin": "null"}),
        ("", {"Origin": "http://evil.example"}),
    ],
)
@pytest.mark.parametrize("form", [None, {"a": "1"}])
def test_nobody_else_is_served(path, headers, form):
    visits = []
    with served(lambda visit: visits.append(visit) or Answer()) as server:
        status, sent, _ = ask(server, path, form, **headers)
    assert (status, sent["Content-Security-Policy"], visits) == (403, POLICY, [])


def test_a_form_without_an_origin_is_refused():
    with served(echo) as server:
        assert ask(server, "", {"a": "1"}, Origin="")[0] == 403


def test_a_refusal_has_the_form_that_the_page_gives_it():
    def refuses(_):
        raise RefusedError(404, "there is no such page")

    with served(refuses) as server:
        status, headers, body = ask(server)
        assert (status, body) == (404, "there is no such page\n")
        assert headers["Content-Type"].startswith("text/plain")
    with served(refuses, refusal=lambda status, why: Answer(status, f"<p>{why}".encode())) as server:
        assert ask(server)[2] == "<p>there is no such page"


def test_a_form_that_is_too_long_or_has_too_many_fields_is_refused():
    with served(echo, longest=100) as server:
        assert ask(server, "", {"a": "x" * 100})[0] == 413
        assert ask(server, "", {str(number): "" for number in range(20)})[0] == 400


def test_what_comes_after_an_answer_comes_after_it_was_sent():
    sent = Event()
    with served(lambda _: Answer(303, location="/there", after=sent.set)) as server:
        status, headers, _ = ask(server)
        assert (status, headers["Location"]) == (303, "/there")
        assert sent.wait(10)


def test_a_port_that_is_taken_is_an_error_in_one_line():
    with served(echo) as server, pytest.raises(InputError, match=r"--port \d+: .*leave it out, or name another"):
        LoopbackServer(echo, POLICY, server.server_address[1])
