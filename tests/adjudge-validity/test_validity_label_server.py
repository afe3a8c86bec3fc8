"""The page's server: who is served and who is not, and what a killed process leaves."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from urllib.parse import urlencode, urlsplit

import pytest

from adjudge_validity.labelling.server import LONGEST_BODY, PageServer

TEXTS = {f"s{i}": "please come" if i % 2 else "come" for i in range(6)}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def served(judged, serve):
    return serve(judged({**TEXTS, "hostile": HOSTILE}), rater="<b>ann</b>")


def ask(server, path=None, *, form=None, host=None, **headers):
    """Status, headers and body of one request; `path` follows the token if it does not begin with a slash."""
    host = host or server.hosts[0]
    target = f"/{server.token}/{path or ''}" if not (path or "").startswith("/") else path
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if form is not None:
        sent = {"Origin": f"http://{host}", "Content-Type": "application/x-www-form-urlencoded", **sent}
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", target, body, {k: v for k, v in sent.items() if v})
    reply = connection.getresponse()
    with reply:
        found = reply.status, dict(reply.getheaders()), reply.read().decode()
    connection.close()
    return found


LABEL = {"act": "label", "criterion": "polite", "level": "met"}


def test_the_page_is_served_to_whoever_has_the_token(served):
    status, headers, _ = ask(served)
    assert (status, headers["Location"]) == (303, f"/{served.token}/at/1")
    status, headers, body = ask(served, "at/1", host=served.hosts[1])
    assert status == 200
    assert "The letter is polite." in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/at/1", "/wrong/at/1", "/label.js", "/%00/at/1", "//at/1", "/%C3%A4/"])
def test_nothing_is_served_without_the_token(served, path):
    for form in (None, LABEL):
        status, headers, body = ask(served, path, form=form)
        assert status == 403
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "polite" not in body
    assert served.session.own == []


def test_each_start_has_a_token_of_its_own(served):
    with PageServer(served.session) as other:
        assert other.token != served.token
        assert len(other.token) >= 43


def test_another_name_for_this_machine_is_refused(served):
    """A page elsewhere whose name was made to lead here (DNS rebinding) sends that name."""
    for host in ("evil.example", f"evil.example:{served.server_address[1]}", "127.0.0.1"):
        assert ask(served, "at/1", host=host)[0] == 403
        assert ask(served, "at/1", form=LABEL, host=host)[0] == 403
    assert served.session.own == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_a_form_of_another_site_is_refused(served, origin):
    assert ask(served, "at/1", form=LABEL, Origin=origin)[0] == 403
    assert served.session.own == []


def test_another_site_cannot_read_the_page(served):
    assert ask(served, "at/1", Origin="http://evil.example")[0] == 403


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("at/0", None, 404),
        ("at/99", None, 404),
        ("at/-1", None, 404),
        ("at/" + "9" * 400, None, 404),
        ("../../etc/passwd", None, 404),
        ("templates/item.html", None, 404),
        ("at/99", LABEL, 404),
        ("at/1", {**LABEL, "level": "maybe"}, 400),
        ("at/1", {**LABEL, "criterion": "none"}, 400),
        ("at/1", {**LABEL, "act": "agree"}, 400),
        ("at/1", {}, 400),
        ("at/1", {str(i): "" for i in range(30)}, 400),
        ("at/1", {**LABEL, "reason": "x" * LONGEST_BODY}, 413),
    ],
)
def test_what_makes_no_sense_changes_nothing(served, path, form, status):
    assert ask(served, path, form=form)[0] == status
    assert served.session.own == []
    assert ask(served, "at/1")[0] == 200


def test_other_methods_are_not_served(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.server_address[1], timeout=10)
    connection.request("DELETE", f"/{served.token}/at/1")
    reply = connection.getresponse()
    with reply:
        assert reply.status == 501
    connection.close()


def test_hostile_text_and_names_are_escaped(served):
    names = [one.submission for one in served.session.draw.submissions]
    _, _, body = ask(served, f"at/{names.index('hostile') + 1}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "<script>" not in body
    assert "<b>ann</b>" not in body


def test_a_label_is_on_disk_before_the_answer_comes(served):
    status, headers, _ = ask(served, "at/1", form={**LABEL, "reason": "Ünder \u202e way"})
    assert (status, headers["Location"]) == (303, f"/{served.token}/at/1")
    row = json.loads(served.session.log.path.read_text().splitlines()[-1])
    assert (row["level"], row["reason"]) == ("met", "Ünder \u202e way")
    status, headers, _ = ask(served, "at/1", form={"act": "cannot-tell", "criterion": "short"})
    assert headers["Location"] == f"/{served.token}/at/2"
    status, headers, _ = ask(served, "at/2", form={"act": "undo"})
    assert headers["Location"] == f"/{served.token}/at/1"


def test_the_last_answer_leads_to_the_end_and_its_undo_back(served):
    assert "Some are still open" in ask(served, "end")[2]
    for place in range(1, 8):
        ask(served, f"at/{place}", form=LABEL)
        _, headers, _ = ask(served, f"at/{place}", form={**LABEL, "criterion": "short"})
    assert headers["Location"] == f"/{served.token}/end"
    assert ask(served)[1]["Location"] == f"/{served.token}/end"
    body = ask(served, "end")[2]
    assert "Everything is answered" in body
    assert "levels given: 14" in body
    assert ask(served, "at/7", form={"act": "undo"})[1]["Location"] == f"/{served.token}/at/7"
    assert ask(served)[1]["Location"] == f"/{served.token}/at/7"


def test_a_label_that_cannot_be_written_is_said_so(served, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("adjudge_validity.labelling.log.os.fsync", full)
        status, _, body = ask(served, "at/1", form=LABEL)
    assert status == 500
    assert "not saved: No space left on device" in body
    assert served.session.own == []
    assert ask(served, "at/1", form=LABEL)[0] == 303


def test_a_visitor_who_hangs_holds_nobody_up(served):
    with socket.create_connection(served.server_address[:2]) as silent:
        silent.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        assert ask(served, "at/1")[0] == 200


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x", ""])
def test_a_length_that_is_none_is_refused(served, length):
    assert ask(served, "at/1", form=LABEL, Content_Length=length or " ")[0] == 413


def test_a_form_that_is_cut_off_labels_nothing(served):
    head = f"POST /{served.token}/at/1 HTTP/1.1\r\nHost: {served.hosts[0]}\r\nOrigin: http://{served.hosts[0]}\r\n"
    with socket.create_connection(served.server_address[:2]) as visitor:
        visitor.sendall(f"{head}Content-Length: 99\r\n\r\nact=label&criterion=polite&level=met".encode())
        visitor.shutdown(socket.SHUT_WR)
        assert b" 400 " in visitor.recv(100)
    assert served.session.own == []


def test_a_reason_is_shown_for_editing_as_it_was_typed(served):
    ask(served, "at/1", form={**LABEL, "reason": 'می\u200cخواهم "<b>"'})
    body = ask(served, "at/1")[2]
    assert 'value="می\u200cخواهم &#34;&lt;b&gt;&#34;"' in body


def test_it_listens_on_this_machine_alone(served):
    assert served.server_address[0] == "127.0.0.1"


def test_a_killed_process_loses_nothing_and_the_next_goes_on(judged, labelling, tmp_path):
    arguments = [judged(TEXTS), "--rater", "ann", "--out", tmp_path / "l.jsonl"]
    first = labelling(*arguments)
    url = urlsplit(first.url)
    for place in (1, 2, 3):
        connection = http.client.HTTPConnection(url.netloc, timeout=10)
        body = urlencode(LABEL)
        connection.request("POST", f"{url.path}at/{place}", body, {"Origin": f"http://{url.netloc}"})
        with connection.getresponse() as reply:
            assert reply.status == 303
        connection.close()
    first.end(signal.SIGKILL)
    before = (tmp_path / "l.jsonl").read_bytes()
    (tmp_path / "l.jsonl").write_bytes(before + b'{"kind": "label", "time"')
    second = labelling(*arguments)
    assert urlsplit(second.url).path != url.path
    status, out, err = second.end(signal.SIGINT)
    assert status == 0
    assert "levels given: 3" in out
    assert "the last line was cut off while it was written" in err
    assert (tmp_path / "l.jsonl").read_bytes() == before
